"""The indexed form of a reallocation: whole days, whole prices, whole rooms; nothing here rounds.

Days are counted from today, 0. Prices and priorities are scaled to integers by their denominators;
rooms are in milli-compute, or GPUs for a limit on a GPU type. The symbols are those of
``models/reallocation.md``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import NamedTuple

from gpu_opt.budgets import parents_first
from gpu_opt.instance import MILLI
from gpu_opt.organization import Organization, Request, exact
from gpu_opt.plan import Supply
from gpu_opt.reallocation.requests import accepts, steps_down
from gpu_opt.reallocation.rooms import Room, rooms
from gpu_opt.reallocation.supply import supplies


class Offer(NamedTuple):
    """A pool that a request accepts."""

    pool: int
    steps: int
    """Places down the request's lists of types and sites."""


class Handed(NamedTuple):
    """A handover, by index: what every step of the solve passes to the next."""

    supply: int
    request: int
    gpus: int
    on: int
    """Day."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of the goal `cost` for one GPU, as integers in units of 1 / `scale`."""

    idle: int
    less_preferred: int
    other_division: int
    scale: int


class Measure(Enum):
    """What a goal adds up; less of it is better."""

    UNMET = auto()
    """GPUs that a request does not get."""
    LATE = auto()
    """GPUs times the days that they come after the day on which they are needed."""
    COST = auto()
    """GPUs times their prices."""
    DAYS = auto()
    """GPUs times the days up to their handover, it and today included: none is handed over for nothing."""


@dataclass(frozen=True, slots=True)
class GoalSpec:
    """A goal, counted in whole units of 1 / `scale`."""

    name: str
    measure: Measure
    scale: int
    weights: tuple[int, ...] | None = None
    """Priorities by request, 0 in other tiers; None where every GPU counts alike."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Who has GPUs to hand over, who asks for them, and what is in the way."""

    organization: Organization
    until: dt.date
    supplies: tuple[Supply, ...]
    requests: tuple[Request, ...]
    offers: tuple[tuple[Offer, ...], ...]
    """Pools accepted, by request."""
    asked: tuple[int, ...]
    """GPUs that every request asks for, rounded up to what whole units of its pools can add up to."""
    step: tuple[int, ...]
    """The greatest common divisor of the units of a request's pools: in its multiples GPUs come."""
    coarsest: tuple[int, ...]
    """The largest of these units. Where it is the step, the request is handed no more than it asks for."""
    pool_of: tuple[int, ...]
    """Pool of every supply."""
    free_on: tuple[int, ...]
    """Day of every supply."""
    starts: tuple[int, ...]
    """Day on which every request can first use GPUs."""
    by: tuple[int, ...]
    """Day by which it needs them."""
    unit: tuple[int, ...]
    """Allocation unit of every pool."""
    milli: tuple[int, ...]
    """Milli-compute of one GPU, by pool."""
    division: dict[str, str]
    """The child of the root above a team, or the team itself; the root is its own."""
    above: dict[str, frozenset[str]]
    """The team and every team above it."""
    rooms: tuple[Room, ...]
    prices: Prices
    goals: tuple[GoalSpec, ...]
    """What is unmet, tier by tier; what is late, tier by tier; the cost; the days."""

    @property
    def horizon(self) -> int:
        """The last day."""
        return (self.until - self.organization.as_of).days

    def counts(self, room: Room, request: int, pool: int) -> bool:
        """Whether GPUs of the pool that are handed to the request take up the room."""
        kind = self.organization.pools[pool].gpu_type
        return room.team in self.above[self.requests[request].team] and room.gpu_type in {None, kind}

    def takes(self, room: Room, pool: int) -> int:
        """What one GPU of the pool takes of a room that counts it."""
        return self.milli[pool] if room.gpu_type is None else 1


def build_instance(organization: Organization, requests: Sequence[Request], until: dt.date) -> Instance:
    """Index a valid organization and sound requests, from today to `until`."""
    free = supplies(organization, until)
    today = organization.as_of
    index = {pool.name: p for p, pool in enumerate(organization.pools)}
    lineage = _lineage(organization)
    offers = tuple(_offers(organization, request) for request in requests)
    units = [{organization.pools[offer.pool].unit for offer in offered} or {1} for offered in offers]
    step = tuple(math.gcd(*each) for each in units)
    speeds = {name: int(exact(kind.speed) * MILLI) for name, kind in organization.gpu_types.items()}
    return Instance(
        organization=organization,
        until=until,
        supplies=free,
        requests=tuple(requests),
        offers=offers,
        asked=tuple(-(-request.gpus // g) * g for request, g in zip(requests, step, strict=True)),
        step=step,
        coarsest=tuple(max(each) for each in units),
        pool_of=tuple(index[supply.pool] for supply in free),
        free_on=tuple((supply.on - today).days for supply in free),
        starts=tuple(max(0, (request.starts - today).days) if request.starts else 0 for request in requests),
        by=tuple((request.by - today).days for request in requests),
        unit=tuple(pool.unit for pool in organization.pools),
        milli=tuple(speeds[pool.gpu_type] for pool in organization.pools),
        division={team: path[-2:][0] for team, path in lineage.items()},
        above={team: frozenset(path) for team, path in lineage.items()},
        rooms=rooms(organization, until, {team for request in requests for team in lineage[request.team]}),
        prices=(prices := _prices(organization)),
        goals=(
            *_by_tier("unmet", Measure.UNMET, requests),
            *_by_tier("late", Measure.LATE, requests),
            GoalSpec("cost", Measure.COST, prices.scale),
            GoalSpec("days", Measure.DAYS, 1),
        ),
    )


def goal_values(instance: Instance, handed: Iterable[Handed]) -> tuple[int, ...]:
    """Exact values of the goals, in units of 1 / their scales."""
    unmet = list(instance.asked)
    late = [0] * len(unmet)
    cost = days = 0
    for one in handed:
        unmet[one.request] -= one.gpus
        late[one.request] += one.gpus * max(0, one.on - instance.by[one.request])
        cost += one.gpus * price(instance, one.supply, one.request, one.on)
        days += one.gpus * (one.on + 1)
    missing = [max(0, gpus) for gpus in unmet]
    measured = {Measure.UNMET: missing, Measure.LATE: late, Measure.COST: [cost], Measure.DAYS: [days]}
    return tuple(
        sum(w * amount for w, amount in zip(goal.weights or (1,), measured[goal.measure], strict=True))
        for goal in instance.goals
    )


def price(instance: Instance, supply: int, request: int, on: int) -> int:
    """What it costs that a GPU of the supply is handed to the request on a day."""
    prices, donor = instance.prices, instance.supplies[supply].team
    steps = next(offer.steps for offer in instance.offers[request] if offer.pool == instance.pool_of[supply])
    crosses = donor is not None and (
        instance.division[donor] != instance.division[instance.requests[request].team]
    )
    return (
        prices.idle * (on - instance.free_on[supply])
        + prices.less_preferred * steps
        + prices.other_division * crosses
    )


def _lineage(organization: Organization) -> dict[str, tuple[str, ...]]:
    """Every team: itself first, then the teams above it, the root last."""
    lineage: dict[str, tuple[str, ...]] = {}
    for team in parents_first(organization.teams):
        lineage[team.name] = (team.name, *(lineage[team.parent] if team.parent else ()))
    return lineage


def _offers(organization: Organization, request: Request) -> tuple[Offer, ...]:
    return tuple(
        Offer(p, steps_down(request, pool))
        for p, pool in enumerate(organization.pools)
        if accepts(request, pool)
    )


def _prices(organization: Organization) -> Prices:
    policy = organization.policy.reallocation
    stated = [exact(p) for p in (policy.idle, policy.less_preferred, policy.other_division)]
    idle, less_preferred, other_division = _whole(stated)
    return Prices(idle, less_preferred, other_division, _scale(stated))


def _by_tier(name: str, measure: Measure, requests: Sequence[Request]) -> Iterator[GoalSpec]:
    for tier in sorted({request.tier for request in requests}):
        weights = [exact(request.priority) if request.tier == tier else Fraction(0) for request in requests]
        yield GoalSpec(f"{name}_tier_{tier}", measure, _scale(weights), tuple(_whole(weights)))


def _scale(numbers: Sequence[Fraction]) -> int:
    return math.lcm(*(number.denominator for number in numbers))


def _whole(numbers: Sequence[Fraction]) -> list[int]:
    scale = _scale(numbers)
    return [int(number * scale) for number in numbers]
