"""Scenarios and sweeps as sheets: beside their base, with every comparison."""

from __future__ import annotations

from collections.abc import Iterable

from gpu_opt.plan import Comparison, Figure, Sweep, WhatIf
from gpu_opt.report.sheet import Column, Kind, Sheet, Value, beside, sheet, stacked
from gpu_opt.report.sheets.comparison import FIGURES, comparison_sheets, project_changes, team_changes
from gpu_opt.report.text import amount, yes_or_no


def what_if_sheets(found: WhatIf) -> list[Sheet]:
    """All that a what-if says: the changes, and every comparison beside its scenario's name."""
    column = Column("scenario", "scenario")
    sheets = [changes(found)]
    for one in found.scenarios:
        sheets += beside(one.scenario, column, comparison_sheets(one.comparison))
    return list(stacked(sheets))


def changes(found: WhatIf) -> Sheet:
    """What every scenario changes."""
    columns = (
        Column("scenario", "scenario"),
        Column("place", "", Kind.COUNT),
        Column("change", "change", Kind.SENTENCE),
    )
    rows = (
        (one.scenario, place, change)
        for one in found.scenarios
        for place, change in enumerate(one.changes, start=1)
    )
    return sheet("changes", "Changes", columns, rows)


def headlines(found: WhatIf) -> Sheet:
    """One column for the base and one for every scenario."""
    columns = [
        Column("figure", ""),
        Column("base", "base", Kind.AMOUNT),
        *(Column(one.scenario, one.scenario, Kind.AMOUNT) for one in found.scenarios),
    ]
    figures = zip(*(one.comparison.figures for one in found.scenarios), strict=True)
    rows: list[tuple[Value, ...]] = [
        (FIGURES[row[0].name], row[0].before, *(_marked(each) for each in row)) for row in figures
    ]
    changed = (float(one.comparison.gained + one.comparison.lost) for one in found.scenarios)
    gaps = (100 * plan.gap for plan in (found.base, *(one.plan for one in found.scenarios)))
    rows += [("GPUs granted otherwise than in the base", 0.0, *changed), ("gap, %", *gaps)]
    return sheet("headlines", "Headline figures", columns, rows)


OPEN_MARK = "~ "
"""Before a figure whose difference may be chance."""

OPEN_LEGEND = f"{OPEN_MARK}differs from the base by no more than the solves leave open: that may be chance"


def _marked(figure: Figure) -> Value:
    return f"{OPEN_MARK}{amount(figure.after)}" if figure.is_open else figure.after


def has_open(compared: Iterable[Comparison]) -> bool:
    """Whether a difference of some figure may be chance."""
    return any(figure.is_open for one in compared for figure in one.figures)


def sweep_sheets(found: Sweep) -> list[Sheet]:
    """All that a sweep says; what is about one point names it by its number in the points."""
    column = Column("point", "point", Kind.COUNT)
    sheets = [points(found), breakpoints(found), bindings(found)]
    for place, point in enumerate(found.points, start=1):
        sheets += beside(place, column, [project_changes(point.comparison), team_changes(point.comparison)])
    return list(stacked(sheets))


def points(found: Sweep) -> Sheet:
    """Every point: its number, its values, one column for each axis, and what comes out."""
    axes = list(found.points[0].values) if found.points else []
    columns = (
        Column("point", "", Kind.COUNT),
        *(Column(axis, axis) for axis in axes),
        *(Column(name, words, Kind.AMOUNT) for name, words in FIGURES.items()),
        Column("gained", "GPUs gained", Kind.COUNT),
        Column("lost", "GPUs lost", Kind.COUNT),
        Column("status", "status"),
        Column("stop", "stop"),
        Column("gap", "gap", Kind.SHARE),
        Column("open", "may be chance"),
    )
    rows: list[tuple[Value, ...]] = []
    for place, point in enumerate(found.points, start=1):
        after = {figure.name: figure.after for figure in point.comparison.figures}
        outcome = (*(after[name] for name in FIGURES), point.comparison.gained, point.comparison.lost)
        is_open = any(figure.is_open for figure in point.comparison.figures if figure.name == "objective")
        known = (point.status.value, point.stop.value, point.gap, yes_or_no(is_open))
        rows.append((place, *point.values.values(), *outcome, *known))
    return sheet("points", "Points", columns, rows)


def breakpoints(found: Sweep) -> Sheet:
    """Where a budget begins to bind, or ceases to."""
    columns = (
        Column("axis", "axis"),
        Column("value", "from"),
        Column("others", "where"),
        Column("kind", "what"),
        Column("team", "team"),
        Column("binds", "binds"),
        Column("text", "in words", Kind.SENTENCE),
    )
    rows = (
        (
            turn.axis,
            turn.value,
            ", ".join(f"{axis} {value}" for axis, value in turn.others.items()),
            turn.binding.kind,
            turn.binding.team,
            yes_or_no(turn.binds),
            turn.text,
        )
        for turn in found.breakpoints
    )
    return sheet("breakpoints", "Breakpoints", columns, rows)


def bindings(found: Sweep) -> Sheet:
    """What binds at every point: caps and limits in the way of a project, guarantees that are short."""
    columns = (Column("point", "point", Kind.COUNT), Column("kind", "what"), Column("team", "team"))
    rows = (
        (place, each.kind, each.team)
        for place, point in enumerate(found.points, start=1)
        for each in point.bindings
    )
    return sheet("bindings", "What binds", columns, rows)
