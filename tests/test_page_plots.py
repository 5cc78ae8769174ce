"""The plots of the page: which each kind has, and that they draw what the result says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gpu_opt.plan import Allocation, Prices, Reallocation, Resource, Sweep
from gpu_opt.report.page import page
from gpu_opt.report.plots import budgets, handovers, sweep
from gpu_opt.report.plots.style import label
from tests.building import allocation, changed, handover, lab, pool, project, reallocation, request, team
from tests.page_reader import page_of, read
from tests.reporting import results


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


def test_many_breakpoints_are_numbered_in_ranges_and_listed_on_request() -> None:
    found = results()["sweep"]
    assert isinstance(found, Sweep)
    many = changed(found, breakpoints=found.breakpoints * 31)
    assert [note.text for note in sweep.sweep_plot(many).layout.annotations] == ["<b>▼ 1–31</b>"]
    assert "<summary>All 31</summary>" in page(many)


def test_prices_draw_what_a_gpu_more_is_worth_in_every_pool() -> None:
    found = results()["prices"]
    assert isinstance(found, Prices)
    (plot_data,) = [json.loads(script) for script in read("prices").scripts if script.startswith('{"data"')]
    pools = [one for one in found.prices if one.resource is Resource.POOL_CAPACITY]
    worths = [(one.worth if one.confirmed is None else one.confirmed) / one.amount for one in pools]
    assert plot_data["data"][0]["x"] == pytest.approx(worths)
    assert any(worths)
