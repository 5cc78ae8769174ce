"""Side conditions that a pure flow may break: caps and limits over time, all or nothing, whole units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gpu_opt.reallocation.instance import Handed, Instance
from gpu_opt.reallocation.rooms import Room


@dataclass(frozen=True, slots=True)
class Conditions:
    """Side conditions, by index."""

    rooms: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()
    """Requests that are all or nothing."""
    units: frozenset[int] = frozenset()
    """Requests that accept pools of different units; all others get whole units of themselves."""

    def __or__(self, other: Conditions) -> Conditions:
        """Both."""
        return Conditions(self.rooms | other.rooms, self.whole | other.whole, self.units | other.units)

    def __and__(self, other: Conditions) -> Conditions:
        """What is in both."""
        return Conditions(self.rooms & other.rooms, self.whole & other.whole, self.units & other.units)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.rooms or self.whole or self.units)


def broken(instance: Instance, handed: Iterable[Handed]) -> Conditions:
    """The conditions that these handovers break."""
    plan = tuple(handed)
    taken = _taken(instance, plan)
    got = [0] * len(instance.requests)
    for one in plan:
        got[one.request] += one.gpus
    splits = any(one.gpus % instance.unit[instance.pool_of[one.supply]] for one in plan)
    return Conditions(
        rooms=frozenset(k for k, room in enumerate(instance.rooms) if _overfull(instance, room, taken[k])),
        whole=frozenset(
            r
            for r, request in enumerate(instance.requests)
            if request.all_or_nothing and 0 < got[r] < instance.asked[r]
        ),
        units=frozenset(r for r, step in enumerate(instance.step) if splits and step < instance.coarsest[r]),
    )


def repaired(instance: Instance, handed: Iterable[Handed]) -> tuple[Handed, ...]:
    """Handovers that break nothing: requests are admitted one by one, by tier and priority, as there is room.

    A unit that is split goes whole to the first. What finds no room on its day waits for the first day on
    which there is some; what finds none at all is dropped, and so is the rest of a request that is all or
    nothing, and a unit that a request does not need.
    """
    by_request: dict[int, list[Handed]] = {}
    for one in handed:
        by_request.setdefault(one.request, []).append(one)
    left = [supply.gpus for supply in instance.supplies]
    taken: list[dict[int, int]] = [{} for _ in instance.rooms]
    admitted: list[Handed] = []
    for r in sorted(by_request, key=lambda r: (instance.requests[r].tier, -instance.requests[r].priority, r)):
        free, booked = list(left), [dict(each) for each in taken]
        mine = thrifty(
            instance, [part for one in by_request[r] for part in _admit(instance, one, free, booked)]
        )
        if instance.requests[r].all_or_nothing and sum(one.gpus for one in mine) < instance.asked[r]:
            continue
        for one in mine:
            left[one.supply] -= one.gpus
            _book(instance, one, taken)
        admitted += mine
    return tuple(sorted(admitted, key=lambda one: (one.on, one.request, one.supply)))


def thrifty(instance: Instance, handed: Iterable[Handed]) -> list[Handed]:
    """Handovers without units that their request does not need, the smallest units dropped first.

    No goal loses by it: what is unmet stays the same, and whatever else is counted becomes less.
    """
    plan = list(handed)
    extra = {one.request: -instance.asked[one.request] for one in plan}
    for one in plan:
        extra[one.request] += one.gpus
    for place in sorted(range(len(plan)), key=lambda place: (_unit(instance, plan[place]), -plan[place].on)):
        one, unit = plan[place], _unit(instance, plan[place])
        dropped = min(one.gpus, max(0, extra[one.request]) // unit * unit)
        extra[one.request] -= dropped
        plan[place] = one._replace(gpus=one.gpus - dropped)
    return [one for one in plan if one.gpus]


def free_at_last(instance: Instance, handed: Iterable[Handed]) -> tuple[int, ...]:
    """What is left of every room on the last day."""
    taken = _taken(instance, handed)
    return tuple(
        room.on(instance.horizon) - sum(each.values())
        for room, each in zip(instance.rooms, taken, strict=True)
    )


def _unit(instance: Instance, one: Handed) -> int:
    return instance.unit[instance.pool_of[one.supply]]


def _taken(instance: Instance, handed: Iterable[Handed]) -> list[dict[int, int]]:
    """What is taken of every room, by day."""
    taken: list[dict[int, int]] = [{} for _ in instance.rooms]
    for one in handed:
        _book(instance, one, taken)
    return taken


def _book(instance: Instance, one: Handed, taken: list[dict[int, int]]) -> None:
    for k, takes in _counting(instance, one):
        taken[k][one.on] = taken[k].get(one.on, 0) + one.gpus * takes


def _admit(instance: Instance, one: Handed, free: list[int], taken: list[dict[int, int]]) -> Iterator[Handed]:
    """Yield the parts of a handover that find room, each on the first day that has some, and book them."""
    counting, unit = list(_counting(instance, one)), _unit(instance, one)
    grows = {first for k, _ in counting for first, _ in instance.rooms[k].steps if first > one.on}
    left = min(-(-one.gpus // unit) * unit, free[one.supply])
    for day in [one.on, *sorted(grows)]:
        most = [_free(instance, instance.rooms[k], taken[k], day) // (takes * unit) for k, takes in counting]
        gpus = min([left, *(units * unit for units in most)])
        if gpus > 0:
            left -= gpus
            free[one.supply] -= gpus
            part = one._replace(gpus=gpus, on=day)
            _book(instance, part, taken)
            yield part


def _counting(instance: Instance, one: Handed) -> Iterator[tuple[int, int]]:
    """Yield every room that counts a handover, and what it takes of it for each GPU."""
    pool = instance.pool_of[one.supply]
    for k, room in enumerate(instance.rooms):
        if instance.counts(room, one.request, pool):
            yield k, instance.takes(room, pool)


def _free(instance: Instance, room: Room, taken: dict[int, int], day: int) -> int:
    """What can still be taken of a room on a day, and left taken for good."""
    return min(
        amount - sum(each for on, each in taken.items() if on <= last)
        for last, amount in room.periods(instance.horizon)
        if last >= day
    )


def _overfull(instance: Instance, room: Room, taken: dict[int, int]) -> bool:
    return any(
        sum(each for on, each in taken.items() if on <= last) > amount
        for last, amount in room.periods(instance.horizon)
    )
