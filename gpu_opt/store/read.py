"""Reading from the store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from gpu_opt.errors import StoreFailure
from gpu_opt.plan import Allocation, Reallocation, Status
from gpu_opt.store import tables
from gpu_opt.store.connection import transaction

VERSIONS = ("gpu_opt", "pulp", "cbc", "numpy", "python", "platform")
"""What an exported night names of :class:`gpu_opt.plan.Run` under `versions`."""


@dataclass(frozen=True, slots=True)
class NightSummary:
    """One published night, in a line."""

    id: int
    name: str
    """Of the organization."""
    as_of: dt.date
    started: dt.datetime
    finished: dt.datetime
    replaces: int | None
    """The night that was the newest for the same day of the same organization until this one came."""
    gpu_opt: str
    """The version that computed it."""
    status: Status
    """Optimal if both plans are."""
    objective: float
    """Of the allocation, like `bound` and `gap`."""
    bound: float
    gap: float


@dataclass(frozen=True, slots=True)
class Night:
    """One published night, whole."""

    summary: NightSummary
    allocation: Allocation
    reallocation: Reallocation


def last_night(url: str, name: str, by: dt.date | None = None) -> Night | None:
    """The newest night of the organization `name` that describes a day no later than `by`, if any.

    Of several nights for one day it is the one published last. `by` defaults to any day.

    Raises StoreFailure if there is no store, or it cannot be read.
    """
    nights = tables.nights
    wanted = nights.c.name == name
    if by is not None:
        wanted &= nights.c.as_of <= by
    with transaction(url, write=False) as connection:
        tables.require(connection)
        found = summaries(connection, wanted, limit=1)
        if not found:
            return None
        (summary,) = found
        plans = _plans(connection, summary.id)
    try:
        return Night(
            summary,
            Allocation.model_validate(plans["allocation"]),
            Reallocation.model_validate(plans["reallocation"]),
        )
    except ValidationError as error:
        raise StoreFailure(
            f"night {summary.id} was stored by gpu_opt {summary.gpu_opt} and this version cannot read its "
            "plans; use that version, or another store"
        ) from error


def history(url: str, name: str, limit: int = 30) -> tuple[NightSummary, ...]:
    """The newest `limit` nights of the organization `name`, the newest first.

    Raises StoreFailure if there is no store, or it cannot be read.
    """
    with transaction(url, write=False) as connection:
        tables.require(connection)
        return summaries(connection, tables.nights.c.name == name, limit=limit)


def export_night(url: str, night: int) -> dict[str, Any]:
    """Everything needed to compute and check a night again, as plain data for a JSON file.

    Keys: `night` (id, started, finished), `organization` (the input), `options`, `start` (the grants that the
    allocation began with, those of the night before; None in the first, and
    where that night is gone), `versions`, `allocation` and
    `reallocation`.

    Raises StoreFailure if there is no such night, or the store cannot be read.
    """
    nights, organizations = tables.nights, tables.organizations
    query = sa.select(nights, organizations.c.content).join(organizations).where(nights.c.id == night)
    with transaction(url, write=False) as connection:
        tables.require(connection)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise StoreFailure(f"the store holds no night {night}")
        plans = _plans(connection, night)
        before = row.options.get("start")
        kept = {} if before is None else _plans(connection, before)
        begun_with = kept["allocation"]["grants"] if kept else None
    run = plans["allocation"]["run"]
    return {
        "night": {"id": night, "started": row.started.isoformat(), "finished": row.finished.isoformat()},
        "organization": row.content,
        "options": row.options,
        "start": begun_with,
        "versions": {program: run[program] for program in VERSIONS},
        "allocation": plans["allocation"],
        "reallocation": plans["reallocation"],
    }


def summaries(
    connection: sa.Connection, wanted: sa.ColumnElement[bool], limit: int | None = None
) -> tuple[NightSummary, ...]:
    """The nights that are `wanted`, newest day first, and of one day the one published last first."""
    nights, plans = tables.nights, tables.plans
    query = (
        sa.select(
            nights.c.id,
            nights.c.name,
            nights.c.as_of,
            nights.c.started,
            nights.c.finished,
            nights.c.replaces,
            nights.c.gpu_opt,
            nights.c.status,
            plans.c.objective,
            plans.c.bound,
            plans.c.gap,
        )
        .join(plans)
        .where(plans.c.kind == "allocation", wanted)
        .order_by(nights.c.as_of.desc(), nights.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings()
    return tuple(NightSummary(**{**row, "status": Status(row["status"])}) for row in rows)


def _plans(connection: sa.Connection, night: int) -> dict[str, Any]:
    plans = tables.plans
    query = sa.select(plans.c.kind, plans.c.content).where(plans.c.night_id == night)
    return {row.kind: row.content for row in connection.execute(query)}
