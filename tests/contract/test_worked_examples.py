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
from tests.pages import ROOT, rows, run
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
    """What is shown and not printed, at least not after what is shown before it; "..." is anything."""
    rest = iter([line.rstrip() for line in printed])
    return [line for line in shown if line != "..." and line not in rest]
