"""A sweep as tables: what turns where, and every point."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Sweep
from gpu_opt.plan.comparison import FigureName
from gpu_opt.report.tables import cell, table, titled
from gpu_opt.report.text import amount, percentage

COLUMNS: dict[FigureName, str] = {
    "objective": "objective",
    "granted": "granted",
    "guarantees_short": "short",
    "projects_met": "met",
}
"""The headline figures that every point shows, and how they are headed."""


def sweep(found: Sweep) -> RenderableType:
    """The breakpoints, then the points in the order of the grid."""
    title = f"{found.name}: {len(found.points)} of {found.asked} scenarios, as of {found.base.as_of}"
    return Group(cell(title, "bold"), _breakpoints(found), _points(found))


def _breakpoints(found: Sweep) -> RenderableType:
    lines = [cell(turn.text) for turn in found.breakpoints]
    return titled("Breakpoints", *(lines or [cell("none: no budget begins to bind, or ceases to")]))


def _points(found: Sweep) -> RenderableType:
    axes = list(found.points[0].values) if found.points else []
    figures = (*COLUMNS.values(), "changed", "gap")
    grid = table(*axes, *figures, right=(*axes, *figures))
    for point in found.points:
        after = {figure.name: figure.after for figure in point.comparison.figures}
        changed = point.comparison.gained + point.comparison.lost
        grid.add_row(
            *(cell(value) for value in point.values.values()),
            *(amount(after[name]) for name in COLUMNS),
            amount(changed),
            percentage(point.gap),
        )
    legend = "short: teams short of their guarantee; met: projects with all they could use; changed: GPUs "
    return titled("Points", grid, cell(legend + "granted otherwise than in the base"))
