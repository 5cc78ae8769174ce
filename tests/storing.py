"""Nights of a small lab to publish, and stores in SQLite and PostgreSQL to publish them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Reallocation
from gpu_opt.reallocation import with_grants
from gpu_opt.store import NightSummary, publish
from gpu_opt.store import connection as store_connection
from gpu_opt.store.tables import metadata
from tests import postgres
from tests.building import (
    TODAY,
    allocation,
    day,
    delivery,
    handover,
    lab,
    pool,
    project,
    reallocation,
    request,
    team,
)

STARTED = dt.datetime(2026, 11, 23, 2, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))
OPTIONS = Options(time_limit=20, gap=0.001, threads=2, seed=7)
TABLES = ("organizations", "nights", "plans", "grants", "handovers", "teams")


def organization(as_of: dt.date = TODAY, name: str = "lab") -> Organization:
    """Orion ends in five days and vega, of another team, asks for more."""
    made = lab(
        pools=[pool("iowa", gpus=16), pool("東京", gpus=8, gpu_type="gb200")],
        teams=[team("research", guarantee=6, cap=20), team("product", cap="40%")],
        projects=[
            project("orion", 10, "research", ends=day(5), holds={"iowa": 10}),
            project("vega", 12.5, "product", priority=0.1, holds={"iowa": 2}),
        ],
        deliveries=[delivery("東京", 4, on=9)],
    )
    return made.model_copy(update={"as_of": as_of, "name": name})


def plans(of: Organization, orion: int = 10) -> tuple[Allocation, Reallocation]:
    """Orion gets what is said, vega six; then orion hands over to vega what it had."""
    tonight = allocation(of, {("orion", "iowa"): orion, ("vega", "iowa"): 6}, date=of.as_of)
    asked = (request("vega", 4, "product", by=5, gpu_types=("h100",)),)
    then = with_grants(of, tonight.grants)
    return tonight, reallocation(then, asked, [handover(then, asked[0], "orion", 4, free=5)])


def published(url: str, of: Organization | None = None, orion: int = 10) -> NightSummary:
    of = of or organization()
    tonight, later = plans(of, orion)
    return publish(url, of, tonight, later, options=OPTIONS, started=STARTED)


def rows(url: str) -> dict[str, int]:
    """How many rows each table has."""
    with store_connection.transaction(url, write=False) as connection:
        return {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(metadata.tables[name])
            ).scalar_one()
            for name in TABLES
        }


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[str]:
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.server() as where:
        yield where


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gpu-opt.db"
    where = request.getfixturevalue("postgres_server")
    name = f"store_{abs(hash(request.node.name))}"
    engine = sa.create_engine(f"postgresql+psycopg://postgres@/postgres{where}", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"postgresql://postgres@/{name}{where}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store in a SQLite file, with one night."""
    path = tmp_path / "gpu-opt.db"
    published(str(path))
    return path
