"""The network over time: few arcs, because prices are linear in time (``models/reallocation.md``).

In every pool, GPUs that are free wait along a *chain* of days. On some day they are handed over to a
*group* of requests, and pass to one of them on that day: in time or late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from gpu_opt.instance import Ints
from gpu_opt.reallocation.conditions import Conditions
from gpu_opt.reallocation.flow import UNLIMITED, Network
from gpu_opt.reallocation.grouping import Group, SupplyClass, request_groups, supply_classes
from gpu_opt.reallocation.instance import Instance

SOURCE = 0
"""The node that supplies everything: GPUs through the supplies, and what stays unmet."""


class Kind(IntEnum):
    """What an arc means."""

    SUPPLY = 0
    """From the source to the day on which the GPUs of a class are free; its index is the class."""
    CARRY = 1
    """Along a chain, or from a division to everybody."""
    HANDOVER = 2
    """From what is free to a group of requests; its index is the day."""
    REQUEST = 3
    """From a group to one of its requests; its index is the request."""
    UNMET = 4
    """From the source to a request: what it does not get; its index is the request."""
    OVER = 5
    """From a request back to the source: what it gets beyond what it asks for, because a unit is whole; its
    index is the request."""


class Node(NamedTuple):
    """A place and day in a pool."""

    pool: int
    home: str | None
    """Free GPUs of this division; None: of everybody."""
    group: Group | None
    """GPUs handed to this group on the day; None: still free."""
    day: int


@dataclass(frozen=True, slots=True)
class TimeNetwork:
    """The network, and what its nodes and arcs mean. Flows are in GPUs."""

    network: Network
    """With the goal `cost` as its cost."""
    kind: Ints
    index: Ints
    """Index within the kind, for every arc."""
    pool: Ints
    """Pool of every arc; -1 where there is none."""
    late: Ints
    """Days that GPUs come late by every arc; 0 but for arcs to requests."""
    unit: Ints
    """Of every arc, in GPUs: what passes it in a plan is a multiple."""
    classes: tuple[tuple[SupplyClass, tuple[int, ...]], ...]
    """Every class with its supplies."""
    groups: dict[int, Group]
    """The group that receives, by handover arc."""
    group_of: dict[tuple[int, int], Group]
    """By pool and request."""
    nodes: dict[Node, int]
    first_request: int
    """Node of request 0; the others follow. But for what is over, every arc goes from a lower node to a
    higher one."""


@dataclass(slots=True)
class _Draft:
    """The network while it is drawn."""

    nodes: dict[Node, int] = field(default_factory=dict)
    arcs: list[tuple[int, int, int, int, Kind, int, int, int]] = field(default_factory=list)
    """(tail, head, capacity, cost, kind, index, pool, days late)."""
    groups: dict[int, Group] = field(default_factory=dict)
    served: list[Ints] = field(default_factory=list)
    """Columns of arcs to requests, as above; their head is the request, whose node comes last."""

    def node(self, node: Node) -> int:
        """Number of a node; new nodes get the next one."""
        return self.nodes.setdefault(node, len(self.nodes) + 1)

    def arc(self, tail: int, head: int, cost: int, kind: Kind, index: int, pool: int) -> None:
        """Draw an arc without a capacity of its own."""
        self.arcs.append((tail, head, UNLIMITED, cost, kind, index, pool, 0))


def build_network(instance: Instance, conditions: Conditions | None = None) -> TimeNetwork:
    """Draw the network; requests are kept apart as far as rooms with conditions count them apart."""
    conditions = conditions or Conditions()
    classes = supply_classes(instance)
    draft = _Draft()
    group_of: dict[tuple[int, int], Group] = {}
    members = request_groups(instance, conditions.rooms)
    for pool in sorted({key.pool for key in classes}):
        groups = members[pool]
        group_of.update({(pool, r): group for group, each in groups.items() for r, _ in each})
        _draw_pool(instance, draft, pool, [key for key in classes if key.pool == pool], groups)
    ends = _ends(instance, draft, classes, conditions.units)
    named = tuple((key, tuple(supplies)) for key, supplies in classes.items())
    return _finish(instance, draft, ends, named, group_of)


def _draw_pool(
    instance: Instance,
    draft: _Draft,
    pool: int,
    classes: list[SupplyClass],
    groups: dict[Group, list[tuple[int, int]]],
) -> None:
    """Draw the chains of one pool, and what leads from them to the groups."""
    freed = sorted({key.day for key in classes})
    handed = {group: _handover_days(instance, group, members, freed) for group, members in groups.items()}
    homes = _homes(classes, groups)
    for home, days in homes.items():
        later = {day for group, each in handed.items() if home in {None, group.division} for day in each}
        chain = sorted(days | {day for day in later if day >= min(days)})
        nodes = [draft.node(Node(pool, home, None, day)) for day in chain]
        for (tail, head), (day, next_day) in zip(pairwise(nodes), pairwise(chain), strict=True):
            draft.arc(tail, head, instance.prices.idle * (next_day - day), Kind.CARRY, -1, pool)
    for key in classes:
        if key.home is not None and None in homes:
            there = draft.nodes.get(Node(pool, None, None, key.day))
            if there is not None:
                tail = draft.nodes[Node(pool, key.home, None, key.day)]
                draft.arc(tail, there, instance.prices.other_division, Kind.CARRY, -1, pool)
    for group, members in groups.items():
        _draw_group(instance, draft, pool, group, members, handed[group], list(homes))


def _homes(
    classes: list[SupplyClass], groups: dict[Group, list[tuple[int, int]]]
) -> dict[str | None, set[int]]:
    """Days on which free GPUs enter each chain: one for each division that keeps some, one for everybody.

    Chains of divisions come first, since their GPUs pass to everybody's.
    """
    homes: dict[str | None, set[int]] = {}
    everybody: set[int] = set()
    for key in classes:
        if key.home is not None:
            homes.setdefault(key.home, set()).add(key.day)
        if key.home is None or any(group.division != key.home for group in groups):
            everybody.add(key.day)
    return {**homes, None: everybody} if everybody else homes


def _handover_days(
    instance: Instance, group: Group, members: list[tuple[int, int]], freed: list[int]
) -> list[int]:
    """Days on which a handover to the group can be best: GPUs come free, a request starts, a room grows."""
    starts = {instance.starts[r] for r, _ in members}
    grows = {first for k in group.rooms for first, _ in instance.rooms[k].steps}
    earliest = max(min(starts), freed[0])
    return sorted(day for day in {*freed, *starts, *grows} if day >= earliest)


def _draw_group(
    instance: Instance,
    draft: _Draft,
    pool: int,
    group: Group,
    members: list[tuple[int, int]],
    days: list[int],
    homes: list[str | None],
) -> None:
    nodes = {day: draft.node(Node(pool, None, group, day)) for day in days}
    for day in days:
        for home in homes:
            free = draft.nodes.get(Node(pool, home, None, day))
            if free is not None and home in {None, group.division}:
                draft.groups[len(draft.arcs)] = group
                draft.arc(free, nodes[day], 0, Kind.HANDOVER, day, pool)
    requests, steps = np.array(members, dtype=np.int64).T
    member, place = np.nonzero(np.array(days) >= np.array(instance.starts)[requests, None])
    served, on = requests[member], np.array(days)[place]
    columns = np.broadcast_arrays(
        np.array(list(nodes.values()))[place],
        served,
        UNLIMITED,
        instance.prices.less_preferred * steps[member],
        int(Kind.REQUEST),
        served,
        pool,
        np.maximum(0, on - np.array(instance.by)[served]),
    )
    draft.served.append(np.array(columns, dtype=np.int64))


def _ends(
    instance: Instance,
    draft: _Draft,
    classes: dict[SupplyClass, list[int]],
    units: frozenset[int],
) -> Ints:
    """Columns of the arcs from and to the source."""
    first = len(draft.nodes) + 1
    ends = [(SOURCE, first + r, asked, 0, Kind.UNMET, r, -1, 0) for r, asked in enumerate(instance.asked)]
    ends += [
        (first + r, SOURCE, instance.coarsest[r] - instance.step[r], 0, Kind.OVER, r, -1, 0)
        for r in sorted(units)
    ]
    for index, (key, members) in enumerate(classes.items()):
        gpus = sum(instance.supplies[i].gpus for i in members)
        cost = instance.prices.other_division if key.foreign else 0
        node = draft.nodes[Node(key.pool, key.home, None, key.day)]
        ends.append((SOURCE, node, gpus, cost, Kind.SUPPLY, index, key.pool, 0))
    return np.array(ends, dtype=np.int64).reshape(-1, 8).T


def _finish(
    instance: Instance,
    draft: _Draft,
    ends: Ints,
    classes: tuple[tuple[SupplyClass, tuple[int, ...]], ...],
    group_of: dict[tuple[int, int], Group],
) -> TimeNetwork:
    first_request = len(draft.nodes) + 1
    for columns in draft.served:
        columns[1] += first_request
    chains = np.array(draft.arcs, dtype=np.int64).reshape(-1, 8).T
    tail, head, capacity, cost, kind, index, pool, late = np.hstack([chains, *draft.served, ends])
    supply = np.zeros(first_request + len(instance.requests), dtype=np.int64)
    supply[first_request:] = np.negative(instance.asked)
    supply[SOURCE] = sum(instance.asked)
    unit = np.array([*instance.unit, 0], dtype=np.int64)[pool]  # no pool is -1: the last entry
    unit[pool < 0] = np.array(instance.step, dtype=np.int64)[index[pool < 0]]
    return TimeNetwork(
        network=Network(supply, tail, head, np.zeros_like(tail), capacity, cost),
        kind=kind,
        index=index,
        pool=pool,
        late=late,
        unit=unit,
        classes=classes,
        groups=draft.groups,
        group_of=group_of,
        nodes=draft.nodes,
        first_request=first_request,
    )
