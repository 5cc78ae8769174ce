"""What every plan says about itself: its headline and its goals."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType

from gpu_opt.plan import Allocation, Reallocation
from gpu_opt.report.sheets import common
from gpu_opt.report.tables import cell, of_sheet, titled
from gpu_opt.report.text import amount, percentage, status


def headline(title: str, plan: Allocation | Reallocation) -> RenderableType:
    """What was decided, what is known about it, and the figures that prove it."""
    bound = amount(plan.bound) if math.isfinite(plan.bound) else "none proved"
    return Group(
        cell(title, "bold"),
        cell(status(plan.status, plan.stop)),
        cell(
            f"objective {amount(plan.objective)}, proven bound {bound}, gap {percentage(plan.gap)}, "
            f"{common.seconds(plan):.1f} s, {plan.run.cbc}"
        ),
    )


def goals(plan: Allocation | Reallocation) -> RenderableType:
    """The goals in their order, with what was reached and what was proved of each."""
    sheet = common.goals(plan)
    return titled(sheet.title, of_sheet(sheet))
