"""A general minimum-cost flow: Clp finds it through PuLP, integers prove it.

Clp answers in doubles, printed with eight digits. What is returned here is exact all the same: the
flow is rounded and checked against every node and arc in integers, and its optimality is proved by
integer node potentials, which exist because the costs are integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import NoPlan, NoPlanInTime, SolverFailure
from gpu_opt.instance import Ints
from gpu_opt.options import Options
from gpu_opt.solver import solve

if TYPE_CHECKING:
    from pulp import LpConstraint, LpProblem, LpVariable

UNLIMITED = 2**62
"""Capacity of an arc that has none."""


@dataclass(frozen=True, slots=True)
class Network:
    """A directed graph with supplies, bounds and costs; all integers."""

    supply: Ints
    """Shape (nodes,): what a node gives (positive) or takes (negative); they add up to 0."""
    tail: Ints
    """Shape (arcs,), as all that follow: the node that the arc leaves."""
    head: Ints
    lower: Ints
    capacity: Ints
    """At least `lower`; :data:`UNLIMITED`: any amount."""
    cost: Ints
    """Price of one unit; may be negative."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow of least cost, and the proof."""

    values: Ints
    """Shape (arcs,)."""
    cost: int
    reduced: Ints
    """Reduced costs, shape (arcs,): an arc with a positive one carries its lower bound in *every* flow of
    least cost, one with a negative one its capacity. That this flow does so proves it optimal."""


def minimum_cost_flow(network: Network, options: Options, *, seconds: float | None = None) -> Flow:
    """Send what the nodes give to those that take it, at the least cost.

    `seconds` is the wall-clock limit; default: the time limit of the options.

    Raises NoPlan if no flow keeps every bound and supply, or if the cost has no bottom (a cycle of negative
    cost and unlimited capacity); NoPlanInTime if the limit, or somebody, stops it; SolverFailure if CBC
    fails, or returns a flow that cannot be proved in integers, which takes costs whose ratios approach the
    precision of doubles.

    >>> pair = Network(*(np.array(column) for column in ([2, -2], [0, 0], [1, 1], [0, 0], [1, 9], [3, 5])))
    >>> flow = minimum_cost_flow(pair, Options())
    >>> flow.values.tolist(), flow.cost
    ([1, 1], 8)
    """
    values, guess = candidate_flow(network, options, seconds=seconds)
    reduced = prove(network, values, guess)
    if reduced is None:
        raise SolverFailure("CBC's flow is not of least cost: the costs differ by more than doubles can tell")
    return Flow(values, total(network.cost, values), reduced)


def candidate_flow(network: Network, options: Options, *, seconds: float | None = None) -> tuple[Ints, Ints]:
    """A flow that Clp calls one of least cost, shape (arcs,), and its potentials, shape (nodes,); not proved.

    It keeps every bound and supply. Parameters and errors are those of :func:`minimum_cost_flow`.
    """
    problem, variables, rows = _program(network)
    if not variables:
        return _resting(network), np.zeros_like(network.supply)
    limit = options.time_limit if seconds is None else seconds
    answer = solve(problem, options, seconds=limit)
    if answer.status is SolverStatus.INFEASIBLE:
        raise NoPlan("no flow keeps every bound and meets the supply of every node")
    if answer.status is SolverStatus.UNBOUNDED:
        raise NoPlan("the cost has no bottom: a cycle of negative cost has unlimited capacity")
    if answer.status is not SolverStatus.OPTIMAL:
        raise NoPlanInTime(f"no flow of least cost was found within {limit:g} s")
    potentials = np.zeros_like(network.supply)
    for node, row in rows.items():
        potentials[node] = round(row.pi or 0.0)
    return _rounded(network, variables), potentials


def optimal_face(network: Network, reduced: Ints) -> Network:
    """Restrict the network to its flows of least cost, given the reduced costs of one of them, shape (arcs,).

    By complementary slackness they are exactly those that carry the lower bound where the reduced cost is
    positive and the capacity where it is negative. Any other cost may then be put on the network.
    """
    return Network(
        network.supply,
        network.tail,
        network.head,
        np.where(reduced < 0, network.capacity, network.lower),
        np.where(reduced > 0, network.lower, network.capacity),
        network.cost,
    )


def contract(network: Network, group: Ints) -> Network:
    """Merge nodes: `group`, shape (nodes,), has the new node of each. Arcs keep their places.

    Where the arcs within every group cost nothing, and let any flow between its nodes pass, the two networks
    have the same least cost, and reduced costs of the one are reduced costs of the other.
    """
    supply = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(supply, group, network.supply)
    return Network(
        supply, group[network.tail], group[network.head], network.lower, network.capacity, network.cost
    )


def prove(network: Network, values: Ints, guess: Ints, patience: int | None = None) -> Ints | None:
    """Reduced costs that prove a flow optimal, from potentials near `guess`, shape (nodes,).

    Where the guess (duals, which CBC prints with eight digits) proves nothing, the potentials are shortest
    distances in the residual network, found by improving the guess until nothing changes (Bellman-Ford).

    None if there are none, because the flow is not optimal, or if they are not found in `patience` rounds
    (default: as many as are needed to be certain).
    """
    up, down = values < network.capacity, values > network.lower
    tails = np.concatenate([network.tail[up], network.head[down]])
    heads = np.concatenate([network.head[up], network.tail[down]])
    costs = np.concatenate([network.cost[up], -network.cost[down]])
    distance = -guess
    for _ in range(len(guess) + 1 if patience is None else patience):
        improved = distance.copy()
        np.minimum.at(improved, heads, distance[tails] + costs)
        if (improved == distance).all():
            reduced: Ints = network.cost + distance[network.tail] - distance[network.head]
            return reduced
        distance = improved
    return None


def total(cost: Ints, values: Ints) -> int:
    """Cost of a flow, exact at any size.

    >>> total(np.array([2**40]), np.array([2**40])) == 2**80
    True
    """
    used = np.flatnonzero((values != 0) & (cost != 0))
    return sum(c * x for c, x in zip(cost[used].tolist(), values[used].tolist(), strict=True))


def balance(network: Network, values: Ints) -> Ints:
    """What every node gives less what it was to give, shape (nodes,): 0 throughout for a flow."""
    given = -network.supply
    np.add.at(given, network.tail, values)
    np.subtract.at(given, network.head, values)
    return given


def _resting(network: Network) -> Ints:
    """Flow of the arcs about which nothing is to be decided, 0 on the others."""
    loop = network.tail == network.head
    gaining = loop & (network.cost < 0)
    if (gaining & (network.capacity == UNLIMITED)).any():
        raise NoPlan("the cost has no bottom: a node sends itself any amount at a gain")
    decided = loop | (network.lower == network.capacity)
    resting: Ints = np.where(gaining, network.capacity, np.where(decided, network.lower, 0))
    return resting


def _rounded(network: Network, variables: dict[int, LpVariable]) -> Ints:
    """Read the flow, whole numbers all: a basic solution of a network with integer data has no others."""
    values = _resting(network)
    for arc, variable in variables.items():
        values[arc] = round(variable.value() or 0.0)
    within = (values >= network.lower) & (values <= network.capacity)
    if not within.all() or balance(network, values).any():
        raise SolverFailure("CBC's flow does not balance once it is rounded to whole units")
    return values


def _program(network: Network) -> tuple[LpProblem, dict[int, LpVariable], dict[int, LpConstraint]]:
    """Build the linear program; arcs whose flow is fixed are moved to the right-hand sides."""
    from pulp import LpAffineExpression, LpProblem

    problem = LpProblem("flow")
    problem.setObjective(LpAffineExpression.empty())
    open_arcs = np.flatnonzero((network.lower < network.capacity) & (network.tail != network.head))
    touched = np.zeros(len(network.supply), dtype=bool)
    touched[network.tail[open_arcs]] = touched[network.head[open_arcs]] = True
    required = -balance(network, _resting(network))
    if (cut_off := np.flatnonzero((required != 0) & ~touched)).size:
        raise NoPlan(f"no flow meets the supply of node {cut_off[0]}: no arc with room leaves or enters it")
    rows = {
        node: problem.addConstraint(LpAffineExpression.empty() == amount, f"balance_{node}")
        for node, amount in zip(np.flatnonzero(touched).tolist(), required[touched].tolist(), strict=True)
    }
    columns = (network.tail, network.head, network.lower, network.capacity, network.cost)
    variables: dict[int, LpVariable] = {}
    for arc, tail, head, lower, capacity, cost in zip(
        open_arcs.tolist(), *(column[open_arcs].tolist() for column in columns), strict=True
    ):
        ends = {rows[tail]: 1.0, rows[head]: -1.0}
        upper = None if capacity == UNLIMITED else capacity
        variables[arc] = problem.add_column(f"flow_{arc}", lower, upper, obj=cost, coefficients=ends)
    return problem, variables, rows
