"""What the goals cost on the arcs of the network."""

from __future__ import annotations

import numpy as np

from gpu_opt.instance import Ints
from gpu_opt.reallocation.instance import GoalSpec, Measure
from gpu_opt.reallocation.network import Kind, TimeNetwork


def arc_amounts(network: TimeNetwork, measure: Measure) -> Ints:
    """What a GPU on an arc adds to a measure, shape (arcs,)."""
    if measure is Measure.COST:
        return network.network.cost
    if measure is Measure.LATE:
        return network.late
    counted = Kind.UNMET if measure is Measure.UNMET else Kind.HANDOVER
    amounts: Ints = np.where(network.kind == counted, 1 if measure is Measure.UNMET else network.index + 1, 0)
    return amounts


def arc_cost(network: TimeNetwork, goal: GoalSpec) -> Ints:
    """What a goal costs on every arc, shape (arcs,)."""
    amounts = arc_amounts(network, goal.measure)
    if goal.weights is None:
        return amounts
    counted = np.flatnonzero(amounts)
    cost = np.zeros_like(amounts)
    cost[counted] = amounts[counted] * np.array(goal.weights, dtype=np.int64)[network.index[counted]]
    return cost


def largest_cost(network: TimeNetwork, goal: GoalSpec) -> int:
    """The largest cost of a goal on any arc, exact where the arrays would overflow."""
    return int(arc_amounts(network, goal.measure).max(initial=0)) * max(goal.weights or (1,))
