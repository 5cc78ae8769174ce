"""What CBC's words prove: the table of truth, on texts that CBC has printed."""

from __future__ import annotations

import pytest

from gpu_opt.cbc_output import SolverStatus, judge, printed_objective, proven_bound, read_progress
from gpu_opt.plan import Stop

OPTIMAL = """\
Continuous objective value is -1752.23 - 0.001 seconds
Cbc0013I At root node, 8 cuts changed objective from -1752.232 to -1749.114 in 71 passes
Cbc0001I Search completed - best objective -1734.125, took 72966 iterations and 18385 nodes (0.67 seconds)

Result - Optimal solution found
Objective value:                -1734.125
Enumerated nodes:               18385
"""

WITHIN_GAP = """\
Continuous objective value is -1199.22 - 0.0005 seconds
Cbc0012I Integer solution of -1185.8 found by feasibility pump after 0 iterations and 0 nodes (0.03 seconds)
Cbc0011I Exiting as integer gap of 13.421395 less than 1e-12 or 5%
Cbc0001I Search completed - best objective -1185.8, took 0 iterations and 0 nodes (0.03 seconds)

Result - Optimal solution found (within gap tolerance)
Objective value:                -1185.8
Lower bound:                    -1199.22
Gap:                            0.0111918
"""

STOPPED_IN_THE_TREE = """\
Continuous objective value is -4100.75 - 0.001 seconds
Cbc0013I At root node, 12 cuts changed objective from -4100.7512 to -4090.25 in 20 passes
Cbc0010I After 1000 nodes, 402 on tree, -4080 best solution, best possible -4085.5 (1.02 seconds)
Cbc0020I Exiting on maximum time
Cbc0005I Partial search - best objective -4080 (best possible -4084.5), took 80000 iterations and 2100 nodes (2.00 seconds)

Result - Stopped on time limit
Objective value:                -4080
Lower bound:                    -4084.5
"""  # noqa: E501

STOPPED_IN_THE_CUT_LOOP = """\
Continuous objective value is -463425 - 0.3 seconds
Cbc0013I At root node, 48 cuts changed objective from -463424.86 to 4.3897937e+10 in 12 passes
Cbc0020I Exiting on maximum time
Cbc0005I Partial search - best objective -454693.69 (best possible 4.3897937e+10), took 151 iterations and 0 nodes (5.00 seconds)

Result - Stopped on time limit
Objective value:                -454693.69
Lower bound:                    -454694
"""  # noqa: E501

STOPPED_WITH_NOTHING = """\
Continuous objective value is -4100.75 - 0.001 seconds
Cbc0020I Exiting on maximum time
Cbc0005I Partial search - best objective 1e+50 (best possible -4100.75), took 0 iterations and 0 nodes (2.00 seconds)

Result - Stopped on time limit
"""  # noqa: E501

INTERRUPTED = STOPPED_IN_THE_TREE.replace("Exiting on maximum time", "Exiting on user event")

MADE_INTEGER = """\
Continuous objective value is -10.5 - 0.001 seconds
Cgl0011I 1 variables made integer
Cgl0004I processed model has 3 rows, 4 columns (4 integer (0 of which binary)) and 6 elements
Cbc0013I At root node, 0 cuts changed objective from -10.2 to -10.2 in 1 passes
Cbc0001I Search completed - best objective -9, took 0 iterations and 0 nodes (0.00 seconds)

Result - Optimal solution found
Objective value:                -9
"""

NO_TIME_TO_PREPROCESS = """\
Problem is infeasible! time limit reached in preprocessing
"""

INTEGER_INFEASIBLE = """\
Continuous objective value is 0.5 - 0.000357 seconds
Problem is infeasible!
"""


@pytest.mark.parametrize(
    ("head", "output", "status", "stop"),
    [
        ("Optimal - objective value -1734.125", OPTIMAL, SolverStatus.OPTIMAL, Stop.PROVED),
        ("Optimal (within gap tolerance) - objective", WITHIN_GAP, SolverStatus.FEASIBLE, Stop.GAP),
        ("Optimal - objective value -1185.8", WITHIN_GAP, SolverStatus.FEASIBLE, Stop.GAP),
        ("Optimal - objective value -4080", STOPPED_IN_THE_TREE, SolverStatus.FEASIBLE, Stop.TIME),
        ("Optimal - objective value -9", MADE_INTEGER, SolverStatus.FEASIBLE, Stop.GAP),
        ("Stopped on time - objective value -4080", STOPPED_IN_THE_TREE, SolverStatus.FEASIBLE, Stop.TIME),
        (
            "Stopped on time (no integer solution - continuous used) - objective value -4100.75",
            STOPPED_WITH_NOTHING,
            SolverStatus.NO_SOLUTION,
            Stop.TIME,
        ),
        ("Stopped on time - objective value 0", "Welcome to CBC", SolverStatus.NO_SOLUTION, Stop.TIME),
        ("Infeasible - objective value 2", INTEGER_INFEASIBLE, SolverStatus.INFEASIBLE, Stop.PROVED),
        ("Integer infeasible - objective", INTEGER_INFEASIBLE, SolverStatus.INFEASIBLE, Stop.PROVED),
        ("Infeasible - objective value 0", NO_TIME_TO_PREPROCESS, SolverStatus.NO_SOLUTION, Stop.TIME),
        ("Unbounded - objective value 0", "Problem is unbounded", SolverStatus.UNBOUNDED, Stop.PROVED),
        ("", "", SolverStatus.NO_SOLUTION, Stop.TIME),
    ],
)
def test_what_an_answer_proves(head: str, output: str, status: SolverStatus, stop: Stop) -> None:
    assert judge(head, output, interrupted=False) == (status, stop)


@pytest.mark.parametrize(
    ("head", "output", "status", "stop"),
    [
        ("Stopped on ctrl-c - objective", INTERRUPTED, SolverStatus.FEASIBLE, Stop.INTERRUPTED),
        ("Optimal - objective value -4080", INTERRUPTED, SolverStatus.FEASIBLE, Stop.INTERRUPTED),
        ("Optimal - objective value -1734.125", OPTIMAL, SolverStatus.OPTIMAL, Stop.PROVED),
        ("Infeasible - objective", INTEGER_INFEASIBLE, SolverStatus.NO_SOLUTION, Stop.INTERRUPTED),
        ("", "", SolverStatus.NO_SOLUTION, Stop.INTERRUPTED),
    ],
)
def test_what_it_proves_when_somebody_cancelled(
    head: str, output: str, status: SolverStatus, stop: Stop
) -> None:
    assert judge(head, output, interrupted=True) == (status, stop)


def test_the_bound_of_an_optimum_is_the_optimum() -> None:
    assert proven_bound(OPTIMAL, SolverStatus.OPTIMAL, -1734.125) == -1734.125


def test_the_bound_within_a_gap_is_the_gap_away_from_the_solution() -> None:
    bound = proven_bound(WITHIN_GAP, SolverStatus.FEASIBLE, -1185.8)
    assert bound == pytest.approx(-1185.8 - 13.421395, abs=1e-5)


def test_the_bound_of_a_search_in_the_tree_is_its_best_possible() -> None:
    bound = proven_bound(STOPPED_IN_THE_TREE, SolverStatus.FEASIBLE, -4080.0)
    assert bound == pytest.approx(-4084.5, abs=1e-3)


def test_a_search_without_a_solution_has_proved_its_relaxation() -> None:
    bound = proven_bound(STOPPED_WITH_NOTHING, SolverStatus.NO_SOLUTION, None)
    assert bound == pytest.approx(-4100.75, abs=0.01)


def test_what_is_printed_of_an_unfinished_cut_loop_is_not_believed() -> None:
    bound = proven_bound(STOPPED_IN_THE_CUT_LOOP, SolverStatus.FEASIBLE, -454693.69)
    assert bound == pytest.approx(-463425.5, abs=0.01)


def test_nor_is_it_believed_where_no_solution_contradicts_it() -> None:
    bound = proven_bound(STOPPED_IN_THE_CUT_LOOP, SolverStatus.NO_SOLUTION, None)
    assert bound == pytest.approx(-463425.5, abs=0.01)


def test_what_a_heuristic_proves_of_a_program_of_its_own_is_not_believed() -> None:
    """It fixes most variables, and then begins a root of its own."""
    own_root = "Cbc0013I At root node, 3 cuts changed objective from -4090.25 to -4089.5 in 5 passes\n"
    for output in (STOPPED_IN_THE_TREE + own_root, own_root + STOPPED_IN_THE_TREE):
        unfinished = output.replace("Result - ", "")
        bound = proven_bound(unfinished, SolverStatus.NO_SOLUTION, None)
        assert bound == pytest.approx(-4100.755, abs=1e-4)
    alone = STOPPED_WITH_NOTHING + own_root
    assert proven_bound(alone, SolverStatus.NO_SOLUTION, None) == pytest.approx(-4100.75, abs=0.01)


def test_an_answer_that_was_preprocessed_unsoundly_proves_only_the_relaxation() -> None:
    assert proven_bound(MADE_INTEGER, SolverStatus.FEASIBLE, -9.0) == pytest.approx(-10.5, abs=1e-4)


def test_a_bound_is_moved_outward_by_the_digits_that_were_not_printed() -> None:
    bound = proven_bound("Continuous objective value is 123456 - 0.1 seconds", SolverStatus.NO_SOLUTION, None)
    assert bound == 123455.5
    assert proven_bound("Continuous objective value is 0 - 0.1 seconds", SolverStatus.NO_SOLUTION, None) == 0


def test_nothing_is_proved_by_silence() -> None:
    assert proven_bound("", SolverStatus.NO_SOLUTION, None) is None
    assert proven_bound("", SolverStatus.FEASIBLE, -3.0) is None


def test_the_objective_is_the_one_printed_at_the_end() -> None:
    assert printed_objective(STOPPED_IN_THE_TREE) == -4080
    assert printed_objective(STOPPED_WITH_NOTHING) is None


def test_progress_is_read_line_by_line() -> None:
    best: float | None = None
    bound: float | None = None
    seen = []
    for line in STOPPED_IN_THE_TREE.encode().splitlines():
        best, bound = read_progress(line, best, bound)
        seen.append((best, bound))
    assert seen[0] == (None, -4100.75)
    assert seen[2] == (-4080.0, -4085.5)


@pytest.mark.parametrize(
    "line",
    [
        b"Cbc0010I After 0 nodes, 1 on tree, 1e+50 best solution, best possible 1e+50 (0.3 seconds)",
        b"Cbc0012I Integer solution of -40",
        b"Cbc0012I Integer solution of nothing found by chance",
        b"",
    ],
)
def test_progress_that_says_nothing_says_nothing(line: bytes) -> None:
    assert read_progress(line, None, None) == (None, None)


WITH_A_SEARCH_OF_ITS_OWN = """\
Continuous objective value is 3064.12 - 0.01 seconds
Cbc0005I Partial search - best objective 3382.4502 (best possible 3378.5544), took 19406 iterations and 10037 nodes (1.16 seconds)
Cbc0012I Integer solution of 3382.450185 found by Reduced search after 20095 iterations and 10087 nodes (1.17 seconds)
Cbc0003I Exiting on maximum nodes
Cbc0005I Partial search - best objective 3382.4502 (best possible 3374.0231), took 20095 iterations and 10087 nodes (1.17 seconds)

Result - Stopped on node limit
Objective value:                3382.450185
"""  # noqa: E501


def test_what_a_heuristic_proves_of_a_program_of_its_own_is_no_bound() -> None:
    bound = proven_bound(WITH_A_SEARCH_OF_ITS_OWN, SolverStatus.FEASIBLE, 3382.450185)
    assert bound == pytest.approx(3374.0231, abs=1e-4)


def test_a_bound_of_a_run_that_was_killed_is_that_of_its_root() -> None:
    killed = WITH_A_SEARCH_OF_ITS_OWN.partition("Cbc0012I")[0]
    assert proven_bound(killed, SolverStatus.NO_SOLUTION, None) == pytest.approx(3064.12, abs=1e-2)
