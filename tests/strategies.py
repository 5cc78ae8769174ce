"""Hypothesis strategies: organizations that are valid, small, and use every feature of the input.

Everything is drawn plainly, in the order of the file, so that a failing example shrinks to little: fewer
pools, teams and projects, then optional fields left out, then small numbers. Nothing is filtered away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from gpu_opt.organization import (
    Delivery,
    GpuType,
    Limit,
    Organization,
    Policy,
    Pool,
    Project,
    ReallocationPrices,
    Request,
    Team,
    resolve,
)
from tests.building import TODAY, day

SPEEDS = {"h100": 1.0, "gb200": 2.5, "mi355x": 1.9}
SITES = ("iowa", "texas")
VALUES = (
    ((1.0, 1.0),),
    ((0.5, 1.0), (0.5, 0.6)),
    ((0.25, 2.0), (0.5, 1.0), (0.25, 0.0)),
    ((0.5, 1.0), (0.5, 1.0)),
)
"""Concave values of one to three segments, also with equal and with worthless ones."""

HORIZON = 30
"""Days; dates are drawn a little before today and up to a little after this."""

NAMES = st.text("abXY07-_.é深β%", min_size=1, max_size=4)
"""Names as planners give them; "team-a" and "team_a" are two."""


def maybe[T](strategy: SearchStrategy[T]) -> SearchStrategy[T | None]:
    """Left out, or drawn."""
    return st.none() | strategy


def often[T](strategy: SearchStrategy[T]) -> SearchStrategy[T | None]:
    """Drawn in two of three cases."""
    return st.none() | strategy | strategy


def names(most: int) -> SearchStrategy[list[str]]:
    """Different names, at least one."""
    return st.lists(NAMES, min_size=1, max_size=most, unique=True)


def days() -> SearchStrategy[dt.date]:
    """A day on which a plan may be asked for: today or in the weeks that follow."""
    return st.sampled_from((0, 3, 10, HORIZON)).map(day)


def percentages() -> SearchStrategy[str]:
    return st.sampled_from(("100%", "60%", "80%", "33.3%", "50%", "90%"))


@st.composite
def pools(draw: DrawFn, names: Sequence[str], units: int) -> tuple[Pool, ...]:
    """Pools of up to `units` allocation units each; two may be of one type, or at one site."""
    return tuple(
        Pool(
            name=name,
            gpu_type=draw(st.sampled_from(tuple(SPEEDS))),
            site=draw(st.sampled_from(SITES)),
            unit=(unit := draw(st.sampled_from((1, 2, 8)))),
            gpus=unit * draw(st.integers(1, units)),
        )
        for name in names
    )


@st.composite
def deliveries(draw: DrawFn, pools: Sequence[Pool], units: int) -> tuple[Delivery, ...]:
    """At most two deliveries, of up to `units` allocation units in all."""
    drawn = []
    for _ in range(draw(st.integers(0, min(2, units)))):
        pool = draw(st.sampled_from(pools))
        on = day(draw(st.sampled_from((3, 10, 0, HORIZON, HORIZON + 1, -1))))
        drawn.append(Delivery(pool=pool.name, gpus=pool.unit, on=on))
    return tuple(drawn)


@st.composite
def teams(
    draw: DrawFn, names: Sequence[str], pools: Sequence[Pool], deliveries: Sequence[Delivery], depth: int
) -> tuple[Team, ...]:
    """A tree of at most `depth` levels, in an order in which children may come before their parents."""
    speeds = {pool.name: Fraction(str(SPEEDS[pool.gpu_type])) for pool in pools}
    fleet = sum((speeds[pool.name] * pool.gpus for pool in pools), Fraction(0))
    fleet += sum((speeds[each.pool] * each.gpus for each in deliveries if each.on <= TODAY), Fraction(0))
    types = [*sorted({pool.gpu_type for pool in pools}), *sorted(SPEEDS)]  # one may be of no pool
    limits_in_gpus = st.sampled_from((16, 8, 4, 3, 1, 0))
    above: dict[str, tuple[int, Fraction]] = {}
    drawn: list[Team] = []
    for name in names:
        parents = [parent for parent, (level, _) in above.items() if level + 1 < depth]
        parent = draw(st.sampled_from(parents)) if drawn and parents else None
        if drawn and parent is None:
            break
        level, whole = (0, fleet) if parent is None else (above[parent][0] + 1, above[parent][1])
        cap = draw(maybe(amounts(whole)))
        below = whole if cap is None else resolve(cap, whole)
        guarantee = draw(often(amounts(whole)))
        if guarantee is not None and cap is not None and resolve(guarantee, whole) > below:
            guarantee = cap
        limited = draw(maybe(st.sampled_from(types)))
        limits = {} if limited is None else {limited: Limit(cap=draw(percentages() | limits_in_gpus))}
        drawn.append(Team(name=name, parent=parent, owner=None, guarantee=guarantee, cap=cap, limits=limits))
        above[name] = level, below
    return tuple(draw(st.permutations(drawn)))


def amounts(whole: Fraction) -> SearchStrategy[str | float]:
    """A percentage, or a number of reference GPUs up to a little more than the whole."""
    numbers = st.sampled_from((5, 4, 3, 2, 1, 6, 0)).map(lambda fifths: float(round(whole * fifths / 5, 1)))
    return percentages() | numbers


@st.composite
def project(draw: DrawFn, name: str, pools: Sequence[Pool], teams: Sequence[Team], units: int) -> Project:
    """A project that holds nothing, or whole units where it can run: also too much, or too little."""
    own = st.sampled_from((1.0, 0.5, 1.2, 2.0, 3.3))
    types = sorted({pool.gpu_type for pool in pools})
    speeds = draw(maybe(st.dictionaries(st.sampled_from(types), own, min_size=1)))
    sites = draw(
        maybe(st.lists(st.sampled_from(sorted({pool.site for pool in pools})), min_size=1, unique=True))
    )
    possible = [
        pool
        for pool in pools
        if (speeds is None or pool.gpu_type in speeds) and (sites is None or pool.site in sites)
    ]
    only = draw(st.none() | st.none() | subsets([pool.name for pool in possible])) if possible else None
    possible = [pool for pool in possible if only is None or pool.name in only]
    largest = max(pool.gpus * SPEEDS[pool.gpu_type] for pool in pools)
    demand = round(largest * draw(st.sampled_from((1, 0.5, 2.5, 1.5, 0.3, 2, 1.2, 0))), 1)
    minimum = round(min(demand, largest) * draw(st.sampled_from((0, 0.3, 0.1, 0.5, 1))), 1)
    held = draw(maybe(st.tuples(*(st.integers(0, units) for _ in possible)))) or ()
    starts = draw(maybe(st.sampled_from((-5, 0, -1, 3, 10)).map(day)))
    length = draw(maybe(st.sampled_from((40, 10, 60, 5, 15, 3))))
    return Project(
        name=name,
        team=draw(st.sampled_from(teams)).name,
        tier=draw(st.integers(1, 2)),
        priority=draw(st.sampled_from((1.0, 2.0, 0.5, 3.7))),
        demand=demand,
        minimum=min(minimum, demand),
        speeds=speeds,
        sites=None if sites is None else tuple(sites),
        pools=only,
        one_pool=draw(st.booleans()),
        starts=starts,
        ends=None if length is None else (starts or TODAY - dt.timedelta(days=5)) + dt.timedelta(days=length),
        holds={pool.name: pool.unit * count for pool, count in zip(possible, held, strict=False)},
        pinned=draw(st.booleans()),
    )


@st.composite
def policies(draw: DrawFn) -> Policy:
    prices = st.sampled_from((1.0, 0.0, 0.1, 2.5))
    return Policy(
        value=draw(st.sampled_from(VALUES)),
        move_cost=draw(st.sampled_from((0.0, 0.05, 1.0, 5.0))),
        max_moves=draw(maybe(st.sampled_from((0, 1, 4, 8)))),
        reallocation=ReallocationPrices(
            idle=draw(prices), less_preferred=draw(prices), other_division=draw(prices)
        ),
    )


@st.composite
def organizations(
    draw: DrawFn,
    max_projects: int = 3,
    max_pools: int = 2,
    max_teams: int = 4,
    max_depth: int = 3,
    max_units: int = 6,
) -> Organization:
    """Valid organizations as of `TODAY`; `max_units` bounds the units of a pool, and of a holding."""
    # The names come first: what is drawn late is often the simplest there is.
    project_names, team_names = draw(names(max_projects)), draw(names(max_teams))
    own_pools = draw(pools(draw(names(max_pools)), max_units))
    own_deliveries = draw(deliveries(own_pools, max_units))
    own_teams = draw(teams(team_names, own_pools, own_deliveries, max_depth))
    return Organization(
        name="lab",
        as_of=TODAY,
        gpu_types={name: GpuType(vendor="some", speed=speed) for name, speed in SPEEDS.items()},
        pools=own_pools,
        deliveries=own_deliveries,
        teams=own_teams,
        projects=tuple(draw(project(name, own_pools, own_teams, max_units)) for name in project_names),
        policy=draw(policies()),
    )


def tiny_organizations() -> SearchStrategy[Organization]:
    """Organizations small enough to look at every plan that they have."""
    return organizations(max_projects=3, max_pools=2, max_units=3)


@st.composite
def requests(draw: DrawFn, organization: Organization, most: int = 2, gpus: int = 3) -> tuple[Request, ...]:
    """Requests that some pool can serve, and some that none can."""
    types = sorted({pool.gpu_type for pool in organization.pools})
    sites = sorted({pool.site for pool in organization.pools})
    own_pools = [pool.name for pool in organization.pools]
    return tuple(
        Request(
            name=name,
            team=draw(st.sampled_from(organization.teams)).name,
            gpus=draw(st.integers(1, gpus)),
            gpu_types=draw(maybe(subsets(types))),
            sites=draw(maybe(subsets(sites))),
            pools=draw(maybe(subsets(own_pools))),
            starts=draw(maybe(st.sampled_from((0, 3, 10)).map(day))),
            by=day(draw(st.sampled_from((10, 3, 0, HORIZON)))),
            tier=draw(st.integers(1, 2)),
            priority=draw(st.sampled_from((1.0, 2.0, 0.5, 3.7))),
            all_or_nothing=draw(st.booleans()),
        )
        for name in draw(names(most))
    )


def subsets(options: Sequence[str]) -> SearchStrategy[tuple[str, ...]]:
    """Some of the options, at least one, in any order."""
    return st.lists(st.sampled_from(options), min_size=1, unique=True).map(tuple)
