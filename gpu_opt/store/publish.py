"""Writing to the store: a whole night, or nothing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation, Reallocation, Status
from gpu_opt.store import tables
from gpu_opt.store.connection import transaction
from gpu_opt.store.read import NightSummary, summaries


def ensure_writable(url: str) -> None:
    """Make the store if there is none, and write to it: better now than after minutes of solving.

    Raises StoreFailure if a night could not be published: no such folder, no right to write, no driver,
    no database at that address, a newer gpu_opt's store, another batch that does not end.
    """
    with transaction(url, write=True) as connection:
        tables.prepare(connection)
        connection.execute(tables.schema_version.update().values(version=tables.SCHEMA_VERSION))


def publish(
    url: str,
    organization: Organization,
    allocation: Allocation,
    reallocation: Reallocation,
    *,
    options: Options,
    started: dt.datetime,
    start: int | None = None,
) -> NightSummary:
    """Store a night in one transaction, and return what `history` will say of it.

    `options` are those of the whole night, `started` is a moment with a time zone, and `start` the night with
    whose allocation this one's began. To publish a day
    again is legitimate (a corrected file, more time): the newer night is the one that counts, the older one
    stays in the history, and `replaces` names it.

    Raises StoreFailure if the night could not be stored whole; the store is then as it was.
    """
    with transaction(url, write=True) as connection:
        tables.prepare(connection)
        night = _insert_night(connection, organization, allocation, reallocation, options, started, start)
        _insert_plans(connection, night, allocation, reallocation)
        _insert_rows(connection, night, allocation, reallocation)
        (summary,) = summaries(connection, tables.nights.c.id == night)
    return summary


def _insert_organization(connection: sa.Connection, organization: Organization) -> str:
    table, key = tables.organizations, content_hash(organization)
    if connection.scalar(sa.select(table.c.hash).where(table.c.hash == key)) is None:
        connection.execute(
            table.insert().values(
                hash=key,
                name=organization.name,
                as_of=organization.as_of,
                content=organization.model_dump(mode="json"),
            )
        )
    return key


def _insert_night(
    connection: sa.Connection,
    organization: Organization,
    allocation: Allocation,
    reallocation: Reallocation,
    options: Options,
    started: dt.datetime,
    start: int | None,
) -> int:
    nights = tables.nights
    same_day = sa.and_(nights.c.name == organization.name, nights.c.as_of == organization.as_of)
    values = {
        "organization_hash": _insert_organization(connection, organization),
        "name": organization.name,
        "as_of": organization.as_of,
        "started": started,
        "finished": dt.datetime.now(dt.UTC),
        "replaces": connection.scalar(sa.select(sa.func.max(nights.c.id)).where(same_day)),
        "gpu_opt": allocation.run.gpu_opt,
        "options": {
            "until": reallocation.until.isoformat(),
            "time_limit": options.time_limit,
            "gap": options.gap,
            "threads": options.threads,
            "seed": options.seed,
            "work_limit": options.work_limit,
            "start": start,
        },
        # proved only if both are
        "status": max(allocation.status, reallocation.status, key=list(Status).index),
    }
    key = connection.execute(nights.insert().values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _insert_plans(
    connection: sa.Connection, night: int, allocation: Allocation, reallocation: Reallocation
) -> None:
    connection.execute(
        tables.plans.insert(),
        [
            {
                "night_id": night,
                "kind": kind,
                "status": plan.status,
                "stop": plan.stop,
                "objective": plan.objective,
                "bound": plan.bound,
                "gap": plan.gap,
                "seconds": plan.run.seconds["total"],
                "content": plan.model_dump(mode="json"),
            }
            for kind, plan in (("allocation", allocation), ("reallocation", reallocation))
        ],
    )


def _insert_rows(
    connection: sa.Connection, night: int, allocation: Allocation, reallocation: Reallocation
) -> None:
    """Insert the flat rows."""
    team_of = {outcome.project: outcome.team for outcome in allocation.projects}
    grants = [{"team": team_of[grant.project], **grant.model_dump()} for grant in allocation.grants]
    handovers = [
        {"place": place, "on_date": handover.on, **handover.model_dump(exclude={"on", "donor_team"})}
        for place, handover in enumerate(reallocation.handovers)
    ]
    columns = {"team", "guarantee", "cap", "granted", "shortfall"}
    teams = [outcome.model_dump(include=columns) for outcome in allocation.teams]
    for table, rows in ((tables.grants, grants), (tables.handovers, handovers), (tables.teams, teams)):
        if rows:
            connection.execute(table.insert(), [{"night_id": night, **row} for row in rows])
