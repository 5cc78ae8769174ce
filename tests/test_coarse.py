"""Many projects that decide together: lumps first, then units; and CBC on the whole program, begun again."""

from __future__ import annotations

import itertools
import math
import pickle
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from benchmarks.generator import Binding, Dials, generate
from gpu_opt import allocate
from gpu_opt.allocation import stage as stages
from gpu_opt.allocation.appraisal import appraise, is_feasible
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.greedy import keep_holdings
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy import coarse, parts
from gpu_opt.allocation.strategy.coarse import decide_coarsely
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.parts import Decision, Limits, decide, open_program
from gpu_opt.allocation.strategy.pricing import open_market
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Cancel, Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, solve
from tests.building import lab, pool, project, root, team
from tests.strategies import organizations

LIMITS = Limits(seconds=20.0, nodes=200, gap=1e-5)


def first_tier(goals: tuple[GoalSpec, ...]) -> int:
    return next(k for k, goal in enumerate(goals) if goal.kind == "value")


def test_where_nodes_are_limited_time_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of no limit at all are none."""
    organization = generate(Dials(projects=24, pools=4, seed=3))
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    greedy, seconds = first_incumbent(instance, goals), []

    def recording(*arguments: Any, **how: Any) -> Answer:
        seconds.append(how["seconds"])
        return solve(*arguments, **how)

    monkeypatch.setattr(parts, "solve", recording)
    limits = replace(LIMITS, seconds=math.inf)
    assert decide_coarsely(Decision(instance, greedy.x, goals[first_tier(goals)].name, limits)) is not None
    assert set(seconds) == {math.inf}


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
def test_many_projects_decide_almost_as_well_as_can_be(binding: Binding) -> None:
    """From the greedy plan, which is some ten per cent worse than the best."""
    organization = generate(Dials(projects=40, pools=6, seed=3, binding=binding))
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    greedy, tier = first_incumbent(instance, goals), first_tier(goals)
    answer = decide_coarsely(Decision(instance, greedy.x, goals[tier].name, LIMITS))
    assert answer is not None
    assert is_feasible(instance, answer)
    values = appraise(instance, goals, answer)
    best = {goal.name: goal.bound for goal in allocate(organization, options=Options(time_limit=5)).goals}
    assert values[tier] > greedy.values[tier]
    assert values[tier] >= 0.97 * best[goals[tier].name]
    assert all(value <= before + 1e-6 for value, before in zip(values[:tier], greedy.values, strict=False))


@given(organizations(max_projects=5, max_pools=3))
def test_whatever_many_decide_is_a_plan(organization: Organization) -> None:
    instance = build_instance(organization, organization.as_of)
    goals, keep = list_goals(instance), keep_holdings(instance)
    for goal in goals:
        answer = (
            decide_coarsely(Decision(instance, keep, goal.name, LIMITS)) if goal.kind == "value" else None
        )
        assert answer is None or is_feasible(instance, answer)


def test_a_promise_that_whole_units_would_miss_is_mended() -> None:
    """Research is short by a fraction of what one more unit is worth to quill."""
    instance, x = _promised()
    goals = list_goals(instance)
    answer = decide_coarsely(Decision(instance, x, "value_tier_1", LIMITS))
    assert answer is not None
    assert appraise(instance, goals, answer)[: first_tier(goals)] == (0.0,) * first_tier(goals)


def test_a_promise_that_the_plan_misses_is_sought_together_with_values() -> None:
    """Held where the plan has it, it would stay missed: quill is worth more. Parts find the rest."""
    instance, x = _promised()
    goals, nothing = list_goals(instance), np.zeros_like(x)
    assert appraise(instance, goals, nothing)[0] > 8
    answer = decide_coarsely(Decision(instance, nothing, "value_tier_1", LIMITS))
    assert answer is not None
    assert appraise(instance, goals, answer)[0] < 0.01


def test_mending_takes_a_few_projects_around_the_team_that_is_short() -> None:
    """Nothing at all misses the promise; what else was granted stays where nobody needs it."""
    instance, x = _promised()
    program = open_program(Decision(instance, x, "value_tier_1", LIMITS), None)
    assert program is not None
    short = np.zeros_like(x)
    assert coarse._missed(program, short)
    assert not coarse._missed(program, x)
    mended = coarse._mend(program, short)
    assert is_feasible(instance, mended)
    assert not coarse._missed(program, mended)


def test_it_can_be_sent_to_another_machine() -> None:
    instance, x = _promised()
    sent = pickle.dumps((Decision(instance, x, "value_tier_1", LIMITS), decide_coarsely))
    decision, function = pickle.loads(sent)
    again = function(decision)
    assert again is not None
    assert is_feasible(instance, again)


def test_what_a_promise_takes_is_taken_where_it_costs_least() -> None:
    """Next to nothing is missing, so that it is asked for alone: no value is given up but its unit's."""
    projects = [
        project("orion", 24, "research", priority=0.5),
        *(project(f"quill{number}", 40, "products", priority=3) for number in range(6)),
    ]
    teams = [root(), team("research", guarantee=3), team("products")]
    pools = [pool("iowa", 96, unit=8), pool("texas", 8, unit=4)]
    organization = lab(pools, teams, projects)
    instance = build_instance(organization, organization.as_of)
    x = np.array([0, 0, 5, 0, 5, 0, 2, 2, 0, 0, 0, 0, 0, 0], dtype=np.int64)
    short = instance.teams.names.index("research")
    targets = list(instance.teams.target)
    targets[short] = Fraction(1, 1000)
    instance = replace(instance, teams=replace(instance.teams, target=tuple(targets)))
    goals = list_goals(instance)
    answer = decide(Decision(instance, x, goals[0].name, LIMITS))
    assert answer is not None
    before, after = (appraise(instance, goals, each) for each in (x, answer))
    assert after[0] == 0.0
    assert after[first_tier(goals)] >= before[first_tier(goals)] - 3 * 8


def _promised() -> tuple[Instance, Ints]:
    projects = [
        project("orion", 24, "research", priority=0.5),
        project("quill", 40, "products", priority=3),
    ]
    teams = [root(), team("research", guarantee=12), team("products")]
    pools = [pool("iowa", 16, unit=8), pool("texas", 8, unit=4)]
    organization = lab(pools, teams, projects)
    instance = build_instance(organization, organization.as_of)
    return instance, first_incumbent(instance, list_goals(instance)).x


def test_a_part_leaves_alone_what_is_not_its_own() -> None:
    organization = generate(Dials(projects=40, pools=6, seed=2, binding="pools"))
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    whole = first_incumbent(instance, goals).x
    part, arcs = restrict(instance, whole, range(25))
    answer = decide_coarsely(Decision(part, whole[arcs], "value_tier_1", LIMITS))
    assert answer is not None
    whole[arcs] = answer
    assert is_feasible(instance, whole)


def test_a_part_keeps_a_promise_of_which_next_to_nothing_is_missing() -> None:
    """A thousandth is missing, and the unit that it takes is worth more to somebody else."""
    instance, _ = _promised()
    x = np.array([0, 2, 2, 0], dtype=np.int64)
    goal = list_goals(instance)[0]
    assert 0.0 < appraise(instance, (goal,), x)[0] < 0.01
    answer = decide(Decision(instance, x, goal.name, LIMITS))
    assert answer is not None
    assert appraise(instance, (goal,), answer) == (0.0,)


@pytest.fixture
def stage() -> Stage:
    organization = generate(Dials(projects=20, pools=4))
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    incumbent = first_incumbent(instance, goals)
    clock = Clock(Options(threads=2, time_limit=30))
    return Stage(incumbent, first_tier(goals), open_market(tabulate(instance)), clock, clock.meter + 0.6)


@pytest.mark.parametrize(
    ("began_with", "bound", "asks"),
    [(None, 1.1, True), (1.0, 1.1, False), (1.0, 1.04, False), (0.99, 1.04, False), (0.97, 1.04, True)],
)
def test_cbc_begins_the_whole_program_again_when_the_plan_has_come_a_quarter_of_the_way(
    stage: Stage, began_with: float | None, bound: float, asks: bool
) -> None:
    """Shares of what the plan reaches now."""
    stage.tighten(stage.value * bound)
    stage.began_with = None if began_with is None else stage.value * began_with
    assert stage.asks_whole is asks


def test_what_cbc_has_proved_when_the_time_ends_is_taken(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CBC works on the whole program to the end of the goal's time, and says what it has when stopped."""

    def whole(stage: Stage) -> Job:
        def until_stopped(_: None, cancel: Cancel) -> float:
            while not cancel.is_set():
                time.sleep(0.01)
            return stage.value * 1.001

        stage.began_with = stage.value
        return Job(until_stopped, None, stage.tighten, is_long=True, is_proof=True)

    def others(_: Stage) -> Iterator[Job]:
        yield from itertools.repeat(Job(lambda _task, _cancel: time.sleep(0.05), None, lambda _: None))

    monkeypatch.setattr(stages, "whole_job", whole)
    monkeypatch.setattr(stages, "improving_jobs", others)
    monkeypatch.setattr(stages, "proving_jobs", lambda _: itertools.repeat(None))
    monkeypatch.setattr(stages, "ask_relaxation", lambda *_: None)
    proof = stage.run()
    assert proof.stop is Stop.TIME
    assert proof.bound == pytest.approx(stage.value * 1.001)
