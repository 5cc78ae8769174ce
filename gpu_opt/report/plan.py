"""What every plan says about itself: its headline and its goals."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType

from gpu_opt.plan import Allocation, Goal, Reallocation
from gpu_opt.report.tables import cell, table, titled
from gpu_opt.report.text import STOPS, amount, goal, percentage, status


def headline(title: str, plan: Allocation | Reallocation) -> RenderableType:
    """What was decided, what is known about it, and the figures that prove it."""
    bound = amount(plan.bound) if math.isfinite(plan.bound) else "none proved"
    seconds = plan.run.seconds.get("total", sum(plan.run.seconds.values()))
    return Group(
        cell(title, "bold"),
        cell(status(plan.status, plan.stop)),
        cell(
            f"objective {amount(plan.objective)}, proven bound {bound}, gap {percentage(plan.gap)}, "
            f"{seconds:.1f} s, {plan.run.cbc}"
        ),
    )


def goals(plan: Allocation | Reallocation) -> RenderableType:
    """The goals in their order, with what was reached and what was proved of each."""
    grid = table("", "goal", "value", "bound", "gap", "", "s", right=("value", "bound", "gap", "s"))
    for one in plan.goals:
        grid.add_row(
            one.sense.removesuffix("imize"),
            cell(goal(one.name)),
            amount(one.value),
            _bound(one),
            percentage(one.gap),
            STOPS[one.stop],
            f"{one.seconds:.1f}",
        )
    return titled("Goals, each among the plans that are best on those before it", grid)


def _bound(one: Goal) -> str:
    return amount(one.bound) if math.isfinite(one.bound) else "none"
