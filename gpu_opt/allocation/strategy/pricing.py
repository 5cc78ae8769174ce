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

import itertools
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
from gpu_opt.instance import MILLI, Ints

OUTWARD = 1e-11
"""Share of the sum of all absolute terms by which a bound is moved outward, against rounding."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Arcs of a project that differ in nothing but what their pool costs, where one of them is enough.

    Only the cheapest arc of a kind is ever taken. Holdings, and arcs that alone are not enough, are kinds
    of their own.
    """

    arcs: Ints
    """All arcs, kind by kind."""
    begin: Ints
    """Where each kind begins; shape (kinds,)."""
    of: Ints
    """The kind of each of `arcs`."""

    def cheapest(self, charges: Floats) -> Ints:
        """The arc of every kind with the lowest charge, the first one of several; shape (kinds,)."""
        if not len(self.arcs):
            return self.begin
        charged = charges[self.arcs]
        least = np.minimum.reduceat(charged, self.begin)
        winners = np.flatnonzero(charged == least[self.of])[::-1]
        best = np.zeros(len(self.begin), dtype=np.int64)
        best[self.of[winners]] = self.arcs[winners]
        return best


@dataclass(frozen=True, slots=True)
class Menu:
    """All that a one-pool project could ever choose; one entry per kind of arc and number of units."""

    kind: Ints
    units: Floats
    project: Ints
    worth: Floats
    """V_j of it, without the priority."""
    lost: Floats
    """Wanted GPUs that it gives up."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The kinds of arcs of all other projects, cut at their wanted holdings; one entry per piece."""

    kind: Ints
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
    kinds: Kinds
    menu: Menu
    steps: Steps
    menu_of: tuple[slice, ...]
    """Every project's entries of the menu."""
    of_team: tuple[Ints, ...]
    """Every team's own projects that are not dead."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What every project gains at some prices, by what it may take; -inf where it may not."""

    nothing: Floats
    """Shape (projects,)."""
    menu: Floats
    """Of every entry of the menu."""
    spread: Floats
    """At least its minimum, in as many pools as it likes; shape (projects,)."""
    units: Floats
    """Units per arc of that; shape (arcs,)."""
    cheapest: Ints
    """The arc of every kind."""


def open_market(table: Table) -> Market:
    """Prepare an instance for being priced often."""
    kinds = _kinds(table)
    menu = _menu(table, kinds)
    ends = np.searchsorted(menu.project, np.arange(len(table.tier) + 1)).tolist()
    team = np.array(table.instance.projects.team, dtype=np.int64)
    return Market(
        table,
        kinds,
        menu,
        _steps(table, kinds),
        tuple(slice(begin, end) for begin, end in itertools.pairwise(ends)),
        tuple(np.flatnonzero((team == n) & table.alive) for n in range(len(table.instance.teams.names))),
    )


def price(market: Market, aim: Aim, prices: Prices) -> Priced:
    """What every project takes at these prices, and the bound on the goal (as a maximum) that it proves."""
    table = market.table
    offers = make_offers(market, aim, prices)
    charges = arc_charges(table, prices)
    in_one = _best_of_menu(market, offers)
    profit = np.maximum(offers.nothing, np.where(table.single, in_one.profit, offers.spread))
    x = np.where(table.single[table.project], in_one.x, offers.units)
    some = np.where(table.single, in_one.profit, offers.spread) >= offers.nothing
    x = np.where(some[table.project], x, 0.0)
    profit = np.where(table.alive, profit, 0.0)
    rest = right_hand_side(table, aim, prices).terms()
    outward = OUTWARD * float(np.abs(profit).sum() + np.abs(rest).sum() + np.abs(charges * x).sum())
    return Priced(float(profit.sum() + rest.sum()) + outward, profit, x)


def make_offers(market: Market, aim: Aim, prices: Prices) -> Offers:
    """What every project gains from nothing, from every entry of the menu, and spread over pools."""
    table, menu = market.table, market.menu
    weights = project_weights(table, aim, prices)
    moves = move_charges(table, aim, prices, weights)
    charges = arc_charges(table, prices)
    nothing = np.where(table.pinned & (table.holds > 0), -np.inf, -moves * table.holds)
    worth = weights * table.priority
    cheapest = market.kinds.cheapest(charges)
    paid = charges[cheapest][menu.kind] * menu.units
    gains = worth[menu.project] * menu.worth - paid - moves[menu.project] * menu.lost
    spread, units = _best_of_steps(market, worth, moves, charges, cheapest)
    return Offers(nothing, gains, spread, units, cheapest)


def as_goal(aim: Aim, bound: float) -> float:
    """A bound on the goal as a maximum, in the goal's own sense."""
    return bound if aim.goal.sense == "maximize" else -bound


@dataclass(frozen=True, slots=True)
class _Choice:
    profit: Floats
    x: Floats


def _kinds(table: Table) -> Kinds:
    arcs = np.arange(len(table.pool))
    _, gpu_type = np.unique(np.array(table.instance.pools.types), return_inverse=True)
    is_enough = table.single[table.project] | (table.upper * table.own >= table.most[table.project])
    alone = np.where(is_enough & (table.wanted == 0), 0, arcs + 1)
    keys = (alone, table.upper, table.own, table.unit, gpu_type[table.pool], table.project)
    order = np.lexsort(keys)
    new = np.zeros(len(order), dtype=bool)
    for key in keys:
        new[1:] |= key[order][1:] != key[order][:-1]
    new[:1] = True
    return Kinds(order, np.flatnonzero(new), np.cumsum(new) - 1)


def _menu(table: Table, kinds: Kinds) -> Menu:
    first = kinds.arcs[kinds.begin]
    chosen = np.flatnonzero(table.single[table.project[first]])
    arcs = first[chosen]
    project, own, wanted = table.project[arcs], table.own[arcs], table.wanted[arcs]
    tried = [table.upper[arcs], wanted, np.ceil(table.minimum[project] / own - 1e-9)]
    for kink in table.kinks:
        exact = kink * table.demand[project] / own
        tried += [np.floor(exact + 1e-9), np.ceil(exact - 1e-9)]
    units = np.stack(tried, axis=1)
    least = np.where(table.pinned[project], wanted, 0.0)[:, None]
    enough = units * own[:, None] >= table.minimum[project][:, None] - 1e-9
    good = ((units > 0) & (units <= table.upper[arcs][:, None]) & (units >= least) & enough).ravel()
    entry = np.repeat(np.arange(len(arcs)), units.shape[1])[good]
    arc, taken = arcs[entry], units.ravel()[good]
    kept = np.minimum(table.wanted[arc], taken) * table.unit[arc]
    worth = value_of(table, project[entry], table.own[arc] * taken)
    return Menu(chosen[entry], taken, project[entry], worth, table.holds[project[entry]] - kept)


def _steps(table: Table, kinds: Kinds) -> Steps:
    first = kinds.arcs[kinds.begin]
    kind = np.flatnonzero(~table.single[table.project[first]])
    held = kind[table.wanted[first[kind]] > 0]
    both = np.concatenate([held, kind])
    kept = np.arange(len(both)) < len(held)
    beyond = (table.upper - table.wanted)[first[kind]]
    length = np.concatenate([table.wanted[first[held]], beyond])
    some = length > 0
    return Steps(both[some], table.project[first[both[some]]], length[some], kept[some])


def _best_of_menu(market: Market, offers: Offers) -> _Choice:
    table, menu = market.table, market.menu
    best = np.full(len(table.tier), -np.inf)
    np.maximum.at(best, menu.project, offers.menu)
    x = np.zeros(len(table.pool))
    winners = np.flatnonzero(offers.menu >= best[menu.project])
    _, first = np.unique(menu.project[winners], return_index=True)
    chosen = winners[first]
    x[offers.cheapest[menu.kind[chosen]]] = menu.units[chosen]
    return _Choice(best, x)


def _best_of_steps(
    market: Market, worth: Floats, moves: Floats, charges: Floats, cheapest: Ints
) -> tuple[Floats, Floats]:
    """Profit and units of projects that may be spread: cheapest compute first, while it pays."""
    table, steps = market.table, market.steps
    arcs = cheapest[steps.kind]
    cost = charges[arcs] - np.where(steps.kept, moves[steps.project] * table.unit[arcs], 0.0)
    rate = cost / table.own[arcs]
    forced = steps.kept & table.pinned[steps.project]
    pays = rate < (worth * table.slopes[0])[steps.project]  # nobody takes the others, but for a minimum
    some = np.flatnonzero(pays | forced | (table.minimum > 0)[steps.project])
    order = some[np.lexsort((np.where(forced, -np.inf, rate)[some], steps.project[some]))]
    arc, project, rate, forced = arcs[order], steps.project[order], rate[order], forced[order]
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
    """Compute of all earlier pieces of the same project; the pieces of a project are consecutive.

    Added up in whole milli-compute: a sum over all projects would otherwise round more than `OUTWARD` allows.
    """
    if not len(project):
        return np.zeros(0)
    milli = np.rint(compute * MILLI).astype(np.int64)
    before = np.cumsum(milli) - milli
    first = np.flatnonzero(np.r_[True, project[1:] != project[:-1]])
    return np.asarray((before - np.repeat(before[first], np.diff(np.r_[first, len(project)]))) / MILLI)
