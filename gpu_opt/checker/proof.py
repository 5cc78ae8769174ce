"""What a plan says it has proved, and of the run that did: the figures fit one another."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction

from gpu_opt.checker.figures import ROUNDING, TOLERANCE, same, written
from gpu_opt.checker.goals import is_maximized
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation, Goal, Reallocation, Status, Stop, Violation, weakest

REACHED = 1.001 * TOLERANCE
"""Relative and absolute: a stated value no further from a stated bound has reached it."""

UNITS = {
    "repair": "reference GPUs",
    "guarantee_level": "reference GPUs",
    "value_tier": "weighted value",
    "moves": "GPUs",
    "changes": "GPUs",
    "unmet_tier": "weighted GPUs",
    "late_tier": "weighted GPU-days",
    "cost": "price",
    "days": "GPU-days",
}
"""By goal, without the number of its level or tier."""


def check_goals(
    plan: Allocation | Reallocation, computed: tuple[tuple[str, Fraction], ...]
) -> Iterator[Violation]:
    """The goals stated are those computed, in order, each with its value and a proof that fits."""
    names = [name for name, _ in computed]
    if [goal.name for goal in plan.goals] != names:
        yield fault("", f"the goals must be {', '.join(names)}, in this order")
        return
    near = isinstance(plan, Allocation) and plan.near is not None
    for goal, (name, value) in zip(plan.goals, computed, strict=True):
        if not same(goal.value, value):
            yield fault(name, f"value is stated as {goal.value}, but is {written(value)}")
        for message in (wrong_terms(goal), wrong_bound(goal), wrong_stop(goal, plan.run.gap, near)):
            if message:
                yield fault(name, message)
    if not math.isclose(plan.gap, relative_gap(plan.objective, plan.bound), abs_tol=TOLERANCE):
        yield fault("", f"gap {plan.gap} does not fit objective {plan.objective} and bound {plan.bound}")
    ended = weakest(goal.stop for goal in plan.goals)
    if plan.stop is not ended:
        yield fault("", f"the solve is said to have ended by {plan.stop}, its goals by {ended}")
    if (plan.status is Status.OPTIMAL) != (ended is Stop.PROVED):
        yield fault("", f"the plan is said to be {plan.status}, but its goals ended by {ended}")


def wrong_terms(goal: Goal) -> str:
    """What does not fit the goal's name, whatever its figures; empty if all does."""
    if (goal.sense == "maximize") != is_maximized(goal.name):
        return f"must not be {goal.sense}d"
    if goal.unit != (unit := UNITS[re.sub(r"_\d+$", "", goal.name)]):
        return f"is counted in {unit}, not in {goal.unit!r}"
    return "" if 0 <= goal.seconds < math.inf else f"took {goal.seconds} seconds"


def wrong_bound(goal: Goal) -> str:
    """Why the bound and the gap cannot be those of the value; empty if they can."""
    low, high = (goal.value, goal.bound) if goal.sense == "maximize" else (goal.bound, goal.value)
    if not math.isfinite(goal.bound):
        return f"bound {goal.bound} is no number"
    if not low <= high + ROUNDING * abs(high) + TOLERANCE:
        return f"bound {goal.bound} is worse than the value {goal.value}"
    if not math.isclose(goal.gap, relative_gap(goal.value, goal.bound), abs_tol=TOLERANCE):
        return f"gap {goal.gap} does not fit value {goal.value} and bound {goal.bound}"
    return ""


def wrong_stop(goal: Goal, gap: float, near: bool) -> str:
    """Why the goal's solve cannot have ended so, if `gap` was good enough; empty if it can.

    `near` says whether the plan states what it was to stay near to.

    A bound that is reached is a proof, and nothing else is.
    """
    if goal.stop is Stop.PROVED:
        is_reached = math.isclose(goal.value, goal.bound, rel_tol=REACHED, abs_tol=REACHED)
        return "" if is_reached else f"is said to be proved, but the bound {goal.bound} is not reached"
    if goal.value == goal.bound:
        return f"its bound is reached, but it is said to have ended by {goal.stop}"
    if goal.stop is Stop.GAP and not goal.gap <= gap + TOLERANCE:
        return f"is said to be within the gap {gap}, but has {goal.gap}"
    if goal.stop is Stop.NEAR and not near:
        return "is said to have stayed near to another plan, but none is stated"
    return ""


def relative_gap(value: float, bound: float) -> float:
    """What a stated `gap` must be, for a value and a bound."""
    largest = max(abs(value), abs(bound))
    return abs(bound - value) / largest if largest > 0 else 0.0


def fault(goal: str, message: str) -> Violation:
    """A violation of the rule about goals; the subject is the goal, or empty for the plan as a whole."""
    return Violation(rule="goals", subject=goal, message=message)


def check_run(organization: Organization, plan: Allocation | Reallocation) -> Iterator[Violation]:
    """The plan is for this organization, and what is said of its run can be."""
    run = plan.run
    phases = [seconds for phase, seconds in run.seconds.items() if phase != "total"]
    total = run.seconds.get("total", math.nan)
    claims = {
        "was computed from another organization": run.organization_hash == content_hash(organization),
        f"cannot have a time limit of {run.time_limit} seconds": math.isfinite(run.time_limit),
        f"cannot stop at a gap of {run.gap}": 0 <= run.gap < 1,
        f"cannot use {run.threads} threads": run.threads >= 1,
        f"cannot have the seed {run.seed}": run.seed >= 0,
        f"cannot take {run.seconds} seconds": all(seconds >= 0 for seconds in phases)
        and sum(phases) - TOLERANCE <= total < math.inf,
    }
    for message in (message for message, holds in claims.items() if not holds):
        yield Violation(rule="run", subject="", message=message)
