"""What the network does not tell apart: supplies of one price for everybody, and requests that are alike."""

from __future__ import annotations

from typing import NamedTuple

from gpu_opt.reallocation.instance import Instance


class Group(NamedTuple):
    """Requests that are alike to a pool's GPUs: of one division, counted by the same rooms."""

    division: str
    rooms: tuple[int, ...]
    """Rooms with rows that count them."""


class SupplyClass(NamedTuple):
    """Supplies of one pool, free on one day, that cost every request the same."""

    pool: int
    home: str | None
    """The division of the releases; None if it makes no difference, or for idle GPUs and deliveries."""
    day: int
    foreign: bool
    """Whether everybody who accepts the pool is of another division."""


def supply_classes(instance: Instance) -> dict[SupplyClass, list[int]]:
    """Supplies by class; those of pools that nobody accepts are left out."""
    accepting: dict[int, set[str]] = {}
    for request, offers in zip(instance.requests, instance.offers, strict=True):
        for offer in offers:
            accepting.setdefault(offer.pool, set()).add(instance.division[request.team])
    classes: dict[SupplyClass, list[int]] = {}
    for i, supply in enumerate(instance.supplies):
        pool, day = instance.pool_of[i], instance.free_on[i]
        if pool in accepting:
            home = instance.division[supply.team] if supply.team and instance.prices.other_division else None
            foreign = home is not None and home not in accepting[pool]
            key = SupplyClass(pool, None if foreign else home, day, foreign)
            classes.setdefault(key, []).append(i)
    return classes


def request_groups(
    instance: Instance, active: frozenset[int]
) -> dict[int, dict[Group, list[tuple[int, int]]]]:
    """(request, steps down) of those that accept a pool, by pool and group."""
    members: dict[int, dict[Group, list[tuple[int, int]]]] = {}
    for r, (request, offers) in enumerate(zip(instance.requests, instance.offers, strict=True)):
        for pool, steps in offers:
            counted = tuple(k for k in sorted(active) if instance.counts(instance.rooms[k], r, pool))
            group = Group(instance.division[request.team], counted)
            members.setdefault(pool, {}).setdefault(group, []).append((r, steps))
    return members
