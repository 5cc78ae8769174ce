"""A base plan and its scenarios, side by side."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import ScenarioOutcome, WhatIf
from gpu_opt.report.comparison import differences
from gpu_opt.report.sheets import scenarios as sheets
from gpu_opt.report.tables import MARK, cell, of_sheet, titled
from gpu_opt.report.text import amount, status


def what_if(found: WhatIf, *, every_project: bool = False) -> RenderableType:
    """The headline of all, then every scenario by itself; `every_project` leaves none out."""
    base = found.base
    head: list[RenderableType] = [
        cell(f"{base.organization}: what if, as of {base.as_of}", "bold"),
        of_sheet(sheets.headlines(found)),
    ]
    if sheets.has_open(one.comparison for one in found.scenarios):
        head.append(cell(sheets.OPEN_LEGEND))
    return Group(*head, *(_scenario(one, every_project) for one in found.scenarios))


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
    return titled(one.scenario, *body, *differences(comparison, every_project=every_project))
