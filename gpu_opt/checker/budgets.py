"""What the pools have on a date, and what every team may have and is promised there."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from gpu_opt.organization import Organization, Team, exact, resolve


@lru_cache(maxsize=65536)
def thousandths(number: float) -> int:
    """Compute, or a speed, in thousandths. The input has at most three decimals, so nothing is lost."""
    scaled = exact(number) * 1000
    assert scaled.denominator == 1, f"{number} has more than three decimals"
    return scaled.numerator


@dataclass(frozen=True, slots=True)
class Fleet:
    """The pools on a date, each field by pool."""

    gpus: dict[str, int]
    """GPUs, with the deliveries up to the date."""
    unit: dict[str, int]
    gpu_type: dict[str, str]
    worth: dict[str, int]
    """Compute of one GPU, in thousandths: what budgets count."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """The tree of teams on a date, with every percentage resolved."""

    paths: dict[str, tuple[str, ...]]
    """Every team: itself first, then the teams above it, the root last."""
    caps: dict[str, Fraction]
    """Compute, rounded down to thousandths, by team; only teams that have a cap."""
    limits: dict[tuple[str, str], Fraction]
    """Whole GPUs, rounded down, by team and GPU type; only where there is a limit."""
    guarantees: dict[str, Fraction]
    """Compute, by team; only teams that have a guarantee."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What some holdings add up to."""

    gpus: dict[str, int]
    """GPUs by pool."""
    compute: dict[str, int]
    """Thousandths of compute, by team, the teams below included."""
    of_type: dict[tuple[str, str], int]
    """GPUs by team and GPU type, the teams below included."""


def fleet_on(organization: Organization, date: dt.date) -> Fleet:
    """The pools as they are on `date`."""
    gpus = {pool.name: pool.gpus for pool in organization.pools}
    for delivery in organization.deliveries:
        if delivery.on <= date:
            gpus[delivery.pool] += delivery.gpus
    speeds = {name: thousandths(gpu_type.speed) for name, gpu_type in organization.gpu_types.items()}
    return Fleet(
        gpus=gpus,
        unit={pool.name: pool.unit for pool in organization.pools},
        gpu_type={pool.name: pool.gpu_type for pool in organization.pools},
        worth={pool.name: speeds[pool.gpu_type] for pool in organization.pools},
    )


def paths_up(teams: Iterable[Team]) -> dict[str, tuple[str, ...]]:
    """Every team with the teams above it: itself first, the root last. The teams form a tree."""
    parents = {team.name: team.parent for team in teams}
    paths = {}
    for name, parent in parents.items():
        path, above = [name], parent
        while above is not None:
            path.append(above)
            above = parents[above]
        paths[name] = tuple(path)
    return paths


def budgets_on(organization: Organization, fleet: Fleet) -> Budgets:
    """Caps, limits and guarantees with every percentage resolved against `fleet`."""
    paths = paths_up(organization.teams)
    all_compute = Fraction(sum(gpus * fleet.worth[pool] for pool, gpus in fleet.gpus.items()), 1000)
    all_gpus = dict.fromkeys(organization.gpu_types, Fraction(0))
    for pool, gpus in fleet.gpus.items():
        all_gpus[fleet.gpu_type[pool]] += gpus
    caps: dict[str, Fraction] = {}
    limits: dict[tuple[str, str], Fraction] = {}
    guarantees: dict[str, Fraction] = {}
    for team in sorted(organization.teams, key=lambda team: len(paths[team.name])):
        above = paths[team.name][1:]
        whole = next((caps[name] for name in above if name in caps), all_compute)
        if team.guarantee is not None:
            guarantees[team.name] = resolve(team.guarantee, whole)
        if team.cap is not None:
            caps[team.name] = Fraction(math.floor(1000 * resolve(team.cap, whole)), 1000)
        for gpu_type, limit in team.limits.items():
            nearest = ((name, gpu_type) for name in above)
            of_type = next((limits[key] for key in nearest if key in limits), all_gpus[gpu_type])
            limits[team.name, gpu_type] = Fraction(math.floor(resolve(limit.cap, of_type)))
    return Budgets(paths, caps, limits, guarantees)


def add_up(
    fleet: Fleet,
    paths: Mapping[str, tuple[str, ...]],
    team_of: Mapping[str, str],
    holdings: Mapping[str, Mapping[str, int]],
) -> Totals:
    """Totals of `holdings` (GPUs by owner and pool); `team_of` says each owner's team."""
    gpus = dict.fromkeys(fleet.gpus, 0)
    own: dict[tuple[str, str], int] = {}
    for owner, held in holdings.items():
        team = team_of[owner]
        for pool, count in held.items():
            gpus[pool] += count
            own[team, pool] = own.get((team, pool), 0) + count
    compute = dict.fromkeys(paths, 0)
    of_type: dict[tuple[str, str], int] = {}
    for (team, pool), count in own.items():
        gpu_type = fleet.gpu_type[pool]
        for name in paths[team]:
            compute[name] += count * fleet.worth[pool]
            of_type[name, gpu_type] = of_type.get((name, gpu_type), 0) + count
    return Totals(gpus, compute, of_type)
