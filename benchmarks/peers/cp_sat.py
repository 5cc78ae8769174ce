"""CP-SAT of OR-Tools, on the compact model with whole numbers.

CP-SAT knows integers only. Continuous columns are counted in thousandths (compute has no finer multiples),
and every row is multiplied until all its coefficients are whole, then divided by their greatest common
divisor; a side that is finer than that is rounded towards what every plan keeps. Coefficients of `demand`
are quotients of units; where no factor below `FINEST` makes a row of them whole, they are rounded to that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from benchmarks.peer import Peer, Proof, Run, Task
from benchmarks.program import Floats, Program, build, grants_of
from gpu_opt.instance import MILLI, Ints

FINEST = 10**9
"""Most by which a row's coefficients are multiplied: sums of them stay far below 2⁶³."""

LARGEST = 10**12
"""Stands for infinity: thousandths of a reference GPU that no lab has."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A program of integers: column i counts ``1 / scale[i]`` of the program's, row sides are whole."""

    scale: Ints
    lower: Ints
    upper: Ints
    coefficient: list[list[int]]
    """Row by row."""
    row_lower: list[int]
    row_upper: list[int]
    cost: list[int]
    worth: Fraction
    """Of one unit of the whole objective, in the program's."""


def whole(program: Program) -> Whole:
    """Scale a program to integers. Its plans, and their objectives, are the same.

    Raises ValueError for a coefficient that is no quotient of integers below a million.
    """
    scale = np.where(program.is_integer, 1, MILLI)
    rows = list(zip(program.row_start[:-1].tolist(), program.row_start[1:].tolist(), strict=True))
    coefficients, lows, highs = [], [], []
    for row, (first, last) in enumerate(rows):
        exact = [
            _quotient(value) / each
            for value, each in zip(
                program.coefficient[first:last].tolist(),
                scale[program.column[first:last]].tolist(),
                strict=True,
            )
        ]
        factor = min(_whole_factor(exact), Fraction(FINEST))
        coefficients.append([round(value * factor) for value in exact])
        lows.append(_side(float(program.row_lower[row]), factor, math.ceil, -LARGEST * MILLI))
        highs.append(_side(float(program.row_upper[row]), factor, math.floor, LARGEST * MILLI))
    costs = [_quotient(cost) / each for cost, each in zip(program.cost.tolist(), scale.tolist(), strict=True)]
    factor = _whole_factor(costs)
    return Whole(
        scale=scale,
        lower=_bounds(program.lower * scale, np.ceil),
        upper=_bounds(program.upper * scale, np.floor),
        coefficient=coefficients,
        row_lower=lows,
        row_upper=highs,
        cost=[int(cost * factor) for cost in costs],
        worth=1 / factor,
    )


def _quotient(value: float) -> Fraction:
    meant = Fraction(value).limit_denominator(10**6)
    if abs(float(meant) - value) > 1e-9 * max(1.0, abs(value)):
        raise ValueError(f"the coefficient {value!r} is no quotient of integers below a million")
    return meant


def _whole_factor(values: list[Fraction]) -> Fraction:
    """What makes all of them integers without a common divisor."""
    multiple = math.lcm(*(value.denominator for value in values))
    divisor = math.gcd(*(int(value * multiple) for value in values))
    return Fraction(multiple, divisor or 1)


def _side(value: float, factor: Fraction, inward: Any, missing: int) -> int:
    if not math.isfinite(value):
        return missing
    return int(inward(Fraction(str(round(value, 9))) * factor))


def _bounds(values: Floats, inward: Any) -> Ints:
    near = np.rint(values)
    with np.errstate(invalid="ignore"):
        tidy = np.where(np.abs(values - near) < 1e-6, near, inward(values))
    return np.clip(tidy, -LARGEST, LARGEST).astype(np.int64)


def solve(task: Task, run: Run, *, start: bool) -> Proof:
    """Run CP-SAT with its own defaults, every improving plan handed in."""
    from ortools.sat.python import cp_model

    instance, program = build(task.organization)
    scaled = whole(program)
    model = cp_model.CpModel()
    columns = [
        model.new_int_var(low, high, "")
        for low, high in zip(scaled.lower.tolist(), scaled.upper.tolist(), strict=True)
    ]
    for row, coefficients in enumerate(scaled.coefficient):
        first = int(program.row_start[row])
        used = [columns[i] for i in program.column[first : first + len(coefficients)].tolist()]
        total = cp_model.LinearExpr.weighted_sum(used, coefficients)
        model.add_linear_constraint(total, scaled.row_lower[row], scaled.row_upper[row])
    model.maximize(cp_model.LinearExpr.weighted_sum(columns, scaled.cost))
    if start:
        begin = np.clip(np.rint(program.start * scaled.scale), scaled.lower, scaled.upper)
        for column, value in zip(columns, begin.astype(np.int64).tolist(), strict=True):
            model.add_hint(column, value)

    class Told(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
        def on_solution_callback(self) -> None:
            run.report(self.objective_value * unit, self.best_objective_bound * unit)
            run.hand_in(grants_of(instance, [self.value(column) for column in columns[: program.arcs]]))

    unit = float(scaled.worth)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = task.threads
    solver.parameters.random_seed = task.seed
    solver.parameters.max_time_in_seconds = run.left
    solver.best_bound_callback = lambda bound: run.report(None, bound * unit)
    status = solver.solve(model, Told())
    if status == cp_model.MODEL_INVALID:
        raise ValueError(f"CP-SAT refuses the model: {model.validate()}")
    bound = (
        None
        if status == cp_model.UNKNOWN and not solver.best_objective_bound
        else unit * solver.best_objective_bound
    )
    return Proof(bound, remark=solver.status_name(status).lower())


NEEDS = ("ortools.sat.python.cp_model", "benchmarks.program")
PEERS = (
    Peer("cp-sat", "CP-SAT with the greedy plan as a hint", partial(solve, start=True), NEEDS),
    Peer("cp-sat-cold", "CP-SAT without a hint", partial(solve, start=False), NEEDS),
)
