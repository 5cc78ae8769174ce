"""What goes wrong has an exit code, a kind in JSON, and no traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import pytest

from gpu_opt import allocation, cli
from gpu_opt.cli import main
from gpu_opt.errors import GpuOptError, NoPlan, NoPlanInTime, SolverFailure, VerificationFailure
from tests.cli.commanding import ORGANIZATIONS, TWO_TEAMS, Command


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
