"""How the store is reached: addresses, drivers, locks, and what can go wrong on the way."""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event, exc

from gpu_opt.errors import StoreFailure

PATIENCE = 30
"""Seconds to wait for another batch that is writing, or for a server that does not answer."""

PUBLISHING = int.from_bytes(b"gpu_opt")
"""PostgreSQL's advisory lock that a writer holds until it commits."""

POSTGRES = "postgresql+psycopg"
"""Psycopg 3, which the extra ``gpu-opt[postgres]`` brings."""

REMEDIES = {
    "SQLITE_CANTOPEN": "its folder must exist, and you must be allowed to write there",
    "SQLITE_READONLY": "the file and its folder must be writable: the journal is written beside it",
    "SQLITE_FULL": "the disk is full; free some space, or use a store elsewhere",
    "SQLITE_IOERR": "the disk failed or is full; free some space, or use a store elsewhere",
    "SQLITE_NOTADB": "the file is no database; use another file, or move this one away",
    "SQLITE_CORRUPT": "the database is damaged; move it away, or restore a copy of it",
    "SQLITE_BUSY": f"another batch has been using it for {PATIENCE} s; try again when it is done",
    "55P03": f"another batch has been writing for {PATIENCE} s; try again when it is done",
    "53100": "the server's disk is full; free some space",
    "42501": "the user needs the right to create and write tables in the schema",
    "25006": "the server is read-only; use the primary",
    "42P07": "the schema has a table of that name that is not gpu_opt's; use a schema or database of its own",
}
"""What would help, by the start of SQLite's error name or PostgreSQL's SQLSTATE."""


def address(url: str) -> sa.URL:
    """The address as SQLAlchemy understands it; text without ``://`` is the path of a SQLite file.

    ``postgresql://`` means psycopg 3, whatever the version of SQLAlchemy.

    Raises StoreFailure if it cannot be read, or if it names a database in memory: that keeps nothing.
    """
    if "://" not in url and url != ":memory:":
        return sa.URL.create("sqlite", database=str(Path(url).expanduser()))
    try:
        place = sa.make_url("sqlite://" if url == ":memory:" else url)
    except (exc.ArgumentError, ValueError) as error:
        # the text is not repeated: it may hold a password
        raise StoreFailure(
            "the store's address cannot be read; write it like sqlite:///gpu-opt.db, "
            "or postgresql://user:password@host:5432/database"
        ) from error
    if place.drivername in {"postgres", "postgresql"}:
        place = place.set(drivername=POSTGRES)
    in_memory = place.database in {None, "", ":memory:"} or place.query.get("mode") == "memory"
    if place.get_backend_name() == "sqlite" and in_memory:
        raise StoreFailure(f"the store {url} is a database in memory, which keeps nothing; name a file")
    return place


def shown(place: sa.URL) -> str:
    """The address without its password."""
    return place.render_as_string(hide_password=True)


@contextlib.contextmanager
def transaction(url: str, *, write: bool) -> Iterator[sa.Connection]:
    """One transaction: all of it is in the store afterwards, or nothing, whenever the process dies.

    Writers take turns, from the beginning of their transactions, and wait `PATIENCE` seconds for it.

    Raises StoreFailure for everything that can go wrong, with a remedy.
    """
    place = address(url)
    with _failures(place), _open(place, write) as connection, connection.begin():
        if write and place.get_backend_name() == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(PUBLISHING)))
        yield connection


def _open(place: sa.URL, write: bool) -> sa.Connection:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", exc.SAWarning)  # SQLAlchemy passes over an option with a warning
            engine = _engine(place, write)
        return engine.connect()
    except (TypeError, ValueError, exc.SAWarning) as error:
        raise StoreFailure(
            f"the store's address {shown(place)} has an option that is unknown: {error}"
        ) from error


def _engine(place: sa.URL, write: bool) -> sa.Engine:
    arguments: dict[str, object] = {}
    if place.get_backend_name() == "sqlite":
        if not write:
            _require_file(place)
        arguments["timeout"] = PATIENCE
    elif place.get_backend_name() == "postgresql" and "connect_timeout" not in place.query:
        arguments["connect_timeout"] = PATIENCE
    engine = sa.create_engine(
        place,
        connect_args=arguments,
        poolclass=sa.NullPool,
        json_serializer=functools.partial(json.dumps, allow_nan=False, ensure_ascii=False),
    )
    if place.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_writing if write else _begin_reading)
    return engine


def _require_file(place: sa.URL) -> None:
    """Raise StoreFailure if there is no such file: opening it would make an empty one."""
    if not Path(place.database or "").exists() and not (place.database or "").startswith("file:"):
        raise StoreFailure(
            f"there is no store {shown(place)}; check the address: "
            "a store is made when the first night is published"
        )


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Make SQLite as careful as a batch wants it.

    The journal stays SQLite's default, the rollback journal: a write-ahead log would let readers in while
    a night is written, which takes milliseconds, but it does not work on network file systems and leaves
    two more files to copy. EXTRA is FULL, and syncs the folder too when the journal is deleted: only then
    is a night that was reported as published there after a power cut.
    """
    connection.isolation_level = None  # we say when a transaction begins
    for pragma in ("foreign_keys = ON", "synchronous = EXTRA"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_writing(connection: sa.Connection) -> None:
    # a transaction that begins by reading cannot wait for its turn to write: it fails
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextlib.contextmanager
def _failures(place: sa.URL) -> Iterator[None]:
    try:
        yield
    except exc.NoSuchModuleError as error:
        raise StoreFailure(
            f"the store {shown(place)} is of a kind that SQLAlchemy does not know; use sqlite:// or postgresql://"
        ) from error
    except ImportError as error:
        remedy = (
            "install gpu-opt[postgres]"
            if place.drivername == POSTGRES
            else "install it, or use sqlite:// or postgresql://"
        )
        raise StoreFailure(
            f"the driver for the store {shown(place)} is not installed ({error}); {remedy}"
        ) from error
    except (exc.SQLAlchemyError, OSError, ValueError) as error:  # ValueError: no JSON, or no text at all
        raise StoreFailure(_describe(place, error)) from error


def _describe(place: sa.URL, error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    remedies = [remedy for start, remedy in REMEDIES.items() if code.startswith(start)]
    if not remedies and isinstance(error, exc.OperationalError):
        remedies = ["check the address, and that the server runs and lets you in"]
    said = " ".join(str(cause).split())
    return f"the store {shown(place)} could not be used: {said}" + "".join(
        f"; {remedy}" for remedy in remedies
    )
