"""The page: one for every kind of result, complete, escaped, and in need of nothing else."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from gpu_opt.plan import (
    Allocation,
    Conflicts,
    Explanation,
    Finding,
    GuaranteeDifference,
    NightReport,
    Overrun,
    Prices,
    Reallocation,
    Resource,
    Sweep,
    WhatIf,
)
from gpu_opt.plan.comparison import Verdict
from gpu_opt.report.explanation import help_sentence
from gpu_opt.report.page import comparison as pages
from gpu_opt.report.page import page
from gpu_opt.report.page.frame import plot
from gpu_opt.report.page.html import Markup, element, escaped, table
from gpu_opt.report.plots import budgets, handovers, outcomes, sweep
from gpu_opt.report.plots.style import label
from gpu_opt.report.sheets.allocation import projects
from gpu_opt.report.text import amount
from tests.building import allocation, changed, day, handover, lab, pool, project, reallocation, request, team
from tests.reporting import CHINESE, LONG, NAMES, SCRIPT, TEMPLATE, results

KINDS = list(results())
DRAWN = [kind for kind in KINDS if kind not in {"why", "conflicts"}]
"""Those with plots; the others are tables."""


@cache
def page_of(kind: str) -> str:
    return page(results()[kind])


class Reader(HTMLParser):
    """What is on a page, as a browser takes it: tags with attributes, texts outside scripts, scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input", "br"}:
            self._inside.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, f"</{tag}> does not close what was opened last"

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self.words.append(data)
        if {"td", "th"} & set(self._inside):
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@cache
def read(kind: str) -> Reader:
    return Reader(page_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_fetched_from_anywhere(kind: str) -> None:
    reader = read(kind)
    fetching = {"src", "srcset", "action", "data", "poster", "background"}
    assert [tag for tag, attributes in reader.tags if fetching & set(attributes)] == []
    assert not {"link", "iframe", "object", "embed", "img", "base"} & {tag for tag, _ in reader.tags}
    assert all(str(a["href"]).startswith("#") for a in reader.of("a"))
    (style,) = re.findall(r"<style>(.*?)</style>", page_of(kind), re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [a["content"] for a in reader.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'")
    own = [script for script in reader.scripts if len(script) < 1_000_000]
    assert len(reader.scripts) - len(own) == (kind in DRAWN), "plotly.js is in the page, once if at all"
    assert not any("http:" in script or "https:" in script for script in own)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_shown_as_they_are_whatever_is_in_them(kind: str) -> None:
    assert SCRIPT not in page_of(kind)
    assert "<b>bold" not in page_of(kind)
    reader = read(kind)
    told = json.dumps(results()[kind].model_dump(mode="json"), ensure_ascii=False)
    named = [name for name in (SCRIPT, CHINESE, LONG) if name in told]
    assert named
    assert [name for name in named if name not in reader.text] == []
    scripts = [a for a in reader.of("script") if a.get("type") != "application/json"]
    assert len(scripts) == 1 + (kind in DRAWN), "plotly's and ours: no name became a script"


@pytest.mark.parametrize("kind", DRAWN)
def test_every_plot_says_what_it_shows_and_has_a_table(kind: str) -> None:
    reader = read(kind)
    plots = [a for a in reader.of("div") if a.get("class") == "plot"]
    assert plots
    assert len({a["id"] for a in plots}) == len(plots)
    for one in plots:
        assert one["role"] == "img"
        assert len(str(one["aria-label"])) > 20
    data = [json.loads(script) for script in reader.scripts if script.startswith('{"data"')]
    assert len(data) == len(plots)
    assert all(figure["data"] for figure in data)
    sections = page_of(kind).split("<section")[1:]
    assert all("<table" in one for one in sections if 'class="plot"' in one)


@pytest.mark.parametrize("kind", KINDS)
def test_headings_lead_through_the_page(kind: str) -> None:
    reader = read(kind)
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in itertools.pairwise(levels))
    assert [a["href"] for a in reader.of("a")] == [f"#{a['id']}" for a in reader.of("h2")]
    assert reader.of("html")[0]["lang"] == "en"
    assert all(a["scope"] == "col" for a in reader.of("th"))


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


def figures_of(kind: str) -> dict[str, dict[str, Any]]:
    """The plots' data by their names."""
    pairs = re.findall(
        r'<script type="application/json" id="plot-(.*?)-data">(.*?)</script>', page_of(kind), re.DOTALL
    )
    return {name: json.loads(data) for name, data in pairs}


def test_each_kind_has_its_plots() -> None:
    budgets = {"budget-tree", "budgets-1", "causes", "projects", "pools"}
    flows = {"flow", "weeks", "calendar", "requests"}
    assert set(figures_of("allocate")) == budgets
    assert set(figures_of("reallocate")) == flows
    assert set(figures_of("nightly")) == budgets | flows | {"night-teams", "night-projects"}
    assert set(figures_of("find")) == {"arrivals", "flow-as-caps-are"}
    assert set(figures_of("what-if")) == {"gains", "scenario-1-teams", "scenario-1-projects"}
    assert set(figures_of("sweep")) == {"sweep", "who-pays"}


def test_the_tree_is_as_large_as_what_is_granted() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    (icicle,) = figures_of("allocate")["budget-tree"]["data"]
    assert icicle["branchvalues"] == "remainder"
    sizes = dict(zip(icicle["ids"], icicle["values"], strict=True))
    parents = dict(zip(icicle["ids"], icicle["parents"], strict=True))

    def whole(node: str) -> float:
        return float(sizes[node]) + sum(whole(each) for each in sizes if parents[each] == node)

    assert [whole(node) for node in sizes] == [one.granted for one in plan.teams]
    assert any("(at its cap)" in text for text in icicle["text"])


def test_of_many_teams_every_division_has_a_plot_of_its_own() -> None:
    divisions = [team(f"d{n}") for n in range(3)]
    teams = [team(f"d{n}.{m}", f"d{n}", guarantee=8.0) for n in range(3) for m in range(5)]
    organization = lab(
        pools=[pool("iowa", 64)], teams=[*divisions, *teams], projects=[project("p", 4, "d1.0")]
    )
    titled = budgets.budget_bars(allocation(organization, {("p", "iowa"): 4}))
    assert [title for title, _ in titled] == [
        "The lab and its divisions",
        *(f"Teams of d{n}" for n in range(3)),
    ]
    texts = [text for trace in titled[2][1].data if trace.type == "scatter" for text in trace.text or ()]
    assert texts[0].strip() == "4 (guarantee 8, of which it can use 4, no cap)"


def test_what_flows_out_of_donors_flows_into_pools_and_into_teams() -> None:
    plan = results()["reallocate"]
    assert isinstance(plan, Reallocation)
    (sankey,) = figures_of("reallocate")["flow"]["data"]
    total = sum(one.gpus for one in plan.handovers)
    assert sum(sankey["link"]["value"]) == 2 * total
    labels = sankey["node"]["label"]
    for one in plan.handovers:
        assert any(text.startswith(label(one.pool)) for text in labels)
        assert any(text.startswith(label(one.team)) for text in labels)


def test_of_many_donors_the_smaller_ones_flow_together() -> None:
    organization = lab(
        pools=[pool("iowa", 4000)],
        projects=[project("first", 2000), *(project(f"p{n}", 8, holds={"iowa": 8}) for n in range(200))],
    )
    asked = request("more", 1600)
    given = [
        changed(handover(organization, asked, f"p{n}", 8, free=1), donor_team=f"team {n}") for n in range(200)
    ]
    figure = handovers.flow(given)
    labels = figure.data[0].node.label
    assert len(labels) == handovers.MOST_NODES + 3
    assert f"{200 - handovers.MOST_NODES} others {8 * (200 - handovers.MOST_NODES):,}" in labels
    assert sum(figure.data[0].link.value) == 2 * 1600


def test_the_calendar_of_many_teams_has_one_row_for_the_smaller_ones() -> None:
    organization = lab(pools=[pool("iowa", 4000)])
    given = [
        changed(handover(organization, request("more"), "idle", 4, on=n % 20), team=f"team {n}")
        for n in range(60)
    ]
    plan = changed(reallocation(organization, [request("more")], []), handovers=tuple(given))
    cells = handovers.calendar(plan).data[0]
    assert len(cells.y) == handovers.MOST_NODES + 1
    assert sum(each for row in cells.z for each in row if each) == 240


def test_the_sweep_is_drawn_along_its_axis_with_its_breakpoints() -> None:
    found = results()["sweep"]
    assert isinstance(found, Sweep)
    assert found.breakpoints
    drawn = figures_of("sweep")["sweep"]
    layout = drawn["layout"]
    assert layout["xaxis"]["ticktext"] == ["24", "48", "72", "96"]
    told = [note["text"] for note in layout["annotations"]]
    assert told == ["<b>▼ 1</b>"]
    assert found.breakpoints[0].text in read("sweep").text
    objective = [next(f.after for f in p.comparison.figures if f.name == "objective") for p in found.points]
    assert drawn["data"][0]["y"] == objective


def test_a_sweep_over_two_axes_has_a_line_for_each_value_of_the_shorter_one() -> None:
    found = results()["sweep"]
    assert isinstance(found, Sweep)
    points = tuple(
        changed(point, values={**point.values, "date": on}) for point in found.points for on in ("mon", "tue")
    )
    both = changed(found, points=points)
    assert list(sweep.lines(both)) == ["date mon", "date tue"]
    text = page(both)
    assert "One line for each combination of the other values (2 lines)." in text
    assert "plot-who-pays" not in text


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


def test_text_is_escaped_unless_it_is_html() -> None:
    assert escaped(["a<b", Markup("<br>"), None]) == "a&lt;b<br>"
    assert element("p", "x", title='"quoted"', hidden=None) == '<p title="&quot;quoted&quot;">x</p>'
    assert escaped("a\x1b[31m\u202eb") == "a�[31m�b", "no name steers the page"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_plot_is_shortened_and_means_nothing_to_plotly(name: str) -> None:
    shown = label(name)
    assert not re.search(r"<|>|&(?!lt;|gt;|amp;)", shown)
    assert len(shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= 40


def test_data_of_a_plot_cannot_end_its_script() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    figure = outcomes.project_bars([changed(plan.projects[0], project="</script><script>alert(1)")])
    figure.update_layout(title="</script>")
    assert plot("one", figure, "what it shows").count("</script>") == 1


def test_a_table_without_rows_says_so() -> None:
    sheet = projects(allocation(lab(), {}))
    assert table(sheet) == f"<p>{sheet.title}: none.</p>"


def test_dates_on_a_page_come_with_their_weekday() -> None:
    assert day(0) == dt.date(2026, 11, 23)
    assert "Mon 2026-11-23" in read("reallocate").text


def test_many_breakpoints_are_numbered_in_ranges_and_listed_on_request() -> None:
    found = results()["sweep"]
    assert isinstance(found, Sweep)
    many = changed(found, breakpoints=found.breakpoints * 31)
    assert [note.text for note in sweep.sweep_plot(many).layout.annotations] == ["<b>▼ 1–31</b>"]
    assert "<summary>All 31</summary>" in page(many)


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


# --- Why, prices and conflicts ------------------------------------------------------------------------


def test_why_begins_with_its_sentence_and_shows_changes_with_what_they_take() -> None:
    found = results()["why"]
    assert isinstance(found, Explanation)
    reader = read("why")
    assert found.sentence in reader.text
    assert help_sentence(found) in reader.text
    assert found.remedies
    assert all(remedy.text in reader.text for remedy in found.remedies)
    assert all(reason.text in reader.text for reason in found.reasons)


def test_prices_draw_what_a_gpu_more_is_worth_in_every_pool() -> None:
    found = results()["prices"]
    assert isinstance(found, Prices)
    (plot_data,) = [json.loads(script) for script in read("prices").scripts if script.startswith('{"data"')]
    pools = [one for one in found.prices if one.resource is Resource.POOL_CAPACITY]
    worths = [(one.worth if one.confirmed is None else one.confirmed) / one.amount for one in pools]
    assert plot_data["data"][0]["x"] == pytest.approx(worths)
    assert any(worths)


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
    run = plan.run.model_copy(update={"removed": {"arcs": 1204, "projects": 1, "caps": 0, "alike": 30}})
    told = "no plan needs them: 1,204 project-pool pairs, 1 project, 30 duplicate pairs."
    assert told in page(plan.model_copy(update={"run": run}))
