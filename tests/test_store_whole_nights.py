"""A night is stored whole or not at all, whoever dies, whatever is full, and however many publish at once."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from gpu_opt.errors import StoreFailure
from gpu_opt.store import history, last_night
from tests.building import day
from tests.storing import TABLES, file, organization, postgres_server, published, rows, url

__all__ = ["file", "postgres_server", "url"]  # fixtures

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])


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
