"""The way to an optimal plan: the pure flow first, and of the side conditions only what it breaks."""

from __future__ import annotations

from gpu_opt.clock import Clock
from gpu_opt.errors import VerificationFailure
from gpu_opt.reallocation.conditioned import set_task, solve_conditioned
from gpu_opt.reallocation.conditions import Conditions, broken, repaired
from gpu_opt.reallocation.goals import Relaxed, proven_bounds
from gpu_opt.reallocation.instance import Handed, Instance, goal_values
from gpu_opt.reallocation.network import build_network
from gpu_opt.reallocation.pure import is_tractable, solve_pure


def search(instance: Instance, clock: Clock) -> tuple[tuple[Handed, ...], tuple[Relaxed, ...]]:
    """Find the best plan, and the relaxations that prove how good it is.

    Each relaxation has more side conditions than the one before, those which that one broke; the first one
    that breaks nothing is optimal. To hand over nothing is always a plan; every relaxation, once repaired,
    gives another one, so a plan is there whenever the time runs out.
    """
    best: tuple[Handed, ...] = ()
    relaxations: list[Relaxed] = []
    conditions = Conditions()
    while True:
        network = build_network(instance, conditions)
        if conditions or not is_tractable(instance, network):
            task = set_task(instance, network, conditions, clock)
            relaxed = solve_conditioned(task, best, relaxations)
        else:
            relaxed = solve_pure(instance, network, clock)
        relaxations.append(relaxed)
        breaks = broken(instance, relaxed.handed)
        best = min(best, repaired(instance, relaxed.handed), key=lambda plan: goal_values(instance, plan))
        values = goal_values(instance, best)
        if not breaks or clock.is_over or values == proven_bounds(values, relaxations):
            return best, tuple(relaxations)
        if breaks | conditions == conditions:
            raise VerificationFailure("a plan breaks side conditions that it was to keep")
        conditions |= breaks
