"""Every plan of a tiny instance, and goals and prices of any kind to hold a law against them."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise, is_feasible
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.strategy.prices import Aim, Prices, settled_at_zero
from gpu_opt.allocation.strategy.pricing import Market, open_market
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization

TINY = 1e-6


def plans(instance: Instance) -> list[Ints]:
    """Every plan that keeps every constraint; few enough only for tiny instances."""
    ranges = [range(int(most) + 1) for most in instance.arcs.upper]
    if np.prod([len(each) for each in ranges], dtype=float) > 3_000:
        return []
    return [
        x
        for x in (np.array(each, dtype=np.int64) for each in itertools.product(*ranges))
        if is_feasible(instance, x)
    ]


def as_maxima(goals: tuple[GoalSpec, ...], instance: Instance, x: Ints) -> list[float]:
    """What a plan reaches on every goal, the more the better."""
    values = appraise(instance, goals, x)
    return [value if goal.sense == "maximize" else -value for goal, value in zip(goals, values, strict=True)]


def some_prices(data: st.DataObject, instance: Instance, aim: Aim) -> Prices:
    """Any prices at all: every one of them gives a bound."""

    def of(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(data.draw(st.lists(st.floats(0, 6), min_size=count, max_size=count)))

    teams = len(instance.teams.names)
    capped = np.array([cap is not None for cap in instance.teams.cap])
    promised = np.array([target > 0 for target in instance.teams.target])
    return settled_at_zero(
        aim,
        Prices(
            of(len(instance.pools.names)),
            of(teams) * capped,
            of(teams) * promised,
            of(len(instance.limits)),
            data.draw(st.floats(0, 3)) if instance.max_moves is not None else 0.0,
            of(len(aim.earlier)),
        ),
    )


def some_aim(data: st.DataObject, instance: Instance, x: Ints) -> Aim | None:
    """A goal, and those before it where a plan has them."""
    goals = [goal for goal in list_goals(instance) if goal.kind != "changes"]
    if not goals:
        return None
    position = data.draw(st.integers(0, len(goals) - 1))
    values = appraise(instance, tuple(goals), x)
    return Aim(goals[position], tuple(goals[:position]), values[:position])


def best_for(aim: Aim, instance: Instance, all_plans: list[Ints]) -> float:
    """The goal's best value as a maximum, over plans that hold what is held."""
    goals = (*aim.earlier, aim.goal)
    best = -np.inf
    for x in all_plans:
        values = appraise(instance, goals, x)
        keeps = all(
            value >= held - TINY if goal.sense == "maximize" else value <= held + TINY
            for goal, value, held in zip(aim.earlier, values, aim.held, strict=False)
        )
        if keeps:
            best = max(best, values[-1] if aim.goal.sense == "maximize" else -values[-1])
    return best


def opened(organization: Organization) -> tuple[Instance, Market]:
    instance = build_instance(organization, organization.as_of)
    return instance, open_market(tabulate(instance))


def drawn(organization: Organization, data: st.DataObject) -> tuple[Instance, Market, Aim, list[Ints]] | None:
    """What a law of bounds is about, with all plans; None where there are too many, or there is no goal."""
    instance, market = opened(organization)
    all_plans = plans(instance)
    aim = some_aim(data, instance, data.draw(st.sampled_from(all_plans))) if all_plans else None
    return None if aim is None else (instance, market, aim, all_plans)
