"""gpu_opt's own flow: Clp through PuLP, proved in integers."""

from __future__ import annotations

from benchmarks.flows import FlowPeer
from gpu_opt.instance import Ints
from gpu_opt.options import Options
from gpu_opt.reallocation.flow import Network, minimum_cost_flow


def solve(network: Network, limit: float) -> Ints:
    """A flow, with its proof."""
    return minimum_cost_flow(network, Options(time_limit=limit)).values


FLOW_PEERS = (FlowPeer("gpu_opt", solve, ("pulp",)),)
