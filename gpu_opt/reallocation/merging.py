"""Nodes that a goal need not tell apart, and handovers from a flow that did not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gpu_opt.instance import Ints
from gpu_opt.reallocation.instance import Handed, Instance
from gpu_opt.reallocation.network import SOURCE, Kind, TimeNetwork


class Merged(NamedTuple):
    """A new number for every node, shape (nodes,), where no handover has a capacity."""

    pools: Ints
    """The same for all places and days of a pool, for what is unmet: GPUs can go from any day on which they
    come free to any request that accepts their pool."""
    days: Ints
    """The same for all places of a pool on a day, for what is late: which division's GPUs wait, and for
    whom, costs nothing."""


def merged_nodes(network: TimeNetwork) -> Merged:
    """The numbers of the network's nodes."""
    pools = [(node.pool, 0) for node in network.nodes]
    days = [(node.pool, node.day) for node in network.nodes]
    return Merged(*(_numbered(network, places) for places in (pools, days)))


def _numbered(network: TimeNetwork, places: list[tuple[int, int]]) -> Ints:
    number = {place: 1 + k for k, place in enumerate(dict.fromkeys(places))}
    requests = len(network.network.supply) - network.first_request
    after = len(number) + 1
    return np.array([SOURCE, *map(number.__getitem__, places), *range(after, after + requests)], np.int64)


def first_come(instance: Instance, network: TimeNetwork, values: Ints) -> tuple[Handed, ...]:
    """Handovers for a flow between merged days, shape (arcs,): in every pool, what is free first goes first.

    They come no later than the flow says; what they cost was not its concern.
    """
    handed: dict[tuple[int, int, int], int] = {}
    left = [supply.gpus for supply in instance.supplies]
    queues: dict[int, list[int]] = {}
    for supply, pool in reversed(list(enumerate(instance.pool_of))):  # they are in the order of their days
        queues.setdefault(pool, []).append(supply)
    for pool, request, gpus in _served(network, values):
        missing = gpus
        while missing:
            supply = queues[pool][-1]
            taken = min(missing, left[supply])
            missing -= taken
            left[supply] -= taken
            if not left[supply]:
                queues[pool].pop()
            if taken:
                key = supply, request, max(instance.free_on[supply], instance.starts[request])
                handed[key] = handed.get(key, 0) + taken
    return tuple(Handed(supply, request, gpus, on) for (supply, request, on), gpus in handed.items())


def _served(network: TimeNetwork, values: Ints) -> Iterator[tuple[int, int, int]]:
    """(pool, request, GPUs) in the order of the days on which the flow hands them over."""
    day = np.array([-1, *(node.day for node in network.nodes)], dtype=np.int64)
    used = np.flatnonzero((network.kind == Kind.REQUEST) & (values > 0))
    in_order = used[np.argsort(day[network.network.tail[used]], kind="stable")]
    columns = (network.pool, network.index, values)
    return zip(*(column[in_order].tolist() for column in columns), strict=True)
