"""The store's tables.

`organizations`, `nights` and `plans` keep every night whole, so that it can be computed and checked
again; `grants`, `handovers` and `teams` say the same once more in flat rows, for whoever asks in SQL.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gpu_opt.errors import StoreFailure

SCHEMA_VERSION = 2
"""Raised whenever a table changes, or a result type so that plans stored before cannot be read."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Utc(sa.TypeDecorator[dt.datetime]):
    """A moment; in UTC in every database, and with its time zone in Python."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: sa.Dialect) -> dt.datetime | None:
        """Shift it to UTC: SQLite drops the time zone."""
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, _dialect: sa.Dialect) -> dt.datetime | None:
        """Give back the time zone that SQLite dropped."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=dt.UTC)


def _name(column: str, *, key: bool = False) -> sa.Column[str]:
    # as long as a name of the input may be; some databases cannot put a text without a length into a key
    return sa.Column(column, sa.String(200), primary_key=key, nullable=False)


def _night() -> sa.Column[int]:
    return sa.Column("night_id", sa.ForeignKey("nights.id", ondelete="CASCADE"), nullable=False)


schema_version = sa.Table(
    "schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True, autoincrement=False)
)

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    _name("name"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
)

nights = sa.Table(
    "nights",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("organization_hash", sa.ForeignKey("organizations.hash"), nullable=False),
    _name("name"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("started", Utc, nullable=False),
    sa.Column("finished", Utc, nullable=False),
    sa.Column("replaces", sa.ForeignKey("nights.id", ondelete="SET NULL")),
    sa.Column("gpu_opt", sa.String(100), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Index(None, "name", "as_of"),
    sqlite_autoincrement=True,  # else the id of a deleted night would be given away again
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _night(),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("stop", sa.String(20), nullable=False),
    sa.Column("objective", sa.Double, nullable=False),
    sa.Column("bound", sa.Double, nullable=False),
    sa.Column("gap", sa.Double, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.UniqueConstraint("night_id", "kind"),
)

grants = sa.Table(
    "grants",
    metadata,
    _night(),
    _name("project"),
    _name("team"),
    _name("pool"),
    sa.Column("gpus", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("night_id", "project", "pool"),
)

handovers = sa.Table(
    "handovers",
    metadata,
    _night(),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    _name("team"),
    sa.Column("donor", sa.String(20), nullable=False),
    sa.Column("project", sa.String(200)),
    _name("pool"),
    sa.Column("gpus", sa.Integer, nullable=False),
    sa.Column("free_on", sa.Date, nullable=False),
    sa.Column("on_date", sa.Date, nullable=False),
    sa.PrimaryKeyConstraint("night_id", "place"),
)

teams = sa.Table(
    "teams",
    metadata,
    _night(),
    _name("team"),
    sa.Column("guarantee", sa.Double),
    sa.Column("cap", sa.Double),
    sa.Column("granted", sa.Double, nullable=False),
    sa.Column("shortfall", sa.Double, nullable=False),
    sa.PrimaryKeyConstraint("night_id", "team"),
)


def prepare(connection: sa.Connection) -> None:
    """Make the tables in an empty database, inside the caller's transaction.

    Raises StoreFailure if the database holds a store of another version. A table of somebody else's that
    has one of these names is an error of the database, because nothing is taken for ours by its name.
    """
    if sa.inspect(connection).has_table(schema_version.name):
        require(connection)
        return
    metadata.create_all(connection, checkfirst=False)
    connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))


def require(connection: sa.Connection) -> None:
    """Raise StoreFailure unless the database holds a store that this version can read."""
    place = connection.engine.url.render_as_string(hide_password=True)
    if not sa.inspect(connection).has_table(schema_version.name):
        raise StoreFailure(
            f"the store {place} holds no nights of gpu_opt; check the address: "
            "a store is made when the first night is published"
        )
    version = connection.scalar(sa.select(sa.func.max(schema_version.c.version)))
    if version != SCHEMA_VERSION:
        raise StoreFailure(
            f"the store {place} has schema {version}, and this gpu_opt knows schema "
            f"{SCHEMA_VERSION}; use the gpu_opt that wrote it, or another store"
        )
