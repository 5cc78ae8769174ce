"""CBC alone, on the compact model, through PuLP."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.peer import Peer, Proof, Run, Task
from benchmarks.program import build_problem, grants_of
from gpu_opt import Options
from gpu_opt.solver import solve as run_cbc

if TYPE_CHECKING:
    from pulp import LpProblem

    from gpu_opt.instance import Instance


def solve(task: Task, run: Run, *, start: bool, preprocess: bool = True) -> Proof:
    """Run CBC; its bound is what is sound of its output: after preprocessing, the relaxation's.

    The plan that it starts from is handed in first: stopped in its preprocessing, CBC does not return it.
    """
    instance, problem = build_problem(task.organization)
    if start:
        _hand_in(run, instance, problem)
    answer = run_cbc(
        problem,
        Options(threads=task.threads, seed=task.seed),
        seconds=run.left,
        start=start,
        preprocess=preprocess,
        on_progress=run.report,
    )
    if answer.has_solution:
        _hand_in(run, instance, problem)
    return Proof(answer.bound, remark=str(answer.status))


def _hand_in(run: Run, instance: Instance, problem: LpProblem) -> None:
    run.hand_in(grants_of(instance, [variable.varValue or 0.0 for variable in problem.variables()]))


def relax(task: Task, run: Run) -> Proof:
    """Solve the linear relaxation: its optimum bounds every plan."""
    _, problem = build_problem(task.organization)
    answer = run_cbc(problem, Options(threads=task.threads), seconds=run.left, relax=True)
    return Proof(answer.objective if answer.status == "optimal" else None, remark=str(answer.status))


NEEDS = ("pulp", "benchmarks.program")
PEERS = (
    Peer("cbc", "stock CBC from the greedy plan", partial(solve, start=True), NEEDS),
    Peer("cbc-cold", "stock CBC without a start", partial(solve, start=False), NEEDS),
    Peer(
        "cbc-plain",
        "CBC from the greedy plan, its preprocessing off",
        partial(solve, start=True, preprocess=False),
        NEEDS,
    ),
    Peer("relaxation", "Clp's optimum of the relaxation", relax, NEEDS, is_referee=True),
)
