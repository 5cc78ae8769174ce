"""Help, the version, and the options that every command takes."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

import pytest

from gpu_opt.cli import run
from gpu_opt.cli.failures import Code
from tests.cli.commanding import COMMANDS, Command

EVERY_COMMAND_TAKES = ("--json", "--time-limit", "--gap", "--threads", "--seed", "--quiet")


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
