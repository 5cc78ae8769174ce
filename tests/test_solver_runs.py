"""CBC as a run: limits, cancellation, files, and what we make of one that fails, dies, or will not stop."""

from __future__ import annotations

import logging
import os
import resource
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbcbox
import pytest

from gpu_opt import solver
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop
from gpu_opt.solver import solve, versions
from tests.programs import LONG, ONE, half_pair, hard, knapsacks, reached


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which every solve makes its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def fake(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of CBC."""

    def put(script: str) -> None:
        path = tmp_path_factory.mktemp("bin") / "cbc"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(cbcbox, "cbc_bin_path", lambda: str(path))

    return put


# --- Limits, and somebody who cancels -----------------------------------------------------------------


def test_at_the_time_limit_the_best_solution_is_returned_with_what_is_proved() -> None:
    problem = hard()
    seen: list[tuple[float | None, float | None]] = []
    answer = solve(problem, ONE, seconds=1.5, on_progress=lambda best, bound: seen.append((best, bound)))
    assert (answer.status, answer.stop) == (SolverStatus.FEASIBLE, Stop.TIME)
    assert answer.objective is not None
    assert answer.bound is not None
    assert answer.objective == pytest.approx(reached(problem))
    assert answer.objective < answer.bound
    best, bound = seen[-1]
    assert best is not None
    assert bound is not None
    assert best <= bound


def test_who_cancels_gets_the_best_solution_so_far() -> None:
    problem, cancel = hard(), Cancel()
    found = threading.Event()

    def cancel_once_there_is_one() -> None:
        found.wait(LONG)
        cancel.set()

    threading.Thread(target=cancel_once_there_is_one).start()
    answer = solve(
        problem,
        Options(threads=1, cancel=cancel),
        seconds=LONG,
        on_progress=lambda best, _: found.set() if best is not None else None,
    )
    assert (answer.status, answer.stop) == (SolverStatus.FEASIBLE, Stop.INTERRUPTED)
    assert answer.objective is not None


@pytest.mark.parametrize(("seconds", "stop"), [(0.0, Stop.TIME), (-1.0, Stop.TIME), (9.0, Stop.INTERRUPTED)])
def test_without_time_or_after_a_cancel_cbc_is_not_even_started(
    seconds: float, stop: Stop, fake: Callable[[str], None]
) -> None:
    fake("exit 3")
    options = Options(threads=1)
    if stop is Stop.INTERRUPTED:
        options.cancel.set()
    answer = solve(knapsacks(5, 1), options, seconds=seconds)
    assert (answer.status, answer.stop) == (SolverStatus.NO_SOLUTION, stop)


def test_a_start_is_never_lost() -> None:
    problem = hard()
    first = solve(problem, ONE, seconds=1.5)
    again = solve(problem, ONE, seconds=LONG, gap=0.5, start=True)
    assert first.objective is not None
    assert again.objective is not None
    assert again.objective >= first.objective - 1e-6 * first.objective


@pytest.mark.parametrize("error", [LookupError, BrokenPipeError])
def test_an_error_in_the_progress_callback_ends_cbc_and_is_not_swallowed(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            started.append(self)

    def report(_best: float | None, _bound: float | None) -> None:
        raise error("the display broke")

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    with pytest.raises(error, match="the display broke"):
        solve(hard(), ONE, seconds=LONG, on_progress=report)
    (process,) = started
    assert process.returncode is not None


# --- Files --------------------------------------------------------------------------------------------


def test_nothing_is_left_on_the_disk(folder: Path) -> None:
    solve(knapsacks(10, 2), ONE, seconds=LONG)
    assert list(folder.iterdir()) == []


def test_the_files_of_one_solve_are_not_read_by_the_next(folder: Path) -> None:
    (folder / "solution.sol").write_text("Optimal - objective value 0\n")
    assert solve(knapsacks(10, 2), ONE, seconds=LONG).has_solution
    assert solve(half_pair(), ONE, seconds=LONG).status is SolverStatus.INFEASIBLE


def test_where_no_folder_can_be_made_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = tmp_path / "a file"
    occupied.write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(occupied / "below"))
    with pytest.raises(SolverFailure, match="temporary files could not be written"):
        solve(knapsacks(5, 1), ONE, seconds=LONG)


@pytest.mark.parametrize("most", [0, 100, 1_000])
def test_a_full_disk_is_a_failure_and_no_crash(folder: Path, most: int) -> None:
    """A file that may not grow fails as one on a full disk does, in what PuLP writes itself as well."""
    problem = knapsacks(40, 2)
    problem.writeMPS(str(folder / "as it is"))
    assert (folder / "as it is").stat().st_size > most
    (folder / "as it is").unlink()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        with pytest.raises(SolverFailure, match="temporary files could not be written"):
            solve(problem, ONE, seconds=LONG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "lines", ["", "0 X0000000 1 0", "0 X0000000", "0 X0000000 one 0"], ids=["none", "one", "half", "garbled"]
)
def test_a_solution_that_was_cut_short_is_not_used(lines: str, fake: Callable[[str], None]) -> None:
    head = "Optimal - objective value 3"
    fake(f"echo 'Result - Optimal solution found'; printf '{head}\\n{lines}' > solution.sol")
    with pytest.raises(SolverFailure, match="cut short"):
        solve(knapsacks(5, 1), ONE, seconds=LONG)


# --- What it takes of the machine ---------------------------------------------------------------------


@pytest.mark.skipif(
    os.cpu_count() == 1 or not Path("/proc/self/task").is_dir(),
    reason="only Linux tells what a process is made of, and on one core nobody would start more threads",
)
def test_a_cbc_on_one_thread_has_no_other_that_keeps_a_core_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    begin = subprocess.Popen

    def noted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        begun.append(begin(*arguments, **options))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    threads: set[int] = set()

    def count(_best: float | None, _bound: float | None) -> None:
        threads.update(len(list(Path(f"/proc/{process.pid}/task").iterdir())) for process in begun)

    solve(hard(), ONE, seconds=1.0, on_progress=count)
    assert threads == {1}


def test_where_work_is_limited_cbc_keeps_to_one_thread(tmp_path: Path, fake: Callable[[str], None]) -> None:
    """Two of them do the nodes of a tree in another order on every run."""
    told = tmp_path / "told"
    fake(f'echo "$@" > {told}')
    solve(knapsacks(5, 1), Options(threads=2), seconds=LONG)
    assert "-threads 2" in told.read_text()
    solve(knapsacks(5, 1), Options(threads=2, work_limit=5), seconds=LONG)
    assert "-threads" not in told.read_text()


# --- A CBC that fails ---------------------------------------------------------------------------------


def test_a_cbc_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cbcbox, "cbc_bin_path", lambda: str(tmp_path / "cbc"))
    with pytest.raises(SolverFailure, match="CBC could not be started") as caught:
        solve(knapsacks(5, 1), ONE, seconds=LONG)
    assert not isinstance(caught.value, SolverDied)


def test_a_cbc_that_kills_itself(fake: Callable[[str], None]) -> None:
    fake("echo Welcome; echo 'and farewell'; kill -9 $$")
    with pytest.raises(SolverDied, match=r"killed by signal 9; its last words: Welcome \| and farewell"):
        solve(knapsacks(5, 1), ONE, seconds=LONG)


def test_a_cbc_that_dies_in_its_heuristics_gets_a_second_try(
    fake: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    real = cbcbox.cbc_bin_path()
    survives = f'exec {real} "$@"'
    fake(f'touch solution.sol; case "$*" in *"-heur off"*) {survives};; *) kill -6 $$;; esac')
    problem = knapsacks(20, 3)
    answer = solve(problem, ONE, seconds=LONG)
    assert answer.objective == answer.bound == reached(problem)
    assert "killed by signal 6" in caplog.text
    assert "once more, without its heuristics" in caplog.text


def test_a_relaxation_has_no_heuristics_to_do_without(
    fake: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake("kill -6 $$")
    with pytest.raises(SolverDied):
        solve(knapsacks(5, 1), ONE, seconds=LONG, relax=True)
    assert "once more" not in caplog.text


def test_a_cbc_that_fails(fake: Callable[[str], None]) -> None:
    fake("echo 'no licence for Mondays'; exit 3")
    with pytest.raises(SolverDied, match="failed with exit code 3; its last words: no licence for Mondays"):
        solve(knapsacks(5, 1), ONE, seconds=LONG)


def test_a_cbc_that_says_nothing_has_proved_nothing(fake: Callable[[str], None]) -> None:
    fake("exit 0")
    answer = solve(knapsacks(5, 1), ONE, seconds=LONG)
    assert (answer.status, answer.objective, answer.bound) == (SolverStatus.NO_SOLUTION, None, None)


def test_a_cbc_that_will_not_stop_is_killed(
    fake: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(solver, "GRACE", 0.2)
    caplog.set_level("INFO")
    fake("trap '' INT; exec sleep 100")
    answer = solve(knapsacks(5, 1), ONE, seconds=0.3)
    assert (answer.status, answer.stop) == (SolverStatus.NO_SOLUTION, Stop.TIME)
    assert "CBC did not stop when asked to, and was killed" in caplog.text


def test_a_plan_names_what_computed_it() -> None:
    assert versions().keys() == {"gpu_opt", "pulp", "cbc", "numpy", "python", "platform"}
    assert all(versions().values())
