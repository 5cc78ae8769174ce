"""Sheets and CSV files: what they say is what the result says, to the last digit, and never of two runs."""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from pathlib import Path

import pytest

from gpu_opt.plan import Allocation, Finding, NightReport, Reallocation, Sweep, WhatIf
from gpu_opt.report import writing
from gpu_opt.report.sheet import Column, Kind, Sheet, plain, stacked
from gpu_opt.report.sheets import sheets_of
from gpu_opt.report.writing import foreign_files, write_page, write_tables
from tests.building import changed
from tests.reporting import CHINESE, LONG, NAMES, SCRIPT, results

KINDS = list(results())


def sheet_of(kind: str, name: str) -> Sheet:
    return next(sheet for sheet in sheets_of(results()[kind]) if sheet.name == name)


def records(kind: str, name: str) -> list[dict[str, object]]:
    return [dict(each) for each in sheet_of(kind, name).records()]


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_has_every_column_once(kind: str) -> None:
    sheets = sheets_of(results()[kind])
    assert len({sheet.name for sheet in sheets}) == len(sheets)
    for sheet in sheets:
        names = [column.name for column in sheet.columns]
        assert len(set(names)) == len(names), sheet.name
        assert {len(row) for row in sheet.rows} <= {len(names)}, sheet.name


def test_the_first_sheet_says_what_is_known_about_every_plan() -> None:
    found = results()["what-if"]
    assert isinstance(found, WhatIf)
    rows = records("what-if", "plans")
    assert [row["plan"] for row in rows] == ["base", SCRIPT, "none"]
    assert [row["objective"] for row in rows] == [
        found.base.objective,
        *(one.plan.objective for one in found.scenarios),
    ]


def test_projects_have_what_they_asked_for_were_granted_and_lack() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    by_name = {row["project"]: row for row in records("allocate", "projects")}
    assert set(by_name) == {one.project for one in plan.projects}
    long = by_name[LONG]
    assert (long["demand"], long["granted"], long["lacking"]) == (48.0, 20.0, 28.0)
    assert (long["cause"], long["basis"], long["owner"]) == ("team_cap", "policy", "ceo")
    assert by_name["later"]["lacking"] == 0, "it has not started, so it lacks nothing yet"
    assert by_name["later"]["active"] == "no"


def test_causes_add_up_to_what_all_projects_lack() -> None:
    lacking = [row["lacking"] for row in records("allocate", "projects")]
    causes = records("allocate", "causes")
    assert [(row["cause"], row["lacking"], row["projects"]) for row in causes] == [("team_cap", 62.0, 3)]
    assert sum(float(str(each)) for each in lacking) == 62


def test_grants_pools_and_moves_are_those_of_the_plan() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    assert [(row["project"], row["pool"], row["gpus"]) for row in records("allocate", "grants")] == [
        (one.project, one.pool, one.gpus) for one in plan.grants
    ]
    assert [(row["pool"], row["gpus"], row["idle"]) for row in records("allocate", "pools")] == [
        (one.pool, one.gpus, one.idle) for one in plan.pools
    ]
    moved = [(row["project"], row["pool"], row["gpus"]) for row in records("allocate", "moves")]
    assert moved == [(one.project, one.pool, one.gpus) for one in plan.moves]
    assert moved


def test_teams_come_after_their_parents_with_guarantee_cap_and_shortfall() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    of_team = {one.team: one for one in plan.teams}
    rows = records("allocate", "teams")
    seen: set[object] = {None}
    for row in rows:
        one = of_team[str(row["team"])]
        assert row["parent"] in seen
        seen.add(row["team"])
        told = [row[name] for name in ("guarantee", "cap", "granted", "shortfall")]
        assert told == [one.guarantee, one.cap, one.granted, one.shortfall]
    assert len(rows) == len(of_team)


def test_weeks_and_what_teams_get_in_them_add_up_to_the_handovers() -> None:
    plan = results()["reallocate"]
    assert isinstance(plan, Reallocation)
    total = sum(one.gpus for one in plan.handovers)
    assert total > 0
    weeks = records("reallocate", "weeks")
    assert sum(int(str(row["gpus"])) for row in weeks) == total
    assert sum(int(str(row["gpus"])) for row in records("reallocate", "team_weeks")) == total
    assert {row["week"] for row in weeks} == {dt.date(2026, 11, 23), dt.date(2026, 11, 30)}
    for row in weeks:
        assert row["gpus"] == sum(int(str(row[donor])) for donor in ("release", "delivery", "idle"))


def test_requests_are_met_late_or_missing_in_all_their_gpus() -> None:
    plan = results()["reallocate"]
    assert isinstance(plan, Reallocation)
    late = changed(plan.requests[0], gpus=32, handed=24, in_time=8)
    sheets = sheets_of(changed(plan, requests=(late,)))
    (row,) = next(sheet for sheet in sheets if sheet.name == "requests").records()
    assert [row[name] for name in ("asked", "in_time", "late", "missing", "handed")] == [32, 8, 16, 8, 24]


def test_a_night_has_both_plans_its_number_and_what_changed() -> None:
    night = results()["nightly"]
    assert isinstance(night, NightReport)
    assert [row["plan"] for row in records("nightly", "plans")] == ["allocation", "reallocation"]
    assert records("nightly", "night")[0]["night"] == 2
    assert night.comparison is not None
    assert {row["project"] for row in records("nightly", "project_changes")} == {
        one.project for one in night.comparison.projects
    }


def test_a_night_that_was_interrupted_early_has_one_plan() -> None:
    night = results()["nightly"]
    names = [sheet.name for sheet in sheets_of(changed(night, reallocation=None, comparison=None))]
    assert "grants" in names
    assert not {"handovers", "requests", "figures"} & set(names)


def test_what_would_come_if_caps_were_raised_is_a_table_of_its_own() -> None:
    found = results()["find"]
    assert isinstance(found, Finding)
    raised = changed(found, if_raised=found.reallocation)
    names = [sheet.name for sheet in sheets_of(raised)]
    assert {"handovers", "handovers_if_raised"} <= set(names)
    assert "handovers_if_raised" not in [sheet.name for sheet in sheets_of(found)]


def test_scenarios_stand_in_the_same_tables_under_their_names() -> None:
    found = results()["what-if"]
    assert isinstance(found, WhatIf)
    rows = records("what-if", "figures")
    assert {row["scenario"] for row in rows} == {SCRIPT, "none"}
    granted = {row["scenario"]: row["after"] for row in rows if row["figure"] == "granted"}
    assert granted[SCRIPT] == sum(one.granted for one in found.scenarios[0].plan.teams if one.level == 0)
    assert {row["scenario"] for row in records("what-if", "project_changes")} == {SCRIPT}


def test_points_of_a_sweep_have_a_column_for_each_axis() -> None:
    found = results()["sweep"]
    assert isinstance(found, Sweep)
    (axis,) = found.points[0].values
    rows = records("sweep", "points")
    assert [row[axis] for row in rows] == ["24", "48", "72", "96"]
    assert [row["point"] for row in rows] == [1, 2, 3, 4]
    assert records("sweep", "breakpoints")[0]["text"] == found.breakpoints[0].text


def test_a_csv_file_keeps_every_digit_name_and_date(tmp_path: Path) -> None:
    columns = tuple(Column(name, name) for name in ("name", "third", "gpus", "on", "nothing", "endless"))
    rows = tuple(
        (name, 1 / 3, 5, dt.date(2026, 12, 7), None, math.inf) for name in (*NAMES, 'a\n"b",c', "=1+1")
    )
    write_tables([sheet_of("allocate", "plans"), Sheet("all", "All", columns, rows)], tmp_path / "new")
    read_back = read(tmp_path / "new", "all")
    assert [row["name"] for row in read_back] == [*NAMES, 'a\n"b",c', "=1+1"]
    assert {float(row["third"]) for row in read_back} == {1 / 3}
    assert {(row["gpus"], row["on"], row["nothing"], row["endless"]) for row in read_back} == {
        ("5", "2026-12-07", "", "")
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_sheet_is_a_file_with_its_columns_also_where_it_has_no_row(kind: str, tmp_path: Path) -> None:
    write_tables(sheets_of(results()[kind]), tmp_path / "new")
    files = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "new").iterdir()}
    for sheet in sheets_of(results()[kind]):
        rows = list(csv.reader(files.pop(sheet.name).splitlines(keepends=True)))
        assert rows[0] == [column.name for column in sheet.columns]
        assert rows[1:] == [[plain(value) for value in row] for row in sheet.rows]
    assert files == {}


def test_tables_of_another_run_leave_nothing_of_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    write_tables(sheets_of(results()["allocate"]), folder)
    write_tables(sheets_of(results()["sweep"]), folder)
    assert {path.stem for path in folder.iterdir()} == {sheet.name for sheet in sheets_of(results()["sweep"])}
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_a_run_that_fails_half_way_leaves_the_tables_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tables"
    write_tables(sheets_of(results()["allocate"]), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real, written = writing._write_table, list[str]()

    def full(sheet: Sheet, path: Path) -> None:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(sheet.name)
        real(sheet, path)

    monkeypatch.setattr(writing, "_write_table", full)
    with pytest.raises(OSError, match="No space left"):
        write_tables(sheets_of(results()["sweep"]), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tables"
    write_tables(sheets_of(results()["allocate"]), folder)
    real = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if target == folder and "grants.csv" not in {path.name for path in self.iterdir()}:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OSError, match="Input/output"):
        write_tables(sheets_of(results()["sweep"]), folder)
    assert (folder / "grants.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_files_of_others_are_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    write_tables(sheets_of(results()["allocate"]), folder)
    assert foreign_files(folder) == []
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert foreign_files(folder) == ["notes.txt"]
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        write_tables(sheets_of(results()["allocate"]), folder)
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_a_folder_of_somebody_elses_csv_files_is_not_taken_for_one_of_ours(tmp_path: Path) -> None:
    assert foreign_files(tmp_path / "nowhere") == []
    (tmp_path / "teams.csv").write_text("team\nmine\n", encoding="utf-8")
    assert foreign_files(tmp_path) == ["teams.csv"]
    (tmp_path / "plans.csv").write_text("plan,price\nmine,1\n", encoding="utf-8")
    assert foreign_files(tmp_path) == ["plans.csv", "teams.csv"]


def test_a_page_takes_the_place_of_the_old_one_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(page)
    write_page("<p>研究</p>", page)
    write_page("<p>second</p>", link)
    assert page.read_text(encoding="utf-8") == "<p>second</p>"
    assert link.is_symlink()

    def refused(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(OSError, match="No space left"):
        write_page("<p>third</p>", page)
    assert page.read_text(encoding="utf-8") == "<p>second</p>"
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", "link.html"}


def test_every_table_is_in_the_docs_with_its_columns() -> None:
    page = (Path(__file__).parent.parent / "docs" / "report.md").read_text(encoding="utf-8")
    told: dict[str, list[str]] = {}
    for line in re.findall(r"^\| `.*\|$", page, re.MULTILINE):
        names, _, columns = (cell.strip() for cell in line.strip("|").split(" | "))
        told |= dict.fromkeys(re.findall(r"`(\w+)`", names), re.findall(r"`(\w+)`", columns))
    in_front = {"scenario", "point", "research: cap", f"{CHINESE}: cap"}
    known = {}
    for kind in KINDS:
        for sheet in sheets_of(results()[kind]):
            columns = [column.name for column in sheet.columns]
            own = [name for name in columns if name not in in_front or name in told[sheet.name]]
            known[sheet.name] = own
    assert told == known


def test_sheets_of_the_same_name_become_one() -> None:
    columns = (Column("n", "n", Kind.COUNT),)
    one, other = Sheet("a", "A", columns, ((1,),)), Sheet("b", "B", columns, ((2,),))
    more = Sheet("a", "A", columns, ((3,),))
    assert [(sheet.name, sheet.rows) for sheet in stacked([one, other, more])] == [
        ("a", ((1,), (3,))),
        ("b", ((2,),)),
    ]
