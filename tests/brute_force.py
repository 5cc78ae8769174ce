"""The best plan of a tiny organization, by looking at every plan there is.

Nothing here is clever: all plans are enumerated and compared goal by goal in exact arithmetic; one that
is better than the best so far takes its place if it breaks no rule of the checker.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

from gpu_opt.checker.allocation import CONSTRAINTS as ALLOCATION_CONSTRAINTS
from gpu_opt.checker.allocation import Granted, granted_of
from gpu_opt.checker.data import allocation_data
from gpu_opt.checker.goals import allocation_goals, is_maximized
from gpu_opt.checker.reallocation import CONSTRAINTS as REALLOCATION_CONSTRAINTS
from gpu_opt.checker.reallocation import reallocation_goals
from gpu_opt.checker.supplies import ReallocationData, Source, accepts, reallocation_data
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Grant, Handover

MOST = 200_000
"""Plans that are looked at, at most."""

Values = tuple[tuple[str, Fraction], ...]


class TooManyPlansError(Exception):
    """There are more than `MOST` plans to look at."""


def rank(values: Values) -> tuple[Fraction, ...]:
    """What is higher the better the goals are reached, the first goal first."""
    return tuple(value if is_maximized(name) else -value for name, value in values)


def best_allocation(
    organization: Organization, date: dt.date, near: Sequence[Grant] | None = None
) -> tuple[Values, tuple[Grant, ...]]:
    """The best values that any grants reach, goal by goal, and grants that reach them.

    Raises TooManyPlansError beyond `MOST` combinations of units.
    """
    best: tuple[Values, tuple[Grant, ...]] | None = None
    for values, grants, is_kept in _allocations(organization, date, near, MOST):
        if (best is None or rank(values) > rank(best[0])) and is_kept():
            best = values, grants
    assert best is not None, "today's holdings are always a plan"
    return best


def best_allocations(organization: Organization, date: dt.date, most: int) -> list[tuple[Grant, ...]]:
    """All grants that are best by what is broken, what is promised and value, however much is moved.

    Raises TooManyPlansError beyond `most` combinations of units.
    """
    best: tuple[Fraction, ...] | None = None
    found: list[tuple[Grant, ...]] = []
    for values, grants, is_kept in _allocations(organization, date, None, most):
        place = rank(tuple((name, value) for name, value in values if name != "moves"))
        if (best is None or place >= best) and is_kept():
            found = [*(found if place == best else []), grants]
            best = place
    return found


def _allocations(
    organization: Organization, date: dt.date, near: Sequence[Grant] | None, most: int
) -> Iterator[tuple[Values, tuple[Grant, ...], Callable[[], bool]]]:
    """Values, grants, and whether they break no rule, for every combination of units."""
    data = allocation_data(organization, date)
    arcs = [(name, pool) for name, scope in data.scopes.items() for pool in scope.speeds]
    choices = []
    for name, pool in arcs:
        scope, unit = data.scopes[name], data.fleet.unit[pool]
        choices.append(range(0, min(scope.reach[pool], int(scope.allowed * scope.enough[pool])) + 1, unit))
    if math.prod(len(choice) for choice in choices) > most:
        raise TooManyPlansError
    for gpus in product(*choices):
        grants = tuple(
            Grant(project=name, pool=pool, gpus=count)
            for (name, pool), count in zip(arcs, gpus, strict=True)
            if count
        )
        granted = granted_of(data, grants)
        values = allocation_goals(data, granted.totals, granted.gpus, near)

        def is_kept(granted: Granted = granted) -> bool:
            return not any(
                broken for constraint in ALLOCATION_CONSTRAINTS for broken in constraint(data, granted)
            )

        yield values, grants, is_kept


def best_reallocation(
    organization: Organization, requests: Sequence[Request], until: dt.date
) -> tuple[Values, tuple[Handover, ...]]:
    """The best values that any handovers reach, goal by goal, and handovers that reach them.

    Raises TooManyPlansError beyond `MOST` combinations of handovers.
    """
    data = reallocation_data(organization, requests, until)
    arcs = [
        (source, request, day)
        for request in requests
        for source in data.supplies
        if accepts(request, data.pools[source.pool])
        for day in days(data, source, request)
    ]
    best: tuple[Values, tuple[Handover, ...]] | None = None
    for count, flow in enumerate(flows(data, arcs)):
        if count == MOST:
            raise TooManyPlansError
        values = reallocation_goals(data, flow)
        if best is not None and rank(values) <= rank(best[0]):
            continue
        if not any(
            violation for constraint in REALLOCATION_CONSTRAINTS for violation in constraint(data, flow)
        ):
            best = values, tuple(flow)
    assert best is not None, "handing over nothing is always a plan"
    return best


Arc = tuple[Source, Request, dt.date]


def days(data: ReallocationData, source: Source, request: Request) -> list[dt.date]:
    """The days worth a look: the first one possible, and those on which caps may leave more room."""
    first = max(source.on, request.starts or source.on)
    organization = data.organization
    ends = {project.ends for project in organization.projects if project.ends is not None}
    changes = ends | {delivery.on for delivery in organization.deliveries}
    return [day for day in sorted({first, *(day for day in changes if day > first)}) if day <= data.until]


def flows(data: ReallocationData, arcs: Sequence[Arc]) -> Iterator[list[Handover]]:
    """All ways to hand over no more than is free, in whole units, to requests until they have enough."""
    if not arcs:
        yield []
        return
    source, request, _ = arcs[0]
    for flow in flows(data, arcs[1:]):
        taken = sum(each.gpus for each in flow if drawn(each, source))
        given = sum(each.gpus for each in flow if each.request == request.name)
        yield flow
        unit = data.pools[source.pool].unit
        for gpus in range(unit, data.supplies[source] - taken + 1, unit):
            if given + gpus < data.asked[request.name] + unit:
                yield [handover(data, arcs[0], gpus), *flow]


def drawn(handover: Handover, source: Source) -> bool:
    return Source(handover.donor, handover.project, handover.pool, handover.free_on) == source


def handover(data: ReallocationData, arc: Arc, gpus: int) -> Handover:
    source, request, day = arc
    return Handover(
        request=request.name,
        team=request.team,
        donor=source.donor,
        project=source.project,
        donor_team=None if source.project is None else data.team_of[source.project],
        pool=source.pool,
        gpus=gpus,
        free_on=source.on,
        on=day,
    )
