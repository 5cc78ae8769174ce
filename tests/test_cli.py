"""The command line: streams, exit codes, JSON, interrupts, and bad input without a traceback."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

import pytest
from rich.cells import cell_len

from gpu_opt import allocation, cli, store
from gpu_opt.cli import main, run
from gpu_opt.cli.commands import Document, app
from gpu_opt.cli.failures import Code
from gpu_opt.cli.interrupts import interruptible
from gpu_opt.errors import (
    GpuOptError,
    NoPlan,
    NoPlanInTime,
    SolverFailure,
    StoreFailure,
    VerificationFailure,
)
from gpu_opt.files import dump
from gpu_opt.options import Cancel, Options
from gpu_opt.organization import Organization
from gpu_opt.plan import (
    Allocation,
    Conflicts,
    Explanation,
    Finding,
    NightReport,
    Prices,
    Reallocation,
    Resource,
    Sweep,
    WhatIf,
)
from tests.building import TODAY, day, lab, pool, project, root, team

ORGANIZATIONS = Path(__file__).parent.parent / "models" / "organizations"
TWO_TEAMS = str(ORGANIZATIONS / "two_teams.yaml")
FRONTIER_LAB = str(ORGANIZATIONS / "frontier_lab.yaml")
COMMANDS = [str(one.name or getattr(one.callback, "__name__", "")) for one in app.registered_commands]
EVERY_COMMAND_TAKES = ("--json", "--time-limit", "--gap", "--threads", "--seed", "--quiet")


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ended]


@pytest.fixture
def gpu_opt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def command(*arguments: object) -> Ended:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return command


def process(
    *arguments: object,
    stdout: int | IO[str] = subprocess.PIPE,
    stderr: int | IO[str] = subprocess.PIPE,
    **environment: str,
) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    words = [sys.executable, "-c", "from gpu_opt.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        words, stdout=stdout, stderr=stderr, encoding="utf-8", env=os.environ | environment
    )


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Organization], Path]:
    """Write an organization to a file."""

    def write(organization: Organization) -> Path:
        path = tmp_path / "lab.yaml"
        dump(organization, path)
        return path

    return write


def growing_lab() -> Organization:
    """Orion ends in three days and frees 8 GPUs; research may have no more than 16, safety has no cap."""
    return lab(
        pools=[pool("iowa", 32)],
        teams=[root(owner="ceo"), team("research", cap=16.0), team("safety")],
        projects=[
            project("orion", 8, "research", holds={"iowa": 8}, ends=day(3)),
            project("vega", 8, "research", holds={"iowa": 8}),
            project("probes", 16, "safety", holds={"iowa": 16}),
            project("lyra", 8, "research", starts=day(4)),
        ],
    )


# ------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_same_options(gpu_opt: Command, command: str) -> None:
    ended = gpu_opt(command, "--help")
    assert ended.code == 0
    assert [option for option in EVERY_COMMAND_TAKES if option not in ended.out] == []


def test_help_lists_the_commands_and_the_exit_codes(gpu_opt: Command) -> None:
    ended = gpu_opt("--help")
    assert COMMANDS == [
        "nightly",
        "check",
        "allocate",
        "reallocate",
        "find",
        "why",
        "prices",
        "conflicts",
        "what-if",
        "sweep",
        "schema",
    ]
    assert all(f"\n  {command} " in ended.out for command in COMMANDS)
    assert all(f"\n    {code.value} " in ended.out for code in Code)


def test_without_a_command_there_is_help_on_stderr(gpu_opt: Command) -> None:
    ended = gpu_opt()
    assert (ended.code, ended.out) == (2, "")
    assert "nightly" in ended.err


def test_output_may_be_redirected_to_memory() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        assert run(["--version"]) == 0
    assert text.getvalue() == "gpu-opt 0.1.0\n"


def test_the_version_is_that_of_the_package(gpu_opt: Command) -> None:
    assert gpu_opt("--version") == (0, "gpu-opt 0.1.0\n", "")


def test_help_imports_nothing_heavy() -> None:
    heavy = ["pulp", "networkx", "numpy", "sqlalchemy", "pydantic", "rich", "yaml"]
    code = (
        "import sys; from gpu_opt.cli import run; run(['--help'])\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"


# -------------------------------------------------------------------------------------- bad input

BAD_USAGE: list[tuple[Sequence[str], str]] = [
    (["frobnicate"], "No such command 'frobnicate'"),
    (["allocat", TWO_TEAMS], "Did you mean 'allocate'"),
    (["allocate"], "Missing argument 'FILE'"),
    (["allocate", TWO_TEAMS, "--frobnicate"], "No such option: --frobnicate"),
    (["allocate", TWO_TEAMS, "--gap", "-1"], "--gap: '-1' is not a share"),
    (["allocate", TWO_TEAMS, "--gap", "100%"], "--gap: '100%' is not a share"),
    (["allocate", TWO_TEAMS, "--gap", "small"], "--gap: 'small' is not a share"),
    (["allocate", TWO_TEAMS, "--time-limit", "0"], "--time-limit: 0 is not a positive number"),
    (["allocate", TWO_TEAMS, "--time-limit", "nan"], "--time-limit: nan is not a positive number"),
    (["allocate", TWO_TEAMS, "--threads", "0"], "--threads"),
    (["allocate", TWO_TEAMS, "--seed", "-1"], "--seed"),
    (["allocate", TWO_TEAMS, "--date", "tomorrow"], "--date: 'tomorrow' is not a date"),
    (["reallocate", TWO_TEAMS, "--horizon", "soon"], "--horizon: 'soon' is neither a time"),
    (["reallocate", TWO_TEAMS, "--horizon", "99999d"], "--horizon: '99999d' is more than ten years"),
    (["reallocate", TWO_TEAMS, "--horizon", "2026-13-01"], "--horizon: '2026-13-01' is not a date"),
    (["reallocate", TWO_TEAMS, "--horizon", "2026-11-22"], "--horizon: 2026-11-22 is before"),
    (["find", "0", TWO_TEAMS, "--team", "lab", "--by", "2026-12-01"], "N"),
    (["find", "8", TWO_TEAMS, "--team", "lab", "--by", "Christmas"], "--by: 'Christmas' is not a date"),
    (["find", "8", TWO_TEAMS, "--team", "lab", "--by", "2026-12-01", "--type", ","], "--type: has no name"),
    (["find", "8", TWO_TEAMS, "--by", "2026-12-01"], "Missing option '--team'"),
    (["find", "8", TWO_TEAMS, "--by", "2026-12-01", "--team", "a\udcff"], "--team: 'a\\udcff' is not UTF-8"),
    (["find", "8", TWO_TEAMS, "--by", "2026-12-01", "--team", " "], "--team: has no name in it"),
    (
        ["find", "8", TWO_TEAMS, "--by", "2026-12-01", "--team", "lab", "--site", "\udc80"],
        "--site: '\\udc80'",
    ),
    (["schema", "everything"], "everything"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD_USAGE)
def test_bad_usage_is_said_on_stderr(gpu_opt: Command, arguments: Sequence[str], words: str) -> None:
    ended = gpu_opt(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_bad_usage_is_json_where_json_is_asked_for(gpu_opt: Command) -> None:
    ended = gpu_opt("allocate", TWO_TEAMS, "--json", "--gap", "small")
    assert ended.code == 2
    assert ended.document["error"]["kind"] == "usage"
    assert "--gap" in ended.document["error"]["message"]


@pytest.mark.parametrize("command", ["nightly", "check", "allocate", "reallocate"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no file"),
        (b"", "empty"),
        (b"\x00\x01\xfe\xff", "UTF-8"),
        (b"name: lab\nas_of: 2026-11-23\npools: [{name: iow", "line"),
    ],
    ids=["missing", "empty", "binary", "cut in half"],
)
def test_a_file_that_cannot_be_read_is_bad_input(
    gpu_opt: Command, tmp_path: Path, command: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / "lab.yaml"
    if content is not None:
        path.write_bytes(content)
    ended = gpu_opt(command, path)
    said = ended.out + ended.err
    assert ended.code == 2
    assert str(path) in said
    assert words in said or ":3: error" in said
    assert "Traceback" not in said


def test_all_problems_come_together_with_their_lines(gpu_opt: Command) -> None:
    path = ORGANIZATIONS / "broken_budget.yaml"
    ended = gpu_opt("allocate", path)
    assert (ended.code, ended.out) == (2, "")
    assert f"{path}:52: error: teams[2].parent: no team 'reserach'; did you mean 'research'?" in ended.err
    assert ended.err.splitlines()[-1] == "21 errors, 2 warnings"


def test_problems_are_json_where_json_is_asked_for(gpu_opt: Command) -> None:
    error = gpu_opt("nightly", ORGANIZATIONS / "broken_budget.yaml", "--json").document["error"]
    assert (error["kind"], error["exit_code"]) == ("invalid_input", 2)
    assert len(error["problems"]) == 23
    assert error["problems"][0]["path"] == "pools[1].gpu_type"
    assert error["problems"][0]["line"] == 40
    assert [one["severity"] for one in error["problems"]] == ["error"] * 21 + ["warning"] * 2


def test_check_says_errors_before_warnings_and_counts_them(gpu_opt: Command) -> None:
    ended = gpu_opt("check", ORGANIZATIONS / "broken_budget.yaml")
    said = [line.split(": ")[1] for line in ended.out.splitlines()[:-1]]
    assert (ended.code, ended.err) == (2, "")
    assert said == ["error"] * 21 + ["warning"] * 2
    assert ended.out.splitlines()[-1] == "21 errors, 2 warnings"


def test_warnings_do_not_make_a_file_bad(gpu_opt: Command) -> None:
    ended = gpu_opt("check", ORGANIZATIONS / "oversubscribed.yaml")
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "0 errors, 1 warning"


def test_check_is_json_where_json_is_asked_for(gpu_opt: Command) -> None:
    document = gpu_opt("check", ORGANIZATIONS / "oversubscribed.yaml", "--json").document
    assert (document["valid"], document["errors"], document["warnings"]) == (True, 0, 1)
    assert document["problems"][0]["path"] == "teams[4].guarantee"


def test_a_solving_command_shows_ten_warnings_and_counts_the_rest(
    gpu_opt: Command, file: Callable[[Organization], Path]
) -> None:
    path = file(lab(projects=[project(f"idle-{n}", 0) for n in range(13)]))
    ended = gpu_opt("allocate", path, "--quiet")
    assert ended.code == 0
    assert ended.err.count(": warning: ") == 10
    assert ended.err.splitlines()[-1] == f"... and 3 more: gpu-opt check {path}"


# ------------------------------------------------------------------------------------- allocation


def test_allocate_prints_the_plan(gpu_opt: Command) -> None:
    ended = gpu_opt("allocate", TWO_TEAMS)
    assert ended.code == 0
    assert ended.out.startswith("two-teams: allocation for 2026-11-23\noptimal: proved, no plan is better\n")
    assert "objective 283.8" in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_progress_goes_to_stderr_unless_it_is_to_be_quiet(gpu_opt: Command) -> None:
    assert "verifying" in gpu_opt("allocate", TWO_TEAMS).err
    assert gpu_opt("allocate", TWO_TEAMS, "--quiet").err == ""


def test_json_is_the_library_s_result(gpu_opt: Command) -> None:
    ended = gpu_opt("allocate", TWO_TEAMS, "--json", "--quiet")
    plan = Allocation.model_validate_json(ended.out)
    assert plan.objective == pytest.approx(283.8)
    assert {(grant.project, grant.gpus) for grant in plan.grants} == {
        ("pretrain", 24),
        ("evals", 32),
        ("assistant", 32),
        ("tutor", 8),
    }


def test_options_reach_the_solve(gpu_opt: Command) -> None:
    words = ["--time-limit", "5", "--gap", "0.5%", "--threads", "1", "--seed", "7"]
    solve = gpu_opt("allocate", TWO_TEAMS, "--json", *words).document["run"]
    assert (solve["time_limit"], solve["gap"], solve["threads"], solve["seed"]) == (5.0, 0.005, 1, 7)


def test_the_day_can_be_chosen(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    plan = gpu_opt("allocate", file(growing_lab()), "--json", "--date", day(4)).document
    active = {one["project"]: one["active"] for one in plan["projects"]}
    assert plan["date"] == str(day(4))
    assert active == {"orion": False, "vega": True, "probes": True, "lyra": True}


@pytest.mark.parametrize("columns", ["0", "1", "80", "300"])
def test_tables_fit_the_terminal(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch, file: Callable[[Organization], Path], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    path = file(lab(projects=[project("多模态大模型预训练第四阶段实验项目", 8, sites=("iowa",))]))
    widest = max(map(cell_len, gpu_opt("allocate", path).out.splitlines()))
    assert 20 < widest <= {"0": 120, "1": 40}.get(columns, int(columns))


# ----------------------------------------------------------------------------------- reallocation


@pytest.mark.parametrize("horizon", ["28d", "4w", day(28)])
def test_a_horizon_is_days_weeks_or_a_date(
    gpu_opt: Command, file: Callable[[Organization], Path], horizon: object
) -> None:
    ended = gpu_opt("reallocate", file(growing_lab()), "--json", "--horizon", horizon)
    plan = Reallocation.model_validate_json(ended.out)
    assert ended.code == 0
    assert plan.until == day(28)


def test_a_horizon_ends_with_the_calendar(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    path = file(growing_lab().model_copy(update={"as_of": dt.date(9999, 12, 1)}))
    ended = gpu_opt("reallocate", path, "--horizon", "12w")
    assert ended.code == 2
    assert "--horizon: no calendar goes that far from 9999-12-01" in ended.err


def test_reallocate_says_who_hands_what_to_whom(
    gpu_opt: Command, file: Callable[[Organization], Path]
) -> None:
    ended = gpu_opt("reallocate", file(growing_lab()))
    assert ended.code == 0
    assert "orion (research), free since 2026-11-26" in ended.out
    assert "1 of 1 request met in time" in ended.out


# ------------------------------------------------------------------------------------------- find


def test_find_names_the_donors(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    ended = gpu_opt("find", 8, "--type", "h100", "--by", day(10), "--team", "safety", file(growing_lab()))
    assert ended.code == 0
    assert "orion (research)" in ended.out
    assert "8 of 8" in ended.out


def test_find_says_by_exit_code_that_it_is_not_complete(
    gpu_opt: Command, file: Callable[[Organization], Path]
) -> None:
    ended = gpu_opt("find", 8, "--by", day(1), "--team", "safety", file(growing_lab()), "--json")
    found = Finding.model_validate_json(ended.out)
    assert ended.code == 3
    assert not found.in_time
    assert found.sentence


def test_find_says_which_cap_is_in_the_way(gpu_opt: Command, tmp_path: Path) -> None:
    organization = lab(
        pools=[pool("iowa", 32)],
        teams=[root(owner="ceo"), team("research", cap=16.0)],
        projects=[project("vega", 16, "research", holds={"iowa": 16})],
    )
    dump(organization, tmp_path / "lab.yaml")
    ended = gpu_opt("find", 8, "--by", day(10), "--team", "research", tmp_path / "lab.yaml")
    caps = ended.out[ended.out.index("Caps in the way") : ended.out.index("If those caps were raised")]
    assert ended.code == 3
    assert ["research", "reference", "GPUs", "16", "24", str(TODAY), "ceo"] in map(
        str.split, caps.splitlines()
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--team", "reserach"], "--team: "),
        (["--team", "research", "--type", "h10"], "--type: "),
        (["--team", "research", "--site", "ohio"], "--site: "),
        (["--team", "research", "--by", day(-1)], "--by: "),
        (["--team", "research", "--priority", 0], "--priority: "),
    ],
)
def test_find_calls_what_does_not_fit_by_its_option(
    gpu_opt: Command, file: Callable[[Organization], Path], arguments: list[object], words: str
) -> None:
    ended = gpu_opt("find", 8, file(growing_lab()), "--quiet", "--by", day(10), *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {words}")


# ---------------------------------------------------------------------------------------- nightly


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


# --------------------------------------------------------------------------------------- failures


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def allocate(*_positional: object, **_named: object) -> NoReturn:
        raise error

    monkeypatch.setattr(allocation, "allocate", allocate)


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (NoPlan("pins and capacity exclude one another"), 3, "no_plan"),
        (NoPlanInTime("none within 20 s"), 5, "no_plan_in_time"),
        (SolverFailure("CBC died"), 1, "solver_failure"),
        (VerificationFailure("a cap is broken"), 1, "verification_failure"),
    ],
)
def test_each_failure_has_its_exit_code_and_kind(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch, error: GpuOptError, code: int, kind: str
) -> None:
    failing(monkeypatch, error)
    ended = gpu_opt("allocate", TWO_TEAMS, "--json")
    assert ended.code == code
    assert ended.document == {
        "error": {"kind": kind, "exit_code": code, "message": str(error), "problems": []}
    }
    assert str(error) in ended.err


def test_a_defect_is_reported_without_a_traceback(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyError("orion"))
    ended = gpu_opt("allocate", TWO_TEAMS, "--quiet")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "gpu-opt: internal error: KeyError('orion')\n"
        "Run it again with GPU_OPT_TRACEBACK=1 to see where it happened.\n"
    )


def test_the_traceback_of_a_defect_is_there_for_those_who_want_it(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, KeyError("orion"))
    monkeypatch.setenv("GPU_OPT_TRACEBACK", "1")
    err = gpu_opt("allocate", TWO_TEAMS, "--quiet").err
    assert "Traceback (most recent call last)" in err
    assert "Run it again" not in err


# ----------------------------------------------------------------------------------------- schema


@pytest.mark.parametrize("document", Document)
def test_every_document_has_a_json_schema(gpu_opt: Command, document: Document) -> None:
    schema = gpu_opt("schema", document).document
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"


def test_the_input_has_a_schema_for_editors(gpu_opt: Command) -> None:
    schema = gpu_opt("schema").document
    assert set(schema["properties"]) == set(Organization.model_fields)
    assert schema["required"] == ["name", "as_of"]


def test_the_schema_says_what_a_percentage_looks_like(gpu_opt: Command) -> None:
    schema = gpu_opt("schema").document["$defs"]
    fields = [schema["Team"]["properties"][name] for name in ("guarantee", "cap")]
    for field in (*fields, schema["Limit"]["properties"]["cap"]):
        (text,) = [each for each in field["anyOf"] if each["type"] == "string"]
        for written, is_one in (
            ("55%", True),
            (" 33.3 %", True),
            ("55", False),
            ("half%", False),
            ("%", False),
        ):
            assert bool(re.search(text["pattern"], written)) == is_one


@pytest.mark.parametrize(
    ("document", "arguments"),
    [
        (Document.ALLOCATION, ["allocate"]),
        (Document.REALLOCATION, ["reallocate"]),
        (Document.NIGHT, ["nightly"]),
        (Document.FINDING, ["find", 8, "--by", "2026-12-15", "--team", "research"]),
        (Document.CHECK, ["check"]),
        (Document.ERROR, ["allocate", "--gap", "small"]),
    ],
)
def test_the_schema_is_that_of_what_is_printed(
    gpu_opt: Command, document: Document, arguments: list[object]
) -> None:
    printed = gpu_opt(*arguments, TWO_TEAMS, "--json").document
    schema = gpu_opt("schema", document).document
    assert set(printed) == set(schema["properties"])
    assert set(schema["required"]) <= set(printed)


# -------------------------------------------------------------------------------- pipes, terminals


def pipe_without_reader() -> IO[str]:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def test_a_reader_that_goes_away_is_no_error() -> None:
    with pipe_without_reader() as pipe:
        command = process("schema", stdout=pipe)
    _, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (141, "")


@pytest.mark.parametrize("arguments", [["schema"], ["allocate", TWO_TEAMS, "--json", "--gap", "small"]])
def test_neither_results_nor_errors_need_a_reader(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    with pipe_without_reader() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert gpu_opt(*arguments).code == 141


def test_progress_that_nobody_reads_does_not_stop_the_solve() -> None:
    with pipe_without_reader() as pipe:
        command = process("allocate", TWO_TEAMS, stderr=pipe)
    out, _ = command.communicate(timeout=60)
    assert command.returncode == 0
    assert "optimal: proved" in out


def test_errors_that_nobody_reads_still_have_their_code(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipe_without_reader() as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        assert gpu_opt("allocate", "no_such_file.yaml").code == 2


def with_closed(streams: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command from a shell that closes streams, as ``>&-`` and ``2>&-`` do."""
    words = [sys.executable, "-c", "from gpu_opt.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", *words], capture_output=True, text=True, check=False
    )


def test_a_closed_stdout_is_an_output_that_cannot_be_written() -> None:
    ended = with_closed(">&-", "allocate", TWO_TEAMS, "--quiet")
    assert ended.returncode == 1
    assert ended.stderr == f"gpu-opt: the output could not be written: {os.strerror(errno.EBADF)}\n"


def test_a_closed_stderr_is_read_by_nobody() -> None:
    ended = with_closed("2>&-", "allocate", TWO_TEAMS, "--json")
    assert ended.returncode == 0
    assert Allocation.model_validate_json(ended.stdout).grants


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nights.db'}"
    assert with_closed("<&- 2>&-", "nightly", TWO_TEAMS, "--store", url).returncode == 0
    assert len(store.history(url, "two-teams", 10)) == 1


def test_a_full_disk_is_said_so(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        ended = gpu_opt("allocate", TWO_TEAMS, "--quiet")
    assert ended.code == 1
    assert ended.err == f"gpu-opt: the output could not be written: {os.strerror(errno.ENOSPC)}\n"


def on_a_terminal(no_color: str) -> str:
    """What `allocate` writes to stdout if that is a terminal."""
    terminal, end = pty.openpty()
    command = process("allocate", TWO_TEAMS, "--quiet", stdout=end, TERM="xterm-256color", NO_COLOR=no_color)
    os.close(end)
    written = b"".join(until_closed(terminal))
    command.communicate(timeout=60)
    return written.decode()


def until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        if not piece:
            os.close(terminal)
            return
        yield piece


def test_a_terminal_has_colour_unless_it_is_not_wanted() -> None:
    assert "\x1b[" in on_a_terminal(no_color="")
    assert "\x1b[" not in on_a_terminal(no_color="1")


@pytest.mark.parametrize("as_json", [True, False])
def test_names_survive_an_output_without_unicode(file: Callable[[Organization], Path], as_json: bool) -> None:
    path = file(lab(projects=[project("推理", 8)]))
    flags = ["--quiet", "--json"] if as_json else ["--quiet"]
    command = process("allocate", path, *flags, PYTHONIOENCODING="ascii")
    out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, "")
    assert ("推理" if as_json else "\\u63a8\\u7406") in out


# ------------------------------------------------------------------------------------- interrupts


def interrupted(command: subprocess.Popen[str], *signals: signal.Signals) -> Ended:
    """Send the first signal while the second goal is being solved, any further one after its answer."""
    assert command.stderr is not None
    waited_for = iter(["value, tier 1", *["stopping"] * len(signals)])
    err = ""
    for number in signals:
        sign = next(waited_for)
        for line in command.stderr:
            err += line
            if sign in line:
                break
        command.send_signal(number)
    out, rest = command.communicate(timeout=60)
    return Ended(command.returncode, out, err + rest)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_interrupt_shows_the_best_plan(number: signal.Signals) -> None:
    command = process("allocate", FRONTIER_LAB, "--json", "--gap", 0, "--time-limit", 120)
    ended = interrupted(command, number)
    plan = Allocation.model_validate_json(ended.out)
    assert ended.code == 130
    assert plan.stop == "interrupted"
    assert plan.grants
    assert "stopping with the best plan so far" in ended.err


def test_the_second_interrupt_abandons_the_solve() -> None:
    command = process("allocate", FRONTIER_LAB, "--json", "--gap", 0, "--time-limit", 120)
    ended = interrupted(command, signal.SIGINT, signal.SIGINT)
    assert ended.code == 130
    assert ended.document["error"]["kind"] == "interrupted"
    assert "Traceback" not in ended.err


def test_an_interrupted_night_is_shown_but_not_published(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nights.db'}"
    command = process("nightly", FRONTIER_LAB, "--store", url, "--gap", 0, "--time-limit", 120)
    ended = interrupted(command, signal.SIGINT)
    assert ended.code == 130
    assert ended.out.startswith("NOT PUBLISHED")
    assert "frontier-lab: allocation" in ended.out
    assert "the night is not published" in ended.err
    assert store.history(url, "frontier-lab", 10) == ()


def test_an_ignored_signal_stays_ignored() -> None:
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from gpu_opt.cli.interrupts import interruptible; from gpu_opt.options import Cancel\n"
        "cancel = Cancel()\n"
        "with interruptible(cancel, announce=False): signal.raise_signal(signal.SIGHUP)\n"
        "print(cancel.is_set())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_an_interrupt_while_the_file_is_read_leaves_nothing_to_show(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpu_opt import files

    read = files.read

    def slow_read(path: str) -> Any:
        signal.raise_signal(signal.SIGINT)
        return read(path)

    monkeypatch.setattr(files, "read", slow_read)
    ended = gpu_opt("allocate", TWO_TEAMS, "--json")
    assert ended.code == 130
    assert ended.document["error"]["kind"] == "interrupted"


def interrupting(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the allocation begin with so many interrupts."""
    allocate = allocation.allocate

    def interrupted_allocate(*positional: Any, **named: Any) -> Allocation:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        return allocate(*positional, **named)

    monkeypatch.setattr(allocation, "allocate", interrupted_allocate)


def test_one_interrupt_leaves_a_plan(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupting(monkeypatch, times=1)
    ended = gpu_opt("allocate", TWO_TEAMS, "--json")
    assert ended.code == 130
    assert ended.document["stop"] == "interrupted"


def test_two_interrupts_leave_none(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupting(monkeypatch, times=2)
    ended = gpu_opt("allocate", TWO_TEAMS)
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.endswith("gpu-opt: interrupted: the command was abandoned\n")


def test_one_interrupt_leaves_a_night_unpublished(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupting(monkeypatch, times=1)
    ended = gpu_opt("nightly", TWO_TEAMS, "--json", "--quiet")
    assert ended.code == 130
    assert NightReport.model_validate_json(ended.out).night is None
    assert "the night is not published" in ended.err


def test_an_interrupt_is_obeyed_where_it_is_not_announced(capfd: pytest.CaptureFixture[str]) -> None:
    cancel = Cancel()
    with interruptible(cancel, announce=False):
        signal.raise_signal(signal.SIGTERM)
    assert cancel.is_set()
    assert capfd.readouterr().err == ""


def test_no_plan_by_the_interrupt_is_an_interrupt(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(*_positional: object, options: Options, **_named: object) -> NoReturn:
        options.cancel.set()
        raise NoPlanInTime("none yet")

    monkeypatch.setattr(allocation, "allocate", allocate)
    assert gpu_opt("allocate", TWO_TEAMS).code == 130


def test_main_exits_with_the_code_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu-opt", "check", str(ORGANIZATIONS / "broken_budget.yaml")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def test_an_interrupt_before_everything_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted_import(_arguments: Sequence[str]) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", interrupted_import)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_prices_say_where_the_next_gpus_should_go(gpu_opt: Command) -> None:
    ended = gpu_opt("prices", TWO_TEAMS, "--top", "1")
    assert ended.code == 0
    assert ended.out.startswith("The next GPUs should go to texas-gb200")
    assert "and 1 other (--top)" in ended.out


def test_prices_as_json_are_what_the_schema_says(gpu_opt: Command) -> None:
    found = Prices.model_validate_json(gpu_opt("prices", TWO_TEAMS, "--json").out)
    assert {each.subject for each in found.prices if each.resource is Resource.POOL_CAPACITY} == {
        "iowa-h100",
        "texas-gb200",
    }


def test_conflicts_name_what_cannot_all_be_had(gpu_opt: Command) -> None:
    ended = gpu_opt("conflicts", str(ORGANIZATIONS / "pinned_conflict.yaml"))
    assert ended.code == 0
    assert "serving pinned with 72 GPUs in iowa-h100 > product.cap 64" in ended.out
    assert "at least 72" in ended.out


def test_a_plan_that_cannot_have_all_points_to_its_conflicts(gpu_opt: Command) -> None:
    assert "gpu-opt conflicts says" in gpu_opt("allocate", str(ORGANIZATIONS / "pinned_conflict.yaml")).out
    assert "gpu-opt conflicts says" in gpu_opt("allocate", str(ORGANIZATIONS / "oversubscribed.yaml")).out


def test_a_lab_without_conflicts_is_told_so(gpu_opt: Command) -> None:
    ended = gpu_opt("conflicts", TWO_TEAMS, "--date", "2027-01-01", "--json")
    assert ended.code == 0
    assert Conflicts.model_validate_json(ended.out).is_complete


# ----------------------------------------------------------------------------------------- what-if


def test_what_if_shows_scenarios_beside_the_base(gpu_opt: Command, tmp_path: Path) -> None:
    for name, demand in (("small", 16), ("smaller", 8)):
        changes = f"changes: [{{change: resize_project, project: assistant, demand: {demand}}}]"
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{changes}\n", encoding="utf-8")
    ended = gpu_opt("what-if", TWO_TEAMS, "small.yaml", "smaller.yaml", "--quiet")
    assert ended.code == 0
    assert ended.out.startswith("two-teams: what if, as of 2026-11-23\n")
    assert "small  smaller" in ended.out
    found = WhatIf.model_validate(gpu_opt("what-if", TWO_TEAMS, "small.yaml", "--json", "--quiet").document)
    assert [one.scenario for one in found.scenarios] == ["small"]
    assert found.base.objective == 283.8


def test_what_if_names_file_line_and_change_of_what_does_not_apply(gpu_opt: Command, tmp_path: Path) -> None:
    wrong = "name: x\nchanges:\n  - {change: end_project, project: tutr}\n"
    (tmp_path / "wrong.yaml").write_text(wrong, encoding="utf-8")
    ended = gpu_opt("what-if", TWO_TEAMS, "wrong.yaml", "--quiet")
    assert ended.code == 2
    expected = "wrong.yaml:3: error: changes[0].project: no project 'tutr'; did you mean 'tutor'?"
    assert ended.err.splitlines()[0] == expected
    (tmp_path / "worse.yaml").write_text("name: x\nchanges: 3\n", encoding="utf-8")
    both = gpu_opt("what-if", TWO_TEAMS, "wrong.yaml", "worse.yaml", "--quiet")
    assert both.code == 2
    assert "wrong.yaml:3: changes[0].project: no project 'tutr'" in both.err
    assert "worse.yaml:2: changes: must be a list, not the number 3" in both.err


def test_why_says_so_in_a_sentence_and_what_would_help(gpu_opt: Command) -> None:
    ended = gpu_opt("why", "pretrain", TWO_TEAMS)
    assert ended.code == 0
    assert ended.out.startswith("pretrain has 48 of the 64 that it asked for: ")
    assert "Cheapest change: " in ended.out


def test_why_as_json_is_what_the_schema_says(gpu_opt: Command) -> None:
    found = Explanation.model_validate_json(gpu_opt("why", "research", TWO_TEAMS, "--json").out)
    assert (found.kind, found.projects) == ("team", ("pretrain",))


def test_why_of_an_unknown_name_is_bad_input_before_anything_is_solved(gpu_opt: Command) -> None:
    ended = gpu_opt("why", "pretrian", TWO_TEAMS)
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean 'pretrain'" in ended.err


# ------------------------------------------------------------------------------------------- sweep


def grid_file(folder: Path, values: str) -> str:
    changes = f"changes: [{{change: resize_project, project: assistant, demand: {values}}}]"
    (folder / "grid.yaml").write_text(f"name: sizes\n{changes}\n", encoding="utf-8")
    return "grid.yaml"


def test_sweep_shows_every_point_and_what_turns(gpu_opt: Command, tmp_path: Path) -> None:
    grid = grid_file(tmp_path, '"each 8..40 by 16"')
    ended = gpu_opt("sweep", TWO_TEAMS, grid, "--workers", 2)
    assert ended.code == 0
    assert ended.out.startswith("sizes: 3 of 3 scenarios, as of 2026-11-23\n")
    assert "scenario 3 of 3" in ended.err
    found = Sweep.model_validate(gpu_opt("sweep", TWO_TEAMS, grid, "--json", "--quiet").document)
    assert [point.values for point in found.points] == [{"assistant: demand": str(n)} for n in (8, 24, 40)]


def test_sweep_says_what_is_wrong_with_its_grid_or_its_cluster(gpu_opt: Command, tmp_path: Path) -> None:
    ended = gpu_opt("sweep", TWO_TEAMS, grid_file(tmp_path, "8"), "--quiet")
    assert (ended.code, "grid.yaml:2: error: changes: no value is written as 'each" in ended.err) == (2, True)
    ended = gpu_opt(
        "sweep", TWO_TEAMS, grid_file(tmp_path, '"each 8, 16"'), "--cluster", "nowhere", "--quiet"
    )
    assert ended.code == 2
    assert "--cluster: no scheduler answers at 'nowhere'" in ended.err
    both = gpu_opt("sweep", TWO_TEAMS, "grid.yaml", "--cluster", "tcp://x:1", "--workers", 2)
    assert both.code == 2
