"""Bad input and bad usage: all problems at once, exit code 2, no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gpu_opt.organization import Organization
from tests.building import lab, project
from tests.cli.commanding import ORGANIZATIONS, TWO_TEAMS, Command, process

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
    (["reallocate", TWO_TEAMS, "--horizon", "99999d"], "is more than ten years after the file's as_of"),
    (["nightly", TWO_TEAMS, "--horizon", "2206-02-21"], "--horizon: 2206-02-21 is more than ten years after"),
    (["reallocate", TWO_TEAMS, "--horizon", "2026-13-01"], "--horizon: '2026-13-01' is not a date"),
    (["reallocate", TWO_TEAMS, "--horizon", "2026-11-22"], "--horizon: 2026-11-22 is before"),
    (["find", "0", TWO_TEAMS, "--team", "lab", "--by", "2026-12-01"], "N"),
    (
        ["find", "8", TWO_TEAMS, "--team", "lab", "--by", "2206-12-01"],
        "--by: 2206-12-01 is more than ten years",
    ),
    (["find", "8", TWO_TEAMS, "--team", "lab", "--by", "2026-11-22"], "--by: 2026-11-22 is before"),
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "l\udce4b.yaml"],
        ["allocate", "l\udce4b.yaml"],
        ["allocate", TWO_TEAMS, "--l\udce4b"],
    ],
)
def test_words_that_are_no_utf_8_are_no_trouble_to_json(arguments: list[str]) -> None:
    command = process(*arguments, "--json")
    out, _ = command.communicate()
    assert command.returncode == 2
    assert json.loads(out)
    assert r"l\\udce4b" in out
