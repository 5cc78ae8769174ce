"""networkx: the network simplex in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.flows import FlowPeer
from gpu_opt.instance import Ints
from gpu_opt.reallocation.flow import Network

if TYPE_CHECKING:
    import networkx as nx


def solve(network: Network, _limit: float) -> Ints:
    """A flow; lower bounds are shifted away, and parallel arcs are told apart by their number."""
    import networkx as nx

    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    demand = -network.supply
    np.add.at(demand, network.tail, network.lower)
    np.subtract.at(demand, network.head, network.lower)
    graph.add_nodes_from((node, {"demand": each}) for node, each in enumerate(demand.tolist()))
    columns = (network.tail, network.head, network.capacity - network.lower, network.cost)
    for arc, (tail, head, capacity, cost) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        graph.add_edge(tail, head, key=arc, capacity=capacity, weight=cost)
    _, flow = nx.network_simplex(graph)
    values = np.zeros_like(network.cost)
    for heads in flow.values():
        for arcs in heads.values():
            for arc, units in arcs.items():
                values[arc] = units
    return values + network.lower


FLOW_PEERS = (FlowPeer("networkx", solve, ("networkx",)),)
