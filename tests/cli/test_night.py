"""`gpu-opt nightly`: what is published, and what is said where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from gpu_opt import store
from gpu_opt.errors import StoreFailure
from gpu_opt.organization import Organization
from gpu_opt.plan import NightReport
from tests.building import TODAY, day
from tests.cli.commanding import ORGANIZATIONS, TWO_TEAMS, Command, growing_lab


def test_a_night_is_published_and_shown(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    ended = gpu_opt("nightly", file(growing_lab()))
    assert ended.code == 0
    assert ended.out.startswith("published as night 1\n")
    assert "lab: allocation for" in ended.out
    assert "lab: reallocation from" in ended.out
    assert store.last_night("sqlite:///gpu-opt.db", "lab", TODAY) is not None


@pytest.mark.parametrize("name", ["oversubscribed", "pinned_conflict"])
def test_a_night_of_a_lab_in_trouble_is_published(gpu_opt: Command, name: str) -> None:
    ended = gpu_opt("nightly", ORGANIZATIONS / f"{name}.yaml")
    assert ended.code == 0
    assert ended.out.startswith("published as night 1\n")


def test_the_next_night_says_what_changed(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    gpu_opt("nightly", file(growing_lab()), "--store", "nights.db")
    later = growing_lab().model_copy(update={"as_of": day(4)})
    ended = gpu_opt("nightly", file(later), "--store", "nights.db", "--json")
    report = NightReport.model_validate_json(ended.out)
    assert (report.night, report.previous) == (2, 1)
    assert report.comparison is not None
    assert {change.project for change in report.comparison.projects} == {"orion", "lyra"}


BAD_STORES = [
    ("no/such/folder/nights.db", "its folder must exist"),
    ("excel://nights", "use sqlite:// or postgresql://"),
    ("mysql://planner:secret@db.example/nights", "install it, or use sqlite:// or postgresql://"),
    ("postgresql://planner:secret@127.0.0.1:1/nights", "check the address"),
    ("sqlite:///nights.db?patience=9", "an option that is unknown"),
    ("lab.yaml", "use another file"),
    ("sqlite:///file:read-only.db?mode=ro&uri=true", "must be writable"),
]
"""Addresses that cannot be meant, and what would help."""


@pytest.mark.parametrize(("url", "remedy"), BAD_STORES, ids=[url for url, _ in BAD_STORES])
def test_a_store_that_cannot_be_used_is_bad_input_told_before_the_solve(
    gpu_opt: Command, file: Callable[[Organization], Path], url: str, remedy: str
) -> None:
    path = file(growing_lab())
    store.ensure_writable("read-only.db")
    ended = gpu_opt("nightly", path, "--store", url)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("gpu-opt: --store: the ")
    assert ended.err.count("\n") == 1
    assert remedy in ended.err
    assert "secret" not in ended.err


def test_a_store_that_cannot_be_used_is_json_where_json_is_asked_for(gpu_opt: Command) -> None:
    ended = gpu_opt("nightly", TWO_TEAMS, "--store", "no/such/folder/nights.db", "--json", "--quiet")
    error = ended.document["error"]
    assert ended.code == error["exit_code"] == 2
    assert error["kind"] == "store_failure"
    assert error["message"].startswith("--store: the store sqlite:///no/such/folder/nights.db")


def test_a_night_that_cannot_be_published_is_shown_all_the_same(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_positional: object, **_named: object) -> NoReturn:
        raise StoreFailure("the disk is full; make room")

    monkeypatch.setattr(store, "publish", full)
    ended = gpu_opt("nightly", TWO_TEAMS)
    assert ended.code == 1
    assert ended.out.startswith("NOT PUBLISHED")
    assert "two-teams: allocation" in ended.out
    assert "the disk is full; make room" in ended.err
    as_json = gpu_opt("nightly", TWO_TEAMS, "--json")
    assert as_json.code == 1
    assert NightReport.model_validate_json(as_json.out).night is None
    assert "the disk is full; make room" in as_json.err
