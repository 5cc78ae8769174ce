"""Choices made both ways: what is proved, and what every better plan must do, is true of the optimum."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.generator import Binding, Dials
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.allocation.strategy import probing, whole
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.whole import Forced, binaries, whole_program
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.instance import Ints
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, solve
from tests.searching import stage_of


@pytest.fixture(autouse=True)
def however_much_is_left_to_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "CLOSE", math.inf)


def lab_of(binding: Binding, seed: int, projects: int = 16) -> Stage:
    return stage_of(Dials(projects=projects, pools=4, binding=binding, seed=seed), seconds=120.0)


def best_of(stage: Stage, gap: float = 0.0) -> tuple[Ints, float]:
    """CBC's plan for the stage's goal, and what it reaches."""
    formulation = whole_program(stage)
    answer = solve(formulation.problem, Options(threads=1), seconds=60, gap=gap)
    assert answer.objective is not None
    return read_grants(formulation.variables), answer.objective


def work_off(job: Job) -> None:
    job.done(job.function(job.task, Cancel()))


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_choice_is_forced_that_the_optimum_does_not_make(binding: Binding, seed: int) -> None:
    stage = lab_of(binding, seed)
    stage.incumbent.offer(best_of(stage, gap=0.01)[0])
    best, optimum = best_of(stage)  # as good on the goals before as the known plan is
    began_with, tolerance = stage.value, 1e-6 * abs(optimum)
    for job in probing.probing_jobs(stage):
        work_off(job)
    assert stage.bound >= optimum - tolerance
    if optimum > began_with + tolerance:  # else the known plan is an optimum, which need not be the only one
        formulation = whole_program(replace(stage, forced=None))
        set_start(stage.incumbent.instance, formulation.variables, best)
        for each in binaries(formulation):
            assert each.varValue == stage.forced_choices.get(each.name, each.varValue)


def test_a_choice_that_the_better_plans_make_is_forced_and_better_bounds_come_of_it() -> None:
    stage = lab_of("limits", 1, projects=30)
    stage.incumbent.offer(best_of(stage, gap=0.001)[0])
    before = stage.bound
    for job in probing.probing_jobs(stage):
        work_off(job)
    assert stage.forced_choices
    assert stage.value <= stage.bound < before


def test_what_was_proved_where_earlier_goals_were_held_before_counts_no_more() -> None:
    stage = lab_of("limits", 1, projects=30)
    stage.incumbent.offer(best_of(stage, gap=0.001)[0])
    bound = stage.bound
    for job in probing.probing_jobs(stage):
        sides = job.function(job.task, Cancel())
        values = stage.incumbent.values
        stage.incumbent.values = (values[0] + 1, *values[1:])  # what others found meanwhile
        job.done(sides)
    assert stage.bound == bound
    assert stage.forced is None


def test_what_cbc_says_of_a_choice_is_not_believed_where_the_known_plan_contradicts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = lab_of("limits", 1, projects=30)
    bound = stage.bound
    jobs = probing.probing_jobs(stage)
    work_off(next(jobs))  # the relaxation
    false = Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, 0.9 * stage.value, 0.0)
    monkeypatch.setattr(probing, "survive", lambda *_, **__: false)
    for job in jobs:
        work_off(job)
    assert stage.bound == bound
    assert stage.forced is None


def test_what_is_forced_holds_for_better_plans_only_and_while_earlier_goals_are_held_there() -> None:
    stage = lab_of("caps", 1)
    held, value = stage.aim.held, stage.value
    stage.forced = Forced(held, value, {"y_1": 1})
    assert stage.forced_choices == {"y_1": 1}
    stage.forced = Forced(held, value + 1, {"y_1": 1})
    assert stage.forced_choices == {}
    stage.forced = Forced((*held[:-1], held[-1] + 1), value, {"y_1": 1})
    assert stage.forced_choices == {}


@pytest.mark.parametrize("agrees", [True, False])
def test_what_is_forced_is_fixed_where_the_known_plan_does_it_too(agrees: bool) -> None:
    stage = lab_of("caps", 1)
    free = whole_program(stage)
    name, value = binaries(free)[0].name, int(binaries(free)[0].varValue or 0)
    stage.forced = Forced(stage.aim.held, stage.value, {name: value if agrees else 1 - value})
    formulation = whole_program(stage)
    fixed = [each.name for each in binaries(formulation) if each.lowBound == each.upBound]
    assert fixed == ([name] if agrees else [])


def test_it_ends_when_several_choices_in_a_row_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = lab_of("caps", 1, projects=30)
    monkeypatch.setattr(probing, "IN_VAIN", 2)
    jobs = probing.probing_jobs(stage)
    work_off(next(jobs))  # the relaxation
    stage.bound = stage.value  # nothing is better than that
    assert len(list(jobs)) == 2
    monkeypatch.setattr(probing, "IN_VAIN", 100)
    again = probing.probing_jobs(stage)
    work_off(next(again))
    assert len(list(again)) > 2
