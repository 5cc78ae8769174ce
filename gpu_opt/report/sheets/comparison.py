"""Differences as sheets: of two plans, of scenarios and their base, and the points of a sweep."""

from __future__ import annotations

from gpu_opt.plan import (
    Cause,
    Comparison,
    Difference,
    Ground,
    Link,
    ProjectDifference,
    Sweep,
    TeamOutcome,
    WhatIf,
)
from gpu_opt.plan.comparison import FigureName
from gpu_opt.report.sheet import Column, Kind, Sheet, Value, beside, sheet, stacked

FIGURES: dict[FigureName, str] = {
    "objective": "objective",
    "asked": "asked, reference GPUs",
    "granted": "granted, reference GPUs",
    "gpus": "GPUs granted",
    "idle": "GPUs idle",
    "moves": "GPUs moved from holders",
    "guarantees_short": "teams short of their guarantee",
    "projects_met": "projects with all they could use",
}
"""Headline figures in words."""

LINKS = {
    Link.PROJECT: "",
    Link.TEAM: " ({subject})",
    Link.POOL: " ({subject})",
    Link.KNOCK_ON: " (by way of {subject})",
    Link.POLICY: " (the policy)",
    Link.DATE: " (the date)",
}
"""How a change reaches a project, in words after its number."""


def comparison_sheets(one: Comparison) -> list[Sheet]:
    """All that a comparison says."""
    return [figures(one), project_changes(one), grant_changes(one), team_changes(one), pool_changes(one)]


def figures(one: Comparison) -> Sheet:
    """The headline figures of both plans."""
    columns = (
        Column("figure", "figure"),
        Column("unit", "unit"),
        Column("before", "before", Kind.AMOUNT),
        Column("after", "after", Kind.AMOUNT),
    )
    rows = ((each.name, each.unit, each.before, each.after) for each in one.figures)
    return sheet("figures", "Headline figures", columns, rows)


def project_changes(one: Comparison) -> Sheet:
    """Projects that are granted something else, the largest difference first."""
    columns = (
        Column("project", "project"),
        Column("team", "team"),
        Column("difference", "is"),
        Column("gpus_before", "GPUs before", Kind.COUNT),
        Column("gpus_after", "GPUs after", Kind.COUNT),
        Column("compute_before", "before", Kind.AMOUNT),
        Column("compute_after", "after", Kind.AMOUNT),
        Column("where", "where", Kind.SENTENCE),
        Column("changes", "because of"),
        Column("cause", "cause"),
        Column("reason", "what stands in the way", Kind.SENTENCE),
    )
    rows = (
        (
            each.project,
            each.team,
            each.difference.value,
            each.before,
            each.after,
            each.compute_before,
            each.compute_after,
            where_differs(each),
            because_of(each),
            None if each.reason is None else each.reason.cause.value,
            in_the_way(each),
        )
        for each in largest_first(one.projects)
    )
    return sheet("project_changes", "Who gains and who loses", columns, rows)


def largest_first(changed: tuple[ProjectDifference, ...]) -> list[ProjectDifference]:
    """Those that are granted the most GPUs otherwise come first."""
    return sorted(changed, key=lambda one: -sum(abs(gpus) for gpus in one.by_pool.values()))


def named(one: ProjectDifference) -> str:
    """Its name; and whether it is new or gone."""
    return one.project if one.difference is Difference.CHANGED else f"{one.project} ({one.difference})"


def where_differs(one: ProjectDifference) -> str:
    """GPUs more, or fewer, by pool."""
    return ", ".join(f"{pool} {gpus:+,}" for pool, gpus in one.by_pool.items())


def because_of(one: ProjectDifference) -> str:
    """The changes that reach a project, by their numbers counted from 1."""
    told = [f"{each.change + 1}{_link(each)}" for each in one.grounds]
    return f"change {', '.join(told)}" if told else ""


def _link(ground: Ground) -> str:
    traced = ground.subject or ground.link is not Link.KNOCK_ON
    return LINKS[ground.link].format(subject=ground.subject) if traced else " (indirectly)"


def in_the_way(one: ProjectDifference) -> str:
    """The constraint that keeps, or kept, it from more."""
    if one.reason is None or one.reason.cause is Cause.UNPROVED:
        return ""
    when = "before: " if one.compute_before < one.compute_after else ""
    return f"{when}{one.reason.text}"


def grant_changes(one: Comparison) -> Sheet:
    """GPUs more, or fewer, by project and pool."""
    columns = (Column("project", "project"), Column("pool", "pool"), Column("gpus", "GPUs", Kind.COUNT))
    rows = ((each.project, pool, gpus) for each in one.projects for pool, gpus in each.by_pool.items())
    return sheet("grant_changes", "Grants that differ, in GPUs", columns, rows)


def team_changes(one: Comparison) -> Sheet:
    """Teams whose budget or grants differ, in reference GPUs."""
    fields = ("granted", "guarantee", "cap", "shortfall")
    columns = [Column("team", "team"), Column("difference", "is")]
    for field in fields:
        columns += [Column(f"{field}_{when}", f"{field} {when}", Kind.AMOUNT) for when in ("before", "after")]
    columns.append(Column("verdict", "its guarantee is"))
    verdicts = {each.team: each.verdict for each in one.guarantees}

    def row(team: str, difference: str, *sides: TeamOutcome | None) -> tuple[Value, ...]:
        pairs = (None if side is None else getattr(side, field) for field in fields for side in sides)
        return (team, difference, *pairs, verdicts.get(team))

    rows = (row(each.team, each.difference.value, each.before, each.after) for each in one.teams)
    return sheet("team_changes", "Whose budget, in reference GPUs", columns, rows)


def pool_changes(one: Comparison) -> Sheet:
    """Pools whose size or whose idle GPUs differ."""
    columns = (
        Column("pool", "pool"),
        Column("difference", "is"),
        Column("gpus_before", "GPUs before", Kind.COUNT),
        Column("gpus_after", "GPUs after", Kind.COUNT),
        Column("idle_before", "idle before", Kind.COUNT),
        Column("idle_after", "idle after", Kind.COUNT),
    )
    rows = (
        (
            each.pool,
            each.difference.value,
            *(None if side is None else side.gpus for side in (each.before, each.after)),
            *(None if side is None else side.idle for side in (each.before, each.after)),
        )
        for each in one.pools
    )
    return sheet("pool_changes", "Pools that differ, in GPUs", columns, rows)


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
    rows = [(FIGURES[row[0].name], row[0].before, *(each.after for each in row)) for row in figures]
    changed = (float(one.comparison.gained + one.comparison.lost) for one in found.scenarios)
    gaps = (100 * plan.gap for plan in (found.base, *(one.plan for one in found.scenarios)))
    rows += [("GPUs granted otherwise than in the base", 0.0, *changed), ("gap, %", *gaps)]
    return sheet("headlines", "Headline figures", columns, rows)


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
    )
    rows: list[tuple[Value, ...]] = []
    for place, point in enumerate(found.points, start=1):
        after = {figure.name: figure.after for figure in point.comparison.figures}
        outcome = (*(after[name] for name in FIGURES), point.comparison.gained, point.comparison.lost)
        known = (point.status.value, point.stop.value, point.gap)
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
            "yes" if turn.binds else "no",
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
