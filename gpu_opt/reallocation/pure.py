"""The flow without side conditions: goal by goal, every goal a pure minimum-cost flow.

The flows that are best on a goal are again the flows of a network, in which some arcs are fixed. A flow that
is good on all goals is guessed, with weights; it is proved goal by goal, without any. It comes out in whole
units.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpu_opt.clock import Clock
from gpu_opt.errors import NoPlanInTime, SolverDied, VerificationFailure
from gpu_opt.instance import Ints
from gpu_opt.plan import Stop
from gpu_opt.reallocation.costs import arc_cost, largest_cost
from gpu_opt.reallocation.decode import decode, encode
from gpu_opt.reallocation.flow import (
    Network,
    candidate_flow,
    contract,
    minimum_cost_flow,
    optimal_face,
    prove,
    total,
)
from gpu_opt.reallocation.goals import LARGEST_COST, Relaxed
from gpu_opt.reallocation.instance import Handed, Instance, Measure, goal_values
from gpu_opt.reallocation.network import SOURCE, TimeNetwork
from gpu_opt.solver import OnProgress

log = logging.getLogger(__name__)

SPREAD = 4
"""By how much, in units of the largest cost of the goal after it, a guess prefers a goal."""

LARGEST_SUM = 2**33
"""Largest cost of a guess: beyond it Clp becomes slow."""

PATIENCE = 300
"""Rounds in which a guess must be proved: many more than those that are right have been seen to need."""


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
    goals = [goal for goal in instance.goals if largest_cost(network, goal) <= LARGEST_COST]
    priced = [Priced(goal.measure is Measure.UNMET, arc_cost(network, goal)) for goal in goals]
    face, values = network.network, encode(instance, network, ())
    reached: list[int] = []
    seconds: list[float] = []
    try:
        for k, goal in enumerate(goals):
            begun = time.monotonic()
            report = clock.reporting(goal.name, Fraction(1, goal.scale))
            first = _in_time(network) if k == 0 else values
            attempts = _attempts(face, priced[k:], first, merged, clock, report)
            reduced = None
            while reduced is None:
                values, reduced = next(attempts)
            face = optimal_face(face, reduced)
            reached.append(total(priced[k].cost, values))
            seconds.append(time.monotonic() - begun)
    except NoPlanInTime:
        pass  # what is known by now is returned
    except SolverDied as error:
        log.warning("%s; going on with the plan that is known", error)
    return Best(decode(instance, network, values), tuple(reached), tuple(seconds))


class Priced(NamedTuple):
    """A goal on the network."""

    unmet: bool
    """Whether it counts what is unmet."""
    cost: Ints
    """Shape (arcs,)."""


def _in_time(network: TimeNetwork) -> Network:
    """The network without the arcs by which GPUs come late."""
    arcs = network.network
    return replace(arcs, capacity=np.where(network.late > 0, arcs.lower, arcs.capacity))


def _attempts(
    face: Network,
    goals: Sequence[Priced],
    first: Ints | Network,
    merged: Ints | None,
    clock: Clock,
    report: OnProgress | None,
) -> Iterator[tuple[Ints, Ints | None]]:
    """Yield flows of the face, and the reduced costs that prove them best on the first goal, or None.

    First comes the flow that is known, or one of a smaller network; then one that is best on all goals at
    once, as far as doubles tell them apart; then, for certain, one that is best on the first goal.
    """
    if report is not None:
        report(None, None)
    nodes = merged if goals[0].unmet else None
    face = replace(face, cost=goals[0].cost)
    values = first if isinstance(first, np.ndarray) else _guess(first, goals, clock, report)
    yield values, _proof(face, values, nodes)
    values = _guess(face, goals, clock, report)
    yield values, _proof(face, values, nodes)
    flow = minimum_cost_flow(face, clock.options, seconds=clock.left, on_progress=report)
    yield flow.values, flow.reduced


def _proof(network: Network, values: Ints, nodes: Ints | None) -> Ints | None:
    used = network if nodes is None else contract(network, nodes)
    return prove(used, values, np.zeros_like(used.supply), PATIENCE)


def _guess(network: Network, goals: Sequence[Priced], clock: Clock, report: OnProgress | None) -> Ints:
    """A flow that is best, or nearly so, on the goals one after the other: as many of them as fit."""
    undecided = network.lower < network.capacity
    prefixes = (goals[:last] for last in range(len(goals), 0, -1))
    weighted = ((prefix, *weigh(prefix, undecided)) for prefix in prefixes)
    fitting = (each for each in weighted if len(each[0]) == 1 or each[2] <= LARGEST_SUM)
    taken, weights, _ = next(fitting)
    added = np.zeros_like(network.cost)
    for goal, weight in zip(taken, weights, strict=True):
        added += weight.each * (goal.cost + weight.more * (goal.cost > 0))
    priced = replace(network, cost=added)
    return candidate_flow(priced, clock.options, seconds=clock.left, on_progress=report)[0]


class Weight(NamedTuple):
    """With what a goal enters a sum."""

    each: int
    """Factor of its costs."""
    more: int
    """Added to all its costs that are not 0, before they are multiplied."""


def weigh(goals: Sequence[Priced], undecided: npt.NDArray[np.bool]) -> tuple[list[Weight], int]:
    """Weights that add up goals in lexicographic order, and the largest cost that comes of it.

    Only costs on the `undecided` arcs, shape (arcs,), count. What is unmet needs no factors: an improving
    cycle has one such arc, or exchanges one for another, because all of them leave the source. So it is
    enough that those of an earlier tier are dearer than all of a later one. Other goals get factors that are
    large enough for most cycles. That is no proof; no weight is ever seen in a result.
    """
    weights: list[Weight] = []
    each, more, largest = 1, 0, 0
    for goal in reversed(goals):
        most = int(goal.cost[undecided].max(initial=0))
        weights.insert(0, Weight(each, more if goal.unmet else 0))
        largest = max(largest, each * (most + weights[0].more))
        if goal.unmet:
            more += most
        else:
            each *= 1 + SPREAD * most
    return weights, largest
