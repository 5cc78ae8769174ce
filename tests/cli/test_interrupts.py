"""The first Ctrl-C shows the best plan, the second abandons it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from gpu_opt import allocation, store
from gpu_opt.cli.interrupts import interruptible
from gpu_opt.errors import NoPlanInTime
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Allocation, NightReport
from tests.cli.commanding import FRONTIER_LAB, TWO_TEAMS, Command, Ended, process


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
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, as nohup has it, and stays ignored")
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
