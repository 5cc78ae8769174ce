"""CBC itself: what it answers, and what that proves."""

from __future__ import annotations

import pulp
import pytest

from gpu_opt.cbc_output import SolverStatus
from gpu_opt.options import Options
from gpu_opt.plan import Stop
from gpu_opt.solver import solve
from tests.programs import LONG, ONE, half_pair, knapsacks, reached, values


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
