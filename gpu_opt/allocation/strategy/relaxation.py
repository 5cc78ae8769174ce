"""The relaxation as a small linear program: what integrality alone would need is projected out.

It is as tight as that of `gpu_opt.allocation.formulation` but has a third of its rows
(``models/strategy.md``):

- y: a project with a minimum m gains at most V(m)/m for each of its first m reference GPUs, then as V does;
  the concave envelope of "nothing, or at least the minimum";
- z: a one-pool project takes from its pools in shares that add up to one: Σ_p x_jp / (upper bound of x_jp)
  ≤ 1;
- moved: units up to the wanted holdings are columns of their own, and every one of them spares a move.

Rows that couple projects are those of the formulation, under the same names; their duals are prices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.appraisal import held_at
from gpu_opt.allocation.constraints import expression
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.strategy.prices import Aim, Prices, settled_at_zero
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from pulp import LpProblem, LpVariable

    Term = tuple[LpVariable, float]

DEAR = 10.0
"""What must not be missed in a dive is worth this many times the most valuable compute."""


@dataclass(frozen=True, slots=True)
class Columns:
    """All variables, by index; a mapping has only the indices for which the variable exists."""

    kept: dict[int, LpVariable]
    """Units up to the wanted holdings, by arc with some."""
    more: dict[int, LpVariable]
    """Units beyond, by arc."""
    value: list[list[tuple[LpVariable, float]]]
    """Compute in each piece of the envelope and its worth without the priority, by project."""
    total: list[LpVariable]
    """T_n, by team."""
    short: dict[int, LpVariable]
    over_pool: dict[int, LpVariable]
    over_team: dict[int, LpVariable]
    over_limit: dict[int, LpVariable]
    too_many: LpVariable
    """GPUs moved beyond the budget; 0 but in a dive."""

    def units(self, arc: int) -> list[LpVariable]:
        """The columns that add up to an arc's units."""
        return [columns[arc] for columns in (self.kept, self.more) if arc in columns]


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
    columns = _add_columns(problem, instance)
    for rows in (_pool_rows, _team_rows, _limit_rows, _project_rows):
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
    relaxation.problem.objective = expression(_added_up(terms))
    columns.too_many.upBound = 0.0
    for n, short in columns.short.items():
        if relaxation.instance.teams.level[n] in zero:
            short.upBound = 0.0


def aim_at_most(relaxation: Relaxation, funded: Iterable[int]) -> None:
    """Make the goal the objective, and give a way out of decisions that cannot all be had.

    What costs more than anything is worth: to miss the minimum of the projects `funded`, shortfalls that are
    held at 0, and moves beyond the budget.
    """
    instance, columns, goal = relaxation.instance, relaxation.columns, relaxation.aim.goal
    terms, _ = goal_terms(instance, columns, goal)
    sign = 1.0 if goal.sense == "maximize" else -1.0
    dear = sign * DEAR * max((abs(each) for _, each in terms), default=1.0)
    terms += [(columns.value[j][0][0], dear) for j in funded]
    terms.append((columns.too_many, -dear))
    columns.too_many.upBound = None
    zero = _held_at_zero(relaxation.aim)
    for n, short in columns.short.items():
        if instance.teams.level[n] in zero:
            short.upBound = float(instance.teams.target[n])
            terms.append((short, -dear))
    relaxation.problem.objective = expression(_added_up(terms))


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
        _add_row(problem, f"earlier_goals_{goal.name}", _added_up(terms), sense, limit - constant)


def _add_columns(problem: LpProblem, instance: Instance) -> Columns:
    arcs, teams = instance.arcs, instance.teams
    upper, wanted = arcs.upper.tolist(), arcs.wanted.tolist()
    pinned = [instance.projects.pinned[j] for j in arcs.project.tolist()]
    add = problem.add_variable
    over_pool = ((p, over) for p, over in enumerate(instance.pools.over) if over)
    over_team = ((n, over / MILLI) for n, over in enumerate(teams.over) if over)
    over_limit = ((i, limit.over) for i, limit in enumerate(instance.limits) if limit.over)
    target = ((n, float(target)) for n, target in enumerate(teams.target) if target)
    return Columns(
        kept={a: add(f"k_{a}", w if pinned[a] else 0, w) for a, w in enumerate(wanted) if w},
        more={
            a: add(f"x_{a}", 0, most - w)
            for a, (most, w) in enumerate(zip(upper, wanted, strict=True))
            if most > w
        },
        value=[
            [(add(f"v_{j}_{k}", 0, length), worth) for k, (length, worth) in enumerate(pieces)]
            for j, pieces in enumerate(_envelopes(instance))
        ],
        total=[add(f"total_{n}", 0) for n in range(len(teams.names))],
        short={n: add(f"short_{n}", 0, most) for n, most in target},
        over_pool={p: add(f"over_pool_{p}", 0, most) for p, most in over_pool},
        over_team={n: add(f"over_team_{n}", 0, most) for n, most in over_team},
        over_limit={i: add(f"over_limit_{i}", 0, most) for i, most in over_limit},
        too_many=add("too_many", 0, 0),
    )


def _envelopes(instance: Instance) -> Iterable[list[tuple[float, float]]]:
    """(compute, value of a reference GPU) of every piece of the concave envelope, by project."""
    projects = instance.projects
    ends = np.cumsum([float(share) for share, _ in instance.segments])
    segments = [(end, float(worth)) for end, (_, worth) in zip(ends.tolist(), instance.segments, strict=True)]
    for j, own in enumerate(projects.arcs):
        demand, least = projects.demand[j] / MILLI, projects.minimum[j] / MILLI
        pieces: list[tuple[float, float]] = []
        begin = valued = 0.0
        for share, worth in segments if own else ():
            end = share * demand
            valued += worth * max(0.0, min(end, least) - begin)
            if end > max(begin, least):
                pieces.append((end - max(begin, least), worth))
            begin = end
        yield [(least, valued / least), *pieces] if own and least else pieces


def _pool_rows(instance: Instance, columns: Columns) -> Iterable[tuple[str, list[Term], str, float]]:
    terms: list[list[Term]] = [[] for _ in instance.pools.names]
    pools = instance.arcs.pool.tolist()
    for group in (columns.kept, columns.more):
        for a, variable in group.items():
            terms[pools[a]].append((variable, 1.0))
    for p, granted in enumerate(terms):
        if granted:
            over = [(columns.over_pool[p], -1.0)] if p in columns.over_pool else []
            yield f"pool_capacity_{p}", [*granted, *over], "<=", instance.pools.units[p]


def _team_rows(instance: Instance, columns: Columns) -> Iterable[tuple[str, list[Term], str, float]]:
    teams, arcs = instance.teams, instance.arcs
    terms: list[list[Term]] = [[(total, -1.0)] for total in columns.total]
    for n, parent in enumerate(teams.parent):
        if parent >= 0:
            terms[parent].append((columns.total[n], 1.0))
    counted = (np.array(instance.pools.unit_compute)[arcs.pool] / MILLI).tolist()
    team = np.array(instance.projects.team, dtype=np.int64)[arcs.project].tolist()
    for group in (columns.kept, columns.more):
        for a, variable in group.items():
            terms[team[a]].append((variable, counted[a]))
    for n, total in enumerate(columns.total):
        yield f"team_total_{n}", terms[n], "==", 0.0
        cap = teams.cap[n]
        if cap is not None:
            over = [(columns.over_team[n], -1.0)] if n in columns.over_team else []
            yield f"team_cap_{n}", [(total, 1.0), *over], "<=", cap / MILLI
        if n in columns.short:
            reaches = [(total, 1.0), (columns.short[n], 1.0)]
            yield f"team_guarantee_{n}", reaches, ">=", float(teams.target[n])


def _limit_rows(instance: Instance, columns: Columns) -> Iterable[tuple[str, list[Term], str, float]]:
    unit = np.array(instance.pools.unit)[instance.arcs.pool].tolist()
    for i, limit in enumerate(instance.limits):
        granted = [(variable, float(unit[a])) for a in limit.arcs for variable in columns.units(a)]
        if granted:
            over = [(columns.over_limit[i], -1.0)] if i in columns.over_limit else []
            yield f"type_limit_{i}", [*granted, *over], "<=", limit.gpus


def _project_rows(instance: Instance, columns: Columns) -> Iterable[tuple[str, list[Term], str, float]]:
    arcs, projects = instance.arcs, instance.projects
    own, needed, upper = (arcs.own / MILLI).tolist(), arcs.needed.tolist(), arcs.upper.tolist()
    for j, mine in enumerate(projects.arcs):
        if not mine:
            continue
        granted = [(variable, -own[a]) for a in mine for variable in columns.units(a)]
        valued = [(variable, 1.0) for variable, _ in columns.value[j]]
        yield f"value_{j}", [*valued, *granted], "<=", 0.0
        k = projects.one_pool[j]
        if k and len(mine) > 1:
            shares = [
                (variable, (1.0 if arcs.wanted[a] else float(k)) / upper[a])
                for a in mine
                if upper[a]
                for variable in columns.units(a)
            ]
            yield f"one_pool_{j}", shares, "<=", float(k)
        elif len(mine) > 1:
            finest = max(needed[a] for a in mine)
            shares = [(variable, finest / needed[a]) for a in mine for variable in columns.units(a)]
            yield f"demand_{j}", shares, "<=", float(projects.most_share[j] * finest)


def _added_up(terms: Iterable[Term]) -> list[Term]:
    """Every variable once."""
    by_name: dict[str, Term] = {}
    for variable, each in terms:
        _, before = by_name.get(variable.name, (variable, 0.0))
        by_name[variable.name] = variable, before + each
    return list(by_name.values())


def _add_row(problem: LpProblem, name: str, terms: list[Term], sense: str, side: float) -> None:
    row = expression(terms)
    problem.addConstraint(
        row <= side if sense == "<=" else row >= side if sense == ">=" else row == side, name
    )
