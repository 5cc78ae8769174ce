"""Seeded organizations of any size, with dials for what makes them hard.

The same arguments give the same organization. Everything is invented; what is modelled on real labs is
the shape: demands spread over three orders of magnitude (log-normal), more asked for than there is,
most of the fleet held by somebody today.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gpu_opt.organization import Delivery, GpuType, Limit, Organization, Policy, Pool, Project, Team

TODAY = dt.date(2026, 11, 23)

TYPES = {"h100": 1.0, "h200": 1.2, "b200": 2.2, "gb200": 2.5, "mi300x": 1.1, "mi355x": 1.9, "a100": 0.4}

SIZES = {
    "100x10": (100, 10),
    "500x20": (500, 20),
    "2000x40": (2_000, 40),
    "10000x60": (10_000, 60),
    "50000x100": (50_000, 100),
}
"""Named sizes: projects, pools."""

LIMITED = ("gb200", "b200", "h200")
"""Types that divisions are limited on, where limits bind."""

Binding = Literal["caps", "pools", "limits", "moves"]
"""Which constraints bind: team caps, pool capacities, limits on GPU types, or the move budget."""


@dataclass(frozen=True, slots=True)
class Dials:
    """What the generator can be told."""

    projects: int
    pools: int
    seed: int = 1
    binding: Binding = "caps"
    tightness: float = 1.5
    """Compute asked for, as a multiple of the fleet's."""
    guarantee: float = 0.7
    """What teams are promised, as a share of their part of the fleet."""
    depth: int = 3
    """Levels of the team tree, the root included."""
    one_pool: float = 0.3
    """Share of projects that must be in a single pool."""
    all_or_nothing: float = 0.4
    """Share of projects with a minimum."""
    churn: float = 0.15
    """Share of projects that hold nothing today."""
    tiers: int = 1
    broken: bool = False
    """Whether holdings ignore caps and limits, so that many teams are over theirs today."""


def generate(dials: Dials) -> Organization:
    """Build the organization that the dials describe."""
    random = np.random.default_rng(dials.seed)
    pools = _pools(dials, random)
    fleet = sum(pool.gpus * TYPES[pool.gpu_type] for pool in pools)
    leaves, teams = _teams(dials, random, fleet)
    projects = _projects(dials, random, pools, teams, leaves, fleet)
    return Organization(
        name=f"generated-{dials.projects}x{dials.pools}-{dials.binding}-{dials.seed}",
        as_of=TODAY,
        gpu_types={
            name: GpuType(vendor="amd" if name.startswith("mi") else "nvidia", speed=speed)
            for name, speed in TYPES.items()
        },
        pools=pools,
        deliveries=tuple(
            Delivery(pool=pool.name, gpus=pool.unit * 16, on=TODAY + dt.timedelta(days=14 * (1 + p % 6)))
            for p, pool in enumerate(pools[::3])
        ),
        teams=teams,
        projects=projects,
        policy=Policy(
            value=((0.5, 1.0), (0.5, 0.6)),
            move_cost=0.05,
            max_moves=int(0.01 * sum(pool.gpus for pool in pools)) if dials.binding == "moves" else None,
        ),
    )


def _pools(dials: Dials, random: np.random.Generator) -> tuple[Pool, ...]:
    kinds = list(TYPES)
    sites = [f"site-{index}" for index in range(max(2, dials.pools // 5))]
    per_pool = max(64, 25 * dials.projects // dials.pools)
    return tuple(
        Pool(
            name=f"pool-{p:03d}",
            gpu_type=kinds[p % len(kinds)],
            site=sites[int(random.integers(len(sites)))],
            unit=4 if kinds[p % len(kinds)] == "gb200" else 8,
            gpus=8 * max(8, int(per_pool * random.uniform(0.4, 1.6))),
        )
        for p in range(dials.pools)
    )


def _teams(dials: Dials, random: np.random.Generator, fleet: float) -> tuple[list[str], tuple[Team, ...]]:
    """A tree of about one leaf per 15 projects; each level splits its parent's budget."""
    leaves_wanted = max(2, dials.projects // 15)
    width = max(2, round(leaves_wanted ** (1 / max(1, dials.depth - 1))))
    roomy = 3.0 if dials.binding != "caps" else 1.25
    level = [("lab", fleet)]
    teams = [Team(name="lab", owner="ceo")]
    for depth in range(1, dials.depth):
        below = []
        for parent, budget in level:
            shares = random.dirichlet(np.full(width, 4.0))
            for index, share in enumerate(shares):
                name = f"{parent}.{index}" if parent != "lab" else f"d{index}"
                own = float(budget * share)
                limits = {}
                if dials.binding == "limits" and depth == 1:
                    limits = {kind: Limit(cap=f"{80 * share:.1f}%") for kind in LIMITED}
                teams.append(
                    Team(
                        name=name,
                        parent=parent,
                        owner=f"head-of-{name}",
                        guarantee=float(round(dials.guarantee * own)),
                        cap=float(round(roomy * own)),
                        limits=limits,
                    )
                )
                below.append((name, own))
        level = below
    return [name for name, _ in level], tuple(teams)


def _projects(
    dials: Dials,
    random: np.random.Generator,
    pools: tuple[Pool, ...],
    teams: tuple[Team, ...],
    leaves: list[str],
    fleet: float,
) -> tuple[Project, ...]:
    raw = np.clip(random.lognormal(4.5, 1.4, dials.projects), 8, 12_000)
    demands = np.maximum(8, np.round(raw * dials.tightness * fleet / raw.sum()))
    room = _Room(pools, () if dials.broken else teams)
    projects = []
    for j, demand in enumerate(demands.tolist()):
        kinds = sorted(random.choice(list(TYPES), int(random.integers(2, len(TYPES) + 1)), replace=False))
        speeds = {kind: round(TYPES[kind] * random.uniform(0.7, 1.1), 2) for kind in kinds}
        team = leaves[int(random.integers(len(leaves)))]
        one_pool = bool(random.random() < dials.one_pool)
        minimum = (
            float(round(demand * random.uniform(0.2, 0.8))) if random.random() < dials.all_or_nothing else 0.0
        )
        holds = {}
        if random.random() >= dials.churn:
            wish = max(minimum, demand * random.uniform(0.4, 0.9))
            holds = _holdings(random, room, team, speeds, wish, 1 if one_pool else 2)
        projects.append(
            Project(
                name=f"project-{j:05d}",
                team=team,
                tier=1 + int(random.integers(dials.tiers)),
                priority=float(random.integers(1, 11)),
                demand=demand,
                minimum=minimum,
                speeds=speeds,
                one_pool=one_pool,
                holds=holds,
            )
        )
    return tuple(projects)


class _Room:
    """What may still be held: in the pools, and under the teams that are given."""

    def __init__(self, pools: tuple[Pool, ...], teams: tuple[Team, ...]) -> None:
        self.pools = pools
        self.free = {pool.name: int(0.97 * pool.gpus) for pool in pools}
        self.above = {team.name: team.parent for team in teams}
        self.compute = {team.name: float(team.cap) for team in teams if isinstance(team.cap, float)}
        owned = {kind: sum(pool.gpus for pool in pools if pool.gpu_type == kind) for kind in TYPES}
        self.gpus = {
            (team.name, kind): float(str(limit.cap).rstrip("%")) / 100 * owned[kind]
            for team in teams
            for kind, limit in team.limits.items()
        }

    def take(self, team: str, pool: Pool, wish: int) -> int:
        """Take as many whole units of the pool as the wish, in GPUs, and the room allow; return the GPUs."""
        chain, above = [], self.above.get(team) and team
        while above is not None:
            chain.append(above)
            above = self.above[above]
        speed = TYPES[pool.gpu_type]
        rooms = [self.compute[name] / speed for name in chain if name in self.compute]
        rooms += [self.gpus[name, pool.gpu_type] for name in chain if (name, pool.gpu_type) in self.gpus]
        units = int(max(0.0, min([wish, self.free[pool.name], *rooms]))) // pool.unit
        gpus = units * pool.unit
        self.free[pool.name] -= gpus
        for name in chain:
            if name in self.compute:
                self.compute[name] -= gpus * speed
            if (name, pool.gpu_type) in self.gpus:
                self.gpus[name, pool.gpu_type] -= gpus
        return gpus


def _holdings(
    random: np.random.Generator, room: _Room, team: str, speeds: dict[str, float], wish: float, most: int
) -> dict[str, int]:
    """GPUs that a running project holds: about two thirds of its demand, in one or two pools with room."""
    where = [pool for pool in room.pools if pool.gpu_type in speeds]
    holds: dict[str, int] = {}
    for index in random.permutation(len(where))[:most].tolist():
        pool = where[index]
        gpus = room.take(team, pool, int(wish / speeds[pool.gpu_type]))
        if gpus:
            holds[pool.name] = gpus
            wish -= gpus * speeds[pool.gpu_type]
    return holds
