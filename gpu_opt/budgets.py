"""Capacities, caps, limits and guarantees of an organization on a date, as exact numbers.

Percentages are of the nearest cap above (of the fleet, where there is none); compute is in reference
GPUs. The rules are those of ``models/allocation.md``, section "Data".
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gpu_opt.organization import Organization, Team, exact, resolve


@dataclass(frozen=True, slots=True)
class Budgets:
    """What every pool has and every team may hold on a date."""

    gpus: dict[str, int]
    """C_p by pool: GPUs, deliveries up to the date included."""
    speed: dict[str, Fraction]
    """σ by GPU type."""
    fleet: Fraction
    """Compute of all pools."""
    teams: tuple[Team, ...]
    """Parents before their children, otherwise in the order of the file."""
    cap: dict[str, Fraction]
    """c_n by team, rounded down to 0.001: compute comes in such steps; only teams that have one."""
    limit: dict[tuple[str, str], Fraction]
    """l_ng in whole GPUs, rounded down, by (team, GPU type); only where a limit is stated."""
    guarantee: dict[str, Fraction]
    """By team, before it is compared with what its projects need; only teams that have one."""
    parent: dict[str, str | None]

    def chain(self, team: str) -> Iterator[str]:
        """Walk from the team up to the root."""
        node: str | None = team
        while node is not None:
            yield node
            node = self.parent[node]


def owner_of(teams: Mapping[str, Team], team: str) -> str | None:
    """Who decides what the team's projects get: its owner, or the nearest one above; None: nobody named."""
    node: str | None = team
    while node is not None:
        if teams[node].owner is not None:
            return teams[node].owner
        node = teams[node].parent
    return None


def owner_above(teams: Mapping[str, Team], team: str) -> str | None:
    """Who decides the team's guarantee, cap and limits: the owner above it; for the root, its own."""
    return owner_of(teams, teams[team].parent or team)


def resolve_budgets(organization: Organization, date: dt.date) -> Budgets:
    """Resolve every capacity and budget of a valid organization on a date."""
    gpus = capacities(organization, date)
    speed = {name: exact(kind.speed) for name, kind in organization.gpu_types.items()}
    fleet = sum((gpus[pool.name] * speed[pool.gpu_type] for pool in organization.pools), Fraction(0))
    fleet_by_type: dict[str, Fraction] = {}
    for pool in organization.pools:
        fleet_by_type[pool.gpu_type] = fleet_by_type.get(pool.gpu_type, Fraction(0)) + gpus[pool.name]
    teams = parents_first(organization.teams)
    cap, guarantee = _team_budgets(teams, fleet)
    return Budgets(
        gpus=gpus,
        speed=speed,
        fleet=fleet,
        teams=teams,
        cap=cap,
        limit=_type_limits(teams, fleet_by_type),
        guarantee=guarantee,
        parent={team.name: team.parent for team in teams},
    )


def capacities(organization: Organization, date: dt.date) -> dict[str, int]:
    """GPUs of every pool on a date: what it has, and every delivery up to the date."""
    gpus = {pool.name: pool.gpus for pool in organization.pools}
    for delivery in organization.deliveries:
        if delivery.on <= date:
            gpus[delivery.pool] += delivery.gpus
    return gpus


def parents_first(teams: tuple[Team, ...]) -> tuple[Team, ...]:
    """Order the tree so that every team comes after its parent, level by level."""
    children: dict[str | None, list[Team]] = {}
    for team in teams:
        children.setdefault(team.parent, []).append(team)
    ordered: list[Team] = []
    level = children.get(None, [])
    while level:
        ordered += level
        level = [child for team in level for child in children.get(team.name, [])]
    return tuple(ordered)


def _team_budgets(
    teams: tuple[Team, ...], fleet: Fraction
) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    cap: dict[str, Fraction] = {}
    guarantee: dict[str, Fraction] = {}
    nearest: dict[str, Fraction] = {}  # the cap of the team itself, else the nearest above, else the fleet
    for team in teams:
        above = fleet if team.parent is None else nearest[team.parent]
        if team.cap is not None:
            cap[team.name] = Fraction(math.floor(resolve(team.cap, above) * 1000), 1000)
        if team.guarantee is not None:
            guarantee[team.name] = resolve(team.guarantee, above)
        nearest[team.name] = cap.get(team.name, above)
    return cap, guarantee


def _type_limits(
    teams: tuple[Team, ...], fleet_by_type: dict[str, Fraction]
) -> dict[tuple[str, str], Fraction]:
    limit: dict[tuple[str, str], Fraction] = {}
    nearest: dict[tuple[str | None, str], Fraction] = {}
    kinds = dict.fromkeys(kind for team in teams for kind in team.limits)  # in the order of the file
    for team in teams:
        for kind in kinds:
            above = nearest.get((team.parent, kind), fleet_by_type.get(kind, Fraction(0)))
            if kind in team.limits:
                limit[team.name, kind] = above = Fraction(math.floor(resolve(team.limits[kind].cap, above)))
            nearest[team.name, kind] = above
    return limit
