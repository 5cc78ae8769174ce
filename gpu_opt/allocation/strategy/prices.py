"""Prices: one for everything that projects compete for, and what is left of the goal at them.

They are the multipliers of a Lagrangian relaxation (Geoffrion 1974): a row that couples projects is
dropped, and what it would forbid is charged instead. Every goal is written here as a *maximum*; a price
is at least 0 and is what one more unit of the row's right-hand side is worth. Any prices give a bound, good
ones a good bound.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from gpu_opt.allocation.appraisal import held_at
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.strategy.table import Floats, Table
from gpu_opt.instance import MILLI, Instance

TOO_DEAR = 1e15
"""A price that nothing is worth."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Multipliers of the coupling rows, all ≥ 0."""

    pool: Floats
    """λ_p of `pool_capacity`, per unit; shape (pools,)."""
    cap: Floats
    """α_n of `team_cap`, per reference GPU; 0 where there is no cap; shape (teams,)."""
    guarantee: Floats
    """γ_n of `team_guarantee`, per reference GPU; 0 where there is no target; shape (teams,)."""
    limit: Floats
    """ν_i of `type_limit`, per GPU; shape (limits,)."""
    budget: float
    """ρ of `move_budget`, per GPU."""
    earlier: Floats
    """η of the `earlier_goals` row of every goal before this one; shape (earlier goals,)."""

    def mixed(self, other: Prices, share: float) -> Prices:
        """`share` of the way from these prices to the other ones."""
        pairs = {each.name: (getattr(self, each.name), getattr(other, each.name)) for each in fields(self)}
        return Prices(**{name: (1 - share) * mine + share * theirs for name, (mine, theirs) in pairs.items()})


@dataclass(frozen=True, slots=True)
class Aim:
    """A goal to bound, and the values at which the goals before it are held."""

    goal: GoalSpec
    earlier: tuple[GoalSpec, ...]
    held: tuple[float, ...]
    """What was reached of each of them."""


def no_prices(instance: Instance, aim: Aim) -> Prices:
    """Everything for free."""
    teams = len(instance.teams.names)
    return Prices(
        np.zeros(len(instance.pools.names)),
        np.zeros(teams),
        np.zeros(teams),
        np.zeros(len(instance.limits)),
        0.0,
        np.zeros(len(aim.earlier)),
    )


def project_weights(table: Table, aim: Aim, prices: Prices) -> Floats:
    """ω_j: what a project's weighted value counts: 1 in the tier of the goal, η in an earlier one's."""
    weights = np.zeros(len(table.tier))
    if aim.goal.kind == "value":
        weights[table.tier == aim.goal.index] = 1.0
    for goal, price in zip(aim.earlier, prices.earlier, strict=True):
        if goal.kind == "value":
            weights[table.tier == goal.index] += price
    return weights


def move_charges(table: Table, aim: Aim, prices: Prices, weights: Floats) -> Floats:
    """κ_j: what it costs to take a wanted GPU from a project."""
    charged = float(table.instance.move_cost) * weights + prices.budget
    return charged + price_of(aim, prices, "moves")


def arc_charges(table: Table, prices: Prices) -> Floats:
    """c_jp: what a unit of p costs j: its pool, the caps and limits above it, less what guarantees pay."""
    instance = table.instance
    per_compute = prices.cap - prices.guarantee
    for n, parent in enumerate(instance.teams.parent):
        if parent >= 0:
            per_compute[n] += per_compute[parent]
    charges = prices.pool[table.pool] + table.counted * per_compute[table.team_of_arc]
    for limit, price in zip(instance.limits, prices.limit, strict=True):
        if price:
            charges[limit.arcs] += price * table.unit[limit.arcs]
    return np.asarray(charges, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class RightHandSide:
    """The terms of the Lagrangian that no project decides: what rows, overruns and shortfalls earn."""

    pool: Floats
    team: Floats
    limit: Floats
    rest: Floats
    """The move budget and every earlier goal."""

    def terms(self) -> Floats:
        """All of them."""
        return np.concatenate([self.pool, self.team, self.limit, self.rest])


def right_hand_side(table: Table, aim: Aim, prices: Prices) -> RightHandSide:
    """What is added to what the projects gain."""
    instance = table.instance
    teams, pools, limits = instance.teams, instance.pools, instance.limits
    repair = price_of(aim, prices, "repair")
    short = np.array([price_of(aim, prices, "guarantee", level) for level in teams.level])
    target = np.array([float(each) for each in teams.target])
    cap = np.array([0.0 if each is None else each / MILLI for each in teams.cap])
    worth = np.array([each.milli / MILLI for each in limits])
    over_pool = np.maximum(0.0, prices.pool - repair * np.array(pools.unit_compute) / MILLI)
    over_team = np.maximum(0.0, prices.cap - repair)
    over_limit = np.maximum(0.0, prices.limit - repair * worth)
    over_short = np.maximum(0.0, prices.guarantee - short)
    at = [held_at(goal, value) for goal, value in zip(aim.earlier, aim.held, strict=True)]
    sign = [1.0 if goal.sense == "minimize" else -1.0 for goal in aim.earlier]
    held = prices.earlier * np.array(at) * np.array(sign)
    moves = 0.0 if instance.max_moves is None else prices.budget * instance.max_moves
    return RightHandSide(
        pool=prices.pool * np.array(pools.units) + over_pool * np.array(pools.over),
        team=prices.cap * cap
        + over_team * np.array(teams.over) / MILLI
        + (over_short - prices.guarantee) * target,
        limit=prices.limit * np.array([each.gpus for each in limits], dtype=np.float64)
        + over_limit * np.array([each.over for each in limits], dtype=np.float64),
        rest=np.r_[held, moves],
    )


def price_of(aim: Aim, prices: Prices, kind: str, index: int = 0) -> float:
    """What a unit of a goal that is minimized costs: 1 for the goal itself, η for an earlier one."""
    if (aim.goal.kind, aim.goal.index) == (kind, index):
        return 1.0
    for goal, price in zip(aim.earlier, prices.earlier, strict=True):
        if (goal.kind, goal.index) == (kind, index):
            return float(price)
    return 0.0


def settled_at_zero(aim: Aim, prices: Prices) -> Prices:
    """Make overruns and shortfalls that are held at 0 too dear to have: holding them there costs nothing."""
    zero = [
        goal.sense == "minimize" and value == 0 for goal, value in zip(aim.earlier, aim.held, strict=True)
    ]
    return replace(prices, earlier=np.where(zero, TOO_DEAR, prices.earlier))
