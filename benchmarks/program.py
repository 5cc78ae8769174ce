"""The allocation as one mixed-integer program in arrays: what every solver among the peers reads.

It is gpu_opt's own formulation (``models/allocation.md``), written by PuLP, with the penalty form as its
objective, so that no peer is handicapped by a translation. This is the only file of the benchmarks that
knows how gpu_opt is built inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pulp import LpProblem, LpVariable

from benchmarks.objective import goal_weights
from gpu_opt.allocation.constraints import expression
from gpu_opt.allocation.formulation import formulate
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.start import set_start
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization
from gpu_opt.plan import Grant

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Program:
    """Maximize cost·v subject to row_lower ≤ A v ≤ row_upper, lower ≤ v ≤ upper; some v are integers."""

    cost: Floats
    """Shape (columns,), as the next four."""
    lower: Floats
    upper: Floats
    """Infinite where there is no bound."""
    is_integer: npt.NDArray[np.bool_]
    start: Floats
    """The greedy plan."""
    row_start: Ints
    """Shape (rows + 1,): the non-zeros of row i are those from row_start[i] up to row_start[i + 1]."""
    column: Ints
    """Shape (non-zeros,)."""
    coefficient: Floats
    """Shape (non-zeros,)."""
    row_lower: Floats
    """Shape (rows,)."""
    row_upper: Floats
    arcs: int
    """The first columns are the units granted, one for every arc of the instance."""


def build(organization: Organization) -> tuple[Instance, Program]:
    """The indexed organization and its program, on its first day."""
    instance, problem = build_problem(organization)
    return instance, to_arrays(problem, len(instance.arcs.project))


def build_problem(organization: Organization) -> tuple[Instance, LpProblem]:
    """The program in PuLP; the variables have the values of the greedy plan."""
    instance = build_instance(organization, organization.as_of)
    formulation = formulate(instance)
    goals = list_goals(instance)
    set_start(instance, formulation.variables, first_incumbent(instance, goals).x)
    weights = goal_weights(organization)
    terms: list[tuple[LpVariable, float]] = []
    for goal in goals:
        weight = float(weights[goal.name])
        terms += [(v, weight * each) for v, each in goal.terms(instance, formulation.variables) if weight]
    formulation.problem.sense = -1
    formulation.problem.objective = expression(terms)
    return instance, formulation.problem


def to_arrays(problem: LpProblem, arcs: int) -> Program:
    """Read a PuLP problem out; its variables were added in the order of their ids."""
    variables = problem.variables()
    count = len(variables)
    cost = np.zeros(count)
    assert problem.objective is not None
    for variable, coefficient in problem.objective.items():
        cost[variable.id] += coefficient
    rows = [row.items() for row in problem.constraints()]
    sides = [(row.getLb(), row.getUb()) for row in problem.constraints()]
    return Program(
        cost=cost,
        lower=_numbers([v.lowBound for v in variables], -np.inf),
        upper=_numbers([v.upBound for v in variables], np.inf),
        is_integer=np.array([v.isInteger() for v in variables], dtype=bool),
        start=_numbers([v.varValue for v in variables], 0.0),
        row_start=np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64),
        column=np.array([v.id for row in rows for v, _ in row], dtype=np.int64),
        coefficient=np.array([each for row in rows for _, each in row], dtype=np.float64),
        row_lower=_numbers([low for low, _ in sides], -np.inf),
        row_upper=_numbers([high for _, high in sides], np.inf),
        arcs=arcs,
    )


def _numbers(values: Sequence[float | None], missing: float) -> Floats:
    return np.array([missing if value is None else value for value in values], dtype=np.float64)


def greedy_units(organization: Organization) -> tuple[Instance, Ints]:
    """The plan of a careful planner with a spreadsheet: units by arc, without any program."""
    instance = build_instance(organization, organization.as_of)
    return instance, first_incumbent(instance, list_goals(instance)).x


def grants_of(instance: Instance, units: Sequence[float] | Floats | Ints) -> tuple[Grant, ...]:
    """The grants in a solution; its first columns are units by arc, integers to within a tolerance."""
    arcs, pools, projects = instance.arcs, instance.pools, instance.projects
    whole = np.rint(np.asarray(units[: len(arcs.project)])).astype(np.int64)
    return tuple(
        Grant(
            project=projects.names[int(arcs.project[a])],
            pool=pools.names[int(arcs.pool[a])],
            gpus=int(whole[a]) * pools.unit[int(arcs.pool[a])],
        )
        for a in np.flatnonzero(whole).tolist()
    )
