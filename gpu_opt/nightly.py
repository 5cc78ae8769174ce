"""The nightly batch: allocate for today, reallocate over the horizon, publish, and say what changed."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from gpu_opt.errors import InvalidInput, Problem, StoreFailure, StoreUnusable
from gpu_opt.options import Options, share_of
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, NightReport, Reallocation
from gpu_opt.scenario import compare

if TYPE_CHECKING:
    from gpu_opt.store import Night

DEFAULT_STORE = "sqlite:///gpu-opt.db"
"""A SQLite file in the current folder."""

ALLOCATION_SHARE = 0.55
"""Share of the time limit that the allocation may use: it is the harder program, and decides tonight."""

REQUESTS_SHARE = 0.5
"""Share of the rest that the allocation at the horizon's end may use, from which the requests follow."""


LEAST_SHARE = 0.1
"""Share of the whole limit that the reallocation has in any case: a flow takes little, and without any time
nothing is handed over."""


class NotPublished(StoreFailure):
    """A night was computed but could not be stored; nothing was changed in the store.

    `report` has the whole night, so that the plan is not lost: print or save it.
    """

    def __init__(self, message: str, report: NightReport) -> None:
        super().__init__(message)
        self.report = report


def run_night(
    organization: Organization,
    *,
    horizon_days: int = 90,
    options: Options | None = None,
    store_url: str = DEFAULT_STORE,
) -> NightReport:
    """Allocate for `as_of`, reallocate until `horizon_days` later, publish, and compare with last night.

    The time limit of `options` holds for all solves together, but for `LEAST_SHARE` of it, which the
    reallocation has even if the solves before it took longer than they should. Both plans have passed the
    independent checker when they are published. Computing a day again is legitimate: the newer night
    counts, the older one stays in the history, and the report's `replaces` names it, also when two batches
    run at once.
    A night that is cancelled is not published: its report has what was computed by then, and no `night`.

    Raises, besides what `allocate` and `reallocate` raise: before anything is solved, InvalidInput for a
    horizon before today, and StoreUnusable if the store cannot be written or read; when all is solved,
    NotPublished, with the report, if the store fails then.
    """
    from gpu_opt import store

    most = (dt.date.max - organization.as_of).days
    if not 0 <= horizon_days <= most:
        told = f"{horizon_days} is no horizon: give days from 0 to {most}"
        raise InvalidInput((Problem("horizon_days", told),))
    options = options or Options()
    started = dt.datetime.now(dt.UTC)
    until = organization.as_of + dt.timedelta(days=horizon_days)
    previous = _last_night(store_url, organization)
    start = None if previous is None else previous.allocation
    allocation, reallocation = _solve(organization, until, start, options)
    report = _report(until, started, previous, allocation, reallocation)
    if reallocation is None or options.cancel.is_set():
        return report
    try:
        published = store.publish(
            store_url,
            organization,
            allocation,
            reallocation,
            options=options,
            started=started,
            start=None if previous is None else previous.summary.id,
        )
    except StoreFailure as error:
        raise NotPublished(f"the night was computed but is not published: {error}", report) from error
    update = {"night": published.id, "replaces": published.replaces, "finished": published.finished}
    return report.model_copy(update=update)


def _last_night(store_url: str, organization: Organization) -> Night | None:
    """The night to compare with, from a store that can also be written."""
    from gpu_opt import store

    try:
        store.ensure_writable(store_url)
        return store.last_night(store_url, organization.name, organization.as_of)
    except StoreFailure as error:
        raise StoreUnusable(str(error)) from error


def _solve(
    organization: Organization, until: dt.date, start: Allocation | None, options: Options
) -> tuple[Allocation, Reallocation | None]:
    """Compute both plans, and the requests between them; no reallocation once somebody cancelled.

    The allocation begins with `start`, so that a file that is as it was has no worse a plan than last night.
    """
    from gpu_opt.allocation import allocate
    from gpu_opt.reallocation import reallocate
    from gpu_opt.reallocation.entitlement import derive_requests, with_grants

    begun = time.monotonic()
    share = share_of(options, begun, ALLOCATION_SHARE)
    allocation = allocate(organization, options=share, start=start)
    if options.cancel.is_set():
        return allocation, None
    tonight = with_grants(organization, allocation.grants)
    requests = derive_requests(tonight, until=until, options=share_of(options, begun, REQUESTS_SHARE))
    if options.cancel.is_set():
        return allocation, None
    rest = share_of(options, begun, 1.0, LEAST_SHARE)
    return allocation, reallocate(tonight, until=until, requests=requests, options=rest)


def _report(
    until: dt.date,
    started: dt.datetime,
    previous: Night | None,
    allocation: Allocation,
    reallocation: Reallocation | None,
) -> NightReport:
    """The report of a night that is not published yet."""
    return NightReport(
        organization=allocation.organization,
        as_of=allocation.as_of,
        until=until,
        started=started,
        finished=dt.datetime.now(dt.UTC),
        night=None,
        replaces=None,
        previous=previous.summary.id if previous else None,
        comparison=compare(previous.allocation, allocation) if previous else None,
        allocation=allocation,
        reallocation=reallocation,
    )
