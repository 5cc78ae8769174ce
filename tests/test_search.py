"""The search: its parts and its incumbent, and what stays proved of a goal while earlier ones change."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.generator import Dials, generate
from gpu_opt import allocate, solver
from gpu_opt.allocation.appraisal import appraise, is_better, is_feasible
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.allocation.incumbent import Incumbent, first_incumbent
from gpu_opt.allocation.neighbourhoods import choose_projects
from gpu_opt.allocation.proof import PriceBound, Proof
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.search import search, standing
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy.coarse import decide_coarsely
from gpu_opt.allocation.strategy.improving import Tried, improving_jobs, untried
from gpu_opt.allocation.strategy.parts import Decision, Limits, decide
from gpu_opt.allocation.strategy.prices import Aim, no_prices
from gpu_opt.allocation.strategy.pricing import open_market
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.options import Options, Progress
from gpu_opt.organization import Organization
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer
from tests.breaking import replace_solver
from tests.building import lab, pool, project
from tests.searching import first_tier, instance, with_guide
from tests.strategies import organizations

__all__ = ["instance"]  # a fixture


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


@pytest.mark.parametrize("rare", [1, 2])
def test_a_part_for_a_tier_has_projects_of_it(rare: int) -> None:
    tiers = [project(f"p{k}", 4, tier=rare if k % 10 == 9 else 3 - rare) for k in range(100)]
    organization = lab([pool("iowa", 64), pool("texas", 64)], projects=tiers)
    instance = build_instance(organization, organization.as_of)
    goal = next(each for each in list_goals(instance) if each.name == f"value_tier_{rare}")
    x = np.zeros(len(instance.arcs.pool), dtype=np.int64)
    for number in range(16):
        chosen = choose_projects(instance, x, instance.arcs.upper / 2.0, goal, 10, (1, number))
        assert any(instance.projects.tier[j] == rare for j in chosen)


def test_a_part_without_the_goal_keeps_what_it_has() -> None:
    """It is no failure of CBC's: where a tier has few projects, twenty in a row would end its search."""
    organization = lab([pool("iowa", 8)], projects=[project("vela", 8, tier=2)])
    instance = build_instance(organization, organization.as_of)
    decision = Decision(instance, np.array([3], dtype=np.int64), "value_tier_1", Limits(10.0))
    for answer in (decide(decision), decide_coarsely(decision)):
        assert answer is not None
        assert answer.tolist() == [3]


def test_parts_have_projects_of_a_rare_first_tier() -> None:
    organization = generate(Dials(projects=500, pools=4))
    tiers = [
        each.model_copy(update={"tier": 1 if k in {7, 300} else 2})
        for k, each in enumerate(organization.projects)
    ]
    stage = with_guide(first_tier(organization.model_copy(update={"projects": tuple(tiers)})))
    rare = {j for j, tier in enumerate(stage.incumbent.instance.projects.tier) if tier == 1}
    for job in itertools.islice(improving_jobs(stage), 40):
        names = job.task.part.projects.names
        assert rare & {stage.incumbent.instance.projects.names.index(name) for name in names}


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


def test_the_first_plan_is_told_before_cbc_is_asked_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []
    known: list[bool] = []

    def recording(*arguments: Any, **how: Any) -> Answer:
        known.append(any(report.best is not None for report in told))
        return solver.solve(*arguments, **how)

    replace_solver(monkeypatch, recording)
    allocate(generate(Dials(projects=100, pools=10)), options=Options(time_limit=1.0, progress=told.append))
    assert known[0]
