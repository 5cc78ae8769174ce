"""Side conditions that a pure flow may break: caps and limits over time, and all or nothing."""

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

    def __or__(self, other: Conditions) -> Conditions:
        """Both."""
        return Conditions(self.rooms | other.rooms, self.whole | other.whole)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.rooms or self.whole)


def broken(instance: Instance, handed: Iterable[Handed]) -> Conditions:
    """The conditions that these handovers break."""
    plan = tuple(handed)
    taken = _taken(instance, plan)
    got = [0] * len(instance.requests)
    for one in plan:
        got[one.request] += one.gpus
    return Conditions(
        rooms=frozenset(k for k, room in enumerate(instance.rooms) if _overfull(instance, room, taken[k])),
        whole=frozenset(
            r for r, asked in enumerate(instance.requests) if asked.all_or_nothing and 0 < got[r] < asked.gpus
        ),
    )


def repaired(instance: Instance, handed: Iterable[Handed]) -> tuple[Handed, ...]:
    """Handovers that break nothing: requests are admitted one by one, by tier and priority, as there is room.

    What finds no room on its day waits for the first day on which there is some; what finds none at all is
    dropped, and so is the rest of a request that is all or nothing.
    """
    by_request: dict[int, list[Handed]] = {}
    for one in handed:
        by_request.setdefault(one.request, []).append(one)
    taken: list[dict[int, int]] = [{} for _ in instance.rooms]
    admitted: list[Handed] = []
    for r in sorted(by_request, key=lambda r: (instance.requests[r].tier, -instance.requests[r].priority, r)):
        before = [dict(each) for each in taken]
        mine = [part for one in by_request[r] for part in _admit(instance, one, taken)]
        if (
            instance.requests[r].all_or_nothing
            and sum(part.gpus for part in mine) < instance.requests[r].gpus
        ):
            taken = before
        else:
            admitted += mine
    return tuple(sorted(admitted, key=lambda one: (one.on, one.request, one.supply)))


def free_at_last(instance: Instance, handed: Iterable[Handed]) -> tuple[int, ...]:
    """What is left of every room on the last day."""
    taken = _taken(instance, handed)
    return tuple(
        room.on(instance.horizon) - sum(each.values())
        for room, each in zip(instance.rooms, taken, strict=True)
    )


def _taken(instance: Instance, handed: Iterable[Handed]) -> list[dict[int, int]]:
    """What is taken of every room, by day."""
    taken: list[dict[int, int]] = [{} for _ in instance.rooms]
    for one in handed:
        for k, takes in _counting(instance, one):
            taken[k][one.on] = taken[k].get(one.on, 0) + one.gpus * takes
    return taken


def _admit(instance: Instance, one: Handed, taken: list[dict[int, int]]) -> Iterator[Handed]:
    """Yield the parts of a handover that find room, each on the first day that has some, and book them."""
    counting = list(_counting(instance, one))
    grows = {first for k, _ in counting for first, _ in instance.rooms[k].steps if first > one.on}
    left = one.gpus
    for day in [one.on, *sorted(grows)]:
        most = [_free(instance, instance.rooms[k], taken[k], day) // takes for k, takes in counting]
        gpus = min([left, *most])
        if gpus > 0:
            left -= gpus
            for k, takes in counting:
                taken[k][day] = taken[k].get(day, 0) + gpus * takes
            yield one._replace(gpus=gpus, on=day)


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
