"""What a set of grants is worth, and whether it keeps every constraint: exact, without a solver.

Grants are an array x of allocation units, one entry per arc. Feasibility is decided in integers
(milli-compute, GPUs) and fractions, so CBC's tolerances cannot let a cap be broken by a hair.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.shares import keeps_demands
from gpu_opt.allocation.spread import keeps_to_one_pool
from gpu_opt.instance import MILLI, Instance, Ints, add_up

Floats = npt.NDArray[np.float64]

PROVED = 1e-9
"""Relative gap within which a goal counts as proved."""


def own_compute(instance: Instance, x: Ints) -> Ints:
    """Milli-compute of every project at its own speeds, shape (projects,)."""
    some = np.flatnonzero(x)
    per_arc = x[some] * instance.arcs.own[some]
    return add_up(instance.arcs.project[some], per_arc, len(instance.projects.names))


def pool_units(instance: Instance, x: Ints) -> Ints:
    """Units granted in every pool, shape (pools,)."""
    some = np.flatnonzero(x)
    return add_up(instance.arcs.pool[some], x[some], len(instance.pools.names))


def team_compute(instance: Instance, x: Ints) -> Ints:
    """Milli-compute granted under every team, T_n, shape (teams,)."""
    some = np.flatnonzero(x)
    unit_compute = np.array(instance.pools.unit_compute, dtype=np.int64)
    return _under_teams(instance, some, x[some] * unit_compute[instance.arcs.pool[some]])


def team_gpus(instance: Instance, x: Ints) -> dict[str, Ints]:
    """GPUs granted under every team, by the GPU types of pools and limits; each of shape (teams,)."""
    some = np.flatnonzero(x)
    gpus = x[some] * np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool[some]]
    of_type = {}
    for kind in sorted({*instance.pools.types, *(limit.gpu_type for limit in instance.limits)}):
        is_kind = np.array([each == kind for each in instance.pools.types], dtype=bool)[
            instance.arcs.pool[some]
        ]
        of_type[kind] = _under_teams(instance, some[is_kind], gpus[is_kind])
    return of_type


def limit_gpus(instance: Instance, x: Ints) -> Ints:
    """GPUs granted under every limit, of its type, shape (limits,)."""
    limits = instance.limits
    of_type = team_gpus(instance, x) if limits else {}
    return np.array([of_type[each.gpu_type][each.team] for each in limits], dtype=np.int64)


def moved_gpus(instance: Instance, x: Ints) -> Ints:
    """GPUs taken, shape (arcs,): what is wanted and not kept."""
    unit = np.array(instance.pools.unit, dtype=np.int64)
    moved = np.zeros_like(x)
    lost = np.flatnonzero(x < instance.arcs.wanted)
    moved[lost] = (instance.arcs.wanted[lost] - x[lost]) * unit[instance.arcs.pool[lost]]
    return moved


def changed_gpus(instance: Instance, x: Ints) -> Ints:
    """GPUs granted otherwise than in the plan to stay near to, which there must be; shape (arcs,)."""
    assert instance.arcs.near is not None
    unit = np.array(instance.pools.unit, dtype=np.int64)
    changed: Ints = np.abs(x * unit[instance.arcs.pool] - instance.arcs.near)
    return changed


def overruns(instance: Instance, x: Ints) -> tuple[Ints, Ints, Ints]:
    """How far every capacity (units), cap (milli-compute) and limit (GPUs) is exceeded."""
    caps = np.array([2**62 if cap is None else cap for cap in instance.teams.cap], dtype=np.int64)
    return (
        np.maximum(0, pool_units(instance, x) - np.array(instance.pools.units, dtype=np.int64)),
        np.maximum(0, team_compute(instance, x) - caps),
        np.maximum(
            0, limit_gpus(instance, x) - np.array([each.gpus for each in instance.limits], dtype=np.int64)
        ),
    )


def is_feasible(instance: Instance, x: Ints) -> bool:
    """Whether the grants keep every constraint of ``models/allocation.md``."""
    arcs, projects = instance.arcs, instance.projects
    if (x < 0).any() or (x > arcs.upper).any():
        return False
    pool, team, limit = overruns(instance, x)
    allowed_limit = np.array([each.over for each in instance.limits], dtype=np.int64)
    if (
        (pool > np.array(instance.pools.over)).any()
        or (team > np.array(instance.teams.over)).any()
        or (limit > allowed_limit).any()
    ):
        return False
    own = own_compute(instance, x)
    if ((own > 0) & (own < np.array(projects.minimum))).any():
        return False
    if not keeps_demands(instance, x) or not keeps_to_one_pool(instance, x):
        return False
    moved = moved_gpus(instance, x)
    losers = arcs.project[np.flatnonzero(moved)]
    if np.array(projects.pinned, dtype=bool)[losers].any():
        return False
    return instance.max_moves is None or int(moved.sum()) <= instance.max_moves


def project_values(instance: Instance, x: Ints) -> Floats:
    """π_j Σ_k b_k v_jk with the best v for the grants, shape (projects,)."""
    return _values_of(instance, own_compute(instance, x))


def wanted_compute(instance: Instance) -> Floats:
    """The most milli-compute that counts for each project: d_j, or all that it may be granted if less.

    It is less where a project stands for several (:mod:`gpu_opt.allocation.uniting`).
    """
    return np.array(np.minimum(most_compute(instance), instance.projects.demand))


def most_compute(instance: Instance) -> Floats:
    """The most milli-compute that each project may be granted: max_p F_j K_jp s_jp u_p."""
    arcs, projects = instance.arcs, instance.projects
    most = np.zeros(len(projects.names))
    share = np.array([float(each) for each in projects.most_share])
    np.maximum.at(most, arcs.project, share[arcs.project] * arcs.needed * arcs.own)
    return most


def _values_of(instance: Instance, milli: Ints | Floats) -> Floats:
    """π_j V_j of so much milli-compute of its own for every project."""
    left = milli / MILLI
    demand = np.array(instance.projects.demand) / MILLI
    worth = np.zeros(len(left))
    for share, each in instance.segments:
        piece = np.minimum(left, float(share) * demand)
        worth += float(each) * piece
        left = left - piece
    return np.array(worth * np.array(instance.projects.priority))


def appraise(instance: Instance, goals: tuple[GoalSpec, ...], x: Ints) -> tuple[float, ...]:
    """The value of every goal, in their order and their own senses."""
    moved = moved_gpus(instance, x)
    values = project_values(instance, x)
    some = np.flatnonzero(moved)
    lost = float(instance.move_cost) * add_up(instance.arcs.project[some], moved[some], len(values))
    total = team_compute(instance, x)
    short = [
        max(0.0, float(target) - int(done) / MILLI)
        for target, done in zip(instance.teams.target, total, strict=True)
    ]
    levels, tiers = np.array(instance.teams.level), np.array(instance.projects.tier)
    worth: dict[str, float] = {}
    for goal in goals:
        if goal.kind == "repair":
            worth[goal.name] = _overrun_compute(instance, x)
        elif goal.kind == "guarantee":
            worth[goal.name] = float(np.array(short)[levels == goal.index].sum())
        elif goal.kind == "value":
            worth[goal.name] = float((values - lost)[tiers == goal.index].sum())
        elif goal.kind == "moves":
            worth[goal.name] = float(moved.sum())
        else:
            worth[goal.name] = float(changed_gpus(instance, x).sum())
    return tuple(worth[goal.name] for goal in goals)


def trivial_bound(instance: Instance, goal: GoalSpec) -> float:
    """What no plan can beat, without solving: no shortfall, or all met in full that the tier asks for."""
    if goal.sense == "minimize":
        return 0.0
    most = _values_of(instance, wanted_compute(instance))
    return float(most[np.array(instance.projects.tier) == goal.index].sum())


def contradicts(goal: GoalSpec, bound: float, value: float) -> bool:
    """Whether a plan is better than a bound says any can be: such a bound is false, whoever says so."""
    is_beyond = value > bound if goal.sense == "maximize" else value < bound
    return is_beyond and not is_reached(goal, bound, value)


def sound(goal: GoalSpec, bound: float, value: float) -> float:
    """A bound, never on the wrong side of a value that was reached (by the slack of held goals)."""
    if is_reached(goal, bound, value):
        return value
    return max(bound, value) if goal.sense == "maximize" else min(bound, value)


def is_reached(goal: GoalSpec, bound: float, value: float) -> bool:
    """Whether a value is its bound."""
    return abs(bound - value) <= nearness(goal, value)


def nearness(goal: GoalSpec, value: float) -> float:
    """How near a bound proves a value: less than a step lies between, or nothing that CBC can tell apart."""
    return max(PROVED * abs(value), 0.9 * goal.step, goal.noise)


def is_better(goals: tuple[GoalSpec, ...], new: tuple[float, ...], old: tuple[float, ...]) -> bool:
    """Whether `new` is lexicographically better than `old` by more than rounding."""
    for goal, a, b in zip(goals, new, old, strict=True):
        gain = a - b if goal.sense == "maximize" else b - a
        tolerance = held_with(b, goal.step)
        if gain > tolerance:
            return True
        if gain < -tolerance:
            return False
    return False


WRITTEN = 1e-12
"""Share of a number that the model file may be off by: it has 13 digits. Where steps are finer than that, a
program may give one of them up; :func:`is_better` then refuses its plan."""


def held_with(value: float, step: float) -> float:
    """Slack with which a goal's value is held: what rounding may cost, never a whole step of the goal."""
    return min(1e-9 * abs(value) + 1e-7, step / 2)


def held_at(goal: GoalSpec, reached: float, widening: float = 1.0) -> float:
    """The limit that holds a goal where it is, with its slack; at 0 there is none."""
    if goal.sense == "minimize" and reached == 0 and widening == 1:
        return 0.0
    slack = max(held_with(reached, goal.step) * widening, WRITTEN * abs(reached))
    return reached - slack if goal.sense == "maximize" else reached + slack


def _under_teams(instance: Instance, arcs: Ints, amounts: Ints) -> Ints:
    """Amounts on some arcs, added up by team, those of the teams below included; shape (teams,)."""
    team = np.array(instance.projects.team, dtype=np.int64)[instance.arcs.project[arcs]]
    total = add_up(team, amounts, len(instance.teams.names)).tolist()
    for n, above in reversed(list(enumerate(instance.teams.parent))):
        if above >= 0:
            total[above] += total[n]
    return np.array(total, dtype=np.int64)


def _overrun_compute(instance: Instance, x: Ints) -> float:
    pool, team, limit = overruns(instance, x)
    by_pool = int((pool * np.array(instance.pools.unit_compute)).sum())
    by_limit = sum(int(over) * each.milli for over, each in zip(limit, instance.limits, strict=True))
    return (by_pool + int(team.sum()) + by_limit) / MILLI
