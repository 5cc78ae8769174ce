"""The best plan so far; it only improves."""

from __future__ import annotations

from dataclasses import dataclass

from gpu_opt.allocation.appraisal import appraise, is_better, is_feasible
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.instance import Instance, Ints


@dataclass(slots=True)
class Incumbent:
    """A plan, as units per arc, with the value that it has on every goal."""

    instance: Instance
    goals: tuple[GoalSpec, ...]
    x: Ints
    values: tuple[float, ...]

    def offer(self, x: Ints) -> bool:
        """Take the plan if it is feasible and better, after handing out what it leaves free."""
        if not is_feasible(self.instance, x):
            return False
        x = fill(self.instance, x)
        values = appraise(self.instance, self.goals, x)
        if not is_better(self.goals, values, self.values):
            return False
        self.x, self.values = x, values
        return True


def first_incumbent(instance: Instance, goals: tuple[GoalSpec, ...]) -> Incumbent:
    """Today's holdings, and what they leave free handed out: a plan before any solver runs."""
    keep = keep_holdings(instance)
    incumbent = Incumbent(instance, goals, keep, appraise(instance, goals, keep))
    incumbent.offer(keep)
    return incumbent
