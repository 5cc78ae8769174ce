"""What the rules look things up in, built once for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from gpu_opt.organization import Organization, Pool, Project, exact, resolve


@dataclass(frozen=True, slots=True)
class Facts:
    """An organization, indexed. Where a name is given twice, it means its first bearer."""

    organization: Organization
    pools: Mapping[str, Pool]
    teams: Mapping[str, int]
    """Place of each team in the file, by name."""
    parents: tuple[int | None, ...]
    """Place of each team's parent; None for a root and where the parent is unknown."""
    sound: tuple[int, ...]
    """Teams whose parents lead to a root: parents before children, second bearers of a name left out."""
    fleet_known: bool
    """Whether every pool is of a known type and every delivery is for a known pool."""


class Fleet(NamedTuple):
    """What all pools have together on a date."""

    compute: Fraction
    gpus: Mapping[str, int]
    """GPUs by type."""


class Ceiling(NamedTuple):
    """What a budget is a part of: the nearest cap above, or the fleet."""

    amount: Fraction | None
    """None where it cannot be known because names are wrong."""
    whose: str
    """In words: ``the cap of 'lab'``, ``the fleet``."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of one team in numbers; None where it has none, or none that can be known."""

    guarantee: Fraction | None
    cap: Fraction | None
    above: Ceiling
    """The nearest cap above the team."""
    limits: Mapping[str, Fraction]
    """GPUs, by type."""
    limits_above: Mapping[str, Ceiling]
    """For each of `limits`, the nearest limit on the type above the team."""


def gather(organization: Organization) -> Facts:
    """Index an organization, whatever is wrong with it."""
    pools: dict[str, Pool] = {}
    for pool in organization.pools:
        pools.setdefault(pool.name, pool)
    teams: dict[str, int] = {}
    for i, team in enumerate(organization.teams):
        teams.setdefault(team.name, i)
    parents = tuple(None if team.parent is None else teams.get(team.parent) for team in organization.teams)
    return Facts(
        organization=organization,
        pools=pools,
        teams=teams,
        parents=parents,
        sound=_from_the_roots(organization, teams, parents),
        fleet_known=all(pool.gpu_type in organization.gpu_types for pool in organization.pools)
        and all(delivery.pool in pools for delivery in organization.deliveries),
    )


def _from_the_roots(
    organization: Organization, teams: Mapping[str, int], parents: Sequence[int | None]
) -> tuple[int, ...]:
    children: dict[int, list[int]] = {}
    order = []
    for i in teams.values():
        parent = parents[i]
        if parent is not None:
            children.setdefault(parent, []).append(i)
        elif organization.teams[i].parent is None:
            order.append(i)
    for i in order:  # grows while it is walked
        order.extend(children.get(i, ()))
    return tuple(order)


def fleet_on(facts: Facts, date: dt.date) -> Fleet | None:
    """All pools with their deliveries up to the date; None where names are wrong."""
    if not facts.fleet_known:
        return None
    organization = facts.organization
    gpus = dict.fromkeys(organization.gpu_types, 0)
    for pool in organization.pools:
        gpus[pool.gpu_type] += pool.gpus
    for delivery in organization.deliveries:
        if delivery.on <= date:
            gpus[facts.pools[delivery.pool].gpu_type] += delivery.gpus
    compute = sum((exact(organization.gpu_types[name].speed) * n for name, n in gpus.items()), Fraction())
    return Fleet(compute, gpus)


def resolved_budgets(facts: Facts, date: dt.date) -> tuple[Budget, ...]:
    """The budget of every team on a date, in the order of the file, percentages resolved.

    A percentage is of the nearest cap above the team; of the fleet where there is none.
    """
    fleet = fleet_on(facts, date)
    whole = Ceiling(fleet.compute if fleet else None, "the fleet")
    caps: dict[int | None, Ceiling] = {None: whole}
    limits: dict[int | None, dict[str, Ceiling]] = {
        None: {name: Ceiling(Fraction(n), "the fleet") for name, n in fleet.gpus.items()} if fleet else {}
    }
    sound = set(facts.sound)
    budgets: dict[int, Budget] = {}
    unknown = Ceiling(None, "the cap above")
    for i in (*facts.sound, *(i for i in range(len(facts.parents)) if i not in sound)):
        above = caps[facts.parents[i]] if i in sound else unknown
        limits_above = limits[facts.parents[i]] if i in sound else {}
        budgets[i] = _budget(facts, i, above, limits_above)
        team = facts.organization.teams[i]
        caps[i] = above if team.cap is None else Ceiling(budgets[i].cap, f"the cap of {team.name!r}")
        limits[i] = (
            limits_above if not team.limits else limits_above | _ceilings(team.name, budgets[i].limits)
        )
    return tuple(budgets[i] for i in range(len(budgets)))


def _ceilings(team: str, limits: Mapping[str, Fraction]) -> dict[str, Ceiling]:
    return {name: Ceiling(limit, f"the limit of {team!r}") for name, limit in limits.items()}


def _budget(facts: Facts, i: int, above: Ceiling, limits_above: Mapping[str, Ceiling]) -> Budget:
    team = facts.organization.teams[i]
    wholes = {name: limits_above.get(name, Ceiling(None, "the limit above")) for name in team.limits}
    limits = {name: _resolved(limit.cap, wholes[name].amount) for name, limit in team.limits.items()}
    return Budget(
        guarantee=_resolved(team.guarantee, above.amount),
        cap=_resolved(team.cap, above.amount),
        above=above,
        limits={name: limit for name, limit in limits.items() if limit is not None},
        limits_above=wholes,
    )


def _resolved(amount: float | str | None, whole: Fraction | None) -> Fraction | None:
    if amount is None or (isinstance(amount, str) and whole is None):
        return None
    return resolve(amount, whole or Fraction())


def active(project: Project, date: dt.date) -> bool:
    """Whether the project wants GPUs on the date: it has started and has not ended."""
    return (project.starts is None or project.starts <= date) and (
        project.ends is None or date < project.ends
    )


def holdings(facts: Facts, project: Project) -> dict[str, int]:
    """What the project holds in known pools of known types, by pool; empty holdings left out."""
    return {
        name: gpus
        for name, gpus in project.holds.items()
        if gpus and name in facts.pools and facts.pools[name].gpu_type in facts.organization.gpu_types
    }
