"""The store keeps whole nights, or nothing, and says what is wrong with it."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from gpu_opt.checker import verify
from gpu_opt.errors import StoreFailure
from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation, Reallocation, Status
from gpu_opt.reallocation import with_grants
from gpu_opt.store import NightSummary, ensure_writable, export_night, history, last_night, publish
from gpu_opt.store import connection as store_connection
from gpu_opt.store.tables import metadata
from tests import postgres
from tests.building import (
    RUN,
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

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])


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


# what is kept


def test_a_night_comes_back_as_it_was_published(url: str) -> None:
    tonight, later = plans(organization())
    summary = published(url)
    night = last_night(url, "lab")
    assert night is not None
    assert (night.summary, night.allocation, night.reallocation) == (summary, tonight, later)


def test_a_summary_says_who_computed_what_and_when(url: str) -> None:
    tonight, _ = plans(organization())
    summary = published(url)
    assert summary.started == STARTED
    assert summary.started.utcoffset() == summary.finished.utcoffset() == dt.timedelta(0)
    assert (summary.name, summary.as_of, summary.gpu_opt) == ("lab", TODAY, RUN.gpu_opt)
    assert (summary.objective, summary.bound, summary.gap) == (tonight.objective, tonight.bound, tonight.gap)
    assert summary.status is Status.OPTIMAL


def test_a_night_is_only_optimal_if_both_plans_are(url: str) -> None:
    tonight, later = plans(organization())
    later = later.model_copy(update={"status": Status.FEASIBLE})
    summary = publish(url, organization(), tonight, later, options=OPTIONS, started=STARTED)
    assert summary.status is Status.FEASIBLE


def test_the_last_night_is_the_newest_of_the_organization_up_to_the_day(url: str) -> None:
    for as_of, name in ((day(0), "lab"), (day(1), "lab"), (day(9), "lab"), (day(1), "other lab")):
        published(url, organization(as_of, name))
    last = last_night(url, "lab", by=day(5))
    assert last is not None
    assert (last.summary.name, last.summary.as_of) == ("lab", day(1))


def test_before_the_first_night_there_is_no_last_night(url: str) -> None:
    ensure_writable(url)
    published(url, organization(as_of=day(3)))
    assert last_night(url, "lab", by=day(2)) is None
    assert last_night(url, "no such lab") is None


def test_a_day_computed_again_replaces_the_night_and_keeps_it_in_the_history(url: str) -> None:
    published(url, organization(day(-1)))
    first, second = published(url), published(url, orion=9)
    assert (first.replaces, second.replaces) == (None, first.id)
    last = last_night(url, "lab", by=TODAY)
    assert last is not None
    assert last.summary.id == second.id
    assert [night.id for night in history(url, "lab")] == [second.id, first.id, first.id - 1]


def test_an_older_day_computed_again_does_not_become_the_last_night(url: str) -> None:
    newest = published(url)
    published(url, organization(day(-1)))
    assert [night.as_of for night in history(url, "lab")] == [TODAY, day(-1)]
    last = last_night(url, "lab")
    assert last is not None
    assert last.summary == newest


def test_the_history_is_as_long_as_asked_for(url: str) -> None:
    nights = [published(url, organization(day(n))) for n in range(4)]
    assert history(url, "lab", limit=2) == (nights[3], nights[2])


def test_an_organization_that_did_not_change_is_stored_once(url: str) -> None:
    published(url)
    published(url)
    assert rows(url)["organizations"] == 1
    assert rows(url)["nights"] == 2


def test_an_exported_night_can_be_computed_and_checked_again(url: str) -> None:
    summary = published(url)
    bundle = json.loads(json.dumps(export_night(url, summary.id)))
    of = Organization.model_validate(bundle["organization"])
    tonight = Allocation.model_validate(bundle["allocation"])
    later = Reallocation.model_validate(bundle["reallocation"])
    assert content_hash(of) == content_hash(organization())
    assert verify(of, tonight) == ()
    assert verify(with_grants(of, tonight.grants), later) == ()
    assert bundle["options"] == {
        "until": "2026-12-23",
        "time_limit": 20,
        "gap": 0.001,
        "threads": 2,
        "seed": 7,
    }
    assert bundle["versions"] == RUN.model_dump(
        include={"gpu_opt", "pulp", "cbc", "numpy", "python", "platform"}
    )
    assert bundle["night"]["id"] == summary.id
    assert dt.datetime.fromisoformat(bundle["night"]["started"]) == STARTED


def test_people_who_ask_in_sql_find_flat_rows(url: str) -> None:
    night = published(url).id
    with store_connection.transaction(url, write=False) as connection:

        def ask(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(query))]

        assert ask("SELECT night_id, project, team, pool, gpus FROM grants ORDER BY project") == [
            (night, "orion", "research", "iowa", 10),
            (night, "vega", "product", "iowa", 6),
        ]
        assert ask("SELECT team, guarantee, cap, granted, shortfall FROM teams WHERE team = 'research'") == [
            ("research", 6.0, 20.0, 10.0, 0.0)
        ]
        assert ask("SELECT request, donor, project, pool, gpus FROM handovers") == [
            ("vega", "release", "orion", "iowa", 4)
        ]
        assert ask("SELECT kind, status, stop FROM plans ORDER BY kind") == [
            ("allocation", "optimal", "proved"),
            ("reallocation", "optimal", "proved"),
        ]


def test_a_deleted_night_takes_all_its_rows_along(url: str) -> None:
    first, second = published(url), published(url)
    with store_connection.transaction(url, write=True) as connection:
        connection.execute(sa.text("DELETE FROM nights WHERE id = :night"), {"night": first.id})
    assert rows(url) == {"organizations": 1, "nights": 1, "plans": 2, "grants": 2, "handovers": 1, "teams": 3}
    (left,) = history(url, "lab")
    assert (left.id, left.replaces) == (second.id, None)


def test_a_plan_with_no_grants_and_no_handovers_is_stored_too(url: str) -> None:
    empty = lab()
    summary = publish(
        url,
        empty,
        allocation(empty, {}),
        reallocation(empty, [], []),
        options=OPTIONS,
        started=STARTED,
    )
    assert history(url, "lab") == (summary,)


def test_a_path_is_a_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "nights of the lab.db"
    summary = published(str(path))
    assert history(f"sqlite:///{path}", "lab") == (summary,)


# whole nights or nothing


def publish_until(url: str, moment: str) -> None:
    """Publish a second night, and die without a word right after the moment: a table's insert, or the end.

    SQLite has to write to its file long before the commit, because it may keep but one page in memory.
    """

    def die(*_event: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def die_after_insert(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {moment} "):
            die()

    def keep_nothing_in_memory(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA cache_size = 1")

    sa.event.listen(sa.Engine, "connect", keep_nothing_in_memory)
    if moment == "commit":
        sa.event.listen(sa.Engine, "commit", die)
    else:
        sa.event.listen(sa.Engine, "after_cursor_execute", die_after_insert)
    published(url, organization(day(1)))


@pytest.mark.parametrize("moment", [*TABLES, "commit"])
def test_a_batch_killed_at_any_moment_leaves_the_store_as_it_was(url: str, moment: str) -> None:
    published(url)
    before = rows(url), history(url, "lab"), last_night(url, "lab")
    child = processes.Process(target=publish_until, args=(url, moment))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert (rows(url), history(url, "lab"), last_night(url, "lab")) == before
    assert published(url, organization(day(1))).as_of == day(1)


def test_a_batch_killed_while_it_makes_the_store_leaves_nothing_in_the_way(url: str) -> None:
    child = processes.Process(target=publish_until, args=(url, "schema_version"))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with pytest.raises(StoreFailure, match="no nights of gpu_opt"):
        history(url, "lab")
    night = published(url)
    assert history(url, "lab") == (night,)


def publish_days(url: str, days: range) -> list[int]:
    return [published(url, organization(day(n))).id for n in days]


def test_batches_at_once_take_turns_also_in_making_the_store(url: str) -> None:
    with ProcessPoolExecutor(2, mp_context=processes) as batches:
        one, other = batches.map(publish_days, [url, url], [range(8), range(8)])
    nights = history(url, "lab", limit=100)
    assert sorted(night.id for night in nights) == sorted(one + other)
    assert rows(url) == {
        "organizations": 8,
        "nights": 16,
        "plans": 32,
        "grants": 32,
        "handovers": 16,
        "teams": 48,
    }
    assert sum(night.replaces is None for night in nights) == 8


def publish_in_little_space(url: str, size: int) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with pytest.raises(StoreFailure) as failure:
        published(url, organization(day(1)))
    return str(failure.value)


def test_a_full_disk_leaves_the_store_as_it_was(file: Path) -> None:
    before, content = rows(str(file)), file.read_bytes()
    with ProcessPoolExecutor(1, mp_context=processes) as batch:
        message = batch.submit(publish_in_little_space, str(file), len(content)).result()
    assert "free some space" in message
    assert rows(str(file)) == before
    assert file.read_bytes() == content


def test_a_full_database_says_so_and_is_as_it_was(file: Path) -> None:
    before = rows(str(file))

    def full(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes it as the present size

    sa.event.listen(sa.Engine, "connect", full)
    try:
        with pytest.raises(StoreFailure, match="the disk is full"):
            published(str(file), organization(day(1)))
    finally:
        sa.event.remove(sa.Engine, "connect", full)
    assert rows(str(file)) == before


# what can be wrong with a store


def test_a_store_in_use_for_too_long_is_a_failure(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_connection, "PATIENCE", 0.05)
    other = sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailure, match="another batch"):
        ensure_writable(str(file))
    other.close()
    ensure_writable(str(file))


def test_a_batch_waits_for_the_one_before_it_on_a_server_too(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store_connection.transaction(url, write=True):
        monkeypatch.setattr(store_connection, "PATIENCE", 0.05)
        with pytest.raises(StoreFailure, match="another batch"):
            published(url)
    published(url)


@pytest.mark.parametrize("use", [ensure_writable, published, lambda url: history(url, "lab")])
def test_a_file_that_is_no_database_is_a_failure_and_is_left_alone(tmp_path: Path, use: object) -> None:
    path = tmp_path / "gpu-opt.db"
    path.write_text("name: frontier-lab\n" * 1000)
    assert callable(use)
    with pytest.raises(StoreFailure, match="no database"):
        use(str(path))
    assert path.read_text() == "name: frontier-lab\n" * 1000


def test_a_damaged_database_is_a_failure(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StoreFailure, match="damaged"):
        last_night(str(file), "lab")
    with pytest.raises(StoreFailure, match="damaged"):
        ensure_writable(str(file))


@pytest.mark.parametrize("path", ["no such folder/gpu-opt.db", "file/gpu-opt.db", "."])
def test_a_store_where_no_file_can_be_is_a_failure(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailure, match="folder must exist"):
        ensure_writable(str(tmp_path / path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_a_failure(file: Path) -> None:
    file.parent.chmod(0o500)
    with pytest.raises(StoreFailure, match="writ"):
        ensure_writable(str(file))
    with pytest.raises(StoreFailure, match="folder must exist"):
        ensure_writable(str(file.with_name("other.db")))


def test_a_store_that_is_read_only_can_be_read_but_not_written(file: Path) -> None:
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    assert len(history(url, "lab")) == 1
    with pytest.raises(StoreFailure, match="must be writable"):
        ensure_writable(url)


def test_reading_where_no_store_is_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "gpu-opt.db"
    for read in (lambda: history(str(path), "lab"), lambda: export_night(str(path), 1)):
        with pytest.raises(StoreFailure, match="there is no store"):
            read()
    assert not path.exists()


def test_a_night_that_is_not_there_cannot_be_exported(file: Path) -> None:
    with pytest.raises(StoreFailure, match="holds no night 42"):
        export_night(str(file), 42)


def test_a_store_of_another_version_is_neither_read_nor_written(url: str) -> None:
    published(url)
    with store_connection.transaction(url, write=True) as connection:
        connection.execute(sa.text("UPDATE schema_version SET version = 99"))
    for use in (
        ensure_writable,
        published,
        lambda url: history(url, "lab"),
        lambda url: last_night(url, "lab"),
    ):
        with pytest.raises(StoreFailure, match="has schema 99"):
            use(url)


def test_plans_that_this_version_cannot_read_are_a_failure_that_names_the_one_that_wrote_them(
    url: str,
) -> None:
    published(url)
    with store_connection.transaction(url, write=True) as connection:
        connection.execute(sa.text('UPDATE plans SET content = \'{"of": "long ago"}\''))
    with pytest.raises(StoreFailure, match="stored by gpu_opt 0 "):
        last_night(url, "lab")


def test_the_tables_of_somebody_else_are_left_alone(url: str) -> None:
    with store_connection.transaction(url, write=True) as connection:
        connection.execute(sa.text("CREATE TABLE teams (coach TEXT)"))
    with pytest.raises(StoreFailure, match="already exists"):
        ensure_writable(url)
    with store_connection.transaction(url, write=False) as connection:
        assert sa.inspect(connection).get_table_names() == ["teams"]


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("://", "cannot be read"),
        ("postgresql://planner:secret@host:port/nights", "cannot be read"),
        ("excel://nights", "does not know"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        (":memory:", "in memory"),
        ("sqlite:///file:nights?mode=memory&uri=true", "in memory"),
        ("sqlite:///gpu-opt.db?timeout=soon", "unknown"),
        ("oracle+no_such_driver://planner:secret@host/nights", "does not know"),
        ("firebird+fdb://host/nights", "does not know"),
        ("mysql+pymysql://planner:secret@host/nights", "pymysql"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_failure_and_tells_no_password(
    address: str, complaint: str
) -> None:
    with pytest.raises(StoreFailure, match=complaint) as failure:
        ensure_writable(address)
    assert "secret" not in str(failure.value)


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreFailure, match=r"gpu-opt\[postgres\]") as failure:
        ensure_writable("postgres://planner:secret@host/nights")
    assert "secret" not in str(failure.value)


def test_a_server_that_is_not_there_is_a_failure_and_tells_no_password() -> None:
    pytest.importorskip("psycopg", reason="not installed: psycopg")
    with pytest.raises(StoreFailure, match="check the address") as failure:
        ensure_writable("postgresql://planner:secret@127.0.0.1:1/nights?connect_timeout=2")
    assert "secret" not in str(failure.value)


def test_a_number_that_json_cannot_say_is_refused_before_it_is_stored(url: str) -> None:
    published(url)
    tonight, later = plans(organization())
    tonight = tonight.model_copy(update={"bound": float("inf")})
    with pytest.raises(StoreFailure, match="not JSON"):
        publish(url, organization(), tonight, later, options=OPTIONS, started=STARTED)
    assert rows(url)["nights"] == 1
