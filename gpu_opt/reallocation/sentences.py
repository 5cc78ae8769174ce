"""What a request gets and why, in a sentence for a planner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from gpu_opt.plan import Donor, Stop, Supply
from gpu_opt.reallocation.conditions import free_at_last
from gpu_opt.reallocation.instance import Handed, Instance
from gpu_opt.reallocation.rooms import Room

MOST_DONORS = 5
"""Donors named in a sentence."""


UNPROVED = {
    Stop.GAP: "the search ended within the gap that was asked for",
    Stop.TIME: "no better plan was found in the time",
    Stop.FAILED: "the solver failed before a better plan was found",
    Stop.INTERRUPTED: "it was interrupted before a better plan was found",
}
"""Why a request may lack GPUs although there are some."""


class Rest(NamedTuple):
    """What a plan leaves."""

    gpus: tuple[int, ...]
    """Of every supply."""
    rooms: tuple[int, ...]
    """Of every room, on the last day."""
    stop: Stop
    """Why the solve ended: whether more could have been found."""


def rest_of(instance: Instance, plan: Sequence[Handed], stop: Stop) -> Rest:
    """What the plan leaves."""
    left = [supply.gpus for supply in instance.supplies]
    for one in plan:
        left[one.supply] -= one.gpus
    return Rest(tuple(left), free_at_last(instance, plan), stop)


def describe(instance: Instance, request: int, mine: Sequence[Handed], rest: Rest) -> str:
    """What the request gets, from whom, and by when; and what is in the way of the rest."""
    asked = instance.requests[request]
    got = sum(one.gpus for one in mine)
    if got >= asked.gpus:
        last = max(one.on for one in mine)
        margin = _margin(instance.by[request] - last)
        rounded = f", {got} GPUs in whole units" if got > asked.gpus else ""
        return f"complete on {_date(instance, last)}, {margin}{rounded}: {_donors(instance, mine)}"
    reason = _shortage(instance, request, got, rest)
    if not mine:
        return f"none of {asked.gpus}: {reason}"
    in_time = sum(one.gpus for one in mine if one.on <= instance.by[request])
    amounts = f"{in_time} of {asked.gpus} by {asked.by}"
    if got > in_time:
        amounts += f", {got} by {_date(instance, max(one.on for one in mine))}"
    return f"{amounts}: {_donors(instance, mine)}; {reason}"


def _date(instance: Instance, day: int) -> dt.date:
    return instance.organization.as_of + dt.timedelta(days=day)


def _margin(days: int) -> str:
    if days == 0:
        return "the day it is needed"
    counted = "1 day" if abs(days) == 1 else f"{abs(days)} days"
    return f"{counted} before it is needed" if days > 0 else f"{counted} late"


def _donors(instance: Instance, mine: Sequence[Handed]) -> str:
    """Who gives how many: ``256 from orion, 256 from the delivery to texas-gb200``; of many, the largest."""
    given: dict[str, int] = {}
    for one in mine:
        name = _donor(instance.supplies[one.supply])
        given[name] = given.get(name, 0) + one.gpus
    shown = set(given)
    if len(given) > MOST_DONORS:
        shown = set(sorted(given, key=lambda name: -given[name])[: MOST_DONORS - 1])
    named = [f"{gpus} {name}" for name, gpus in given.items() if name in shown]
    if rest := [gpus for name, gpus in given.items() if name not in shown]:
        named.append(f"{sum(rest)} from {len(rest)} others")
    return ", ".join(named)


def _donor(supply: Supply) -> str:
    if supply.donor is Donor.RELEASE:
        return f"from {supply.project}"
    return (
        f"from the delivery to {supply.pool}" if supply.donor is Donor.DELIVERY else f"idle in {supply.pool}"
    )


def _shortage(instance: Instance, request: int, got: int, rest: Rest) -> str:
    """Why a request does not get all: nothing left, a cap, all or nothing, or no time to find more."""
    pools = {offer.pool for offer in instance.offers[request]}
    if not pools:
        return "no pool has GPUs that it accepts"
    accepted = [i for i, pool in enumerate(instance.pool_of) if pool in pools]
    unused = sum(rest.gpus[i] for i in accepted)
    if got == sum(instance.supplies[i].gpus for i in accepted):
        return f"no {'more ' if got else ''}GPUs that it accepts come free by {instance.until}"
    if unused == 0:
        return f"all other GPUs that it accepts and that come free by {instance.until} go to other requests"
    if rest.stop in UNPROVED:
        return UNPROVED[rest.stop]
    if instance.requests[request].all_or_nothing and unused < instance.asked[request]:
        left_over = f"only {unused} that it accepts are left by {instance.until}"
        return f"{left_over}, and fewer than all are of no use to it"
    return _caps(instance, request, rest, {instance.pool_of[i] for i in accepted if rest.gpus[i]})


def _caps(instance: Instance, request: int, rest: Rest, pools: set[int]) -> str:
    """Which caps and limits keep GPUs of these pools, though some are left, from a request."""
    counting = [
        (room, free)
        for room, free in zip(instance.rooms, rest.rooms, strict=True)
        if any(instance.counts(room, request, pool) for pool in pools)
    ]
    if instance.requests[request].all_or_nothing:
        return f"{_these([room for room, _ in counting])} no room for all of it"
    full = [
        room
        for room, free in counting
        if any(
            instance.counts(room, request, pool) and free < instance.takes(room, pool) * instance.unit[pool]
            for pool in pools
        )
    ]
    return f"{_these(full)} no room for more by {instance.until}"


def _these(rooms: Sequence[Room]) -> str:
    """Name the rooms, with a verb: ``the cap of lab leaves``."""
    names = [
        f"the cap of {room.team}" if room.gpu_type is None else f"the limit of {room.team} on {room.gpu_type}"
        for room in rooms
    ]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{listed} {'leaves' if len(names) == 1 else 'leave'}"
