"""Requests as they are stated: whether they fit the organization, and which pools they accept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.organization import Organization, Pool, Request
from gpu_opt.validation.wording import error, unknown

Word = Callable[[str], str]
"""Words the problem of an unknown name."""


def check_requests(
    organization: Organization, requests: Sequence[Request], until: dt.date
) -> tuple[Problem, ...]:
    """Everything in the requests that cannot be meant, with paths like ``requests[0].team``.

    Unknown teams, GPU types, sites and pools; an empty list of what is accepted; a date needed by that is
    before today or before the start, or after `until`; a name that an earlier request has.
    """
    teams = unknown("team", [team.name for team in organization.teams])
    accepted = {
        "gpu_types": (unknown("GPU type", list(organization.gpu_types)), set(organization.gpu_types)),
        "sites": (unknown("site", sites := sorted({pool.site for pool in organization.pools})), set(sites)),
        "pools": (unknown("pool", pools := [pool.name for pool in organization.pools]), set(pools)),
    }
    known_teams = {team.name for team in organization.teams}
    problems: list[Problem] = []
    seen: set[str] = set()
    for i, request in enumerate(requests):
        path = f"requests[{i}]"
        if request.name in seen:
            problems.append(
                error(f"{path}.name", f"there is already a request {request.name!r}; rename one of them")
            )
        seen.add(request.name)
        if request.team not in known_teams:
            problems.append(error(f"{path}.team", teams(request.team)))
        for field, (word, known) in accepted.items():
            problems += _unknown_names(f"{path}.{field}", getattr(request, field), word, known)
        problems += _dates(f"{path}.by", request, organization.as_of, until)
    return tuple(problems)


def require_sound(organization: Organization, requests: Sequence[Request], until: dt.date) -> None:
    """Raise InvalidInput, with every problem, unless the requests fit the organization."""
    if problems := check_requests(organization, requests, until):
        raise InvalidInput(problems)


def require_horizon(organization: Organization, until: dt.date) -> None:
    """Raise InvalidInput if the horizon ends before it begins."""
    today = organization.as_of
    if until < today:
        raise InvalidInput(
            (error("until", f"the horizon ends on {until}, before today, {today}; give a later day"),)
        )


def accepts(request: Request, pool: Pool) -> bool:
    """Whether the request takes GPUs of this pool."""
    return (
        (request.gpu_types is None or pool.gpu_type in request.gpu_types)
        and (request.sites is None or pool.site in request.sites)
        and (request.pools is None or pool.name in request.pools)
    )


def steps_down(request: Request, pool: Pool) -> int:
    """Places of the pool's type and of its site in the request's lists, counted from 0, added up."""
    by_type = 0 if request.gpu_types is None else request.gpu_types.index(pool.gpu_type)
    by_site = 0 if request.sites is None else request.sites.index(pool.site)
    return by_type + by_site


def _unknown_names(
    path: str, names: tuple[str, ...] | None, word: Word, known: set[str]
) -> Iterator[Problem]:
    if names is not None and not names:
        yield error(path, "an empty list accepts nothing; name some, or leave it out to accept all")
    for k, name in enumerate(names or ()):
        if name not in known:
            yield error(f"{path}[{k}]", word(name))


def _dates(path: str, request: Request, today: dt.date, until: dt.date) -> Iterator[Problem]:
    if request.by < today:
        yield error(path, f"{request.by} is before today, {today}; give a later day")
    elif request.starts is not None and request.by < request.starts:
        yield error(path, f"{request.by} is before it starts, {request.starts}; correct one of them")
    if request.by > until:
        yield error(path, f"{request.by} is after the horizon, which ends on {until}; look further ahead")
