"""Differences of two plans as sheets."""

from __future__ import annotations

from gpu_opt.plan import (
    Cause,
    Comparison,
    Difference,
    Ground,
    Link,
    ProjectDifference,
    TeamOutcome,
)
from gpu_opt.plan.comparison import FigureName
from gpu_opt.report.sheet import Column, Kind, Sheet, Value, sheet
from gpu_opt.report.text import goal, yes_or_no

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
    return [
        figures(one),
        goal_changes(one),
        project_changes(one),
        grant_changes(one),
        team_changes(one),
        pool_changes(one),
    ]


def figures(one: Comparison) -> Sheet:
    """The headline figures of both plans."""
    columns = (
        Column("figure", "figure"),
        Column("unit", "unit"),
        Column("before", "before", Kind.AMOUNT),
        Column("after", "after", Kind.AMOUNT),
        Column("open", "may be chance"),
    )
    rows = ((each.name, each.unit, each.before, each.after, yes_or_no(each.is_open)) for each in one.figures)
    return sheet("figures", "Headline figures", columns, rows)


def goal_changes(one: Comparison) -> Sheet:
    """What both plans reach on every goal, and between what the best plans' difference is proved to be."""
    columns = (
        Column("goal", "goal"),
        Column("unit", "unit"),
        Column("before", "before", Kind.AMOUNT),
        Column("after", "after", Kind.AMOUNT),
        Column("least", "best plans: at least", Kind.AMOUNT),
        Column("most", "at most", Kind.AMOUNT),
        Column("decided", "after is"),
    )
    rows = (
        (
            goal(each.goal),
            each.unit,
            each.before,
            each.after,
            each.least,
            each.most,
            each.decided.value,
        )
        for each in one.goals
    )
    return sheet("goal_changes", "Goals, and what the solves leave open", columns, rows)


def project_changes(one: Comparison) -> Sheet:
    """Projects that are granted something else: the largest difference in compute first, swaps last."""
    columns = (
        Column("project", "project"),
        Column("team", "team"),
        Column("difference", "is"),
        Column("effect", "effect"),
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
            "swaps" if each.is_swap else "gains" if each.gain > 0 else "loses",
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
    """Those whose compute differs most come first; then those that only swap, most GPUs first."""
    return sorted(changed, key=lambda one: (-abs(one.gain), -sum(abs(gpus) for gpus in one.by_pool.values())))


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
