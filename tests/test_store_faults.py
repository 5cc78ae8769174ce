"""Whatever is wrong with a store is said, with what to do about it, and without a password."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from gpu_opt.errors import StoreFailure
from gpu_opt.store import connection as store_connection
from gpu_opt.store import ensure_writable, export_night, history, last_night, publish
from tests.storing import OPTIONS, STARTED, file, organization, plans, postgres_server, published, rows, url

__all__ = ["file", "postgres_server", "url"]  # fixtures


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
