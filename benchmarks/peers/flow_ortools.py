"""OR-Tools: cost scaling in C++."""

from __future__ import annotations

import numpy as np

from benchmarks.flows import FlowPeer
from gpu_opt.instance import Ints
from gpu_opt.reallocation.flow import Network


def solve(network: Network, _limit: float) -> Ints:
    """A flow; it knows no lower bounds, so they are shifted away."""
    from ortools.graph.python import min_cost_flow

    supply = network.supply.copy()
    np.subtract.at(supply, network.tail, network.lower)
    np.add.at(supply, network.head, network.lower)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        network.tail, network.head, network.capacity - network.lower, network.cost
    )
    solver.set_nodes_supplies(np.arange(len(supply)), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"OR-Tools found no flow of least cost: {status}")
    flow: Ints = solver.flows(arcs) + network.lower
    return flow


FLOW_PEERS = (FlowPeer("ortools", solve, ("ortools.graph.python.min_cost_flow",)),)
