"""``--html`` and ``--csv``: refused before the solve or written whole, beside what the command prints."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from gpu_opt.cli.commands import app
from gpu_opt.plan import Allocation
from gpu_opt.report import writing
from tests.cli.commanding import TWO_TEAMS, Command, growing_lab

GRID = """
name: caps
changes:
  - {change: set_cap, team: research, cap: "each 100, 120"}
"""
SCENARIO = """
name: more
changes:
  - {change: set_cap, team: research, cap: 100}
"""
COMMANDS = {
    "nightly": ["nightly", TWO_TEAMS],
    "allocate": ["allocate", TWO_TEAMS],
    "reallocate": ["reallocate", TWO_TEAMS],
    "find": ["find", "8", TWO_TEAMS, "--team", "research", "--by", "2026-12-30"],
    "what-if": ["what-if", TWO_TEAMS, "scenario.yaml"],
    "sweep": ["sweep", TWO_TEAMS, "grid.yaml"],
    "why": ["why", "pretrain", TWO_TEAMS],
    "prices": ["prices", TWO_TEAMS],
    "conflicts": ["conflicts", TWO_TEAMS],
}


@pytest.fixture(autouse=True)
def scenarios(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(GRID, encoding="utf-8")
    (tmp_path / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")


def plans(folder: Path) -> list[dict[str, str]]:
    with (folder / "plans.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_with_a_report_writes_page_and_tables_and_prints_as_ever(
    gpu_opt: Command, tmp_path: Path, command: str
) -> None:
    ended = gpu_opt(*COMMANDS[command], "--json", "--html", "page.html", "--csv", "tables")
    assert ended.code in {0, 3}, ended.err
    assert "error" not in ended.document
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert {row["organization"] for row in plans(tmp_path / "tables")} == {"two-teams"}
    assert {path.name for path in tmp_path.iterdir()} - {"gpu-opt.db"} == {
        "grid.yaml",
        "scenario.yaml",
        "page.html",
        "tables",
    }


def test_no_other_command_has_a_report(gpu_opt: Command) -> None:
    for one in app.registered_commands:
        name = str(one.name or getattr(one.callback, "__name__", ""))
        told = gpu_opt(name, "--help").out
        assert ("--html" in told, "--csv" in told) == ((name in COMMANDS),) * 2, name


def test_the_tables_say_what_the_json_says(gpu_opt: Command, tmp_path: Path) -> None:
    plan = Allocation.model_validate(gpu_opt("allocate", TWO_TEAMS, "--json", "--csv", "t").document)
    with (tmp_path / "t" / "projects.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [(row["project"], float(row["granted"]), row["reason"]) for row in rows] == [
        (one.project, one.granted, one.reason.text) for one in plan.projects
    ]
    assert plans(tmp_path / "t")[0]["until"] == plan.date.isoformat()


def test_an_answer_that_comes_late_is_written_too(gpu_opt: Command, file: Any, tmp_path: Path) -> None:
    path = file(growing_lab())
    ended = gpu_opt("find", 800, path, "--team", "safety", "--by", "2026-12-01", "--html", "late.html")
    assert ended.code == 3
    assert (tmp_path / "late.html").exists()


class Solved(Exception):
    """Somebody began to solve."""


@pytest.fixture
def unsolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it an internal error to read or solve anything."""

    def never(*_: object, **__: object) -> None:
        raise Solved

    monkeypatch.setattr("gpu_opt.files.read", never)


@pytest.mark.usefixtures("unsolved")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--html", "nowhere/a.html"], "there is no folder"),
        (["--html", "."], "is a folder; name a file"),
        (["--html", "lab.yaml"], "must end in .html"),
        (["--html", "a\0.html"], "embedded null"),
        (["--html", "x" * 300 + ".html"], "File name too long"),
        (["--html", "tables/a.html", "--csv", "tables"], "is in the folder of --csv"),
        (["--html", "a.html", "--csv", "a.html"], "is in the folder of --csv"),
        (["--csv", "nowhere/tables"], "there is no folder"),
        (["--csv", "grid.yaml"], "is a file; name a folder"),
        (["--csv", "."], "you are in it"),
        (["--csv", ".."], "you are in it"),
        (["--csv", "full"], "has other files than tables of gpu-opt: a.txt, b.txt, c.txt, ...;"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_solved(
    gpu_opt: Command, tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "full").mkdir()
    for name in "abcd":
        (tmp_path / "full" / f"{name}.txt").touch()
    before = sorted(tmp_path.rglob("*"))
    ended = gpu_opt("allocate", TWO_TEAMS, *options)
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("unsolved")
def test_all_that_is_wrong_is_told_at_once_and_in_json(gpu_opt: Command) -> None:
    ended = gpu_opt("allocate", TWO_TEAMS, "--html", "nowhere/a.html", "--csv", ".", "--json")
    assert ended.code == 2
    assert [problem["path"] for problem in ended.document["error"]["problems"]] == ["--html", "--csv"]


def without_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every look for the module `plotly` find nothing."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "plotly" else real(name))


@pytest.mark.usefixtures("unsolved")
def test_without_plotly_the_remedy_is_told_before_anything_is_solved(
    gpu_opt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_plotly(monkeypatch)
    ended = gpu_opt("nightly", TWO_TEAMS, "--html", "a.html")
    assert ended.code == 2
    assert "--html: needs plotly for its plots: pip install 'gpu-opt[plots]'" in ended.err
    assert not (tmp_path / "a.html").exists()
    assert not (tmp_path / "gpu-opt.db").exists()


def test_tables_need_no_plotly(gpu_opt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_plotly(monkeypatch)
    assert gpu_opt("allocate", TWO_TEAMS, "--csv", "t").code == 0
    assert (tmp_path / "t" / "grants.csv").exists()


def test_what_fails_at_the_end_is_told_and_the_plan_is_shown_all_the_same(
    gpu_opt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_page", full)
    ended = gpu_opt("allocate", TWO_TEAMS, "--json", "--html", "a.html", "--csv", "t")
    assert ended.code == 1
    assert "--html: 'a.html' could not be written: No space left on device" in ended.err
    assert json.loads(ended.out)["organization"] == "two-teams"
    assert (tmp_path / "t" / "grants.csv").exists(), "the other half is written"


def test_a_file_that_appears_in_the_folder_during_the_solve_is_kept(
    gpu_opt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t").mkdir()
    real = writing.write_tables

    def meanwhile(*arguments: Any) -> None:
        (tmp_path / "t" / "mine.txt").touch()
        real(*arguments)

    monkeypatch.setattr(writing, "write_tables", meanwhile)
    ended = gpu_opt("allocate", TWO_TEAMS, "--csv", "t")
    assert ended.code == 1
    assert "has files of others: mine.txt" in ended.err
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["mine.txt"]
