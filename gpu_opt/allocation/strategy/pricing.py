"""What every project would take at given prices, and the bound that follows; exact and vectorised.

At fixed prices the projects no longer compete, so each solves its own small problem:

    max  ω_j π_j V_j(Σ_p s_jp u_p x_jp) − Σ_p c_jp x_jp − κ_j Σ_p max(0, w_jp − u_p x_jp)

over nothing at all, or at least the minimum in at most k_j pools, at most the demand. V is the concave
value. Projects in one pool are solved in integers: the objective is concave in x between kinks, so only the
units next to a kink, the minimum, the holdings and the upper bound need be tried (`Menu`). All others are
solved with fractional units but with their minimum: cheapest compute first, as far as it is worth its price
(a continuous knapsack; Dantzig 1957). That is at least the integer optimum, so the sum over the projects,
plus what the rows' right-hand sides earn, bounds the goal. (Whole units there were tried: with a dozen
pools of several units to choose from the optimum hardly changes.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpu_opt.allocation.strategy.prices import (
    Aim,
    Prices,
    arc_charges,
    move_charges,
    project_weights,
    right_hand_side,
)
from gpu_opt.allocation.strategy.table import Flags, Floats, Table, add_up, value_of
from gpu_opt.instance import Ints

OUTWARD = 1e-11
"""Share of the sum of all absolute terms by which a bound is moved outward, against rounding."""


@dataclass(frozen=True, slots=True)
class Menu:
    """All that a one-pool project could ever choose; one entry per arc and number of units."""

    arc: Ints
    units: Floats
    project: Ints
    worth: Floats
    """V_j of it, without the priority."""
    lost: Floats
    """Wanted GPUs that it gives up."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The arcs of all other projects, cut at their wanted holdings; one entry per piece."""

    arc: Ints
    project: Ints
    length: Floats
    """Units."""
    kept: Flags
    """It is the piece that keeps wanted holdings."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What projects take at some prices."""

    bound: float
    """On the goal, as a maximum."""
    profit: Floats
    """Of every project; shape (projects,)."""
    x: Floats
    """Units per arc; fractional."""


@dataclass(frozen=True, slots=True)
class Market:
    """A table with all that does not depend on prices."""

    table: Table
    menu: Menu
    steps: Steps


def open_market(table: Table) -> Market:
    """Prepare an instance for being priced often."""
    return Market(table, _menu(table), _steps(table))


def price(market: Market, aim: Aim, prices: Prices) -> Priced:
    """What every project takes at these prices, and the bound on the goal (as a maximum) that it proves."""
    table = market.table
    weights = project_weights(table, aim, prices)
    moves = move_charges(table, aim, prices, weights)
    charges = arc_charges(table, prices)
    nothing = np.where(table.pinned & (table.holds > 0), -np.inf, -moves * table.holds)
    worth = weights * table.priority
    in_one = _best_of_menu(market, worth, moves, charges)
    spread, units = _best_of_steps(market, worth, moves, charges)
    profit = np.maximum(nothing, np.where(table.single, in_one.profit, spread))
    x = np.where(table.single[table.project], in_one.x, units)
    some = np.where(table.single, in_one.profit, spread) >= nothing
    x = np.where(some[table.project], x, 0.0)
    profit = np.where(table.alive, profit, 0.0)
    rest = right_hand_side(table, aim, prices).terms()
    outward = OUTWARD * float(np.abs(profit).sum() + np.abs(rest).sum() + np.abs(charges * x).sum())
    return Priced(float(profit.sum() + rest.sum()) + outward, profit, x)


def as_goal(aim: Aim, bound: float) -> float:
    """A bound on the goal as a maximum, in the goal's own sense."""
    return bound if aim.goal.sense == "maximize" else -bound


@dataclass(frozen=True, slots=True)
class _Choice:
    profit: Floats
    x: Floats


def _menu(table: Table) -> Menu:
    arcs = np.flatnonzero(table.single[table.project])
    project, own, wanted = table.project[arcs], table.own[arcs], table.wanted[arcs]
    tried = [table.upper[arcs], wanted, np.ceil(table.minimum[project] / own - 1e-9)]
    for kink in table.kinks:
        exact = kink * table.demand[project] / own
        tried += [np.floor(exact + 1e-9), np.ceil(exact - 1e-9)]
    units = np.stack(tried, axis=1)
    least = np.where(table.pinned[project], wanted, 0.0)[:, None]
    enough = units * own[:, None] >= table.minimum[project][:, None] - 1e-9
    good = (units > 0) & (units <= table.upper[arcs][:, None]) & (units >= least) & enough
    arc = np.repeat(arcs, units.shape[1])[good.ravel()]
    chosen = units.ravel()[good.ravel()]
    kept = np.minimum(table.wanted[arc], chosen) * table.unit[arc]
    project = table.project[arc]
    worth = value_of(table, project, table.own[arc] * chosen)
    return Menu(arc, chosen, project, worth, table.holds[project] - kept)


def _steps(table: Table) -> Steps:
    arcs = np.flatnonzero(~table.single[table.project])
    held = arcs[table.wanted[arcs] > 0]
    arc = np.concatenate([held, arcs])
    kept = np.arange(len(arc)) < len(held)
    length = np.concatenate([table.wanted[held], (table.upper - table.wanted)[arcs]])
    some = length > 0
    return Steps(arc[some], table.project[arc[some]], length[some], kept[some])


def _best_of_menu(market: Market, worth: Floats, moves: Floats, charges: Floats) -> _Choice:
    table, menu = market.table, market.menu
    profit = (
        worth[menu.project] * menu.worth - charges[menu.arc] * menu.units - moves[menu.project] * menu.lost
    )
    best = np.full(len(table.tier), -np.inf)
    np.maximum.at(best, menu.project, profit)
    x = np.zeros(len(table.pool))
    winners = np.flatnonzero(profit >= best[menu.project])
    _, first = np.unique(menu.project[winners], return_index=True)
    x[menu.arc[winners[first]]] = menu.units[winners[first]]
    return _Choice(best, x)


def _best_of_steps(market: Market, worth: Floats, moves: Floats, charges: Floats) -> tuple[Floats, Floats]:
    """Profit and units of projects that may be spread: cheapest compute first, while it pays."""
    table, steps = market.table, market.steps
    cost = charges[steps.arc] - np.where(steps.kept, moves[steps.project] * table.unit[steps.arc], 0.0)
    rate = cost / table.own[steps.arc]
    forced = steps.kept & table.pinned[steps.project]
    order = np.lexsort((np.where(forced, -np.inf, rate), steps.project))
    arc, project, rate, forced = steps.arc[order], steps.project[order], rate[order], forced[order]
    compute = steps.length[order] * table.own[arc]
    begin = _running_begin(project, compute)
    wish = np.where(rate < 0, table.most[project], 0.0)
    for kink, slope in zip(table.kinks, table.slopes, strict=True):
        pays = worth[project] * slope > rate
        wish = np.where(pays, np.maximum(wish, kink * table.demand[project]), wish)
    wish = np.minimum(np.maximum(wish, table.minimum[project]), table.most[project])
    taken = np.clip(np.where(forced, np.inf, wish) - begin, 0.0, compute)
    total = add_up(project, taken, len(table.tier))
    paid = add_up(project, taken * rate, len(table.tier))
    everyone = np.arange(len(table.tier))
    profit = worth * value_of(table, everyone, total) - paid - moves * table.holds
    x = add_up(arc, taken / table.own[arc], len(table.pool))
    return profit, x


def _running_begin(project: Ints, compute: Floats) -> Floats:
    """Compute of all earlier pieces of the same project; the pieces of a project are consecutive."""
    if not len(project):
        return np.zeros(0)
    before = np.cumsum(compute) - compute
    first = np.flatnonzero(np.r_[True, project[1:] != project[:-1]])
    return np.asarray(before - np.repeat(before[first], np.diff(np.r_[first, len(project)])))
