"""The flow without side conditions: goal by goal, every goal a pure minimum-cost flow.

The flows that are best on a goal are again the flows of a network, in which some arcs are fixed. So no
goal is ever weighed against another by a big number, and every flow comes out in whole GPUs.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

from gpu_opt.errors import NoPlanInTime, VerificationFailure
from gpu_opt.instance import Ints
from gpu_opt.plan import Stop
from gpu_opt.reallocation.clock import Clock
from gpu_opt.reallocation.decode import decode, encode
from gpu_opt.reallocation.flow import Flow, Network, balance, contract, minimum_cost_flow, optimal_face, total
from gpu_opt.reallocation.goals import LARGEST_COST, Relaxed
from gpu_opt.reallocation.instance import GoalSpec, Handed, Instance, goal_values
from gpu_opt.reallocation.network import TimeNetwork, arc_cost, pool_nodes


def is_tractable(instance: Instance, network: TimeNetwork) -> bool:
    """Whether all prices and priorities, made whole by one factor per goal, stay within `LARGEST_COST`.

    Beyond it the goals are left to the integer program, whose priorities are doubles.
    """
    largest = [max(goal.weights) for goal in instance.goals if goal.weights]
    return max([*largest, int(network.network.cost.max(initial=0))]) <= LARGEST_COST


def solve_pure(instance: Instance, network: TimeNetwork, clock: Clock) -> Relaxed:
    """Optimize every goal over the flows of the network that are best on the goals before it.

    What is unmet does not depend on days: for these goals every pool is one node. If the time runs out, the
    goals left have the values of the last flow and no bound.
    """
    whole = network.network
    group = pool_nodes(network)
    solved, values = network, encode(instance, network, ())
    bounds: list[int] = []
    seconds: list[float] = []
    for goal in instance.goals:
        begun = time.monotonic()
        priced = replace(whole, cost=arc_cost(network, goal))
        used = replace(network, network=contract(priced, group) if goal.weights else priced)
        flow = _least(used.network, values, clock, goal)
        seconds.append(time.monotonic() - begun)
        if flow is None:
            break
        whole, solved, values = optimal_face(whole, flow.reduced), used, flow.values
        bounds.append(flow.cost)
    return _relaxed(instance, decode(instance, solved, values), bounds, seconds, clock)


def _least(network: Network, values: Ints, clock: Clock, goal: GoalSpec) -> Flow | None:
    """A flow of least cost; None if the time runs out. No cost is negative, so nothing is below 0."""
    if total(network.cost, values) == 0 and not balance(network, values).any():
        return Flow(values, 0, network.cost)
    report = clock.reporting(goal.name, Fraction(1, goal.scale))
    try:
        return minimum_cost_flow(network, clock.options, seconds=clock.left, on_progress=report)
    except NoPlanInTime:
        return None


def _relaxed(
    instance: Instance, handed: tuple[Handed, ...], bounds: list[int], seconds: list[float], clock: Clock
) -> Relaxed:
    reached = goal_values(instance, handed)
    left = len(reached) - len(bounds)
    if not left and list(reached) != bounds:
        raise VerificationFailure(f"the handovers are worth {reached}, the flow that they come from {bounds}")
    return Relaxed(
        handed=handed,
        values=reached,
        bounds=(*bounds, *[0] * left),
        stops=(*[Stop.PROVED] * len(bounds), *[clock.stop()] * left),
        seconds=(*seconds, *[0.0] * (len(reached) - len(seconds))),
    )
