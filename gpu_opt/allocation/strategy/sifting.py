"""The relaxation, solved over the arcs that matter, and the prices that it gives.

Sifting (Forrest 1989; Bixby et al. 1992): a linear program over few arcs is solved by Clp, all arcs are
priced at its duals, those that projects would now rather use join, and so on until the program and the
bound meet. Of the millions of arcs of a large lab a fifth is ever looked at by Clp. Small instances are
solved whole, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gpu_opt.allocation.formulation import Formulation, formulate, hold
from gpu_opt.allocation.formulation import aim as aim_at
from gpu_opt.allocation.start import read_relaxation
from gpu_opt.allocation.strategy.ascent import improve_prices, slack_of_rows
from gpu_opt.allocation.strategy.focus import choose_arcs, keep_arcs
from gpu_opt.allocation.strategy.prices import Aim, Prices, no_prices, settled_at_zero
from gpu_opt.allocation.strategy.pricing import Market, price
from gpu_opt.allocation.strategy.table import Flags, Floats
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.solver import Answer

FEW_ARCS = 8_000
"""So many are solved at once."""

FIRST_ARCS = 3
"""Best arcs of every project in the first program."""

ROUNDS = 6
MEETING = 2e-4
"""Relative distance of program and bound at which sifting ends."""

WARM_UP, POLISH = 100, 60
"""Steps of the ascent before the first program and after the last."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What the relaxation knows: where to look, and what everything is worth."""

    aim: Aim
    prices: Prices
    bound: float
    """On the goal, as a maximum; proved by pricing over all arcs."""
    arcs: Flags
    """Arcs worth looking at."""
    relaxed: Floats
    """Units per arc of the whole instance."""
    part: Instance
    kept: Ints
    """The arcs of `part`, as indices of the whole's."""
    formulation: Formulation
    """Of `part`, aimed at the goal."""


def sift(
    market: Market,
    aim: Aim,
    x: Ints,
    target: float,
    relax: Callable[[Formulation], Answer],
    over: Callable[[], bool],
) -> Guide | None:
    """Solve the relaxation for a goal, the plan `x` with its value `target` (as a maximum) being known.

    `relax` solves a formulation without integrality; `over` says when to stop. None if there is no
    solution: the earlier goals cannot be held at these values, or there was no time.
    """
    instance = market.table.instance
    arcs = np.ones(len(x), dtype=bool)
    best, bound = settled_at_zero(aim, no_prices(instance, aim)), np.inf
    if len(x) > FEW_ARCS:
        best, priced = improve_prices(market, aim, _uniform(market, aim, best), target, WARM_UP, over)
        bound = priced.bound
        arcs = choose_arcs(market, aim, best, x, FIRST_ARCS)
    guide = None
    for _ in range(ROUNDS):
        part, kept = keep_arcs(instance, arcs)
        formulation = _relaxation(part, aim)
        answer = relax(formulation)
        if answer.status is not SolverStatus.OPTIMAL or answer.objective is None:
            break
        duals = read_prices(part, formulation, aim)
        wanted = np.zeros(len(x), dtype=bool)
        for prices in (duals, *(best.mixed(duals, share) for share in (0.3, 0.6))):
            priced = price(market, aim, prices)
            wanted |= priced.x > 0
            if priced.bound < bound:
                best, bound = prices, priced.bound
        relaxed = np.zeros(len(x))
        relaxed[kept] = read_relaxation(formulation.variables)
        guide = Guide(aim, best, bound, arcs, relaxed, part, kept, formulation)
        reached = answer.objective if aim.goal.sense == "maximize" else -answer.objective
        if over() or arcs.all() or not (wanted & ~arcs).any() or bound - reached <= MEETING * abs(bound):
            break
        arcs = arcs | wanted
    if guide is None or over():
        return guide
    best, priced = improve_prices(market, aim, best, target, POLISH, over, first_step=0.3)
    return replace(guide, prices=best, bound=min(bound, priced.bound))


def read_prices(part: Instance, formulation: Formulation, aim: Aim) -> Prices:
    """The duals of a solved relaxation as prices: CBC minimizes, so its duals of ≤ rows are negative."""
    dual = {row.name: float(row.pi or 0.0) for row in formulation.problem.constraints()}

    def of(name: str, count: int, sign: float) -> Floats:
        return np.array([max(0.0, sign * dual.get(f"{name}_{i}", 0.0)) for i in range(count)])

    earlier = [
        max(0.0, dual.get(f"earlier_goals_{goal.name}", 0.0) * (1.0 if goal.sense == "maximize" else -1.0))
        for goal in aim.earlier
    ]
    prices = Prices(
        of("pool_capacity", len(part.pools.names), -1.0),
        of("team_cap", len(part.teams.names), -1.0),
        of("team_guarantee", len(part.teams.names), 1.0),
        of("type_limit", len(part.limits), -1.0),
        max(0.0, -dual.get("move_budget", 0.0)),
        np.array(earlier),
    )
    return settled_at_zero(aim, prices)


def _relaxation(part: Instance, aim: Aim) -> Formulation:
    formulation = formulate(part)
    aim_at(formulation, aim.goal, part)
    for goal, reached in zip(aim.earlier, aim.held, strict=True):
        hold(formulation, part, goal, reached)
    return formulation


def _uniform(market: Market, aim: Aim, free: Prices) -> Prices:
    """The best of a few prices that charge all compute alike, found by halving: where to begin."""
    table = market.table
    worth = np.array(table.instance.pools.unit_compute) / MILLI
    low, high = 0.0, float(table.priority.max(initial=0.0) * table.slopes.max(initial=0.0))
    best, bound = free, price(market, aim, free).bound
    for _ in range(8):
        middle = (low + high) / 2
        prices = replace(free, pool=middle * worth)
        priced = price(market, aim, prices)
        if priced.bound < bound:
            best, bound = prices, priced.bound
        if slack_of_rows(table, aim, priced.x)[: len(worth)] @ worth < 0:
            low = middle
        else:
            high = middle
    return best
