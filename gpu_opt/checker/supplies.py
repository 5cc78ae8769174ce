"""What becomes free within the horizon, and what teams may still be handed: data of the reallocation.

It is the section "Supply" of ``models/reallocation.md``, computed from the organization alone.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from gpu_opt.checker.budgets import Fleet, Totals, add_up, budgets_on, fleet_on, paths_up
from gpu_opt.checker.data import is_active
from gpu_opt.organization import Organization, Pool, Project, Request
from gpu_opt.plan import Donor, Handover


class Source(NamedTuple):
    """What tells one supply from another."""

    donor: Donor
    project: str | None
    pool: str
    on: dt.date


@dataclass(frozen=True, slots=True)
class Room:
    """What a team may still be handed on a day: more than nothing only below its cap or limit."""

    rule: str
    team: str
    gpu_type: str | None
    amount: Fraction
    """Compute for a cap, GPUs for a limit."""


@dataclass(frozen=True, slots=True)
class ReallocationData:
    """Everything that the rules of the reallocation need to know beside the handovers."""

    organization: Organization
    until: dt.date
    requests: dict[str, Request]
    asked: dict[str, int]
    """GPUs that every request asks for, rounded up to what whole units of its pools can add up to."""
    pools: dict[str, Pool]
    fleet: Fleet
    """Today's."""
    paths: dict[str, tuple[str, ...]]
    """Every team: itself first, then the teams above it."""
    team_of: dict[str, str]
    """By project."""
    supplies: dict[Source, int]
    """GPUs that become free; only supplies with any."""


def reallocation_data(
    organization: Organization, requests: Sequence[Request], until: dt.date
) -> ReallocationData:
    """Derive the data of a valid organization and sound requests, from its `as_of` to `until`."""
    fleet = fleet_on(organization, organization.as_of)
    gross = releases(organization, until) | deliveries(organization, until) | idle(organization, fleet)
    return ReallocationData(
        organization=organization,
        until=until,
        requests={request.name: request for request in requests},
        asked={request.name: asked(organization, request) for request in requests},
        pools={pool.name: pool for pool in organization.pools},
        fleet=fleet,
        paths=paths_up(organization.teams),
        team_of={project.name: project.team for project in organization.projects},
        supplies={source: gpus for source, gpus in freed(gross).items() if gpus > 0},
    )


def asked(organization: Organization, request: Request) -> int:
    """What the request asks for, as a multiple of the greatest common divisor of its pools' units."""
    step = math.gcd(*(pool.unit for pool in organization.pools if accepts(request, pool))) or 1
    return math.ceil(Fraction(request.gpus, step)) * step


def has_ended(project: Project, day: dt.date) -> bool:
    """Whether the project's GPUs are free on the day."""
    return project.ends is not None and project.ends <= day


def releases(organization: Organization, until: dt.date) -> dict[Source, int]:
    """What projects free: today if they have ended, else when they end, if they run today."""
    today = organization.as_of
    return {
        Source(Donor.RELEASE, project.name, pool, max(today, project.ends)): gpus
        for project in organization.projects
        if project.ends is not None and project.ends <= until
        if has_ended(project, today) or is_active(project, today)
        for pool, gpus in project.holds.items()
    }


def deliveries(organization: Organization, until: dt.date) -> dict[Source, int]:
    """What is delivered after today; deliveries to one pool on one day are one supply."""
    supplies: dict[Source, int] = {}
    for delivery in organization.deliveries:
        if organization.as_of < delivery.on <= until:
            source = Source(Donor.DELIVERY, None, delivery.pool, delivery.on)
            supplies[source] = supplies.get(source, 0) + delivery.gpus
    return supplies


def idle(organization: Organization, fleet: Fleet) -> dict[Source, int]:
    """What of every pool is held by nobody who runs or has ended; negative where too much is held."""
    today = organization.as_of
    left = dict(fleet.gpus)
    for project in organization.projects:
        if is_active(project, today) or has_ended(project, today):
            for pool, gpus in project.holds.items():
                left[pool] -= gpus
    return {Source(Donor.IDLE, None, pool, today): gpus for pool, gpus in left.items()}


def freed(gross: dict[Source, int]) -> dict[Source, int]:
    """What is left of every supply once the first GPUs to come free have filled the hole in their pool.

    Of one day, supplies fill it in the order in which they are given.
    """
    hole = {source.pool: max(0, -gpus) for source, gpus in gross.items() if source.donor is Donor.IDLE}
    left = {}
    for source in sorted(gross, key=lambda source: source.on):
        filling = min(hole[source.pool], max(0, gross[source]))
        hole[source.pool] -= filling
        left[source] = gross[source] - filling
    return left


def held_on(data: ReallocationData, day: dt.date) -> Totals:
    """What is held by projects that run today and have not ended by then."""
    holdings = {
        project.name: project.holds
        for project in data.organization.projects
        if is_active(project, data.organization.as_of) and not has_ended(project, day)
    }
    return add_up(data.fleet, data.paths, data.team_of, holdings)


def handed_by(data: ReallocationData, handovers: Sequence[Handover], day: dt.date) -> Totals:
    """What has been handed over by the end of the day, by the requests' teams."""
    holdings: dict[str, dict[str, int]] = {}
    for handover in handovers:
        if handover.on <= day:
            pools = holdings.setdefault(handover.request, {})
            pools[handover.pool] = pools.get(handover.pool, 0) + handover.gpus
    team_of = {name: request.team for name, request in data.requests.items()}
    return add_up(data.fleet, data.paths, team_of, holdings)


def rooms_on(data: ReallocationData, day: dt.date) -> list[Room]:
    """What every team with a cap or a limit may have been handed by the end of the day."""
    budgets = budgets_on(data.organization, fleet_on(data.organization, day))
    held = held_on(data, day)
    rooms = [
        Room("team_cap_over_time", team, None, max(Fraction(0), cap - Fraction(held.compute[team], 1000)))
        for team, cap in budgets.caps.items()
    ]
    for (team, gpu_type), limit in budgets.limits.items():
        left = max(Fraction(0), limit - held.of_type.get((team, gpu_type), 0))
        rooms.append(Room("type_limit_over_time", team, gpu_type, left))
    return rooms


def division(paths: dict[str, tuple[str, ...]], team: str) -> str:
    """The child of the root above the team, or itself; the root is its own."""
    return paths[team][-2:][0]


def steps_down(request: Request, pool: Pool) -> int:
    """Places of the pool's type and site in the request's lists, counted from 0 and added up."""
    by_type = request.gpu_types.index(pool.gpu_type) if request.gpu_types is not None else 0
    by_site = request.sites.index(pool.site) if request.sites is not None else 0
    return by_type + by_site


def accepts(request: Request, pool: Pool) -> bool:
    """Whether the pool's type and site, and the pool itself, are among those that the request accepts."""
    return (
        (request.gpu_types is None or pool.gpu_type in request.gpu_types)
        and (request.sites is None or pool.site in request.sites)
        and (request.pools is None or pool.name in request.pools)
    )
