"""A night as tables: both plans, and what changed since the night before."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import NightReport
from gpu_opt.report.allocation import allocation
from gpu_opt.report.comparison import differences
from gpu_opt.report.reallocation import reallocation
from gpu_opt.report.tables import MARK, cell, titled


def night(report: NightReport, *, every_project: bool = False) -> RenderableType:
    """The whole night; `every_project` leaves none out."""
    sections = [published(report), allocation(report.allocation, every_project=every_project)]
    if report.reallocation is None:
        sections.append(titled("No reallocation: the night was interrupted before it"))
    else:
        sections += [cell(""), reallocation(report.reallocation)]
    return Group(*sections, changes(report, every_project=every_project))


def published(report: NightReport) -> RenderableType:
    """Whether the night is in the store, and under which number."""
    if report.night is None:
        return cell("NOT PUBLISHED: the store is as it was", MARK)
    replaced = "" if report.replaces is None else f"; it replaces night {report.replaces}"
    return cell(f"published as night {report.night}{replaced}")


def changes(report: NightReport, *, every_project: bool = False) -> RenderableType:
    """What is different from the night before."""
    if report.comparison is None:
        return titled("Changes: this is the first night")
    title = f"Changes since night {report.previous} (as of {report.comparison.before.as_of})"
    if report.comparison.is_empty:
        return titled(title, cell("none: everybody keeps what it was granted"))
    return titled(title, *differences(report.comparison, every_project=every_project))
