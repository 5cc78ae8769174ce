"""The best plan so far; it only improves."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpu_opt.allocation.appraisal import appraise, held_with, is_better, is_feasible
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.allocation.near import fit
from gpu_opt.instance import Instance, Ints


@dataclass(slots=True)
class Incumbent:
    """A plan, as units per arc, with the value that it has on every goal."""

    instance: Instance
    goals: tuple[GoalSpec, ...]
    x: Ints
    values: tuple[float, ...]
    setbacks: list[int] = field(init=False)
    """How often a plan that was better on an earlier goal was worse on this one; by goal."""

    def __post_init__(self) -> None:
        self.setbacks = [0] * len(self.goals)

    def offer(self, x: Ints) -> bool:
        """Take the plan if it is feasible and better, after handing out what it leaves free."""
        if not is_feasible(self.instance, x):
            return False
        return self._become(*self._filled(x))

    def take(self, x: Ints) -> bool:
        """Take the plan as it is, if it is feasible and better: for parts solved to the last unit."""
        if not is_feasible(self.instance, x):
            return False
        return self._become(x, appraise(self.instance, self.goals, x))

    def setbacks_before(self, position: int) -> int:
        """How often a goal before this one got worse: what was proved meanwhile may rest on what it was."""
        return sum(self.setbacks[:position])

    def _become(self, x: Ints, values: tuple[float, ...]) -> bool:
        if not is_better(self.goals, values, self.values):
            return False
        for k, (goal, new, old) in enumerate(zip(self.goals, values, self.values, strict=True)):
            loss = old - new if goal.sense == "maximize" else new - old
            self.setbacks[k] += loss > held_with(old, goal.step)
        self.x, self.values = x, values
        return True

    def _filled(self, x: Ints) -> tuple[Ints, tuple[float, ...]]:
        """The plan with what it leaves free handed out, unless that only takes it away from the base plan."""
        filled = fill(self.instance, x)
        values = appraise(self.instance, self.goals, filled)
        if self.instance.arcs.near is not None:
            plain = appraise(self.instance, self.goals, x)
            if is_better(self.goals, plain, values):
                return x, plain
        return filled, values


def first_incumbent(instance: Instance, goals: tuple[GoalSpec, ...], start: Ints | None = None) -> Incumbent:
    """Today's holdings, the plan to stay near to, or `start`, the best of them: before any solver runs.

    What they leave free is handed out.
    """
    keep = keep_holdings(instance)
    incumbent = Incumbent(instance, goals, keep, appraise(instance, goals, keep))
    incumbent.offer(keep)
    if instance.arcs.near is not None:
        incumbent.offer(fit(instance, instance.arcs.near))
    if start is not None:
        incumbent.take(start)
        incumbent.offer(start)
    return incumbent
