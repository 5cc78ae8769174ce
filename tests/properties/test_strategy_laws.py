"""What the strategy's steps promise, on instances small enough to try everything."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise, is_feasible
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.proof import PriceBound
from gpu_opt.allocation.reduction import reduce
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.allocation.strategy.between import between, by_team
from gpu_opt.allocation.strategy.blocks import at_prices, cut_tree, loss_of
from gpu_opt.allocation.strategy.focus import choose_arcs, keep_arcs
from gpu_opt.allocation.strategy.lumps import NOTHING, SOME, choose_lumps
from gpu_opt.allocation.strategy.parts import Limits, bound_part, decide
from gpu_opt.allocation.strategy.prices import (
    Aim,
    Prices,
    arc_charges,
    move_charges,
    no_prices,
    project_weights,
    settled_at_zero,
)
from gpu_opt.allocation.strategy.pricing import Market, _running_begin, as_goal, open_market, price
from gpu_opt.allocation.strategy.relaxation import reached, read_prices, read_units, relaxation_of
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.indexing import build_instance
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.options import Options
from gpu_opt.organization import Limit, Organization
from gpu_opt.solver import solve
from tests.building import lab, pool, project, root, team
from tests.strategies import tiny_organizations

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


def test_what_moves_free_of_a_limit_may_make_a_unit_whole() -> None:
    """Quill gives up 4 GPUs in texas, then 12 of the 20 are left to it and plume may have its 8 in iowa."""
    quill = project("quill", 16, "vision", holds={"texas": 16})
    plume = project("plume", 8, "vision", minimum=8, pools=("iowa",))
    organization = lab(
        [pool("iowa", 8, unit=8), pool("texas", 16, unit=4)],
        teams=[team("vision", limits={"h100": Limit(cap=20)})],
        projects=[quill, plume],
        max_moves=4,
    )
    reduced = reduce(build_instance(organization, organization.as_of))
    assert "plume" in {reduced.instance.projects.names[j] for j in reduced.instance.arcs.project.tolist()}


@settings(max_examples=60)
@given(tiny_organizations())
def test_no_plan_is_lost_by_leaving_out_what_no_plan_can_use(organization: Organization) -> None:
    instance, _ = opened(organization)
    reduced = reduce(instance)
    goals = list_goals(instance)
    assert reduced.removed["arcs"] == len(instance.arcs.pool) - len(reduced.arcs)
    for x in plans(instance):
        kept = x[reduced.arcs]
        assert (reduced.expand(kept, instance) == x).all()
        assert is_feasible(reduced.instance, kept)
        assert appraise(reduced.instance, goals, kept) == pytest.approx(appraise(instance, goals, x))
    for kept in plans(reduced.instance):
        assert is_feasible(instance, reduced.expand(kept, instance))


def test_what_others_keep_is_not_there_for_a_project_that_needs_it_as_a_whole() -> None:
    pinned = project("pinned", 6, holds={"iowa": 6}, pinned=True)
    orion = project("orion", 4, minimum=4, one_pool=True)
    instance, _ = opened(lab([pool("iowa", gpus=8), pool("texas", gpus=8)], projects=[pinned, orion]))
    assert reduce(instance).removed["arcs"] == 1
    holder = project("holder", 8, holds={"iowa": 8})
    instance, _ = opened(lab([pool("iowa", gpus=8)], projects=[holder, orion], max_moves=3))
    assert reduce(instance).removed == {"arcs": 1, "projects": 1, "caps": 0, "limits": 0}


def test_every_move_counts_once_however_many_pools_there_are() -> None:
    holders = [project(name, 8, holds={name: 8}) for name in ("iowa", "texas")]
    sought = project("orion", 8, minimum=6)
    instance, _ = opened(
        lab([pool("iowa", gpus=8), pool("texas", gpus=8)], projects=[*holders, sought], max_moves=4)
    )
    assert reduce(instance).removed["projects"] == 1  # four GPUs of either, but not four of both


def test_what_a_project_holds_counts_in_what_it_can_reach_where_moves_are_few() -> None:
    """Its minimum of 4 is what it holds; without a move it may still have the GPU that is free elsewhere."""
    orion = project("orion", 8, minimum=4, holds={"iowa": 4})
    instance, _ = opened(lab([pool("iowa", gpus=4), pool("texas", gpus=1)], projects=[orion], max_moves=0))
    assert reduce(instance).removed["arcs"] == 0


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


@settings(max_examples=40)
@given(tiny_organizations(), st.data())
def test_what_is_decided_between_the_roundings_is_a_plan_of_the_whole(
    organization: Organization, data: st.DataObject
) -> None:
    instance, _ = opened(organization)
    goals = [goal for goal in list_goals(instance) if goal.kind == "value"]
    if not goals:
        return
    x = first_incumbent(instance, list_goals(instance)).x
    relaxed = np.array([data.draw(st.floats(0, float(most))) for most in instance.arcs.upper])
    for chosen in by_team(instance):
        decision, arcs = between(instance, relaxed, x, chosen, goals[0], Limits(seconds=20))
        assert decision.least is not None
        assert (decision.least <= x[arcs]).all()
        assert (x[arcs] <= decision.part.arcs.upper).all()
        answer = decide(decision)
        if answer is not None:
            whole = x.copy()
            whole[arcs] = answer
            assert is_feasible(instance, whole)


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


@settings(max_examples=40)
@given(tiny_organizations(), st.data())
def test_what_is_rounded_keeps_everything_but_perhaps_the_moves(
    organization: Organization, data: st.DataObject
) -> None:
    instance, _ = opened(organization)
    over = any(instance.pools.over) or any(instance.teams.over) or any(each.over for each in instance.limits)
    if over or instance.max_moves is not None:
        return
    relaxed = np.array([data.draw(st.floats(0, float(most))) for most in instance.arcs.upper])
    assert is_feasible(instance, round_relaxation(instance, relaxed))


@settings(max_examples=40)
@given(tiny_organizations(), st.data())
def test_a_plan_over_fewer_arcs_is_a_plan_of_the_whole(
    organization: Organization, data: st.DataObject
) -> None:
    instance, market = opened(organization)
    goals = list_goals(instance)
    x = first_incumbent(instance, goals).x
    aim = some_aim(data, instance, x)
    if aim is None:
        return
    chosen = choose_arcs(market, some_prices(data, instance, aim), x, per_project=1)
    part, kept = keep_arcs(instance, chosen)
    assert (x[~chosen] == 0).all()
    assert is_feasible(part, x[kept])
    assert appraise(part, goals, x[kept]) == pytest.approx(appraise(instance, goals, x))
