"""A base plan and its scenarios, side by side."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Cause, Difference, Figure, Ground, Link, ProjectDifference, ScenarioOutcome, WhatIf
from gpu_opt.report.comparison import MOST_PROJECTS, whose_budget
from gpu_opt.report.tables import MARK, cell, table, titled
from gpu_opt.report.text import amount, counted, percentage, status

FIGURES = {
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


def what_if(found: WhatIf, *, every_project: bool = False) -> RenderableType:
    """The headline of all, then every scenario by itself; `every_project` leaves none out."""
    base = found.base
    head = [cell(f"{base.organization}: what if, as of {base.as_of}", "bold"), _headlines(found)]
    return Group(*head, *(_scenario(one, every_project) for one in found.scenarios))


def _headlines(found: WhatIf) -> RenderableType:
    """One column for the base and one for every scenario."""
    names = ["base", *(one.scenario for one in found.scenarios)]
    grid = table("", *names, right=names)
    plans = [found.base, *(one.plan for one in found.scenarios)]
    columns = [one.comparison.figures for one in found.scenarios]
    for row in zip(*columns, strict=True):
        figures: tuple[Figure, ...] = row
        first = figures[0]
        grid.add_row(FIGURES[first.name], amount(first.before), *(amount(each.after) for each in figures))
    grid.add_row("gap", *(percentage(plan.gap) for plan in plans))
    changed = [one.comparison.gained + one.comparison.lost for one in found.scenarios]
    grid.add_row("GPUs granted otherwise", "", *(amount(gpus) for gpus in changed))
    return grid


def _scenario(one: ScenarioOutcome, every_project: bool) -> RenderableType:
    """What a scenario changes, and whom it reaches."""
    comparison, plan = one.comparison, one.plan
    body: list[RenderableType] = [cell(one.description)] if one.description else []
    body += [cell(f"{place}. {change}") for place, change in enumerate(one.changes, start=1)]
    body.append(cell(status(plan.status, plan.stop)))
    for each in comparison.guarantees:
        figures = f"{amount(each.before)} -> {amount(each.after)} short"
        worse = each.verdict in {"broken", "further"}
        body.append(cell(f"guarantee of {each.team}: {each.verdict}, {figures}", MARK if worse else ""))
    if comparison.is_empty:
        return titled(one.scenario, *body, cell("nothing differs from the base"))
    if comparison.teams:
        body.append(whose_budget(comparison.teams))
    if comparison.projects:
        body += _projects(comparison.projects, every_project)
    return titled(one.scenario, *body)


def _projects(projects: tuple[ProjectDifference, ...], every_project: bool) -> list[RenderableType]:
    """Who gains and who loses, the largest difference first, and because of what."""
    figures = ("before", "after")
    grid = table("project", *figures, "where, and why", right=figures)
    largest = sorted(projects, key=lambda one: -sum(abs(gpus) for gpus in one.by_pool.values()))
    shown = largest if every_project else largest[:MOST_PROJECTS]
    for one in shown:
        name = one.project if one.difference is Difference.CHANGED else f"{one.project} ({one.difference})"
        where = ", ".join(f"{pool} {gpus:+,}" for pool, gpus in one.by_pool.items())
        lines = [where, *_why(one)]
        compute = amount(one.compute_before), amount(one.compute_after)
        grid.add_row(cell(name), *compute, cell("\n".join(lines)))
    hidden = len(largest) - len(shown)
    more = [cell(f"and {counted(hidden, 'smaller difference')} (--all shows them)")] if hidden else []
    return [grid, *more]


def _link(ground: Ground) -> str:
    traced = ground.subject or ground.link is not Link.KNOCK_ON
    return LINKS[ground.link].format(subject=ground.subject) if traced else " (indirectly)"


def _why(one: ProjectDifference) -> list[str]:
    """The changes that reach a project, and the constraint that keeps, or kept, it from more."""
    told = [f"{each.change + 1}{_link(each)}" for each in one.grounds]
    lines = [f"change {', '.join(told)}"] if told else []
    if one.reason is not None and one.reason.cause is not Cause.UNPROVED:
        when = "before: " if one.compute_before < one.compute_after else ""
        lines.append(f"{when}{one.reason.text}")
    return lines
