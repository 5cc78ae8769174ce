"""HiGHS on the compact model, through highspy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.peer import Peer, Proof, Run, Task
from benchmarks.program import Program, build, grants_of


def solve(task: Task, run: Run, *, start: bool) -> Proof:
    """Run HiGHS' branch and cut with its own defaults, every improving plan handed in."""
    import highspy

    instance, program = build(task.organization)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", task.threads)
    solver.setOptionValue("random_seed", task.seed)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.passModel(_model(highspy, program))
    if start:
        solution = highspy.HighsSolution()
        solution.col_value = program.start.tolist()
        solver.setSolution(solution)

    def improved(event: Any) -> None:
        said = event.data_out
        run.report(said.objective_function_value, _finite(said.mip_dual_bound))
        run.hand_in(grants_of(instance, np.asarray(said.mip_solution)))

    def logged(event: Any) -> None:
        said = event.data_out
        run.report(_finite(said.mip_primal_bound), _finite(said.mip_dual_bound))

    solver.cbMipImprovingSolution += improved
    solver.cbMipLogging += logged
    solver.setOptionValue("time_limit", run.left)
    solver.run()
    return Proof(_finite(solver.getInfo().mip_dual_bound), remark=str(solver.getModelStatus()).split(".")[-1])


def _model(highspy: Any, program: Program) -> Any:
    model = highspy.HighsLp()
    model.sense_ = highspy.ObjSense.kMaximize
    model.num_col_, model.num_row_ = len(program.cost), len(program.row_lower)
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.lower, program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.row_start
    model.a_matrix_.index_, model.a_matrix_.value_ = program.column, program.coefficient
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(each)] for each in program.is_integer]
    return model


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) and abs(value) < 1e30 else None


PEERS = (
    Peer(
        "highs", "HiGHS from the greedy plan", partial(solve, start=True), ("highspy", "benchmarks.program")
    ),
    Peer(
        "highs-cold", "HiGHS without a start", partial(solve, start=False), ("highspy", "benchmarks.program")
    ),
)
