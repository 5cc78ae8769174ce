"""From flows to donors with names, and back.

Arcs go from lower nodes to higher ones, so one pass over the nodes follows every GPU from its class of
supplies to its request. Where GPUs of several classes meet, and within a class, all ways to tell them
apart cost the same; requests then get those of their own team first, those of their own division next,
and the rest in the order of the supplies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from gpu_opt.errors import VerificationFailure
from gpu_opt.instance import Ints
from gpu_opt.reallocation.instance import Handed, Instance
from gpu_opt.reallocation.network import SOURCE, Kind, Node, TimeNetwork

RANKS = 3
"""Own team, own division, anybody."""


class Parcel(NamedTuple):
    """GPUs of one class of supplies on their way."""

    supply_class: int
    on: int | None
    """Day on which they are handed over, where a room counts it; None: as soon as possible."""
    gpus: int


def decode(instance: Instance, network: TimeNetwork, values: Ints) -> tuple[Handed, ...]:
    """Tell a flow apart into handovers, by day, request and supply.

    Where a room counts a handover it is on the day that the flow says, else on the first day possible.
    """
    rank = _preference(instance, network)
    at: dict[int, list[Parcel]] = {}
    got: dict[int, dict[tuple[int, int | None], int]] = {}
    used = np.flatnonzero((values > 0) & (network.kind < Kind.UNMET))
    in_order = used[np.argsort(network.network.tail[used], kind="stable")].tolist()
    for tail, leaving in groupby(in_order, key=network.network.tail.__getitem__):
        flows = [(arc, int(values[arc])) for arc in leaving]
        if tail == SOURCE:
            shares = [(arc, Parcel(int(network.index[arc]), None, gpus)) for arc, gpus in flows]
        else:
            shares = list(_share(flows, at.pop(int(tail)), rank))
        for arc, parcel in shares:
            if network.kind[arc] == Kind.REQUEST:
                mine = got.setdefault(parcel.supply_class, {})
                key = int(network.index[arc]), parcel.on
                mine[key] = mine.get(key, 0) + parcel.gpus
            else:
                at.setdefault(int(network.network.head[arc]), []).append(_passed(network, arc, parcel))
    named = (one for index, mine in got.items() for one in _name(instance, network.classes[index][1], mine))
    return tuple(sorted(named, key=lambda one: (one.on, one.request, one.supply)))


def encode(instance: Instance, network: TimeNetwork, handed: Iterable[Handed]) -> Ints:
    """The flow, shape (arcs,), that carries these handovers; the reverse of :func:`decode`."""
    arcs = network.network
    between = {ends: arc for arc, ends in enumerate(zip(arcs.tail.tolist(), arcs.head.tolist(), strict=True))}
    entry = {int(network.index[arc]): int(arc) for arc in np.flatnonzero(network.kind == Kind.SUPPLY)}
    class_of = {supply: index for index, (_, members) in enumerate(network.classes) for supply in members}
    days: dict[Node, list[int]] = {}
    for node in network.nodes:
        days.setdefault(node._replace(day=0), []).append(node.day)
    values = np.zeros_like(network.kind)
    unmet = list(instance.asked)
    for one in handed:
        values[entry[class_of[one.supply]]] += one.gpus
        for ends in pairwise(_path(network, class_of[one.supply], one, days)):
            values[between[ends]] += one.gpus
        unmet[one.request] -= one.gpus
    for kind, sign in ((Kind.UNMET, 1), (Kind.OVER, -1)):
        arcs_of = network.kind == kind
        values[arcs_of] = np.maximum(0, sign * np.array(unmet, dtype=np.int64)[network.index[arcs_of]])
    return values


def _path(network: TimeNetwork, supply_class: int, one: Handed, days: dict[Node, list[int]]) -> list[int]:
    """Nodes from the class to the request; it is handed over on the last day on which that can be best."""
    key, _ = network.classes[supply_class]
    group = network.group_of[key.pool, one.request]
    home = key.home if key.home == group.division else None
    free = Node(key.pool, home, None, 0)
    handed = Node(key.pool, None, group, 0)
    on = max(day for day in days[handed] if day <= one.on)
    crossing = [Node(key.pool, key.home, None, key.day)] if key.home != home else []
    waiting = [free._replace(day=day) for day in sorted(days[free]) if key.day <= day <= on]
    nodes = [network.nodes[node] for node in [*crossing, *waiting, handed._replace(day=on)]]
    return [*nodes, network.first_request + one.request]


def _share(
    flows: Sequence[tuple[int, int]], parcels: Sequence[Parcel], rank: Callable[[int, Parcel], int]
) -> Iterator[tuple[int, Parcel]]:
    """Divide the parcels at a node among (arc, GPUs) that leave it."""
    wanted, there = [gpus for _, gpus in flows], [parcel.gpus for parcel in parcels]
    if sum(wanted) != sum(there):
        raise VerificationFailure(f"{sum(there)} GPUs enter a node and {sum(wanted)} leave it")
    for f, p, gpus in _match(wanted, there, lambda f, p: rank(flows[f][0], parcels[p])):
        yield flows[f][0], parcels[p]._replace(gpus=gpus)


def _match(
    wanted: Sequence[int], there: Sequence[int], rank: Callable[[int, int], int]
) -> Iterator[tuple[int, int, int]]:
    """Yield (i, j, GPUs) that pass from `there[j]` to `wanted[i]`, those of the lowest rank first."""
    missing, left = list(wanted), list(there)
    for level in range(RANKS):
        for i in range(len(missing)):
            for j in range(len(left)):
                gpus = min(missing[i], left[j])
                if gpus and rank(i, j) <= level:
                    missing[i] -= gpus
                    left[j] -= gpus
                    yield i, j, gpus


def _preference(instance: Instance, network: TimeNetwork) -> Callable[[int, Parcel], int]:
    """How near the donors of a parcel are to those whom an arc leads to."""
    donors = [{instance.supplies[i].team for i in members} - {None} for _, members in network.classes]
    divisions = [{instance.division[str(team)] for team in teams} for teams in donors]
    kinds, index = network.kind.tolist(), network.index.tolist()

    def rank(arc: int, parcel: Parcel) -> int:
        if kinds[arc] == Kind.REQUEST:
            team = instance.requests[index[arc]].team
            if team in donors[parcel.supply_class]:
                return 0
            return 1 if instance.division[team] in divisions[parcel.supply_class] else 2
        if kinds[arc] == Kind.HANDOVER:
            return 1 if network.groups[arc].division in divisions[parcel.supply_class] else 2
        return 2

    return rank


def _passed(network: TimeNetwork, arc: int, parcel: Parcel) -> Parcel:
    """The parcel beyond an arc: its day is settled where it is handed over and a room counts it."""
    if network.kind[arc] == Kind.HANDOVER and network.groups[arc].rooms:
        return parcel._replace(on=int(network.index[arc]))
    return parcel


def _name(
    instance: Instance, supplies: tuple[int, ...], got: dict[tuple[int, int | None], int]
) -> Iterator[Handed]:
    """Tell the supplies of one class apart: who of them hands over what was handed over by the class."""
    served = sorted(got.items(), key=lambda item: item[0][0])
    wanted, there = [gpus for _, gpus in served], [instance.supplies[i].gpus for i in supplies]
    for w, s, gpus in _match(wanted, there, lambda w, s: _rank(instance, supplies[s], served[w][0][0])):
        (request, on), supply = served[w][0], supplies[s]
        first = max(instance.free_on[supply], instance.starts[request])
        yield Handed(supply, request, gpus, first if on is None else on)


def _rank(instance: Instance, supply: int, request: int) -> int:
    donor, team = instance.supplies[supply].team, instance.requests[request].team
    if donor is None:
        return 2
    if donor == team:
        return 0
    return 1 if instance.division[donor] == instance.division[team] else 2
