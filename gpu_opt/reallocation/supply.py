"""What comes free within the horizon: releases, deliveries, and what is idle today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gpu_opt.budgets import capacities
from gpu_opt.indexing import is_active
from gpu_opt.organization import Organization, Project
from gpu_opt.plan import Donor, Supply


def supplies(organization: Organization, until: dt.date) -> tuple[Supply, ...]:
    """Every supply from today to `until`, by day; of one day what is idle, then releases, then deliveries.

    The first GPUs to come free in a pool that holds more than it has fill that hole; they are left out.
    """
    today = organization.as_of
    left = capacities(organization, today)
    for project in organization.projects:
        if is_held(project, today):
            for pool, gpus in project.holds.items():
                left[pool] -= gpus
    idle = [
        Supply(donor=Donor.IDLE, pool=pool, gpus=gpus, on=today) for pool, gpus in left.items() if gpus > 0
    ]
    hole = {pool: -gpus for pool, gpus in left.items() if gpus < 0}
    freed = [*_releases(organization, until), *_deliveries(organization, until)]
    filled = _fill(sorted(freed, key=lambda supply: supply.on), hole)
    return tuple(sorted([*idle, *filled], key=lambda supply: supply.on))


def is_held(project: Project, today: dt.date) -> bool:
    """Whether what a project holds is not idle: it runs today, or has ended and not yet let go."""
    return is_active(project, today) or (project.ends is not None and project.ends <= today)


def _releases(organization: Organization, until: dt.date) -> Iterator[Supply]:
    today = organization.as_of
    for project in organization.projects:
        if project.ends is not None and project.ends <= until and is_held(project, today):
            for pool, gpus in project.holds.items():
                if gpus:
                    yield Supply(
                        donor=Donor.RELEASE,
                        project=project.name,
                        team=project.team,
                        pool=pool,
                        gpus=gpus,
                        on=max(today, project.ends),
                    )


def _deliveries(organization: Organization, until: dt.date) -> Iterator[Supply]:
    """Deliveries to one pool on one day are one supply."""
    together: dict[tuple[str, dt.date], int] = {}
    for delivery in organization.deliveries:
        if organization.as_of < delivery.on <= until:
            key = delivery.pool, delivery.on
            together[key] = together.get(key, 0) + delivery.gpus
    for (pool, on), gpus in together.items():
        yield Supply(donor=Donor.DELIVERY, pool=pool, gpus=gpus, on=on)


def _fill(freed: list[Supply], hole: dict[str, int]) -> Iterator[Supply]:
    """What is left of the supplies, in their order, once the holes of their pools are filled."""
    missing = dict(hole)
    for supply in freed:
        filling = min(missing.get(supply.pool, 0), supply.gpus)
        missing[supply.pool] = missing.get(supply.pool, 0) - filling
        if supply.gpus > filling:
            yield supply.model_copy(update={"gpus": supply.gpus - filling})
