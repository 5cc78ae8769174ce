"""The flow without side conditions: goal by goal, every goal a pure minimum-cost flow.

The flows that are best on a goal are again the flows of a network, in which some arcs are fixed. A flow that
is good on many goals is guessed, with weights; it is proved goal by goal, without any. It comes out in whole
units.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from gpu_opt.clock import Clock
from gpu_opt.errors import NoPlanInTime, SolverDied, SolverFailure, VerificationFailure
from gpu_opt.instance import Ints
from gpu_opt.options import Progress
from gpu_opt.plan import Stop
from gpu_opt.reallocation.costs import arc_cost, largest_cost
from gpu_opt.reallocation.decode import decode
from gpu_opt.reallocation.flow import Network, contract, minimum_cost_flow, optimal_face, prove, total
from gpu_opt.reallocation.goals import LARGEST_COST, Relaxed
from gpu_opt.reallocation.guessing import PATIENCE, Mask, Priced, attractive, early, guess
from gpu_opt.reallocation.instance import GoalSpec, Handed, Instance, Measure, goal_values
from gpu_opt.reallocation.merging import Merged, first_come, merged_nodes
from gpu_opt.reallocation.network import TimeNetwork

log = logging.getLogger(__name__)


def is_tractable(instance: Instance, network: TimeNetwork) -> bool:
    """Whether all prices and priorities, made whole by one factor per goal, stay within `LARGEST_COST`.

    Beyond it the goals are left to the integer program, whose priorities are doubles.
    """
    return all(largest_cost(network, goal) <= LARGEST_COST for goal in instance.goals)


@dataclass(frozen=True, slots=True)
class Best:
    """A flow that is best goal by goal."""

    handed: tuple[Handed, ...]
    values: tuple[int, ...]
    """Of the goals that were optimized; fewer than there are, if the time ran out."""
    seconds: tuple[float, ...]


def solve_pure(instance: Instance, network: TimeNetwork, clock: Clock) -> Relaxed:
    """Optimize every goal over the flows of the network that are best on the goals before it.

    If the time runs out, or CBC dies, the goals left have the values of the last flow and no bound.
    """
    best = lexicographic_flow(instance, network, clock, merged=merged_nodes(network))
    reached = goal_values(instance, best.handed)
    left = len(reached) - len(best.values)
    if not left and reached != best.values:
        raise VerificationFailure(f"the handovers are worth {reached}, their flow {best.values}")
    return Relaxed(
        handed=best.handed,
        values=reached,
        bounds=(*best.values, *[0] * left),
        stops=(*[Stop.PROVED] * len(best.values), *[clock.stop()] * left),
        seconds=(*best.seconds, *[0.0] * (len(reached) - len(best.seconds))),
    )


def lexicographic_flow(
    instance: Instance, network: TimeNetwork, clock: Clock, *, merged: Merged | None = None
) -> Best:
    """Optimize goal by goal, until the time runs out or CBC fails; intractable goals are passed over.

    Where no handover has a capacity, nodes may be `merged` for the goals that do not tell them apart.
    """
    goals = [goal for goal in instance.goals if largest_cost(network, goal) <= LARGEST_COST]
    found = Found(network.network)
    try:
        for stage in _stages(network, goals, merged):
            _optimize(found, network, stage, clock)
    except NoPlanInTime:
        pass  # what is known by now is returned
    except SolverFailure as error:
        if found.values is None and not isinstance(error, SolverDied):
            raise
        log.warning("%s; going on with the plan that is known", error)
    if found.values is None:
        handed: tuple[Handed, ...] = ()
    elif found.merged:
        handed = first_come(instance, network, found.values)
    else:
        handed = decode(instance, network, found.values)
    return Best(handed, tuple(found.reached), tuple(found.seconds))


class Stage(NamedTuple):
    """Goals that are optimized together."""

    goals: tuple[GoalSpec, ...]
    merged: Merged | None
    """Nodes that they need not tell apart."""
    open_arcs: Mask
    """With which to begin."""


def _stages(network: TimeNetwork, goals: Sequence[GoalSpec], merged: Merged | None) -> Iterator[Stage]:
    """What is unmet and late, by pool and day; then what it costs, where by far most arcs are settled."""
    when = [goal for goal in goals if merged and goal.measure in {Measure.UNMET, Measure.LATE}]
    if when:
        yield Stage(tuple(when), merged, early(network))
    rest = tuple(goals[len(when) :])
    if rest:
        yield Stage(rest, None, np.ones(len(network.kind), dtype=bool) if when else early(network))


@dataclass(slots=True)
class Found:
    """What is known so far."""

    face: Network
    """The flows that are best on every goal before."""
    values: Ints | None = None
    """One of them, shape (arcs,)."""
    merged: bool = False
    """Whether it tells only days of pools apart."""
    reached: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def settle(self, cost: Ints, reduced: Ints, seconds: float) -> None:
        """The flow is best on a goal, as the reduced costs prove."""
        assert self.values is not None
        self.face = optimal_face(self.face, reduced)
        self.reached.append(total(cost, self.values))
        self.seconds.append(seconds)


def _optimize(found: Found, network: TimeNetwork, stage: Stage, clock: Clock) -> None:
    """Optimize the goals of a stage: guess, prove as many as can be, open more arcs; at last goal by goal."""
    nodes = None if stage.merged is None else stage.merged.days
    left = [Priced(goal.measure is Measure.UNMET, arc_cost(network, goal)) for goal in stage.goals]
    open_arcs, begun = stage.open_arcs, time.monotonic()
    _announce(stage.goals, clock)
    while left:
        guessed = guess(_contracted(found.face, nodes), left, open_arcs, clock)
        found.values, found.merged = guessed.values, nodes is not None
        before = len(left)
        while left and (reduced := _proof(found, left[0], stage.merged)) is not None:
            found.settle(left.pop(0).cost, reduced, time.monotonic() - begun)
            begun = time.monotonic()
            _announce(stage.goals[len(stage.goals) - len(left) :], clock)
        if not left:
            return
        more = attractive(guessed, open_arcs)
        open_arcs = open_arcs | more
        if len(left) == before and not more.any():
            goal = left.pop(0)
            alone = _contracted(replace(found.face, cost=goal.cost), nodes)
            flow = minimum_cost_flow(alone, clock.options, seconds=clock.left)
            found.values = flow.values
            found.settle(goal.cost, flow.reduced, time.monotonic() - begun)
            open_arcs, begun = np.ones_like(open_arcs), time.monotonic()
            _announce(stage.goals[len(stage.goals) - len(left) :], clock)


def _announce(goals: Sequence[GoalSpec], clock: Clock) -> None:
    """Say which goal comes next, if any."""
    for goal in goals[:1]:
        clock.report(Progress(goal.name, clock.seconds))


def _contracted(network: Network, nodes: Ints | None) -> Network:
    return network if nodes is None else contract(network, nodes)


def _proof(found: Found, goal: Priced, merged: Merged | None) -> Ints | None:
    """Reduced costs that prove the flow best on the goal; what is unmet tells only pools apart."""
    assert found.values is not None
    nodes = None if merged is None else merged.pools if goal.unmet else merged.days
    used = _contracted(replace(found.face, cost=goal.cost), nodes)
    return prove(used, found.values, np.zeros_like(used.supply), PATIENCE)
