"""The worked examples show what their commands print. Skipped where the public data are absent."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks import lending
from tests.pages import ROOT, blocks, rows, run
from tests.public_data import raw

EXAMPLES = ("helios.md", "openb.md")
LENDING = "python -m benchmarks.lending"


@pytest.fixture
def clone(tmp_path: Path, data: Path) -> Path:
    """A folder that looks like the root of the repository to a command, with the public data beside it."""
    root = tmp_path / "clone"
    root.mkdir()
    for folder in ("benchmarks", "models"):
        (root / folder).symlink_to(ROOT / folder)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/data").symlink_to(data.resolve())
    return root


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_shows_what_its_commands_print(
    example: str, clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(clone)
    monkeypatch.setattr(lending, "worth", worth_by_hand)
    page = (ROOT / "docs" / example).read_text(encoding="utf-8")
    printed: list[str] = []
    for language, block in re.findall(r"^```(sh|text|yaml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if language == "yaml":
            (clone / block.splitlines()[0].removeprefix("# ")).write_text(block, encoding="utf-8")
        elif language == "sh":
            commands = [line.removeprefix("uv run ") for line in block.splitlines()]
            printed = [line for command in commands for line in output(command, clone, capsys)]
        else:
            assert shown_in_order(block.splitlines(), printed) == []


def test_the_page_on_why_shows_what_its_commands_print() -> None:
    """But for the large lab, where no plan is proved in the time and none comes out twice."""
    page = (ROOT / "docs" / "why.md").read_text(encoding="utf-8")
    printed: list[str] | None = None
    compared = 0
    for language, block in re.findall(r"^```(sh|text)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if language == "sh":
            is_small = "frontier_lab" not in block
            printed = (
                run(f"COLUMNS=110 {block.strip()} --time-limit 120", ROOT).stdout.splitlines()
                if is_small
                else None
            )
        elif printed is not None:
            assert shown_in_order(block.splitlines(), printed) == []
            compared += 1
    assert compared == 3


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (["T4  16...  T4 16...", "all  5,901"], []),
        (["...", "T4 164 T4 164"], []),
        (["all  5,902"], ["all  5,902"]),
        (["all  5,9"], ["all  5,9"]),
        (["T4  17...  T4 16...", "all  5,901"], ["T4  17...  T4 16..."]),
        (["all  5,901", "...", "T4  164  T4 164"], ["T4  164  T4 164"]),
        (["all  5,901", "all  5,901"], ["all  5,901"]),
    ],
)
def test_a_line_that_is_not_printed_in_its_place_is_found(shown: list[str], missing: list[str]) -> None:
    assert shown_in_order(shown, ["A10     2", "T4    164  T4 164", "", "all  5,901"]) == missing


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_an_example_shows_has_more_to_it_than_what_is_left_out(example: str) -> None:
    page = (ROOT / "docs" / example).read_text(encoding="utf-8")
    for block in blocks(page, "text"):
        told = [line for line in block.splitlines() if line.strip() not in {"", "..."}]
        assert told
        assert all(re.search(r"\w", line.replace("...", "")) for line in told)


def test_the_requests_that_name_one_model_are_those_of_the_raw_file(data: Path) -> None:
    named: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in raw(data / "openb/derived_request_classes.csv"):
        named[row["gpu_spec"]] += Decimal(row["gpus"])
    pools = {row["model"]: int(row["gpus"]) for row in raw(data / "openb/derived_pools.csv")}
    told = rows((ROOT / "docs/openb.md").read_text(encoding="utf-8"), "model")
    assert told == [
        [model, f"{gpus:,}", f"{named[model].normalize():,f}"]
        for model, gpus in sorted(pools.items(), key=lambda pool: -pool[1])
    ]


def output(command: str, clone: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What it prints; that of a whole month takes minutes, and is worked out by hand instead.

    gpu-opt has more time than it needs: all plans are proved, and a machine may be busy.
    """
    if command.startswith(LENDING) and not re.search("--(hour|day) ", command):
        lending.main(shlex.split(command.removeprefix(LENDING)))
        return capsys.readouterr().out.splitlines()
    ended = run(f"{command} --time-limit 120" if command.startswith("gpu-opt") else command, clone)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def worth_by_hand(
    month: lending.Month, moments: Sequence[dt.datetime], cap: Fraction | None, lend: str
) -> tuple[lending.Worth, lending.Worth]:
    """What the plans come to: tests/test_lending.py compares some of them."""
    hands = [lending.by_hand(month[moment], lending.lendable(month, moment, lend), cap) for moment in moments]
    served, lent = (sum(column) for column in zip(*(hand[:2] for hand in hands), strict=True))
    return lending.Worth(served, lent, len(moments)), lending.Worth(served, lent)


def shown_in_order(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """What is shown and not printed, at least not after what is shown before it; "..." is anything.

    How wide columns are is no matter: it hangs on what is left out, too.
    """
    rest, missing = list(printed), []
    for line in shown:
        if line.strip() == "...":
            continue
        matches = pattern(line).fullmatch
        found = next((place for place, other in enumerate(rest) if matches(squeezed(other))), None)
        if found is None:
            missing.append(line)
        else:
            del rest[: found + 1]
    return missing


def pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, squeezed(line).split("..."))))


def squeezed(line: str) -> str:
    return " ".join(line.split())
