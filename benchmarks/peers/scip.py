"""SCIP on the compact model, through pyscipopt."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peer import Peer, Proof, Run, Task
from benchmarks.program import build_problem, grants_of


def solve(task: Task, run: Run, *, start: bool) -> Proof:
    """Run SCIP with its own defaults, every improving plan handed in.

    It reads the file that PuLP writes, in which the maximization is a minimization of the negative.
    """
    import pyscipopt

    instance, problem = build_problem(task.organization)
    model = pyscipopt.Model()
    model.hideOutput()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.mps"
        names, *_ = problem.writeMPS(str(file), rename=True)
        model.readProblem(str(file))
    by_name = {variable.name: variable for variable in model.getVars()}
    columns = [by_name[name] for name in names]
    if start:
        greedy = model.createSol()
        for column, variable in zip(columns, problem.variables(), strict=True):
            model.setSolVal(greedy, column, variable.varValue or 0.0)
        model.addSol(greedy)
    arcs = columns[: len(instance.arcs.project)]

    def hand_in() -> None:
        best = model.getBestSol()
        run.report(-model.getPrimalbound(), _bound(model))
        run.hand_in(grants_of(instance, [model.getSolVal(best, column) for column in arcs]))

    class Told(pyscipopt.Eventhdlr):  # type: ignore[misc]
        def eventinit(self) -> None:
            self.model.catchEvent(pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND, self)

        def eventexec(self, _event: object) -> dict[str, object]:
            hand_in()
            return {}

    model.includeEventhdlr(Told(), "told", "hands in every better plan")
    model.setParam("randomization/randomseedshift", task.seed)
    model.setParam("limits/time", run.left)
    model.optimize()
    if model.getNSols():  # what presolving finds is no event
        hand_in()
    return Proof(_bound(model), remark=str(model.getStatus()))


def _bound(model: Any) -> float | None:
    value = -float(model.getDualbound())
    return value if abs(value) < 1e19 else None


NEEDS = ("pyscipopt", "benchmarks.program")
PEERS = (
    Peer("scip", "SCIP from the greedy plan", partial(solve, start=True), NEEDS),
    Peer("scip-cold", "SCIP without a start", partial(solve, start=False), NEEDS),
)
