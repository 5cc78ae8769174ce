"""What two solves prove of a difference, goal by goal, and what they leave open.

A solve proves that the best value of a goal lies between what its plan reaches and its bound. So the best
plans of two solves differ by what lies between the ends of both: where that has zero in it, nobody knows
which is better, and what differs in the plans may be chance.
"""

from __future__ import annotations

from typing import NamedTuple

from gpu_opt.plan import Allocation, Decided, Goal, GoalDifference, Status, Stop

ORDER = ("repair", "guarantee", "value", "moves")
"""Kinds of goals in their order. Nearness to another plan is a goal of one of the two alone."""

NOISE = 1e-9
"""Share of a value that sums of floats may be off."""


class Range(NamedTuple):
    """What a value is between, and what a plan reaches."""

    low: float
    value: float
    high: float


NOTHING_TO_DO = Range(0.0, 0.0, 0.0)
"""Of a goal that a plan does not have: nobody is promised anything at the level, or is of the tier."""


def goal_differences(before: Allocation, after: Allocation) -> tuple[GoalDifference, ...]:
    """Every goal that one of the plans has, in the order of the goals."""
    old, new = ({goal.name: goal for goal in plan.goals} for plan in (before, after))
    names = [name for name in old | new if name.split("_")[0] in ORDER]
    same = is_same_problem(before, after)
    return tuple(_goal(name, old.get(name), new.get(name), same=same) for name in sorted(names, key=_place))


def is_same_problem(before: Allocation, after: Allocation) -> bool:
    """Whether the two are plans of one organization for one day: their best plans are the same."""
    return (before.run.organization_hash, before.date) == (after.run.organization_hash, after.date)


def objective_range(plan: Allocation) -> Range:
    """What the best objective is between; as every bound, among plans that do as well on earlier goals."""
    slack = 0.0 if plan.status is Status.OPTIMAL else max(0.0, plan.bound - plan.objective)
    return Range(plan.objective, plan.objective, plan.objective + slack)


def difference(before: Range, after: Range) -> tuple[float, float]:
    """By how much what is in the one range is at least, and at most, more than what is in the other."""
    return after.low - before.high, after.high - before.low


def sign(before: Range, after: Range) -> int:
    """1 or -1 where the best value after is more, or less, than that before, whatever it is; else 0."""
    least, most = difference(before, after)
    noise = NOISE * max(abs(before.value), abs(after.value))
    return (least > noise) - (most < -noise)


def _place(name: str) -> tuple[int, int]:
    kind, _, number = name.partition("_")
    return ORDER.index(kind), int(number.rpartition("_")[2] or 0)


def _goal(name: str, before: Goal | None, after: Goal | None, *, same: bool) -> GoalDifference:
    known = after or before
    assert known is not None
    old, new = _range(before), _range(after)
    least, most = (0.0, 0.0) if same else difference(old, new)
    return GoalDifference(
        goal=name,
        sense=known.sense,
        unit=known.unit,
        before=old.value,
        after=new.value,
        least=least,
        most=most,
        decided=Decided.SAME if same else _decided(known, old, new),
    )


def _range(goal: Goal | None) -> Range:
    if goal is None:
        return NOTHING_TO_DO
    if goal.stop is Stop.PROVED:
        return Range(goal.value, goal.value, goal.value)
    low, high = sorted((goal.value, goal.bound))
    return Range(low, goal.value, high)


def _decided(goal: Goal, before: Range, after: Range) -> Decided:
    more = sign(before, after)
    if more:
        return Decided.BETTER if (more > 0) == (goal.sense == "maximize") else Decided.WORSE
    is_proved = before.low == before.high and after.low == after.high
    return Decided.SAME if is_proved else Decided.OPEN
