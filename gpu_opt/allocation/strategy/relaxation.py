"""The relaxation as a small linear program: what integrality alone would need is projected out.

It is at least as tight as that of `gpu_opt.allocation.formulation` but has a third of its rows
(``models/strategy.md``):

- y: a project with a minimum m gains at most V(m)/m for each of its first m reference GPUs, then as V does;
  the concave envelope of "nothing, or at least the minimum";
- z: a one-pool project takes from its pools in shares that add up to one: Σ_p x_jp / (upper bound of x_jp)
  ≤ 1, or kept_jp / w_jp for what it keeps of a pool, and as much for what it takes beyond;
- moved: units up to the wanted holdings are columns of their own, and every one of them spares a move.

Rows that couple projects are those of the formulation, under the same names; their duals are prices. The
columns are in :mod:`.columns`, the rows in :mod:`.rows`; here they become a program for a goal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.appraisal import held_at
from gpu_opt.allocation.constraints import every_variable_once, expression
from gpu_opt.allocation.goals import GoalSpec, a_little_of_later_tiers, list_goals
from gpu_opt.allocation.strategy.columns import Columns, add_columns
from gpu_opt.allocation.strategy.prices import Aim, Prices, settled_at_zero
from gpu_opt.allocation.strategy.rows import limit_rows, pool_rows, project_rows, team_rows
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from pulp import LpProblem, LpVariable

    Term = tuple[LpVariable, float]

DEAR = 10.0
"""What must not be missed in a dive is worth this many times the most valuable compute."""

STEEP = 3.0
"""A promise is worth this many times one of the level below."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A linear program for a goal, the ones before it being held."""

    instance: Instance
    aim: Aim
    problem: LpProblem
    columns: Columns


def relaxation_of(instance: Instance, aim: Aim) -> Relaxation:
    """Build it."""
    from pulp import LpProblem

    problem = LpProblem("relaxation")
    columns = add_columns(problem, instance)
    for rows in (pool_rows, team_rows, limit_rows, project_rows):
        for name, terms, sense, side in rows(instance, columns):
            _add_row(problem, name, terms, sense, side)
    terms, moved = _counted(instance, columns, _moves_cost(instance, 1.0))
    if instance.max_moves is not None and terms:
        row = [*terms, (columns.too_many, -1.0)]
        _add_row(problem, "move_budget", row, "<=", instance.max_moves - moved)
    for goal, reached in zip(aim.earlier, aim.held, strict=True):
        _hold(problem, instance, columns, goal, reached)
    relaxation = Relaxation(instance, aim, problem, columns)
    aim_at_goal(relaxation)
    return relaxation


def aim_at_goal(relaxation: Relaxation) -> None:
    """Make the goal the objective, and hold what is held."""
    columns, zero = relaxation.columns, _held_at_zero(relaxation.aim)
    terms, _ = goal_terms(relaxation.instance, columns, relaxation.aim.goal)
    relaxation.problem.sense = -1 if relaxation.aim.goal.sense == "maximize" else 1
    relaxation.problem.objective = expression(every_variable_once(terms))
    columns.too_many.upBound = 0.0
    for n, short in columns.short.items():
        if relaxation.instance.teams.level[n] in zero:
            short.upBound = 0.0


def aim_at_most(relaxation: Relaxation, funded: Iterable[int]) -> None:
    """Make the goal the objective, and give a way out of decisions that cannot all be had.

    Later tiers count a little. What costs more than anything is worth: to miss the minimum of the projects
    `funded`, shortfalls that are held at 0, and moves beyond the budget.
    """
    instance, columns, goal = relaxation.instance, relaxation.columns, relaxation.aim.goal
    terms, _ = goal_terms(instance, columns, goal)
    terms += _later_tiers(relaxation)
    sign = 1.0 if goal.sense == "maximize" else -1.0
    dear = sign * DEAR * max((abs(each) for _, each in terms), default=1.0)
    terms += [(columns.value[j][0][0], dear) for j in funded]
    terms.append((columns.too_many, -dear))
    columns.too_many.upBound = None
    zero = _held_at_zero(relaxation.aim)
    deepest = max(zero, default=0)
    for n, short in columns.short.items():
        if instance.teams.level[n] in zero:
            short.upBound = float(instance.teams.target[n])
            terms.append((short, -dear * STEEP ** (deepest - instance.teams.level[n])))
    relaxation.problem.objective = expression(every_variable_once(terms))


def aim_at_later_tiers(relaxation: Relaxation) -> bool:
    """Let later tiers count a little, so that of equally good solutions the one with most for them is found.

    False if there are none.
    """
    terms, _ = goal_terms(relaxation.instance, relaxation.columns, relaxation.aim.goal)
    later = _later_tiers(relaxation)
    relaxation.problem.objective = expression(every_variable_once([*terms, *later]))
    return bool(later)


def _later_tiers(relaxation: Relaxation) -> list[Term]:
    instance, columns = relaxation.instance, relaxation.columns

    def terms_of(each: GoalSpec) -> list[Term]:
        return goal_terms(instance, columns, each)[0]

    return list(a_little_of_later_tiers(relaxation.aim.goal, list_goals(instance), terms_of))


def reached(relaxation: Relaxation) -> float:
    """The goal's value at the solution, in its own sense."""
    terms, constant = goal_terms(relaxation.instance, relaxation.columns, relaxation.aim.goal)
    return constant + sum(each * (variable.varValue or 0.0) for variable, each in terms)


def read_units(relaxation: Relaxation) -> Floats:
    """Fractional units per arc, after it was solved."""
    units = np.zeros(len(relaxation.instance.arcs.pool))
    for columns in (relaxation.columns.kept, relaxation.columns.more):
        for a, variable in columns.items():
            units[a] += variable.varValue or 0.0
    return units


def read_prices(relaxation: Relaxation) -> Prices:
    """The duals of the solution as prices: CBC minimizes, so its duals of ≤ rows are negative."""
    instance, aim = relaxation.instance, relaxation.aim
    dual = {row.name: float(row.pi or 0.0) for row in relaxation.problem.constraints()}

    def of(name: str, count: int, sign: float) -> Floats:
        return np.array([max(0.0, sign * dual.get(f"{name}_{i}", 0.0)) for i in range(count)])

    earlier = [
        max(0.0, dual.get(f"earlier_goals_{goal.name}", 0.0) * (1.0 if goal.sense == "maximize" else -1.0))
        for goal in aim.earlier
    ]
    prices = Prices(
        of("pool_capacity", len(instance.pools.names), -1.0),
        of("team_cap", len(instance.teams.names), -1.0),
        of("team_guarantee", len(instance.teams.names), 1.0),
        of("type_limit", len(instance.limits), -1.0),
        max(0.0, -dual.get("move_budget", 0.0)),
        np.array(earlier),
    )
    return settled_at_zero(aim, prices)


def goal_terms(instance: Instance, columns: Columns, goal: GoalSpec) -> tuple[list[Term], float]:
    """The goal as Σ coefficient · variable, and its constant."""
    pools, teams, limits = instance.pools, instance.teams, instance.limits
    if goal.kind == "repair":
        terms = [(over, pools.unit_compute[p] / MILLI) for p, over in columns.over_pool.items()]
        terms += [(over, 1.0) for over in columns.over_team.values()]
        return [*terms, *((over, limits[i].milli / MILLI) for i, over in columns.over_limit.items())], 0.0
    if goal.kind == "guarantee":
        return [(short, 1.0) for n, short in columns.short.items() if teams.level[n] == goal.index], 0.0
    if goal.kind == "moves":
        return _counted(instance, columns, _moves_cost(instance, 1.0))
    tier = np.array(instance.projects.tier) == goal.index
    lost = np.where(tier[instance.arcs.project], _moves_cost(instance, float(instance.move_cost)), 0.0)
    terms, constant = _counted(instance, columns, lost)
    values = [
        (variable, instance.projects.priority[j] * worth)
        for j in np.flatnonzero(tier).tolist()
        for variable, worth in columns.value[j]
    ]
    return [*values, *((variable, -each) for variable, each in terms)], -constant


def _moves_cost(instance: Instance, per_gpu: float) -> Floats:
    """What it costs to move a unit, by arc with wanted holdings."""
    unit = np.array(instance.pools.unit, dtype=np.float64)[instance.arcs.pool]
    return np.asarray(np.where(instance.arcs.wanted > 0, per_gpu * unit, 0.0))


def _counted(instance: Instance, columns: Columns, cost: Floats) -> tuple[list[Term], float]:
    """Σ cost · (wanted − kept): terms, and the constant."""
    terms = [(kept, -float(cost[a])) for a, kept in columns.kept.items() if cost[a]]
    return terms, float((cost * instance.arcs.wanted).sum())


def _held_at_zero(aim: Aim) -> set[int]:
    """Levels whose shortfalls are held at 0."""
    pairs = zip(aim.earlier, aim.held, strict=True)
    return {goal.index for goal, reached in pairs if goal.kind == "guarantee" and reached == 0}


def _hold(problem: LpProblem, instance: Instance, columns: Columns, goal: GoalSpec, reached: float) -> None:
    terms, constant = goal_terms(instance, columns, goal)
    limit = held_at(goal, reached)
    if goal.sense == "minimize" and reached == 0 and not constant:
        for variable, _ in terms:
            variable.upBound = 0.0
    elif terms:
        sense = ">=" if goal.sense == "maximize" else "<="
        _add_row(problem, f"earlier_goals_{goal.name}", every_variable_once(terms), sense, limit - constant)


def _add_row(problem: LpProblem, name: str, terms: list[Term], sense: str, side: float) -> None:
    row = expression(terms)
    problem.addConstraint(
        row <= side if sense == "<=" else row >= side if sense == ">=" else row == side, name
    )
