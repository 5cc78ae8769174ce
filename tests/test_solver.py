"""CBC itself: what it answers, and what we make of one that fails, dies, or will not stop."""

from __future__ import annotations

import logging
import random
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import cbcbox
import pulp
import pytest

from gpu_opt import solver
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop
from gpu_opt.solver import solve, versions

ONE = Options(threads=1)
LONG = 120.0
"""Seconds that nothing here takes."""


def knapsacks(items: int, rows: int, seed: int = 1) -> pulp.LpProblem:
    """Fill several knapsacks at once, each to a half: 20 items take no time, 150 take hours."""
    draw = random.Random(seed)
    problem = pulp.LpProblem("knapsacks", pulp.LpMaximize)
    chosen = [problem.add_variable(f"x_{i}", 0, 1, "Integer") for i in range(items)]
    worth = [0] * items
    for row in range(rows):
        weights = [draw.randint(10, 100) for _ in chosen]
        worth = [before + weight for before, weight in zip(worth, weights, strict=True)]
        filled = pulp.LpAffineExpression.from_list(list(zip(chosen, weights, strict=True)))
        problem.addConstraint(filled <= sum(weights) // 2, f"knapsack_{row}")
    problem.setObjective(pulp.LpAffineExpression.from_list(list(zip(chosen, worth, strict=True))))
    return problem


def hard() -> pulp.LpProblem:
    return knapsacks(150, 25)


def half_pair() -> pulp.LpProblem:
    """Two binaries that add up to a half: feasible for numbers, not for whole ones."""
    problem = pulp.LpProblem("half_pair")
    pair = [problem.add_variable(f"x_{i}", 0, 1, "Integer") for i in range(2)]
    problem.addConstraint(2 * pair[0] + 2 * pair[1] == 1)
    problem.setObjective(pair[0] + pair[1])
    return problem


def values(problem: pulp.LpProblem) -> dict[str, float | None]:
    return {variable.name: variable.varValue for variable in problem.variables()}


def reached(problem: pulp.LpProblem) -> float:
    """The objective at the values of the variables."""
    assert problem.objective is not None
    return float(problem.objective.value() or 0)


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


# --- What it answers ----------------------------------------------------------------------------------


def test_a_small_program_is_solved_to_proof() -> None:
    problem = knapsacks(20, 3)
    answer = solve(problem, ONE, seconds=LONG)
    assert answer.objective == answer.bound == reached(problem)
    assert {round(value or 0, 6) for value in values(problem).values()} == {0, 1}
    assert answer.has_solution


def test_threads_and_a_seed_change_nothing_of_the_optimum() -> None:
    plain, other = knapsacks(20, 3), knapsacks(20, 3)
    expected = solve(plain, ONE, seconds=LONG).objective
    assert solve(other, Options(threads=2, seed=7), seconds=LONG).objective == expected


def test_a_linear_program_is_optimal_and_has_duals() -> None:
    problem = pulp.LpProblem("diet")
    x, y = problem.add_variable("x", 0, 4), problem.add_variable("y", 0, 4)
    enough = problem.addConstraint(x + y >= 5, "enough")
    problem.setObjective(3 * x + 2 * y)
    answer = solve(problem, ONE, seconds=LONG)
    assert (answer.status, answer.stop) == (SolverStatus.OPTIMAL, Stop.PROVED)
    assert (answer.objective, answer.bound) == (11, 11)
    assert values(problem) == {"x": 1, "y": 4}
    assert enough.pi == 3


def test_a_relaxation_drops_the_integrality_and_bounds_the_program() -> None:
    problem = knapsacks(20, 3)
    relaxed = solve(problem, ONE, seconds=LONG, relax=True)
    assert relaxed.status is SolverStatus.OPTIMAL
    assert any(0.001 < (value or 0) < 0.999 for value in values(problem).values())
    whole = solve(problem, ONE, seconds=LONG)
    assert whole.objective is not None
    assert relaxed.objective is not None
    assert whole.objective < relaxed.objective


def test_within_a_gap_the_bound_says_how_far_it_may_be() -> None:
    answer = solve(knapsacks(20, 3), ONE, seconds=LONG, gap=0.05)
    best = solve(knapsacks(20, 3), ONE, seconds=LONG)
    assert (answer.status, answer.stop) == (SolverStatus.FEASIBLE, Stop.GAP)
    assert answer.objective is not None
    assert answer.bound is not None
    assert best.objective is not None
    assert answer.objective <= best.objective <= answer.bound <= 1.06 * answer.objective


@pytest.mark.parametrize("relax", [False, True])
def test_a_program_that_numbers_cannot_satisfy_is_infeasible(relax: bool) -> None:
    problem = pulp.LpProblem("too_much")
    x = problem.add_variable("x", 0, 1, "Integer")
    problem.addConstraint(x >= 2)
    problem.setObjective(1 * x)
    answer = solve(problem, ONE, seconds=LONG, relax=relax)
    assert (answer.status, answer.objective) == (SolverStatus.INFEASIBLE, None)
    assert not answer.has_solution


def test_a_program_that_only_whole_numbers_cannot_satisfy_is_infeasible() -> None:
    assert solve(half_pair(), ONE, seconds=LONG).status is SolverStatus.INFEASIBLE
    assert solve(half_pair(), ONE, seconds=LONG, relax=True).status is SolverStatus.OPTIMAL


def test_a_program_without_a_best_is_unbounded() -> None:
    problem = pulp.LpProblem("bottomless")
    x = problem.add_variable("x", None, 1, "Integer")
    problem.addConstraint(x <= 0)
    problem.setObjective(1 * x)
    assert solve(problem, ONE, seconds=LONG).status is SolverStatus.UNBOUNDED


def test_preprocessing_that_makes_variables_integer_proves_nothing() -> None:
    """The smallest example that we know: CBC turns v1 into an integer and rounds its bound of 7.5."""

    def two_projects() -> pulp.LpProblem:
        problem = pulp.LpProblem("two_projects", pulp.LpMaximize)
        x0, x1 = problem.add_variable("x0", 0, 3, "Integer"), problem.add_variable("x1", 0, 2, "Integer")
        v0, v1 = problem.add_variable("v0", 0, 15), problem.add_variable("v1", 0, 7.5)
        for row in (2 * x0 <= 16, 5 * x1 <= 10, x0 + x1 <= 3, v0 - 2 * x0 <= 0, v1 - 5 * x1 <= 0):
            problem.addConstraint(row)
        problem.setObjective(v0 + v1)
        return problem

    quick = solve(two_projects(), ONE, seconds=LONG, preprocess=True)
    assert (quick.status, quick.objective) == (SolverStatus.FEASIBLE, 9)
    assert quick.bound is not None
    assert quick.bound >= 9.5
    sound = solve(two_projects(), ONE, seconds=LONG)
    assert (sound.objective, sound.bound) == (9.5, 9.5)


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


def test_an_error_in_the_progress_callback_ends_cbc_and_is_not_swallowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            started.append(self)

    def report(_best: float | None, _bound: float | None) -> None:
        raise LookupError("the display broke")

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    with pytest.raises(LookupError, match="the display broke"):
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


def test_a_full_disk_is_a_failure_and_no_crash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = knapsacks(5, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(problem, "writeMPS", full)
    with pytest.raises(SolverFailure, match="No space left on device"):
        solve(problem, ONE, seconds=LONG)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "lines", ["", "0 X0000000 1 0", "0 X0000000", "0 X0000000 one 0"], ids=["none", "one", "half", "garbled"]
)
def test_a_solution_that_was_cut_short_is_not_used(lines: str, fake: Callable[[str], None]) -> None:
    head = "Optimal - objective value 3"
    fake(f"echo 'Result - Optimal solution found'; printf '{head}\\n{lines}' > solution.sol")
    with pytest.raises(SolverFailure, match="cut short"):
        solve(knapsacks(5, 1), ONE, seconds=LONG)


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
