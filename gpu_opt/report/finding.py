"""The answer to "we need N more GPUs" as tables."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Finding, Reallocation
from gpu_opt.report.reallocation import donor
from gpu_opt.report.sheets.reallocation import raises
from gpu_opt.report.tables import cell, of_sheet, table, titled
from gpu_opt.report.text import count, status


def finding(answer: Finding) -> RenderableType:
    """The sentence; who hands over what, and when; which caps are in the way, and who may raise them."""
    plan = answer.reallocation
    sections = [
        cell(answer.sentence, "bold"),
        cell(status(plan.status, plan.stop)),
        _donors("Who hands over, and when", plan),
    ]
    if answer.raises:
        caps = raises(answer.raises)
        sections.append(titled(caps.title, of_sheet(caps)))
    if answer.if_raised is not None:
        sections.append(_donors("If those caps were raised", answer.if_raised))
    return Group(*sections)


def _donors(title: str, plan: Reallocation) -> RenderableType:
    if not plan.handovers:
        return titled(title, cell("nobody hands over anything"))
    asked = sum(one.gpus for one in plan.requests)
    grid = table("on", "from", "pool", "GPUs", "so far", right=("GPUs", "so far"))
    so_far = 0
    for one in sorted(plan.handovers, key=lambda one: one.on):
        so_far += one.gpus
        grid.add_row(
            f"{one.on:%a} {one.on}",
            cell(donor(one)),
            cell(one.pool),
            count(one.gpus),
            f"{count(so_far)} of {count(asked)}",
        )
    return titled(title, grid)
