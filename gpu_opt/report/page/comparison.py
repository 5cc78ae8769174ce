"""What differs: from last night, between scenarios and their base, along a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpu_opt.plan import Allocation, Comparison, NightReport, ScenarioOutcome, Sweep, TeamOutcome, WhatIf
from gpu_opt.report.certainty import certainty, doubt
from gpu_opt.report.page.allocation import known
from gpu_opt.report.page.frame import Section, plot, section, warning
from gpu_opt.report.page.html import Child, element, folded, listed, table
from gpu_opt.report.plots import sweep as plots
from gpu_opt.report.plots.bars import differences
from gpu_opt.report.plots.matrix import matrix
from gpu_opt.report.plots.style import label
from gpu_opt.report.sheet import Column, Kind, sheet
from gpu_opt.report.sheets import comparison as sheets
from gpu_opt.report.sheets import scenarios
from gpu_opt.report.sheets.allocation import in_tree_order
from gpu_opt.report.text import amount, count, counted, signed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 30
"""Of more projects than these a plot shows those that differ most; the table has all."""

MOST_COLUMNS = 12
"""Columns of a matrix in which every figure can be read."""

MOST_ROWS = 3000
"""Rows of a sweep's projects that a page still shows."""

PROJECT_COLUMNS = (
    "project",
    "team",
    "effect",
    "compute_before",
    "compute_after",
    "where",
    "changes",
    "reason",
)
WORSE = {"broken", "further"}


def night_changes(report: NightReport) -> Section:
    """What is different from the night before."""
    if report.comparison is None:
        return section("Changes", element("p", "This is the first night: there is none to compare it with."))
    title = f"Changes since night {report.previous}"
    if report.comparison.is_empty:
        return section(title, element("p", "None: everybody keeps what it was granted."))
    columns = [name for name in PROJECT_COLUMNS if name != "changes"]
    return section(title, *_differences("night", report.comparison, columns))


def _differences(name: str, found: Comparison, columns: Sequence[str] = PROJECT_COLUMNS) -> list[Child]:
    """What is proved; guarantees, teams, projects and pools that differ, with plots."""
    body = _proof(found)
    told = [
        f"{one.team}: {one.verdict}, {amount(one.before)} short before, {amount(one.after)} after"
        for one in found.guarantees
    ]
    if told:
        worse = any(one.verdict in WORSE for one in found.guarantees)
        lines = [element("p", "Guarantees that are kept better or worse:"), listed(told)]
        body.append(warning(*lines) if worse else lines)
    if found.teams:
        body += [element("h3", "Teams"), *_teams(name, found)]
    if found.projects:
        body += [element("h3", "Projects"), _projects(name, found, columns)]
    if found.pools:
        body += [element("h3", "Pools"), table(sheets.pool_changes(found))]
    return body


def _proof(found: Comparison) -> list[Child]:
    told = certainty(found)
    return [warning(element("p", told)), table(sheets.goal_changes(found))] if told else []


def _teams(name: str, found: Comparison) -> list[Child]:
    changed = [(label(one.team), _granted(one.before), _granted(one.after)) for one in found.teams]
    moved = [each for each in changed if each[1] != each[2]]
    grid = table(sheets.team_changes(found))
    if not moved:
        return [grid]
    bars = _bars(moved[:MOST_BARS])
    return [
        plot(
            f"{name} teams",
            bars,
            "Compute granted to teams, more or less than before, in reference GPUs.",
            grid,
        )
    ]


def _projects(name: str, found: Comparison, columns: Sequence[str]) -> Child:
    largest = sorted(
        sheets.largest_first(found.projects)[:MOST_BARS],
        key=lambda one: one.compute_before - one.compute_after,
    )
    bars = _bars([(label(sheets.named(one)), one.compute_before, one.compute_after) for one in largest])
    which = (
        ""
        if len(largest) == len(found.projects)
        else f" The {len(largest)} that differ most of {count(len(found.projects))}."
    )
    summary = f"Who gains and who loses, in reference GPUs at the project's own speed.{which}"
    return plot(f"{name} projects", bars, summary, table(sheets.project_changes(found).only(*columns)))


def _bars(changed: Sequence[tuple[str, float, float]]) -> Figure:
    texts = [f"{signed(after - before)} ({amount(before)} → {amount(after)})" for _, before, after in changed]
    return differences(
        [name for name, *_ in changed],
        [after - before for _, before, after in changed],
        texts,
        "reference GPUs",
    )


def what_if_sections(found: WhatIf) -> list[Section]:
    """The scenarios side by side, then each by itself."""
    return [
        _side_by_side(found),
        *(_scenario(place, one) for place, one in enumerate(found.scenarios, start=1)),
    ]


def _side_by_side(found: WhatIf) -> Section:
    body: list[Child] = [table(scenarios.headlines(found), caption="Headline figures")]
    if scenarios.has_open(one.comparison for one in found.scenarios):
        body.append(element("p", scenarios.OPEN_LEGEND))
    compared = [(one.scenario, one.comparison) for one in found.scenarios]
    if len(found.scenarios) > 1 and any(one.comparison.teams for one in found.scenarios):
        body += [element("h3", "Who gains in which scenario"), *_gains("gains", found.base, compared)]
    return section("Side by side", *body)


def _gains(name: str, base: Allocation, compared: Sequence[tuple[str, Comparison]]) -> list[Child]:
    """What teams gain (or lose) in each comparison, in the order of the tree, new teams last."""
    gains = [
        {one.team: _granted(one.after) - _granted(one.before) for one in found.teams} for _, found in compared
    ]
    levels = {one.team: one.level for one in in_tree_order(base.teams)}
    teams = [*levels, *{team: 0 for each in gains for team in each if team not in levels}]
    rows = [(team, [each.get(team) or None for each in gains]) for team in teams]
    rows = [(team, row) for team, row in rows if any(row)]
    columns = [words for words, _ in compared]
    if not rows:
        return [element("p", "No team is granted more or less than in the base.")]
    texts = [["" if each is None else signed(each) for each in row] for _, row in rows]
    labels = ["↳ " * levels.get(team, 0) + label(team) for team, _ in rows]
    shown = matrix(labels, [label(name, 25) for name in columns], [row for _, row in rows], texts)
    grid = sheet(
        "gains",
        "Compute granted to teams, more or less than in the base",
        [Column("team", "team"), *(Column(name, name, Kind.AMOUNT) for name in columns)],
        ((team, *row) for team, row in rows),
    )
    summary = (
        "Compute granted to teams and divisions, more (+) or less (-) than in the base, in reference GPUs."
    )
    return [plot(name, shown, summary, table(grid))]


def _granted(side: TeamOutcome | None) -> float:
    return 0.0 if side is None else side.granted


def _scenario(place: int, one: ScenarioOutcome) -> Section:
    body: list[Child] = [element("p", one.description)] if one.description else []
    body += [element("p", "Its changes:"), listed(one.changes, numbered=True), known(one.plan)]
    if one.comparison.is_empty:
        body.append(element("p", "Nothing differs from the base."))
    else:
        body += _differences(f"scenario {place}", one.comparison)
    return section(f"Scenario {place}: {one.scenario}", *body)


def sweep_sections(found: Sweep) -> list[Section]:
    """The plot over the axis, where something turns, and every point."""
    if not found.points:
        return [section("Points", element("p", "Nothing has arrived: the sweep was interrupted before."))]
    columns = [column.name for column in scenarios.points(found).columns if column.name != "status"]
    grid = table(scenarios.points(found).only(*columns))
    return [
        section(
            f"Along {plots.along(found)}",
            plot("sweep", plots.sweep_plot(found), _what_is_drawn(found), grid),
            element("h3", "Breakpoints"),
            _turns([turn.text for turn in found.breakpoints]),
            element("p", told) if found.breakpoints and (told := doubt(found)) else None,
            folded("What binds at every point, by its number", table(scenarios.bindings(found))),
        ),
        *_who_pays(found),
        section("Projects at every point, by its number", _projects_at_points(found)),
    ]


def _turns(texts: Sequence[str]) -> Child:
    if not texts:
        return element("p", "None: no budget begins to bind, or ceases to.")
    told = listed(texts, numbered=True)
    return told if len(texts) <= MOST_BARS else folded(f"All {count(len(texts))}", told)


def _what_is_drawn(found: Sweep) -> str:
    drawn, most = len(plots.lines(found)), plots.MOST_LINES
    told = [f"What comes out along {plots.along(found)}."]
    if drawn > 1:
        shown = f", of which the first {most} are shown" if drawn > most else ""
        told.append(f"One line for each combination of the other values ({counted(drawn, 'line')}{shown}).")
    if plots.turns(found):
        told.append("Dotted lines are breakpoints, with their numbers in the list below.")
    return " ".join(told)


def _who_pays(found: Sweep) -> list[Section]:
    """What teams gain and lose along the axis, where there is only one, with few enough values to be read."""
    if len(found.points[0].values) > 1 or len(found.points) > MOST_COLUMNS:
        return []
    compared = [(next(iter(point.values.values())), point.comparison) for point in found.points]
    return [section("Who gains and who loses", *_gains("who pays", found.base, compared))]


def _projects_at_points(found: Sweep) -> Child:
    (changes,) = (one for one in scenarios.sweep_sheets(found) if one.name == "project_changes")
    if len(changes.rows) > MOST_ROWS:
        return element(
            "p", f"{count(len(changes.rows))} differences: too many for a page; --csv writes them."
        )
    columns = ("point", "project", "team", "compute_before", "compute_after", "where", "reason")
    return folded("Who gains and who loses at every point", table(changes.only(*columns)))
