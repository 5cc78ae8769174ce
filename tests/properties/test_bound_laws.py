"""No plan beats what the strategy proves, on instances small enough to try everything."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.proof import PriceBound
from gpu_opt.allocation.strategy.blocks import at_prices, cut_tree, loss_of
from gpu_opt.allocation.strategy.lumps import NOTHING, SOME, choose_lumps
from gpu_opt.allocation.strategy.parts import Limits, bound_part
from gpu_opt.allocation.strategy.prices import (
    Aim,
    arc_charges,
    move_charges,
    no_prices,
    project_weights,
    settled_at_zero,
)
from gpu_opt.allocation.strategy.pricing import _running_begin, as_goal, open_market, price
from gpu_opt.allocation.strategy.relaxation import reached, read_prices, read_units, relaxation_of
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.instance import MILLI, Instance
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.solver import solve
from tests.building import lab, pool, project, root
from tests.properties.all_plans import TINY, best_for, drawn, opened, plans, some_aim, some_prices
from tests.strategies import tiny_organizations


@settings(max_examples=60)
@given(tiny_organizations(), st.data())
def test_no_plan_beats_the_bound_of_any_prices(organization: Organization, data: st.DataObject) -> None:
    case = drawn(organization, data)
    if case is None:
        return
    instance, market, aim, all_plans = case
    priced = price(market, aim, some_prices(data, instance, aim))
    assert priced.bound >= best_for(aim, instance, all_plans) - TINY


def worth(instance: Instance, j: int, milli: int) -> float:
    """π_j V_j of a project's compute, segment by segment."""
    left, value = Fraction(milli), Fraction(0)
    for share, slope in instance.segments:
        part = min(left, share * instance.projects.demand[j])
        value, left = value + slope * part, left - part
    return instance.projects.priority[j] * float(value / MILLI)


@settings(max_examples=100)
@given(tiny_organizations(), st.data())
def test_what_a_one_pool_project_gains_is_the_best_of_all_that_it_may_take(
    organization: Organization, data: st.DataObject
) -> None:
    """Neither more nor less: every unit is tried, not only those next to a kink."""
    instance, market = opened(organization)
    aim = some_aim(data, instance, first_incumbent(instance, list_goals(instance)).x)
    if aim is None:
        return
    prices, table, arcs = some_prices(data, instance, aim), market.table, instance.arcs
    profit, charges = price(market, aim, prices).profit, arc_charges(table, prices)
    weights = project_weights(table, aim, prices)
    moves = move_charges(table, aim, prices, weights)
    for j, own in enumerate(instance.projects.arcs):
        if instance.projects.one_pool[j] != 1 or not own:
            continue
        held = {a: int(arcs.wanted[a]) for a in own}
        is_pinned = instance.projects.pinned[j]
        takes = [(a, units) for a in own for units in range(1, int(arcs.upper[a]) + 1)]
        gains = [-moves[j] * float(table.holds[j])] if not (is_pinned and any(held.values())) else []
        for a, units in takes:
            compute = units * int(arcs.own[a])
            if compute < instance.projects.minimum[j] or (is_pinned and units < held[a]):
                continue
            lost = float(table.holds[j]) - min(units, held[a]) * float(table.unit[a])
            gains.append(weights[j] * worth(instance, j, compute) - charges[a] * units - moves[j] * lost)
        assert profit[j] == pytest.approx(max(gains), rel=1e-9, abs=TINY)


@settings(max_examples=60)
@given(tiny_organizations(), st.data())
def test_a_bound_by_prices_moves_with_what_is_reached_of_earlier_goals(
    organization: Organization, data: st.DataObject
) -> None:
    case = drawn(organization, data)
    if case is None:
        return
    instance, market, aim, all_plans = case
    proved = PriceBound(market, aim, some_prices(data, instance, aim), 0.0)
    there = appraise(instance, (*aim.earlier, aim.goal), data.draw(st.sampled_from(all_plans)))[:-1]
    sign = 1.0 if aim.goal.sense == "maximize" else -1.0
    assert sign * proved.at(there) >= best_for(replace(aim, held=there), instance, all_plans) - TINY


@settings(max_examples=25)
@given(tiny_organizations(), st.data())
def test_no_plan_beats_the_bound_of_the_blocks(organization: Organization, data: st.DataObject) -> None:
    case = drawn(organization, data)
    if case is None:
        return
    instance, market, aim, all_plans = case
    prices = some_prices(data, instance, aim)
    priced = price(market, aim, prices)
    bound = priced.bound
    for block in cut_tree(instance, most=2):
        if block.closed:
            task, earned = at_prices(market.table, aim, prices, block, Limits(seconds=20))
            before = earned + float(priced.profit[list(block.projects)].sum())
            proved = bound_part(task)
            assert proved is not None
            bound -= max(0.0, before - proved)
    assert bound >= best_for(aim, instance, all_plans) - TINY


@settings(max_examples=60)
@given(tiny_organizations(), st.data())
def test_no_plan_beats_the_bound_of_what_teams_choose(
    organization: Organization, data: st.DataObject
) -> None:
    case = drawn(organization, data)
    if case is None:
        return
    instance, market, aim, all_plans = case
    prices = some_prices(data, instance, aim)
    choices = choose_lumps(market, aim, prices, lambda: False)
    assert all(choice.gain >= 0 for choice in choices)
    bound = price(market, aim, prices).bound - sum(choice.gain for choice in choices)
    assert bound >= best_for(aim, instance, all_plans) - TINY


def test_a_team_that_can_fund_one_of_two_lumps_is_not_promised_half_of_the_second() -> None:
    """Its cap of 10 lets it run one project of 8 GPUs; at a price, a quarter of the other would count."""
    organization = lab(
        [pool(gpus=100)],
        projects=[project("orion", 8, minimum=8, priority=2), project("lyra", 8, minimum=8)],
        teams=[root(cap=10)],
    )
    instance, market = opened(organization)
    (goal,) = list_goals(instance)
    aim = Aim(goal, (), ())
    prices = replace(no_prices(instance, aim), cap=np.array([1.0]))
    (choice,) = choose_lumps(market, aim, prices, lambda: False)
    assert price(market, aim, prices).bound == pytest.approx(10 + 8)
    assert choice.gain == pytest.approx(2, abs=1e-6)
    assert dict(choice.taken)[1] == NOTHING


@pytest.mark.parametrize(("guarantee", "taken"), [(16, NOTHING), (20, SOME)])
def test_what_alone_keeps_a_promise_is_not_given_up(guarantee: float, taken: int) -> None:
    """Without vega, which is worth least, the team cannot have more than 16."""
    projects = [
        project("orion", 8, priority=2),
        project("lyra", 8, minimum=8),
        project("vega", 12, minimum=12, priority=0.1),
    ]
    instance, market = opened(
        lab([pool(gpus=100)], projects=projects, teams=[root(cap=20, guarantee=guarantee)])
    )
    goals = list_goals(instance)
    aim = Aim(goals[-1], goals[:-1], (0.0,) * (len(goals) - 1))
    prices = settled_at_zero(aim, replace(no_prices(instance, aim), cap=np.array([0.1])))
    (choice,) = choose_lumps(market, aim, prices, lambda: False)
    assert dict(choice.taken)[2] == taken


def test_a_cap_below_the_target_has_a_price_of_its_own() -> None:
    """Caps are rounded down, so that a target may be a hair above; here by one GPU, of 11 promised."""
    instance, _ = opened(
        lab([pool(gpus=10)], projects=[project("orion", 10)], teams=[root(cap=9, guarantee=9)])
    )
    teams = replace(instance.teams, cap=(10_000,), target=(Fraction(11),))
    market = open_market(tabulate(replace(instance, teams=teams)))
    aim = Aim(list_goals(instance)[0], (), ())
    prices = replace(no_prices(instance, aim), cap=np.array([2.0]), guarantee=np.array([1.0]))
    (choice,) = choose_lumps(market, aim, prices, lambda: False)
    assert price(market, aim, prices).bound - choice.gain == pytest.approx(-1.0)


def test_what_a_project_takes_does_not_depend_on_how_much_others_take_before_it() -> None:
    project = np.repeat(np.arange(100_001), 2)
    compute = np.full(len(project), 123_456.789)
    compute[-2:] = 0.1, 0.2
    assert _running_begin(project, compute)[-2:] == pytest.approx([0.0, 0.1], abs=1e-12)


@settings(max_examples=25)
@given(tiny_organizations(), st.data())
def test_no_plan_beats_the_relaxation(organization: Organization, data: st.DataObject) -> None:
    case = drawn(organization, data)
    if case is None:
        return
    instance, market, aim, all_plans = case
    relaxation = relaxation_of(instance, aim)
    answer = solve(relaxation.problem, Options(threads=1), seconds=20)
    assert answer.status is SolverStatus.OPTIMAL
    best = best_for(aim, instance, all_plans)
    assert as_goal(aim, reached(relaxation)) >= best - 1e-5 * (1 + abs(best))
    assert price(market, aim, read_prices(relaxation)).bound >= best - TINY
    granted = read_units(relaxation)
    assert (granted >= -TINY).all()
    assert (granted <= instance.arcs.upper + TINY).all()


def test_who_keeps_all_in_its_one_pool_takes_no_share_of_another() -> None:
    """Iowa is full, and nothing may be moved: Texas, which is free, does not help orion at all."""
    orion = project("orion", 8, one_pool=True, holds={"iowa": 4})
    others = project("others", 4, holds={"iowa": 4}, pinned=True)
    organization = lab([pool("iowa", gpus=8), pool("texas", gpus=8)], projects=[orion, others], max_moves=0)
    instance, _ = opened(organization)
    (goal, _) = list_goals(instance)
    relaxation = relaxation_of(instance, Aim(goal, (), ()))
    solve(relaxation.problem, Options(threads=1), seconds=20)
    assert read_units(relaxation).tolist() == pytest.approx([4, 0, 4, 0])


@settings(max_examples=60)
@given(tiny_organizations(), st.data())
def test_a_project_takes_no_less_than_in_any_plan(organization: Organization, data: st.DataObject) -> None:
    """The loss of a project is what it gains less than its best at the prices: never negative."""
    instance, market = opened(organization)
    all_plans = plans(instance)
    if not all_plans:
        return
    x = data.draw(st.sampled_from(all_plans))
    aim = some_aim(data, instance, x)
    if aim is None:
        return
    prices = some_prices(data, instance, aim)
    priced = price(market, aim, prices)
    assert (loss_of(market.table, aim, prices, priced, x) >= 0).all()


@given(tiny_organizations())
def test_blocks_share_out_all_projects_that_are_alive(organization: Organization) -> None:
    instance, _ = opened(organization)
    alive = sorted(j for j, arcs in enumerate(instance.projects.arcs) if arcs)
    for most in (1, 2, 40):
        assert sorted(j for block in cut_tree(instance, most) for j in block.projects) == alive
