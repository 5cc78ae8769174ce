"""What the page tells beside its plots: in tables, in words, and in warnings that nobody overlooks."""

from __future__ import annotations

import pytest

from gpu_opt.plan import (
    Allocation,
    Conflicts,
    Explanation,
    Finding,
    GuaranteeDifference,
    NightReport,
    Overrun,
    WhatIf,
)
from gpu_opt.plan.comparison import Verdict
from gpu_opt.report.explanation import help_sentence
from gpu_opt.report.page import comparison as pages
from gpu_opt.report.page import page
from gpu_opt.report.plots import outcomes
from gpu_opt.report.text import amount
from tests.building import allocation, changed, lab, pool, project, reallocation
from tests.page_reader import Reader, read
from tests.reporting import CHINESE, LONG, SCRIPT, TEMPLATE, results


def test_the_projects_stand_with_what_they_lack_and_why_the_shortest_first() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    (grid,) = [grid for grid in read("allocate").tables if grid[0][0] == "project"]
    active = [one for one in plan.projects if one.active]
    assert [row[0] for row in grid[1:]] == [TEMPLATE, LONG, "vega", SCRIPT]
    assert len(grid) == len(active) + 1
    place = {heading: index for index, heading in enumerate(grid[0])}
    for one in active:
        row = next(row for row in grid if row[0] == one.project)
        assert row[place["asked"]] == amount(one.demand)
        assert row[place["granted"]] == amount(one.granted)
        assert row[place["why"]] == one.reason.text


def test_a_sweep_that_was_interrupted_at_once_has_a_page() -> None:
    found = results()["sweep"]
    assert "Nothing has arrived" in page(changed(found, points=(), breakpoints=()))


def test_what_teams_gain_is_told_for_every_scenario() -> None:
    found = results()["what-if"]
    assert isinstance(found, WhatIf)
    reader = read("what-if")
    assert "Nothing differs from the base." in reader.text
    (headlines,) = [grid for grid in reader.tables if grid[0] == ["", "base", SCRIPT, "none"]]
    granted = next(row for row in headlines if row[0].startswith("granted"))
    assert granted[1:] == [
        amount(sum(one.granted for one in plan.teams if one.level == 0))
        for plan in (found.base, *(one.plan for one in found.scenarios))
    ]


def test_the_answer_to_a_request_names_when_and_the_caps_in_the_way() -> None:
    found = results()["find"]
    assert isinstance(found, Finding)
    assert found.sentence in read("find").text
    nobody = changed(found.reallocation, handovers=())
    assert "Nobody: no GPUs that it accepts" in page(changed(found, reallocation=nobody))
    raised = page(changed(found, if_raised=found.reallocation))
    assert "if the caps were raised" in raised


def test_what_must_not_be_overlooked_is_said_in_words() -> None:
    night = results()["nightly"]
    assert isinstance(night, NightReport)
    broken = Overrun(rule="team_cap", subject=CHINESE, before=90, after=80, limit=40)
    short = tuple(
        changed(one, shortfall=7.5) if one.team == SCRIPT else one for one in night.allocation.teams
    )
    plan = changed(night.allocation, overruns=(broken,), teams=short)
    reader = Reader(page(changed(night, night=None, allocation=plan, reallocation=None, comparison=None)))
    for words in (
        "NOT PUBLISHED",
        "the night was interrupted before it",
        "Guarantees that are not met",
        "7.5 short",
        "Broken today, and not yet mended",
        "This is the first night",
    ):
        assert words in reader.text, words
    assert len([a for a in reader.of("div") if a.get("class") == "warning"]) == 4
    assert "granted, short of its guarantee" in page(changed(night, allocation=plan))


def test_an_empty_organization_has_a_page_too() -> None:
    text = page(allocation(lab(pools=[]), {}))
    assert "There are no pools." in text
    assert "Nothing moves" in text
    nothing = page(reallocation(lab(), [], []))
    assert "Nobody hands over anything" in nothing
    assert "Nobody asks for anything" in nothing


def test_a_lab_of_2_000_projects_has_plots_of_the_shortest_and_a_table_of_all() -> None:
    names = [f"project-{n:04}" for n in range(2000)]
    organization = lab(
        pools=[pool("iowa", 8000)], projects=[project(name, 8 + n) for n, name in enumerate(names)]
    )
    plan = allocation(organization, {(name, "iowa"): 4 for name in names})
    text = page(plan)
    assert f"the {outcomes.MOST_BARS} that lack most" in text
    (grid,) = [grid for grid in Reader(text).tables if grid[0][0] == "project"]
    assert [row[0] for row in grid[1:]] == names[::-1]
    assert 'type="search"' in text
    assert "<details open" not in text, "so long a table is opened on request"
    assert len(text) < 8_000_000


def test_the_table_of_gpu_types_has_a_row_for_each_team_and_a_column_for_each_type() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    (grid,) = [grid for grid in read("allocate").tables if grid[0] == ["team", "gb200", "h100"]]
    counts = {row[0]: row[1:] for row in grid[1:]}
    assert counts["lab"] == [
        str(sum(one.gpus for one in plan.grants if one.pool == at)) for at in (CHINESE, "iowa")
    ]
    assert counts[SCRIPT] == ["", "64"]


@pytest.mark.parametrize(("verdict", "warnings"), [("broken", 1), ("met", 0)])
def test_a_guarantee_that_a_scenario_breaks_is_a_warning(verdict: Verdict, warnings: int) -> None:
    found = results()["what-if"]
    assert isinstance(found, WhatIf)
    broken = GuaranteeDifference(team=CHINESE, verdict=verdict, before=0, after=12.5)
    comparison = changed(found.scenarios[0].comparison, guarantees=(broken,))
    reader = Reader(page(changed(found, scenarios=(changed(found.scenarios[0], comparison=comparison),))))
    assert f"{CHINESE}: {verdict}, 0 short before, 12.5 after" in reader.text
    assert len([a for a in reader.of("div") if a.get("class") == "warning"]) == warnings


def test_a_sweep_with_too_many_differences_for_a_page_points_to_the_tables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 1)
    assert "differences: too many for a page; --csv writes them." in page(results()["sweep"])


def test_why_begins_with_its_sentence_and_shows_changes_with_what_they_take() -> None:
    found = results()["why"]
    assert isinstance(found, Explanation)
    reader = read("why")
    assert found.sentence in reader.text
    assert help_sentence(found) in reader.text
    assert found.remedies
    assert all(remedy.text in reader.text for remedy in found.remedies)
    assert all(reason.text in reader.text for reason in found.reasons)


def test_every_conflict_has_its_statements_with_what_would_resolve_it() -> None:
    found = results()["conflicts"]
    assert isinstance(found, Conflicts)
    grids = read("conflicts").tables
    assert len(grids) == len(found.conflicts) >= 1
    for grid, one in zip(grids, found.conflicts, strict=True):
        assert [row[0] for row in grid[1:]] == [statement.text for statement in one.statements]
        assert all(row[2] for row in grid[1:])


def test_the_foot_of_a_plans_page_says_what_the_search_left_out() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    plan = plan.model_copy(update={"run": plan.run.model_copy(update={"removed": {}})})
    assert "Left out" not in page(plan)
    run = plan.run.model_copy(
        update={"removed": {"arcs": 1204, "projects": 1, "caps": 0, "alike": 30, "equals": 2}}
    )
    told = (
        "no plan needs them: 1,204 project-pool pairs, 1 project. "
        "Counted together with others just like them: 30 project-pool pairs, 2 projects."
    )
    assert told in page(plan.model_copy(update={"run": run}))
