"""A sweep as tables: what turns where, and every point."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Figure, Sweep
from gpu_opt.plan.comparison import FigureName
from gpu_opt.report.certainty import doubt
from gpu_opt.report.sheets.scenarios import OPEN_LEGEND, OPEN_MARK, has_open
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
    known = [cell(told)] if found.breakpoints and (told := doubt(found)) else []
    return titled("Breakpoints", *(lines or [cell("none: no budget begins to bind, or ceases to")]), *known)


def _points(found: Sweep) -> RenderableType:
    axes = list(found.points[0].values) if found.points else []
    figures = (*COLUMNS.values(), "changed", "gap")
    grid = table(*axes, *figures, right=(*axes, *figures))
    for point in found.points:
        figures_of = {figure.name: figure for figure in point.comparison.figures}
        changed = point.comparison.gained + point.comparison.lost
        grid.add_row(
            *(cell(value) for value in point.values.values()),
            *(_figure(figures_of[name]) for name in COLUMNS),
            amount(changed),
            percentage(point.gap),
        )
    legend = "short: teams short of their guarantee; met: projects with all they could use; changed: GPUs "
    notes = [cell(legend + "granted otherwise than in the base")]
    if has_open(point.comparison for point in found.points):
        notes.append(cell(OPEN_LEGEND))
    return titled("Points", grid, *notes)


def _figure(one: Figure) -> str:
    return f"{OPEN_MARK if one.is_open else ''}{amount(one.after)}"
