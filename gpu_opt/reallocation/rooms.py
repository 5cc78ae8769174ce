"""How much teams may be handed over time: what their caps leave beside what they go on to hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from gpu_opt.budgets import Budgets, resolve_budgets
from gpu_opt.indexing import is_active
from gpu_opt.instance import MILLI
from gpu_opt.organization import Organization

Key = tuple[str, str | None]
"""A team, and the GPU type of a limit; None: its cap on compute."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the requests under a team may have been handed, in all, by a day.

    It never shrinks: projects end, and pools grow by deliveries.
    """

    team: str
    gpu_type: str | None
    """For a limit on a GPU type, in GPUs; None: for the cap, in milli-compute."""
    steps: tuple[tuple[int, int], ...]
    """(first day, amount), by day; an amount holds until the next one. The first day is 0."""

    def on(self, day: int) -> int:
        """The room on a day."""
        return next(amount for first, amount in reversed(self.steps) if first <= day)

    def periods(self, horizon: int) -> Iterator[tuple[int, int]]:
        """Yield (last day, amount) of every stretch of days with one amount."""
        ends = [first - 1 for first, _ in self.steps[1:]]
        yield from zip([*ends, horizon], (amount for _, amount in self.steps), strict=True)


def rooms(organization: Organization, until: dt.date, teams: set[str]) -> tuple[Room, ...]:
    """The room of every cap and limit that is stated for one of `teams`, the root's first."""
    today = organization.as_of
    steps: dict[Key, list[tuple[int, int]]] = {}
    for day in _days(organization, until):
        budgets = resolve_budgets(organization, day)
        held = _held(organization, budgets, day)
        for key, most in _caps(budgets):
            amount = max(0, int((most - held.get(key, 0)) // 1))
            if key[0] in teams and (key not in steps or steps[key][-1][1] != amount):
                steps.setdefault(key, []).append(((day - today).days, amount))
    return tuple(Room(team, kind, tuple(amounts)) for (team, kind), amounts in steps.items())


def held_under(organization: Organization, day: dt.date) -> dict[Key, int]:
    """What is held under every team by projects that run today and have not ended by `day`.

    Its compute, in milli-compute, and its GPUs by type.
    """
    return _held(organization, resolve_budgets(organization, day), day)


def _days(organization: Organization, until: dt.date) -> list[dt.date]:
    """Days on which rooms can change."""
    today = organization.as_of
    ends = {project.ends for project in organization.projects if project.ends and any(project.holds.values())}
    changes = ends | {delivery.on for delivery in organization.deliveries}
    return [today, *sorted(day for day in changes if today < day <= until)]


def _caps(budgets: Budgets) -> Iterator[tuple[Key, Fraction]]:
    for team, cap in budgets.cap.items():
        yield (team, None), cap * MILLI
    for (team, kind), limit in budgets.limit.items():
        yield (team, kind), limit


def _held(organization: Organization, budgets: Budgets, day: dt.date) -> dict[Key, int]:
    types = {pool.name: pool.gpu_type for pool in organization.pools}
    milli = {kind: int(speed * MILLI) for kind, speed in budgets.speed.items()}
    held: dict[Key, int] = {}
    for project in organization.projects:
        if is_active(project, organization.as_of) and (project.ends is None or project.ends > day):
            for pool, gpus in project.holds.items():
                kind = types[pool]
                for team in budgets.chain(project.team):
                    held[team, None] = held.get((team, None), 0) + gpus * milli[kind]
                    held[team, kind] = held.get((team, kind), 0) + gpus
    return held
