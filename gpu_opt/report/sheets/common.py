"""Sheets that every plan has: what is known about it, and its goals."""

from __future__ import annotations

from collections.abc import Iterable

from gpu_opt.plan import Allocation, Goal, Reallocation
from gpu_opt.report.sheet import Column, Kind, Sheet, Value, sheet
from gpu_opt.report.text import STOPS, goal

PLANS = "plans"
"""The sheet that is there whatever was solved."""


PLAN_COLUMNS = (
    Column("plan", "plan"),
    Column("organization", "organization"),
    Column("as_of", "as of", Kind.DAY),
    Column("until", "for, or until", Kind.DAY),
    Column("status", "status"),
    Column("stop", "stop"),
    Column("objective", "objective", Kind.AMOUNT),
    Column("bound", "proven bound", Kind.AMOUNT),
    Column("gap", "gap", Kind.SHARE),
    Column("seconds", "seconds", Kind.AMOUNT),
    Column("gpu_opt", "gpu_opt"),
    Column("cbc", "CBC"),
    Column("seed", "seed", Kind.COUNT),
    Column("organization_hash", "organization's hash"),
)


def plans(named: Iterable[tuple[str, Allocation | Reallocation]]) -> Sheet:
    """What is known about each plan, and what computed it; one row a plan, by the name given."""
    return sheet(PLANS, "Plans", PLAN_COLUMNS, (_plan(name, plan) for name, plan in named))


def _plan(name: str, plan: Allocation | Reallocation) -> tuple[Value, ...]:
    day = plan.date if isinstance(plan, Allocation) else plan.until
    return (
        name,
        plan.organization,
        plan.as_of,
        day,
        plan.status.value,
        plan.stop.value,
        plan.objective,
        plan.bound,
        plan.gap,
        seconds(plan),
        plan.run.gpu_opt,
        plan.run.cbc,
        plan.run.seed,
        plan.run.organization_hash,
    )


def seconds(plan: Allocation | Reallocation) -> float:
    """How long it took."""
    return plan.run.seconds.get("total", sum(plan.run.seconds.values()))


def goals(plan: Allocation | Reallocation) -> Sheet:
    """The goals in their order, with what was reached and what was proved of each."""
    columns = (
        Column("sense", ""),
        Column("goal", "goal"),
        Column("value", "value", Kind.AMOUNT),
        Column("bound", "bound", Kind.AMOUNT),
        Column("gap", "gap", Kind.SHARE),
        Column("stop", ""),
        Column("seconds", "s", Kind.AMOUNT),
    )
    name = "goals" if isinstance(plan, Allocation) else "reallocation_goals"
    title = "Goals, each among the plans that are best on those before it"
    return sheet(name, title, columns, map(_goal, plan.goals))


def _goal(one: Goal) -> tuple[Value, ...]:
    sense = one.sense.removesuffix("imize")
    return sense, goal(one.name), one.value, one.bound, one.gap, STOPS[one.stop], one.seconds
