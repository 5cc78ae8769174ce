"""The flow without side conditions: goal by goal, every goal a pure minimum-cost flow.

The flows that are best on a goal are again the flows of a network, in which some arcs are fixed. So no
goal is ever weighed against another by a big number, and every flow comes out in whole GPUs.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gpu_opt.clock import Clock
from gpu_opt.errors import NoPlanInTime, SolverDied, VerificationFailure
from gpu_opt.instance import Ints
from gpu_opt.plan import Stop
from gpu_opt.reallocation.costs import arc_cost, largest_cost
from gpu_opt.reallocation.decode import decode, encode
from gpu_opt.reallocation.flow import Flow, Network, balance, contract, minimum_cost_flow, optimal_face, total
from gpu_opt.reallocation.goals import LARGEST_COST, Relaxed
from gpu_opt.reallocation.instance import GoalSpec, Handed, Instance, Measure, goal_values
from gpu_opt.reallocation.network import SOURCE, TimeNetwork

log = logging.getLogger(__name__)


def is_tractable(instance: Instance, network: TimeNetwork) -> bool:
    """Whether all prices and priorities, made whole by one factor per goal, stay within `LARGEST_COST`.

    Beyond it the goals are left to the integer program, whose priorities are doubles.
    """
    return all(largest_cost(network, goal) <= LARGEST_COST for goal in instance.goals)


def pool_nodes(network: TimeNetwork) -> Ints:
    """A new number for every node, shape (nodes,), the same for all places and days of a pool.

    GPUs can go from any day on which they come free to any request that accepts their pool, so that where
    days cost nothing, they need not be told apart.
    """
    pools = np.array([node.pool for node in network.nodes], dtype=np.int64)
    _, place = np.unique(pools, return_inverse=True)
    requests = len(network.network.supply) - network.first_request
    after = int(place.max(initial=-1)) + 2
    return np.concatenate([[SOURCE], 1 + place, after + np.arange(requests)]).astype(np.int64)


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
    best = lexicographic_flow(instance, network, clock, merged=pool_nodes(network))
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
    instance: Instance, network: TimeNetwork, clock: Clock, *, merged: Ints | None = None
) -> Best:
    """Optimize goal by goal, until the time runs out or CBC dies; intractable goals are passed over.

    What is unmet does not depend on days: for these goals the nodes may be `merged`, shape (nodes,), where
    no handover has a capacity.
    """
    face = network.network
    solved, values = network, encode(instance, network, ())
    reached: list[int] = []
    seconds: list[float] = []
    for goal in instance.goals:
        if largest_cost(network, goal) > LARGEST_COST:
            continue
        begun = time.monotonic()
        priced = replace(face, cost=arc_cost(network, goal))
        used = contract(priced, merged) if goal.measure is Measure.UNMET and merged is not None else priced
        flow = _least(used, values, clock, goal)
        seconds.append(time.monotonic() - begun)
        if flow is None:
            break
        face, solved, values = optimal_face(face, flow.reduced), replace(network, network=used), flow.values
        reached.append(flow.cost)
    return Best(decode(instance, solved, values), tuple(reached), tuple(seconds))


def _least(network: Network, values: Ints, clock: Clock, goal: GoalSpec) -> Flow | None:
    """A flow of least cost; None if the time runs out or CBC dies. No cost is negative: 0 is the least."""
    if total(network.cost, values) == 0 and not balance(network, values).any():
        return Flow(values, 0, network.cost)
    report = clock.reporting(goal.name, Fraction(1, goal.scale))
    try:
        return minimum_cost_flow(network, clock.options, seconds=clock.left, on_progress=report)
    except NoPlanInTime:
        return None
    except SolverDied as error:
        log.warning("%s: %s; going on with the plan that is known", goal.name, error)
        return None
