"""The parts of the search: each keeps its promise whatever it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.generator import SIZES, Binding, Dials, generate
from gpu_opt import allocate, solver
from gpu_opt.allocation.appraisal import appraise, is_better, is_feasible, moved_gpus
from gpu_opt.allocation.dive import dive
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.allocation.incumbent import Incumbent, first_incumbent
from gpu_opt.allocation.ledger import open_ledger
from gpu_opt.allocation.lifting import lift
from gpu_opt.allocation.neighbourhoods import choose_projects
from gpu_opt.allocation.proof import PriceBound, Proof
from gpu_opt.allocation.relaxing import ask_relaxation
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.allocation.search import search, standing
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy.improving import Tried, untried
from gpu_opt.allocation.strategy.lumps import NOTHING, SOME
from gpu_opt.allocation.strategy.parts import Decision, Limits, decide
from gpu_opt.allocation.strategy.prices import Aim, no_prices
from gpu_opt.allocation.strategy.pricing import open_market
from gpu_opt.allocation.strategy.relaxation import Relaxation, read_units, relaxation_of
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.instance import MILLI, Instance
from gpu_opt.options import Options, Progress
from gpu_opt.organization import Organization
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer
from gpu_opt.validation import check
from tests.breaking import replace_solver
from tests.building import lab, pool, project, root, team
from tests.strategies import organizations

DIALS = Dials(projects=60, pools=8, tiers=2)


@pytest.fixture(scope="module")
def instance() -> Instance:
    organization = generate(DIALS)
    return build_instance(organization, organization.as_of)


@given(organizations(max_projects=5, max_pools=3))
def test_todays_holdings_are_always_a_plan(organization: Organization) -> None:
    instance = build_instance(organization, organization.as_of)
    assert is_feasible(instance, keep_holdings(instance))


@given(organizations(max_projects=5, max_pools=3))
def test_handing_out_what_is_free_makes_no_goal_worse(organization: Organization) -> None:
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    keep = keep_holdings(instance)
    filled = fill(instance, keep)
    assert is_feasible(instance, filled)
    for goal, before, after in zip(
        goals, appraise(instance, goals, keep), appraise(instance, goals, filled), strict=True
    ):
        assert after >= before - 1e-9 if goal.sense == "maximize" else after <= before + 1e-9


@given(organizations(max_projects=3, max_pools=2), st.data())
def test_rounding_keeps_every_rule_but_the_move_budget(
    organization: Organization, data: st.DataObject
) -> None:
    unlimited = organization.model_copy(
        update={"policy": organization.policy.model_copy(update={"max_moves": None})}
    )
    instance = build_instance(unlimited, unlimited.as_of)
    relaxed = np.array([data.draw(st.floats(0, float(most))) for most in instance.arcs.upper])
    assert is_feasible(instance, round_relaxation(instance, relaxed))


@given(organizations(max_projects=5, max_pools=3), st.data())
def test_a_part_of_a_plan_is_worth_what_it_is_worth_in_the_whole(
    organization: Organization, data: st.DataObject
) -> None:
    instance = build_instance(organization, organization.as_of)
    alive = [j for j, own in enumerate(instance.projects.arcs) if own]
    chosen = sorted(data.draw(st.sets(st.sampled_from(alive)) if alive else st.just(set())))
    x = fill(instance, keep_holdings(instance))
    part, arcs = restrict(instance, x, chosen)
    assert is_feasible(part, x[arcs])
    better = fill(part, keep_holdings(part)) if is_feasible(part, keep_holdings(part)) else x[arcs]
    whole = x.copy()
    whole[arcs] = better
    assert is_feasible(instance, whole)
    shared = [goal.name for goal in list_goals(part) if goal.name.startswith("value")]
    gain = [
        dict(zip([g.name for g in list_goals(i)], appraise(i, list_goals(i), plan), strict=True))
        for i, plan in ((part, x[arcs]), (part, better), (instance, x), (instance, whole))
    ]
    for name in shared:
        assert gain[1][name] - gain[0][name] == pytest.approx(gain[3][name] - gain[2][name], abs=1e-6)


def relaxation(instance: Instance) -> Relaxation:
    goals = list_goals(instance)
    position = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    return relaxation_of(instance, Aim(goals[position], goals[:position], (0.0,) * position))


def stated(relaxation: Relaxation) -> list[object]:
    problem = relaxation.problem
    bounds = [(v.name, v.lowBound, v.upBound) for v in problem.variables()]
    sides = [(row.name, row.constant) for row in problem.constraints()]
    assert problem.objective is not None
    return [bounds, sides, sorted((v.name, c) for v, c in problem.objective.items())]


def test_a_dive_leaves_the_relaxation_as_it_was(instance: Instance) -> None:
    lp = relaxation(instance)
    before = stated(lp)
    halves = instance.arcs.upper / 2.0
    assert dive(lp, halves, [(0, NOTHING)], lambda: False) is halves
    assert stated(lp) == before


def test_a_dive_goes_on_until_nothing_is_left_in_halves(instance: Instance) -> None:
    lp = relaxation(instance)
    calls = []

    def nothing() -> bool:
        calls.append(1)
        for variable in lp.problem.variables():
            variable.varValue = 0.0
        return True

    assert not dive(lp, instance.arcs.upper / 2.0, [], nothing).any()
    assert len(calls) == 1


def test_a_dive_gives_nothing_to_whom_its_team_chose_to_give_nothing(instance: Instance) -> None:
    lp = relaxation(instance)
    left_out = next(j for j, own in enumerate(instance.projects.arcs) if own)

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    units = dive(lp, read_units(lp), [(left_out, NOTHING)], solved)
    own = instance.projects.arcs[left_out]
    assert not units[own.start : own.stop].any()
    assert units.any()


@pytest.mark.parametrize(("holders_stay", "kept"), [(True, 4), (False, 0)])
def test_a_dive_moves_a_whole_holding_where_it_is_let_and_the_budget_has_the_moves(
    holders_stay: bool, kept: int
) -> None:
    """The cap funds orion's minimum or lyra's; the relaxation leaves orion a quarter of what it holds."""
    orion = project("orion", 4, minimum=4, holds={"iowa": 4})
    lyra = project("lyra", 4, minimum=4, priority=9)
    organization = lab([pool("iowa", 8)], projects=[orion, lyra], teams=[root(cap=5)], max_moves=5)
    lp = relaxation(build_instance(organization, organization.as_of))

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    units = dive(lp, read_units(lp), [], solved, holders_stay=holders_stay)
    assert units.tolist() == pytest.approx([kept, 4 - kept])


def test_a_dive_does_not_give_up_more_than_the_budget_has_moves_for() -> None:
    holders = [project(name, 4, minimum=4, holds={"iowa": 4}) for name in ("orion", "vega")]
    organization = lab([pool("iowa", 8)], projects=holders, max_moves=5)
    lp = relaxation(build_instance(organization, organization.as_of))

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    assert dive(lp, read_units(lp), [(0, NOTHING), (1, NOTHING)], solved).tolist() == pytest.approx([0, 4])


@pytest.mark.parametrize("one_pool", [False, True])
@pytest.mark.parametrize("holders_stay", [False, True])
def test_a_dive_funds_whom_its_team_chose_to_fund(one_pool: bool, holders_stay: bool) -> None:
    """A fifth of orion keeps research's promise, so the relaxation leans to giving up what orion holds.

    Moves are not limited, so there is nothing to stay for but what the team chose.
    """
    orion = project("orion", 20, minimum=20, holds={"iowa": 20}, team="research", one_pool=one_pool)
    lyra = project("lyra", 40, priority=9)
    pools = [pool("iowa", 20), pool("oslo", 20)]
    organization = lab(pools, [team("research", guarantee=5)], projects=[orion, lyra])
    lp = relaxation(build_instance(organization, organization.as_of))

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    relaxed = read_units(lp)
    assert relaxed[:2].sum() < 0.5 * 20
    units = dive(lp, relaxed, [(0, SOME)], solved, holders_stay=holders_stay)
    assert units[:2].sum() == pytest.approx(20)
    assert not one_pool or units[:2].max() == pytest.approx(20)


@pytest.mark.parametrize(("max_moves", "rounded"), [(4, [2, 2]), (3, [0, 3])])
def test_a_holder_that_was_rounded_up_makes_room_for_a_minimum_where_there_are_moves(
    max_moves: int, rounded: list[int]
) -> None:
    """Six GPUs are two units of four; vega keeps three of its own, and needs but half of one of them."""
    orion = project("orion", 8, minimum=6)
    vega = project("vega", 12, holds={"iowa": 12})
    organization = lab([pool("iowa", 16, unit=4)], projects=[orion, vega], max_moves=max_moves)
    instance = build_instance(organization, organization.as_of)
    assert round_relaxation(instance, np.array([1.5, 2.5])).tolist() == rounded


def test_a_promise_that_rounding_missed_is_lifted_by_moves_only_as_far_as_there_are_some() -> None:
    """Research is promised 4 GPUs and has 1: 2 come without a move, and 1 of 5 that are held may move."""
    teams = [team("research", guarantee=4), team("other")]
    orion = project("orion", 4, team="research", holds={"iowa": 1})
    others = project("others", 8, team="other", holds={"iowa": 5})
    organization = lab([pool("iowa", 8)], teams=teams, projects=[orion, others], max_moves=1)
    instance = build_instance(organization, organization.as_of)
    ledger = open_ledger(instance, np.array([1, 7]))
    lift(ledger)
    assert ledger.x.tolist() == [4, 4]
    ledger = open_ledger(replace(instance, max_moves=0), np.array([1, 7]))
    lift(ledger)
    assert ledger.x.tolist() == [3, 5]


@given(organizations(max_projects=4, max_pools=3), st.data())
def test_what_is_rounded_is_never_lifted_beyond_the_moves_that_are_left(
    organization: Organization, data: st.DataObject
) -> None:
    instance = build_instance(organization, organization.as_of)
    kept = [data.draw(st.integers(0, int(most))) for most in instance.arcs.wanted]
    ledger = open_ledger(instance, np.array(kept, dtype=np.int64))
    before = ledger.moves_free
    lift(ledger)
    if before is not None:
        assert instance.max_moves is not None
        assert ledger.moves_free == instance.max_moves - int(moved_gpus(instance, ledger.x).sum())
        assert ledger.moves_free >= min(before, 0)


def test_an_incumbent_never_gets_worse(instance: Instance) -> None:
    goals = list_goals(instance)
    incumbent = first_incumbent(instance, goals)
    reached = incumbent.values
    assert not incumbent.offer(keep_holdings(instance))
    assert not incumbent.offer(instance.arcs.upper + 1)
    assert incumbent.values == reached
    assert not is_better(goals, appraise(instance, goals, keep_holdings(instance)), reached)


TIERS = [project("orion", 4, tier=1), project("lyra", 8, tier=2), project("vela", 8, tier=3)]


def test_no_bound_outlives_the_value_of_an_earlier_goal_that_it_rests_on() -> None:
    """While lyra keeps 6 GPUs, vela gets none; for all of orion lyra has to give, and vela may gain."""
    organization = lab([pool(gpus=8)], projects=TIERS)
    instance = build_instance(organization, organization.as_of)
    goals, x = list_goals(instance), np.array([2, 6, 0])
    incumbent = Incumbent(instance, goals, x, appraise(instance, goals, x))
    lyra, vela = Proof(6.0, Stop.PROVED, 1.0), Proof(0.0, Stop.PROVED, 1.0)
    assert standing(incumbent, 2, vela) == vela
    assert incumbent.take(np.array([4, 0, 4]))
    assert standing(incumbent, 1, lyra) == lyra
    assert standing(incumbent, 2, vela) == Proof(8.0, Stop.TIME, 1.0)


def test_what_prices_prove_is_known_wherever_earlier_goals_are_reached() -> None:
    """At a price of 1 per GPU and 1 per value of orion, vela gains what orion and lyra leave."""
    organization = lab([pool(gpus=8)], projects=TIERS)
    instance = build_instance(organization, organization.as_of)
    goals, x = list_goals(instance), np.array([2, 6, 0])
    incumbent = Incumbent(instance, goals, x, appraise(instance, goals, x))
    aim = Aim(goals[2], goals[:2], incumbent.values[:2])
    free = no_prices(instance, aim)
    dear = replace(free, pool=np.ones(1), earlier=np.ones(2))
    vela = Proof(0.0, Stop.PROVED, 1.0, by_prices=PriceBound(open_market(tabulate(instance)), aim, dear, 0.0))
    assert standing(incumbent, 2, vela) == vela
    assert incumbent.take(np.array([4, 0, 4]))
    assert standing(incumbent, 2, vela).bound == pytest.approx(4.0, abs=1e-6)


def test_a_part_hands_on_what_its_tier_leaves_to_the_tiers_after_it() -> None:
    """More for orion in its own pool is no reason to take lyra's GPUs in the other one away."""
    projects = [
        project("orion", 8, tier=1, one_pool=True),
        project("lyra", 8, tier=2),
        project("vela", 4, tier=3),
    ]
    organization = lab([pool("iowa", 8), pool("texas", 8)], projects=projects)
    instance = build_instance(organization, organization.as_of)
    decision = Decision(
        instance, np.zeros(len(instance.arcs.pool), dtype=np.int64), "value_tier_1", Limits(10.0)
    )
    answer = decide(decision)
    assert answer is not None
    assert appraise(instance, list_goals(instance)[:3], answer) == (8.0, 8.0, 0.0)


def test_parts_are_not_tried_again_until_the_plan_has_improved(instance: Instance) -> None:
    incumbent = first_incumbent(instance, list_goals(instance))
    position = next(k for k, goal in enumerate(incumbent.goals) if goal.kind == "value")
    stage = Stage(incumbent, position, open_market(tabulate(instance)), Clock(Options()), 60.0)
    tried: Tried = {}
    assert list(untried(stage, [[0, 1], [2], [0, 1]], tried)) == [[0, 1], [2]]
    incumbent.values = tuple(value + 1 for value in incumbent.values)
    assert list(untried(stage, [[2]], tried)) == [[2]]


def test_a_part_for_a_later_tier_has_projects_of_it() -> None:
    tiers = [project(f"p{k}", 4, tier=1 + (k % 10 == 9)) for k in range(100)]
    organization = lab([pool("iowa", 64), pool("texas", 64)], projects=tiers)
    instance = build_instance(organization, organization.as_of)
    goal = next(each for each in list_goals(instance) if each.name == "value_tier_2")
    x = np.zeros(len(instance.arcs.pool), dtype=np.int64)
    for number in range(16):
        chosen = choose_projects(instance, x, instance.arcs.upper / 2.0, goal, 10, (1, number))
        assert any(instance.projects.tier[j] == 2 for j in chosen)


def test_what_was_proved_of_a_goal_is_kept_when_it_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    organization = lab([pool(gpus=8)], projects=TIERS)
    instance = build_instance(organization, organization.as_of)
    runs: list[str] = []

    def run(stage: Stage) -> Proof:
        runs.append(stage.goal.name)
        if len(runs) <= len(TIERS):
            stage.tighten(stage.bound - 0.5)
        return Proof(stage.bound, Stop.TIME, 1.0)

    monkeypatch.setattr(Stage, "run", run)
    _, proofs = search(instance, list_goals(instance), Clock(Options(time_limit=60.0)))
    assert len(runs) > len(TIERS)
    assert proofs[2].bound == 7.5
    assert proofs[2].seconds == len(runs) / len(TIERS)


@pytest.mark.parametrize("number", range(8))
def test_a_neighbourhood_is_the_same_for_the_same_seed(instance: Instance, number: int) -> None:
    x = first_incumbent(instance, list_goals(instance)).x
    relaxed = instance.arcs.upper / 2.0
    for goal in list_goals(instance):
        chosen = choose_projects(instance, x, relaxed, goal, 20, (1, number))
        assert chosen == choose_projects(instance, x, relaxed, goal, 20, (1, number))
        assert len(set(chosen)) == len(chosen) <= 20


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
def test_the_generator_makes_valid_organizations_and_the_same_ones_again(binding: str) -> None:
    dials = Dials(projects=40, pools=6, seed=3, binding=binding)  # type: ignore[arg-type]
    organization = generate(dials)
    assert not [problem for problem in check(organization) if problem.severity == "error"]
    assert generate(dials) == organization
    assert len(organization.projects) == 40


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
def test_what_the_generator_says_binds_does(binding: Binding) -> None:
    """Its prices earn some of the bound, and nothing where something else binds; but for pools."""
    kinds: tuple[Binding, ...] = ("caps", "pools", "limits", "moves")
    earned = {each: _earned_by(each, binding) for each in kinds}
    assert earned.pop(binding) > 0.01
    assert binding == "pools" or set(earned.values()) == {0.0}


def _earned_by(binds: Binding, binding: Binding) -> float:
    """What share of the bound rows of a kind earn in a lab where something else, or the same, binds."""
    organization = generate(Dials(projects=60, pools=8, seed=1, binding=binds))
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    tier = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    clock = Clock(Options(threads=1, time_limit=60))
    stage = Stage(first_incumbent(instance, goals), tier, open_market(tabulate(instance)), clock, 60.0)
    ask_relaxation(stage)
    assert stage.guide is not None
    prices = stage.guide.prices
    caps = [0 if cap is None else cap / MILLI for cap in instance.teams.cap]
    limits = [limit.gpus for limit in instance.limits]
    earned = {
        "caps": float(prices.cap @ np.array(caps)),
        "pools": float(prices.pool @ np.array(instance.pools.units)),
        "limits": float(prices.limit @ np.array(limits)),
        "moves": prices.budget * (instance.max_moves or 0),
    }
    return earned[binding] / stage.guide.bound


def test_the_first_plan_is_told_before_cbc_is_asked_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []
    known: list[bool] = []

    def recording(*arguments: Any, **how: Any) -> Answer:
        known.append(any(report.best is not None for report in told))
        return solver.solve(*arguments, **how)

    replace_solver(monkeypatch, recording)
    allocate(generate(Dials(projects=100, pools=10)), options=Options(time_limit=1.0, progress=told.append))
    assert known[0]


def test_the_named_sizes_say_what_they_are() -> None:
    assert {f"{projects}x{pools}" for projects, pools in SIZES.values()} == set(SIZES)
