"""What it would take where caps are in the way of a request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate

from gpu_opt.budgets import owner_above, resolve_budgets
from gpu_opt.instance import MILLI
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import CapRaise, Reallocation
from gpu_opt.reallocation.instance import Instance, build_instance
from gpu_opt.reallocation.rooms import Room, held_under
from gpu_opt.validation.wording import number

Chosen = dict[int, int]
"""GPUs by supply."""


def caps_in_the_way(
    organization: Organization, request: Request, until: dt.date
) -> tuple[tuple[CapRaise, ...], dt.date]:
    """Caps and limits that keep the request from being complete by its date, how high they must be, and when.

    "By its date": or as soon after it as the GPUs are there at all; "complete": or as many as there are,
    if those are of use. Of all ways to serve it by then, the one counts that exceeds the limits on GPU
    types by the fewest GPUs and, of those, takes the least compute: so each cap is the lowest possible.
    """
    instance = build_instance(organization, [request], until)
    offered = sorted(_offered(instance), key=lambda i: instance.free_on[i])
    wanted = min(instance.asked[0], sum(instance.supplies[i].gpus for i in offered))
    if wanted == 0 or (request.all_or_nothing and wanted < instance.asked[0]):
        return (), request.by
    day = max(instance.by[0], _soonest(instance, offered, wanted))
    there = [i for i in offered if instance.free_on[i] <= day]
    chosen = _choose(instance, there, wanted, day)
    return tuple(_raises(instance, chosen, day)), organization.as_of + dt.timedelta(days=day)


def sentence(
    request: Request, answer: Reallocation, raises: Sequence[CapRaise], if_raised: Reallocation | None
) -> str:
    """The answer for a planner: how, what is in the way, and what it would take."""
    text = f"{request.gpus} GPUs for {request.team} by {request.by}: {answer.requests[0].text}"
    if if_raised is None:
        return text
    return f"{text}. {'. '.join(_wish(each) for each in raises)}. Then: {if_raised.requests[0].text}"


def _wish(each: CapRaise) -> str:
    what = "cap" if each.gpu_type is None else f"limit on {each.gpu_type}"
    amounts = f"from {number(each.cap)} to {number(each.needed)}"
    who = f"{each.owner} may raise it {amounts}" if each.owner else f"it would have to rise {amounts}"
    return f"The {what} of {each.team} is in the way from {each.on}; {who}"


def _offered(instance: Instance) -> list[int]:
    pools = {offer.pool for offer in instance.offers[0]}
    return [i for i, pool in enumerate(instance.pool_of) if pool in pools]


def _soonest(instance: Instance, offered: Sequence[int], wanted: int) -> int:
    """The first day on which so many GPUs are free; `offered` is by day and has that many."""
    there = accumulate(instance.supplies[i].gpus for i in offered)
    return next(instance.free_on[i] for i, gpus in zip(offered, there, strict=True) if gpus >= wanted)


def _choose(instance: Instance, there: Sequence[int], wanted: int, day: int) -> Chosen:
    """The GPUs that exceed type limits least, and then take the least compute; the first to come free.

    In whole units; where pools of several units would do, it may be a unit more than the least.
    """
    within = {
        kind: min(room.on(day) for room in instance.rooms if room.gpu_type == kind)
        for kind in {room.gpu_type for room in instance.rooms} - {None}
    }
    pools = instance.pool_of
    slowest_first = sorted(there, key=lambda i: (instance.milli[pools[i]], instance.unit[pools[i]]))
    chosen: Chosen = {}
    for limited in (True, False):
        for i in slowest_first:
            kind, unit = _kind(instance, i), instance.unit[pools[i]]
            needed = -(-max(0, wanted) // unit) * unit
            gpus = min(needed, instance.supplies[i].gpus - chosen.get(i, 0))
            if limited and kind in within:
                gpus = min(gpus, within[kind] // unit * unit)
                within[kind] -= gpus
            chosen[i] = chosen.get(i, 0) + gpus
            wanted -= gpus
    return _without_spare_units(instance, chosen, -wanted)


def _without_spare_units(instance: Instance, chosen: Chosen, spare: int) -> Chosen:
    """What is chosen, without whole units that the last, larger one made superfluous."""
    kept = {}
    for i, gpus in chosen.items():
        unit = instance.unit[instance.pool_of[i]]
        dropped = min(gpus, max(0, spare) // unit * unit)
        kept[i] = gpus - dropped
        spare -= dropped
    return kept


def _raises(instance: Instance, chosen: Chosen, day: int) -> Iterable[CapRaise]:
    organization = instance.organization
    date = organization.as_of + dt.timedelta(days=day)
    budgets, held = resolve_budgets(organization, date), held_under(organization, date)
    teams = {team.name: team for team in organization.teams}
    for room in instance.rooms:
        taken = _taken(instance, room, chosen, day)
        if taken > room.on(day):
            unit = MILLI if room.gpu_type is None else 1
            cap = budgets.cap[room.team] if room.gpu_type is None else budgets.limit[room.team, room.gpu_type]
            first = next(d for d in range(day + 1) if _taken(instance, room, chosen, d) > room.on(d))
            yield CapRaise(
                team=room.team,
                gpu_type=room.gpu_type,
                cap=float(cap),
                needed=float(Fraction(held.get((room.team, room.gpu_type), 0) + taken, unit)),
                on=organization.as_of + dt.timedelta(days=first),
                owner=owner_above(teams, room.team),
            )


def _taken(instance: Instance, room: Room, chosen: Chosen, day: int) -> int:
    """What the chosen GPUs that could have come by a day take of a room."""
    return sum(
        gpus * instance.takes(room, instance.pool_of[i])
        for i, gpus in chosen.items()
        if instance.counts(room, 0, instance.pool_of[i])
        and max(instance.free_on[i], instance.starts[0]) <= day
    )


def _kind(instance: Instance, supply: int) -> str:
    return instance.organization.pools[instance.pool_of[supply]].gpu_type
