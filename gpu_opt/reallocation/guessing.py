"""Flows that are good on many goals at once, from few of the arcs: what they are is proved elsewhere.

Weights say how long the search takes; none is ever seen in a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpu_opt.clock import Clock
from gpu_opt.instance import Ints
from gpu_opt.reallocation.flow import Network, candidate_flow, prove
from gpu_opt.reallocation.network import TimeNetwork

SPREAD = 4
"""By how much, in units of the largest cost of the goal after it, a guess prefers a goal."""

LARGEST_SUM = 2**33
"""Largest cost of a guess: beyond it Clp becomes slow."""

PATIENCE = 300
"""Rounds in which a guess must be proved: many more than those that are right have been seen to need."""

Mask = npt.NDArray[np.bool]


class Priced(NamedTuple):
    """A goal on the network."""

    unmet: bool
    """Whether it counts what is unmet."""
    cost: Ints
    """Shape (arcs,)."""


class Guess(NamedTuple):
    """A flow, and what it is best at, as far as doubles tell."""

    values: Ints
    """Shape (arcs,)."""
    priced: Network
    """All arcs, with the sum that was minimized as their cost."""


def early(network: TimeNetwork) -> Mask:
    """Arcs with which to begin, shape (arcs,): all by which GPUs come in time, and few others.

    Of those by which a pool's GPUs come late to a request, only the first.
    """
    late = np.flatnonzero(network.late > 0)
    by_day = late[np.lexsort((network.late[late], network.index[late], network.pool[late]))]
    pool, request = network.pool[by_day], network.index[by_day]
    first = np.append(True, (pool[1:] != pool[:-1]) | (request[1:] != request[:-1]))[: len(by_day)]
    open_arcs: Mask = network.late == 0
    open_arcs[by_day[first]] = True
    return open_arcs


def guess(face: Network, goals: Sequence[Priced], open_arcs: Mask, clock: Clock) -> Guess:
    """A flow of the open arcs that is best, or nearly so, on all goals in turn, as many of them as fit."""
    undecided = face.lower < face.capacity
    prefixes = (goals[:last] for last in range(len(goals), 0, -1))
    weighted = ((prefix, *weigh(prefix, undecided)) for prefix in prefixes)
    taken, weights, _ = next(each for each in weighted if len(each[0]) == 1 or each[2] <= LARGEST_SUM)
    cost = np.zeros_like(face.cost)
    for goal, weight in zip(taken, weights, strict=True):
        cost += weight.each * (goal.cost // weight.unit + weight.more * (goal.cost > 0))
    priced = replace(face, cost=cost)
    values, _ = candidate_flow(_only(priced, open_arcs), clock.options, seconds=clock.left)
    return Guess(values, priced)


def attractive(guessed: Guess, open_arcs: Mask) -> Mask:
    """Arcs that are not open and would make the guess better, shape (arcs,); all where nobody can tell."""
    reduced = prove(
        _only(guessed.priced, open_arcs),
        guessed.values,
        np.zeros_like(guessed.priced.supply),
        PATIENCE,
    )
    missing: Mask = ~open_arcs & (guessed.priced.lower < guessed.priced.capacity)
    return missing if reduced is None else missing & (reduced < 0)


def _only(network: Network, open_arcs: Mask) -> Network:
    return replace(network, capacity=np.where(open_arcs, network.capacity, network.lower))


class Weight(NamedTuple):
    """With what a goal enters a sum."""

    each: int
    """Factor of its costs."""
    unit: int
    """In which its costs are counted: they are its multiples."""
    more: int
    """Added to all its costs that are not 0, before they are multiplied."""


def weigh(goals: Sequence[Priced], undecided: Mask) -> tuple[list[Weight], int]:
    """Weights that add up goals in lexicographic order, and the largest cost that comes of it.

    Only costs on the `undecided` arcs, shape (arcs,), count. What is unmet needs no factors: an improving
    cycle has one such arc, or exchanges one for another, because all of them leave the source. So it is
    enough that those of an earlier tier are dearer than all of a later one. Other goals get factors that are
    large enough for most cycles, which is no proof.
    """
    weights: list[Weight] = []
    each, more, largest = 1, 0, 0
    for goal in reversed(goals):
        cost = goal.cost[undecided]
        unit = int(np.gcd.reduce(cost, initial=0)) or 1
        most = int(cost.max(initial=0)) // unit
        weights.insert(0, Weight(each, unit, more if goal.unmet else 0))
        largest = max(largest, each * (most + weights[0].more))
        if goal.unmet:
            more += most
        else:
            each *= 1 + SPREAD * most
    return weights, largest
