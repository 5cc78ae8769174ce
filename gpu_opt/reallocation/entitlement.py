"""Whose holdings are reallocated, and who is entitled to more: from an allocation to requests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction
from itertools import chain, count

from gpu_opt.indexing import is_active
from gpu_opt.options import Options
from gpu_opt.organization import Organization, Project, Request, exact, runs_in
from gpu_opt.plan import Allocation, Grant
from gpu_opt.reallocation.requests import require_horizon

HORIZON = 90
"""Days ahead, unless a call says otherwise."""


def with_grants(organization: Organization, grants: Iterable[Grant]) -> Organization:
    """Put grants in the place of what is held: the nightly reallocates what tonight's allocation grants."""
    holds: dict[str, dict[str, int]] = {}
    for grant in grants:
        holds.setdefault(grant.project, {})[grant.pool] = grant.gpus
    projects = tuple(
        project.model_copy(update={"holds": holds.get(project.name, {})}) for project in organization.projects
    )
    return organization.model_copy(update={"projects": projects})


def derive_requests(
    organization: Organization, *, until: dt.date | None = None, options: Options | None = None
) -> tuple[Request, ...]:
    """The requests of the projects that start, or are still short, by `until` (default: 90 days ahead).

    An allocation for that day, in which nothing is moved, says what they are entitled to: see
    :func:`entitled_requests`. So a project that ends by then asks for nothing. It would only borrow GPUs, and
    a handover is for good; what is idle on a day it is granted on that day, by the allocation of the day.

    Raises InvalidInput, with every problem, if the organization cannot be meant, or `until` is before today;
    and as :func:`gpu_opt.allocate` does.
    """
    from gpu_opt.allocation import allocate

    until = until or default_horizon(organization)
    require_horizon(organization, until)
    unmoved = organization.policy.model_copy(update={"max_moves": 0})
    later = allocate(organization.model_copy(update={"policy": unmoved}), date=until, options=options)
    return entitled_requests(organization, later)


def default_horizon(organization: Organization) -> dt.date:
    """The last day of the horizon, unless a call says otherwise."""
    last = organization.as_of.toordinal() + HORIZON
    return dt.date.fromordinal(min(last, dt.date.max.toordinal()))


def entitled_requests(organization: Organization, allocation: Allocation) -> tuple[Request, ...]:
    """What projects are granted in an allocation for a later day beyond what they have today.

    One request for each project and GPU type of which it gets more, named ``<project> (<type>)``, for the
    pools of the type at the project's sites, none of them preferred; for the pool granted, if it is a
    one-pool project, and then one for each pool. It is needed on the day that the project starts (today, if
    it runs), and all or nothing if the project runs below its minimum today, or not at all. A name that an
    earlier request has gets a number: ``<project> (<type>) #2``.
    """
    grants: dict[str, dict[str, int]] = {}
    for grant in allocation.grants:
        grants.setdefault(grant.project, {})[grant.pool] = grant.gpus
    requests: dict[str, Request] = {}
    for project in organization.projects:
        for request in _requests_of(organization, project, grants.get(project.name, {})):
            name = _free_name(request.name, requests)
            requests[name] = request.model_copy(update={"name": name})
    return tuple(requests.values())


def _free_name(name: str, taken: Container[str]) -> str:
    """The name, with the first number that makes it new where it is taken."""
    numbered = (f"{name} #{n}" for n in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _requests_of(organization: Organization, project: Project, granted: dict[str, int]) -> Iterator[Request]:
    today = organization.as_of
    runs = is_active(project, today)
    has = project.holds if runs else {}
    types = {pool.name: pool.gpu_type for pool in organization.pools}
    place = (lambda pool: pool) if project.one_pool else types.__getitem__
    extra: dict[str, int] = {}
    for pool, gpus in granted.items():
        extra[place(pool)] = extra.get(place(pool), 0) + gpus
    for pool, gpus in has.items():
        if place(pool) in extra:
            extra[place(pool)] -= gpus
    starts = today if runs or project.starts is None else project.starts
    for where, gpus in extra.items():
        if gpus > 0:
            yield Request(
                name=f"{project.name} ({where})",
                team=project.team,
                gpus=gpus,
                pools=_pools(organization, project, where),
                starts=starts,
                by=starts,
                tier=project.tier,
                priority=project.priority,
                all_or_nothing=_compute(organization, project, has) < exact(project.minimum),
            )


def _pools(organization: Organization, project: Project, where: str) -> tuple[str, ...]:
    if project.one_pool:
        return (where,)
    return tuple(
        pool.name for pool in organization.pools if pool.gpu_type == where and runs_in(project, pool)
    )


def _compute(organization: Organization, project: Project, holds: dict[str, int]) -> Fraction:
    """Compute of holdings at the project's own speeds."""
    types = {pool.name: pool.gpu_type for pool in organization.pools}
    speeds = project.speeds or {name: kind.speed for name, kind in organization.gpu_types.items()}
    return sum((gpus * exact(speeds.get(types[pool], 0.0)) for pool, gpus in holds.items()), Fraction(0))
