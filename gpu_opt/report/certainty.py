"""What of a comparison is proved, and what may be chance, in words."""

from __future__ import annotations

from collections.abc import Sequence

from gpu_opt.plan import Comparison, Decided, GoalDifference, Stop, Sweep
from gpu_opt.report.text import amount, goal

WORDS = {Decided.BETTER: "better", Decided.WORSE: "worse"}


def certainty(found: Comparison) -> str:
    """What is proved to differ, goal by goal, and on which goals it may be chance; empty: nothing is open."""
    unknown = [one for one in found.goals if one.decided is Decided.OPEN]
    proved = [one for one in found.goals if one.decided in WORDS]
    if not unknown:
        return ""
    if not proved:
        return (
            "The solves do not tell the two apart: on every goal the plans are as near to each other as the "
            "solves leave open. Who gains and who loses may be chance; more time may tell."
        )
    told = "; ".join(f"{goal(one.goal)}, is {WORDS[one.decided]} by {_amounts(one)}" for one in proved)
    unproved = f"Within what the solves leave open: {_named(unknown)}. What differs there may be chance."
    places = [found.goals.index(one) for one in (unknown[0], proved[-1])]
    given = ", of plans that do as well on the goals before" if places[0] < places[1] else ""
    return f"Proved{given}: {told}. {unproved}"


def doubt(found: Sweep) -> str:
    """What to think of breakpoints between plans that are not proved; empty where all are."""
    if all(point.stop in {Stop.PROVED, Stop.GAP} for point in found.points):
        return ""
    return (
        "Not all of these plans are proved to be near the best: what turns may turn between the plans that "
        "were found, and not between the best ones. More time (--time-limit) would tell."
    )


def _amounts(one: GoalDifference) -> str:
    """How much better or worse the best plan is."""
    low, high = sorted((abs(one.least), abs(one.most)))
    return amount(low) if amount(low) == amount(high) else f"{amount(low)} to {amount(high)}"


def _named(goals: Sequence[GoalDifference]) -> str:
    return "; ".join(goal(one.goal) for one in goals)
