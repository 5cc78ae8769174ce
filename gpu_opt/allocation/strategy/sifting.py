"""The relaxation, solved over the arcs that matter, and the prices that it gives.

Sifting (Forrest 1989; Bixby et al. 1992): a linear program over few arcs is solved by Clp, all arcs are
priced at its duals, those that projects would now rather use join, and so on until the program and the
bound meet. Of the millions of arcs of a large lab a fifth is ever looked at by Clp. Small instances are
solved whole, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from gpu_opt.allocation.strategy.ascent import improve_prices, slack_of_rows
from gpu_opt.allocation.strategy.blocks import Block
from gpu_opt.allocation.strategy.focus import choose_arcs, keep_arcs
from gpu_opt.allocation.strategy.lumps import Choice, choose_lumps
from gpu_opt.allocation.strategy.prices import Aim, Prices, no_prices, settled_at_zero
from gpu_opt.allocation.strategy.pricing import Market, as_goal, price
from gpu_opt.allocation.strategy.relaxation import (
    Relaxation,
    reached,
    read_prices,
    read_units,
)
from gpu_opt.allocation.strategy.table import Flags, Floats, Table
from gpu_opt.instance import MILLI, Instance, Ints

FEW_ARCS = 3_000
"""So many are solved at once."""

FIRST_ARCS = 3
"""Best arcs of every project in the first program."""

NEAR_ENOUGH = 1e-3
"""Share of the bound up to which prices that were found for other values of the earlier goals are kept."""

ROUNDS = 6
MEETING = 2e-4
"""Relative distance of program and bound at which sifting ends."""

WARM_UP, POLISH = 100, 60
"""Steps of the ascent before the first program and after the last."""

LARGE = 100_000
"""Arcs from which on there are half of these steps, and a second program only where the first is far off."""

FAR_OFF = 2e-3
"""Relative distance of program and bound at which sifting of a large instance ends."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What the relaxation knows: where to look, and what everything is worth."""

    aim: Aim
    prices: Prices
    bound: float
    """On the goal, as a maximum; proved by pricing over all arcs."""
    relaxed: Floats
    """Units per arc of the whole instance, in the relaxation."""
    dived: Floats
    """The same, at the end of the dive."""
    kept: Ints
    """The arcs of the relaxation, as indices of the whole's."""
    relaxation: Relaxation
    """Over the arcs that matter."""
    choices: tuple[Choice, ...] = ()
    """What teams choose within their budgets, at the prices; `bound` is less what they lose by it."""
    taken: dict[Block, float] = field(default_factory=dict)
    """What blocks were proved to take off the bound, at the prices; more are added as they are proved."""


def sift(
    market: Market,
    aim: Aim,
    x: Ints,
    target: float,
    solved: Callable[[Instance], Relaxation | None],
    proved: Callable[[float], None],
    over: Callable[[], bool],
) -> Guide | None:
    """Solve the relaxation for a goal, the plan `x` with its value `target` (as a maximum) being known.

    `solved` gives the relaxation of a part of the instance, solved, or None; `proved` is told what prices
    prove (as a maximum) before the first linear program; `over` says when to stop. None if there is no
    solution: the earlier goals cannot be held at these values, or there was no time.
    """
    instance = market.table.instance
    arcs = np.ones(len(x), dtype=bool)
    best, bound = settled_at_zero(aim, no_prices(instance, aim)), np.inf
    is_large = len(x) >= LARGE
    close = FAR_OFF if is_large else MEETING
    steps = [count // 2 if is_large else count for count in (WARM_UP, POLISH)]
    if len(x) > FEW_ARCS:
        begin = _uniform(market, aim, best, over)
        best, priced, taken = improve_prices(market, aim, begin, target, steps[0], over)
        bound = priced.bound
        proved(bound)
        arcs = taken | choose_arcs(market, best, x, FIRST_ARCS)
    guide = None
    for _ in range(ROUNDS):
        part, kept = keep_arcs(instance, arcs)
        relaxation = solved(part)
        if relaxation is None:
            break
        best, bound, wanted = _at_duals(market, aim, read_prices(relaxation), best, bound)
        relaxed = np.zeros(len(x))
        relaxed[kept] = read_units(relaxation)
        guide = Guide(aim, best, bound, relaxed, relaxed, kept, relaxation)
        value = as_goal(aim, reached(relaxation))
        if over() or arcs.all() or not (wanted & ~arcs).any() or bound - value <= close * abs(bound):
            break
        arcs = arcs | wanted
    if guide is None or over():
        return guide
    best, priced, _ = improve_prices(market, aim, best, target, steps[1], over, first_step=0.3)
    choices = choose_lumps(market, aim, best, over)
    least = min(bound, priced.bound - sum(each.gain for each in choices))
    return replace(guide, prices=best, bound=least, choices=choices)


def _at_duals(
    market: Market, aim: Aim, duals: Prices, best: Prices, bound: float
) -> tuple[Prices, float, Flags]:
    """The best prices now, the bound that they prove, and the arcs that some project takes.

    All arcs are priced at the duals, and at mixes of them with the best prices so far.
    """
    wanted = np.zeros(len(market.table.instance.arcs.pool), dtype=bool)
    for prices in (duals, *(best.mixed(duals, share) for share in (0.3, 0.6))):
        priced = price(market, aim, prices)
        wanted |= priced.x > 0
        if priced.bound < bound:
            best, bound = prices, priced.bound
    return best, bound, wanted


def is_near_enough(before: Guide, after: Guide) -> bool:
    """Whether prices prove about as much with the earlier goals held elsewhere.

    If not, another relaxation is worth its time, but in the largest instances.
    """
    is_large = len(after.relaxed) >= LARGE
    return is_large or after.bound - before.bound <= NEAR_ENOUGH * abs(after.bound)


def moved(market: Market, guide: Guide, aim: Aim, over: Callable[[], bool]) -> Guide:
    """The guide for the same goal with the earlier ones held elsewhere, and what its prices prove there.

    A promise that is not kept in full costs what its teams would pay for it: η of a level is the largest γ_n
    there.
    """
    if guide.aim == aim:
        return guide
    table = market.table
    earlier = guide.prices.earlier.copy()
    level = np.array(table.instance.teams.level)
    for k, (goal, held) in enumerate(zip(aim.earlier, aim.held, strict=True)):
        if goal.kind == "guarantee" and held > 0:
            earlier[k] = guide.prices.guarantee[level == goal.index].max(initial=0.0)
        elif goal.kind == "repair" and held > 0:
            earlier[k] = _dearest_overrun(table, guide.prices)
    prices = settled_at_zero(aim, replace(guide.prices, earlier=earlier))
    choices = choose_lumps(market, aim, prices, over)
    bound = price(market, aim, prices).bound - sum(each.gain for each in choices)
    return replace(guide, aim=aim, prices=prices, bound=bound, choices=choices, taken={})


def _dearest_overrun(table: Table, prices: Prices) -> float:
    """The price of `repair` at which no overrun pays."""
    instance = table.instance
    pools = prices.pool / (np.array(instance.pools.unit_compute) / MILLI)
    limits = prices.limit / np.array([each.milli / MILLI for each in instance.limits])
    return float(max(pools.max(initial=0.0), prices.cap.max(initial=0.0), limits.max(initial=0.0)))


def _uniform(market: Market, aim: Aim, free: Prices, over: Callable[[], bool]) -> Prices:
    """The best of a few prices that charge all compute alike, found by halving: where to begin."""
    table = market.table
    pool, limit = _worth(table.instance)
    begin = len(pool) + 2 * len(table.instance.teams.names)
    low, high = 0.0, float(table.priority.max(initial=0.0) * table.slopes.max(initial=0.0))
    best, bound = free, price(market, aim, free).bound
    for _ in range(8):
        if over():
            break
        middle = (low + high) / 2
        prices = replace(free, pool=middle * pool, limit=middle * limit)
        priced = price(market, aim, prices)
        if priced.bound < bound:
            best, bound = prices, priced.bound
        slack = slack_of_rows(table, aim, priced.x)
        if slack[: len(pool)] @ pool + slack[begin : begin + len(limit)] @ limit < 0:
            low = middle
        else:
            high = middle
    return best


def _worth(instance: Instance) -> tuple[Floats, Floats]:
    """Compute of a unit by pool, and of a GPU by limit: 0 but for one of the two, where pools are merged."""
    pools, limits = instance.pools, instance.limits
    pool = np.array(pools.unit_compute) / MILLI
    limit = np.zeros(len(limits))
    whole = set(pools.types[len(pools.types) - pools.merged :])
    last = {each.gpu_type: i for i, each in enumerate(limits) if instance.teams.parent[each.team] < 0}
    for kind in whole & set(last):
        limit[last[kind]] = limits[last[kind]].milli / MILLI
        pool[[each == kind for each in pools.types]] = 0.0
    return pool, limit
