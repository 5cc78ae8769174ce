"""How large the reallocation's network is, and how long it takes: ``python benchmarks/reallocation.py``.

A seeded generator makes as many releases as requests; a request accepts one or two GPU types at some sites,
about five pools of forty. The *direct* formulation has one arc for each pair of a supply and a request that
accepts its pool. The network has far fewer, and the first flow is looked for among the `first` ones: those by
which GPUs come in time, and few of those by which they come late.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from fractions import Fraction

from gpu_opt.clock import Clock
from gpu_opt.options import Options
from gpu_opt.organization import Delivery, GpuType, Organization, Pool, Project, Request, Team
from gpu_opt.reallocation import reallocate
from gpu_opt.reallocation.guessing import early
from gpu_opt.reallocation.instance import Instance, build_instance
from gpu_opt.reallocation.network import build_network
from gpu_opt.reallocation.pure import solve_pure

TODAY = dt.date(2026, 11, 23)
TYPES = {
    "a100": 0.5,
    "h100": 1.0,
    "h200": 1.2,
    "b200": 2.2,
    "gb200": 2.5,
    "mi300x": 1.1,
    "mi325x": 1.3,
    "mi355x": 1.9,
}


def generate(
    size: int, *, seed: int = 0, sites: int = 5, dates: int = 12, divisions: int = 5, types: int = 8
) -> tuple[Organization, tuple[Request, ...], dt.date]:
    """An organization with `size` projects that end, `size` requests, and the last day of the horizon.

    It has `types` x `sites` pools, four teams in each division, releases on `dates` days a week apart.
    """
    dice = random.Random(seed)
    kinds = dict(list(TYPES.items())[:types])
    places = [f"site-{s}" for s in range(sites)]
    pools = [(f"{place}-{kind}", kind, place) for kind in kinds for place in places]
    days = [TODAY + dt.timedelta(days=7 * (k + 1)) for k in range(dates)]
    teams = [Team(name="lab"), *(Team(name=f"division-{d}", parent="lab") for d in range(divisions))]
    teams += [Team(name=f"team-{d}-{t}", parent=f"division-{d}") for d in range(divisions) for t in range(4)]
    leaves = [team.name for team in teams[1 + divisions :]]
    projects, held = [], dict.fromkeys((name for name, _, _ in pools), 0)
    for i in range(size):
        pool, gpus = dice.choice(pools)[0], 8 * dice.randint(1, 64)
        held[pool] += gpus
        projects.append(
            Project(
                name=f"project-{i}",
                team=dice.choice(leaves),
                demand=float(gpus),
                holds={pool: gpus},
                ends=dice.choice(days),
            )
        )
    requests = [_request(dice, i, list(kinds), places, leaves, days) for i in range(size)]
    organization = Organization(
        name=f"benchmark-{size}",
        as_of=TODAY,
        gpu_types={kind: GpuType(vendor="any", speed=speed) for kind, speed in kinds.items()},
        pools=tuple(
            Pool(name=name, gpu_type=kind, site=place, gpus=held[name] + 8 * dice.randint(0, 32), unit=8)
            for name, kind, place in pools
        ),
        deliveries=tuple(
            Delivery(pool=dice.choice(pools)[0], gpus=8 * dice.randint(16, 128), on=dice.choice(days))
            for _ in range(12)
        ),
        teams=tuple(teams),
        projects=tuple(projects),
    )
    return organization, tuple(requests), days[-1]


def _request(
    dice: random.Random, i: int, kinds: list[str], places: list[str], teams: list[str], days: list[dt.date]
) -> Request:
    wanted = dice.sample(kinds, dice.choice([1, 2]))
    some = dice.sample(places, len(places) if len(wanted) == 1 else -(-len(places) // 2))
    day = dice.choice(days)
    return Request(
        name=f"request-{i}",
        team=dice.choice(teams),
        gpus=8 * dice.randint(1, 72),
        gpu_types=tuple(wanted),
        sites=tuple(some),
        starts=day,
        by=day,
        tier=dice.choice([1, 1, 2, 3]),
        priority=float(dice.randint(1, 8)),
    )


def direct_arcs(instance: Instance) -> int:
    """Arcs of the direct formulation: one for each pair of a supply and a request that accepts its pool."""
    supplies = [0] * len(instance.milli)
    for pool in instance.pool_of:
        supplies[pool] += 1
    return sum(supplies[offer.pool] for offers in instance.offers for offer in offers) + len(
        instance.requests
    )


def measure(size: int, seed: int) -> None:
    """Print the line of one size and seed."""
    organization, requests, until = generate(size, seed=seed)
    options = Options(time_limit=60.0)
    begun = time.perf_counter()
    instance = build_instance(organization, requests, until)
    network = build_network(instance)
    built = time.perf_counter()
    best = solve_pure(instance, network, Clock(options))
    solved = time.perf_counter()
    reallocate(organization, requests=requests, until=until, options=options)
    done = time.perf_counter()
    direct, arcs, first = direct_arcs(instance), len(network.kind), int(early(network).sum())
    print(
        f"{size:6d}  {seed:4d}  {direct:8d}  {arcs:7d}  {first:7d}  {first / direct:6.1%}  "
        f"{built - begun:6.2f}  {solved - built:6.2f}  {done - solved:6.2f}  {len(best.handed):9d}  "
        + ", ".join(str(Fraction(v, goal.scale)) for goal, v in zip(instance.goals, best.values, strict=True))
    )


def main(sizes: list[int], seeds: int = 5) -> None:
    """Print one line for each size and seed; `all` is one call of `reallocate`, the checker included."""
    import pulp  # noqa: F401 - importing it takes as long as a small solve

    print("  size  seed    direct  network    first   ratio   build   solve     all  handovers  goals")
    for size in sizes:
        for seed in range(seeds):
            measure(size, seed)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [300, 1000, 2000])
