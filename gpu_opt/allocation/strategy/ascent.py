"""Better prices: a projected subgradient method with deflection.

(Held, Wolfe, Crowder 1974; Camerini, Fratta, Maffioli 1975.) The bound is convex in the prices, and what
the projects leave of every row is a subgradient. Steps are Polyak's towards the value of the best plan
known, each row scaled by its right-hand side; they are shortened whenever the bound has not improved for a
while, and then begin again from the best prices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gpu_opt.allocation.strategy.prices import TOO_DEAR, Aim, Prices
from gpu_opt.allocation.strategy.pricing import Market, Priced, price
from gpu_opt.allocation.strategy.table import Flags, Floats, Table, add_up
from gpu_opt.instance import MILLI

PATIENCE = 8
"""Steps without a better bound before the steps are shortened."""

SHORTEN = 0.6
MEMORY = 0.6
"""Share of the last direction in the next one."""


def improve_prices(
    market: Market,
    aim: Aim,
    prices: Prices,
    target: float,
    steps: int,
    over: Callable[[], bool],
    first_step: float = 1.0,
) -> tuple[Prices, Priced, Flags]:
    """Take up to `steps` steps; return the best prices seen, what the projects take at them, and arcs.

    These are what some project takes in the last quarter of the steps; those of good plans are among them.

    `target` is the value of the best plan on the goal, as a maximum; `over` says when to stop early.
    """
    best_prices, best = prices, price(market, aim, prices)
    here, priced = best_prices, best
    length, waited = first_step, 0
    direction = np.zeros(0)
    weight = _scale(market.table, aim)
    taken = np.zeros(len(best.x), dtype=bool)
    for step_number in range(steps):
        if over() or length < 1e-5:
            break
        slack = slack_of_rows(market.table, aim, priced.x)
        point = _flat(here)
        slope = np.where((point <= 0) & (slack > 0), 0.0, slack)
        direction = slope if not len(direction) else MEMORY * direction + (1 - MEMORY) * slope
        norm = float((weight * direction**2).sum())
        if norm <= 0:
            break
        step = length * max(priced.bound - target, 1e-9 * abs(target)) / norm
        here = _shaped(here, np.maximum(0.0, point - step * weight * direction))
        priced = price(market, aim, here)
        if step_number >= steps // 4 * 3:
            taken |= priced.x > 0
        if priced.bound < best.bound - 1e-6 * abs(best.bound):
            best_prices, best, waited = here, priced, 0
        else:
            waited += 1
        if waited >= PATIENCE:
            here, priced, direction = best_prices, best, np.zeros(0)
            length, waited = SHORTEN * length, 0
    return best_prices, best, taken


def slack_of_rows(table: Table, aim: Aim, x: Floats) -> Floats:
    """What fractional grants leave of every row, in the order of the prices; negative: too much is taken."""
    instance = table.instance
    granted = add_up(table.pool, x, len(instance.pools.names))
    total = add_up(table.team_of_arc, x * table.counted, len(instance.teams.names))
    for n in reversed(range(len(total))):
        if instance.teams.parent[n] >= 0:
            total[instance.teams.parent[n]] += total[n]
    cap = np.array([np.nan if each is None else each / MILLI for each in instance.teams.cap])
    target = np.array([float(each) for each in instance.teams.target])
    gpus = x * table.unit
    counted = [float(gpus[limit.arcs].sum()) for limit in instance.limits]
    kept = np.minimum(x, table.wanted) * table.unit
    moved = float(table.holds.sum() - kept.sum())
    budget = 0.0 if instance.max_moves is None else instance.max_moves - moved
    return np.concatenate(
        [
            np.array(instance.pools.units) - granted,
            np.where(np.isnan(cap), 0.0, cap - total),
            np.where(target > 0, total - target, 0.0),
            np.array([limit.gpus for limit in instance.limits], dtype=np.float64) - counted,
            [budget],
            np.zeros(len(aim.earlier)),
        ]
    )


def _scale(table: Table, aim: Aim) -> Floats:
    """One over the right-hand side of every row: a unit of a small pool is worth more than one of a large."""
    instance = table.instance
    sizes = np.concatenate(
        [
            np.array(instance.pools.units, dtype=np.float64),
            np.array([0.0 if each is None else each / MILLI for each in instance.teams.cap]),
            np.array([float(each) for each in instance.teams.target]),
            np.array([limit.gpus for limit in instance.limits], dtype=np.float64),
            [float(instance.max_moves or 0)],
            np.zeros(len(aim.earlier)),
        ]
    )
    return np.asarray(1.0 / np.maximum(sizes, 1.0))


def _flat(prices: Prices) -> Floats:
    earlier = np.where(prices.earlier >= TOO_DEAR, TOO_DEAR, prices.earlier)
    return np.concatenate([prices.pool, prices.cap, prices.guarantee, prices.limit, [prices.budget], earlier])


def _shaped(like: Prices, flat: Floats) -> Prices:
    sizes = [len(like.pool), len(like.cap), len(like.guarantee), len(like.limit), 1]
    pool, cap, guarantee, limit, budget, earlier = np.split(flat, np.cumsum(sizes))
    return Prices(pool, cap, guarantee, limit, float(budget[0]), earlier)
