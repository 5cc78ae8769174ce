"""Jobs that improve the bound: blocks are cut, then solved; of each counts the best that was proved.

Where a promise is missed it comes first, in the plan and in the bound.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from pulp import LpProblem

from benchmarks.generator import Binding, Dials, generate
from gpu_opt.allocation.appraisal import appraise, trivial_bound
from gpu_opt.allocation.formulation import aim, formulate
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.relaxing import _sift
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy import improving, proving, whole
from gpu_opt.allocation.strategy.coarse import decide_coarsely
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.improving import improving_jobs
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.pricing import as_goal, open_market
from gpu_opt.allocation.strategy.sifting import moved
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.cbc_process import GRACE
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, Effort, solve
from tests.searching import relaxed


@pytest.fixture
def stage() -> Stage:
    stage = relaxed(Dials(projects=60, pools=6, binding="limits"))
    assert stage.guide is not None
    stage.tighten(as_goal(stage.guide.aim, stage.guide.bound))
    return stage


@pytest.fixture
def missing() -> Stage:
    """Nobody has anything; what every promise is short of is held."""
    organization = generate(Dials(projects=60, pools=6, binding="caps"))
    instance = build_instance(organization, organization.as_of)
    goals, nothing = list_goals(instance), np.zeros(len(instance.arcs.pool), dtype=np.int64)
    incumbent = Incumbent(instance, goals, nothing, appraise(instance, goals, nothing))
    tier = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    clock = Clock(Options(threads=1, time_limit=60))
    stage = Stage(incumbent, tier, open_market(tabulate(instance)), clock, 60.0)
    aim = stage.aim
    assert max(aim.held) > 0
    stage.guide = _sift(stage, aim)
    return stage


def work_off(job: Job) -> None:
    job.done(job.function(job.task, Cancel()))


def test_of_a_block_counts_the_best_that_was_proved_once(stage: Stage) -> None:
    assert stage.guide is not None
    blocks = proving._closed_blocks(stage, 20)
    assert len(blocks) > 1
    bounds = [stage.bound]
    take = partial(proving._take, stage, stage.guide, proving._before_blocks(stage, stage.guide))
    for limits in (proving.CUT_LIMITS, proving.BLOCK_LIMITS, proving.CUT_LIMITS):
        for job in proving._block_jobs(stage, stage.guide, blocks, limits, take):
            work_off(job)
        bounds.append(stage.bound)
    assert bounds[0] > bounds[1] >= bounds[2] == bounds[3] >= stage.value


def test_what_was_proved_beside_the_dive_counts_and_is_not_proved_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.guide is not None
    monkeypatch.setattr(proving, "MOST_PROJECTS", 20)
    early = list(proving.early_jobs(stage, stage.guide))
    assert len(early) > 1
    for job in early[1:]:
        work_off(job)
    before, jobs = stage.bound, proving.proving_jobs(stage)
    proving.take_known(stage, stage.guide)
    assert stage.bound < before
    first, second = next(jobs), next(jobs)
    assert first is not None
    assert second is not None
    assert first.task.part.projects == early[0].task.part.projects
    assert second.is_here  # the whole program


def test_what_blocks_took_off_is_forgotten_where_the_aim_is_another_one(stage: Stage) -> None:
    """It is known at the guide's prices only, and with the promises held that they are of."""
    guide = stage.guide
    assert guide is not None
    for job in proving.early_jobs(stage, guide):
        work_off(job)
    assert guide.taken
    assert moved(stage.market, guide, guide.aim, lambda: False).taken == guide.taken
    held = tuple(value + 1.0 for value in guide.aim.held)
    assert held
    other = Aim(guide.aim.goal, guide.aim.earlier, held)
    assert moved(stage.market, guide, other, lambda: False).taken == {}


@pytest.mark.parametrize(("seconds_for_each_arc", "has"), [(0.1e-3, False), (1e-3, True), (2e-3, False)])
def test_the_whole_program_is_cut_first_where_there_is_no_time_for_its_blocks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds_for_each_arc: float, has: bool
) -> None:
    stage.until = stage.clock.meter + seconds_for_each_arc * len(stage.incumbent.instance.arcs.pool)
    monkeypatch.setattr(Clock, "meter", stage.clock.meter)
    assert proving._has_time_for_one(stage) is has
    monkeypatch.setattr(proving, "ROOT_ARCS", 0)
    assert proving._has_time_for_one(stage) is False


def test_where_a_promise_is_missed_the_whole_program_is_cut_and_branched_on_before_any_block(
    missing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    efforts = []

    def recording(*arguments: Any, effort: Effort, **options: Any) -> Answer:
        efforts.append(effort)
        return solve(*arguments, effort=effort, **options)

    monkeypatch.setattr(whole, "solve", recording)
    job = next(proving.proving_jobs(missing))
    assert job is not None
    assert job.is_here
    work_off(job)
    assert efforts == [Effort.FEW_NODES]
    assert missing.value <= missing.bound < trivial_bound(missing.incumbent.instance, missing.goal)


@pytest.mark.parametrize("job_of", [whole.root_job, whole.whole_job])
def test_what_cbc_proves_without_solving_it_counts_as_far_as_its_tolerances(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, job_of: Callable[[Stage], Job]
) -> None:
    bound = 0.5 * (stage.value + stage.bound)
    monkeypatch.setattr(
        whole, "solve", lambda *_, **__: Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, bound, 0.0)
    )
    work_off(job_of(stage))
    assert bound < stage.bound <= bound * (1 + 1e-6)


def test_the_whole_program_begins_with_the_plan_of_when_it_was_given_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may find a better one before it begins, or may not: that must not make a difference."""
    job, x = whole.whole_job(stage), stage.incumbent.x
    nothing, begun = np.zeros_like(x), []
    stage.incumbent = Incumbent(stage.incumbent.instance, stage.incumbent.goals, nothing, ())

    def recording(problem: LpProblem, *_: Any, **__: Any) -> Answer:
        begun.append([variable.varValue for variable in problem.variables()[: len(x)]])
        return Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, None, 0.0)

    monkeypatch.setattr(whole, "solve", recording)
    job.function(job.task, Cancel())
    assert begun == [x.tolist()]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_cbc_that_shows_what_it_has_not_proved_is_begun_again_and_not_stopped_for_it(
    stage: Stage, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heuristics print what they prove of programs of their own, with most variables fixed.

    With one thread nothing else would ever be done then.
    """
    stage.clock.options = replace(stage.options, threads=threads)

    def showing(*_: Any, on_progress: Callable[[float | None, float | None], None], **__: Any) -> Answer:
        on_progress(None, stage.value)
        assert stage.seems_over() is not stage.is_misled
        return Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, None, 0.0)

    monkeypatch.setattr(whole, "solve", showing)
    assert stage.gap > stage.options.gap
    work_off(whole.whole_job(stage))
    assert stage.is_misled
    assert stage.asks_whole is (threads > 1)
    assert stage.shown == stage.bound
    work_off(whole.whole_job(stage))
    assert not stage.asks_whole


def test_between_blocks_all_kinds_of_parts_take_turns(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: list[int] = []

    def numbered(_: Stage, number: int) -> list[int]:
        numbers.append(number)
        return [0, 1]

    blocks = [[j, j + 1] for j in range(32)]
    monkeypatch.setattr(improving, "across", numbered)
    monkeypatch.setattr(improving, "by_loss", lambda _: blocks)
    monkeypatch.setattr(improving, "around_losers", lambda _: [])
    for _ in itertools.islice(improving._rounds(stage), 32 + 8):
        pass
    assert numbers == list(range(8))  # two in a row are of a kind, see choose_projects


@pytest.mark.parametrize(
    ("gap", "seconds_for_each_arc", "effort"),
    [(0.001, 0.02, Effort.DEEP), (0.001, 0.005, Effort.FULL), (0.02, 0.02, Effort.FULL)],
)
def test_the_whole_program_is_cut_deeply_where_little_is_left_to_prove_and_there_is_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, gap: float, seconds_for_each_arc: float, effort: Effort
) -> None:
    stage.bound = stage.value * (1 + gap)
    stage.until = stage.clock.meter + seconds_for_each_arc * len(stage.incumbent.instance.arcs.pool)
    monkeypatch.setattr(Clock, "meter", stage.clock.meter)
    efforts = []

    def recording(*_: Any, effort: Effort, **__: Any) -> Answer:
        efforts.append(effort)
        return Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, None, 0.0)

    monkeypatch.setattr(whole, "solve", recording)
    work_off(whole.whole_job(stage))
    assert efforts == [effort]


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
@pytest.mark.parametrize("seed", [1, 2])
def test_deep_cuts_never_prove_more_than_the_optimum(binding: Binding, seed: int) -> None:
    """The optimum is of CBC as it is by itself."""
    organization = generate(Dials(projects=12, pools=4, binding=binding, seed=seed))
    instance = build_instance(organization, organization.as_of)
    goal = next(goal for goal in list_goals(instance) if goal.kind == "value")
    formulation = formulate(instance)
    aim(formulation, goal, instance)
    plain = solve(formulation.problem, Options(threads=1), seconds=60)
    root = solve(formulation.problem, Options(threads=1), seconds=60, nodes=1, effort=Effort.DEEP)
    assert plain.stop in {Stop.PROVED, Stop.GAP}
    assert plain.objective is not None
    assert root.bound is not None
    assert root.bound >= plain.objective - 1e-6 * abs(plain.objective)


def test_a_missed_promise_is_sought_by_many_projects_in_half_of_all_the_time_that_is_left(
    missing: Stage,
) -> None:
    goals, clock, until = missing.incumbent.goals, missing.clock, missing.clock.meter + 0.1
    level = next(k for k, goal in enumerate(goals) if missing.incumbent.values[k] > 0)
    stage = Stage(missing.incumbent, level, missing.market, clock, until, missing.guide)
    job = next(improving_jobs(stage))
    assert job.function is decide_coarsely
    seconds = job.task.limits.seconds
    assert until + seconds <= stage.until <= clock.meter + 0.5 * clock.left + GRACE
    before = stage.value
    work_off(job)
    assert stage.value < before


def test_a_missed_promise_takes_no_time_that_others_need(missing: Stage) -> None:
    """Half of what is left is not enough for so many."""
    goals, clock = missing.incumbent.goals, Clock(Options(threads=1, time_limit=0.05))
    level = next(k for k, goal in enumerate(goals) if missing.incumbent.values[k] > 0)
    stage = Stage(missing.incumbent, level, missing.market, clock, clock.meter + 0.02, missing.guide)
    assert next(improving_jobs(stage)).function is not decide_coarsely


@pytest.mark.parametrize(("far", "first"), [(2.0, False), (0.0, True)])
def test_in_a_lab_of_one_part_many_projects_decide_first_while_the_plan_is_far_from_its_bound(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, far: float, first: bool
) -> None:
    assert stage.gap > 0
    monkeypatch.setattr(improving, "FAR", far)
    jobs = improving_jobs(stage)
    assert next(jobs).function is not decide_coarsely  # what the dive left in halves is rounded first
    assert (next(jobs).function is decide_coarsely) is first


def test_a_goal_whose_time_was_used_up_before_still_has_the_bound_of_known_prices(missing: Stage) -> None:
    """The relaxation was found for promises that are kept; they are not."""
    incumbent, clock, goal = missing.incumbent, missing.clock, missing.goal
    earlier = incumbent.goals[: missing.position]
    hoped = Aim(goal, earlier, tuple(trivial_bound(incumbent.instance, each) for each in earlier))
    guide = _sift(missing, hoped)
    assert guide is not None
    stage = Stage(incumbent, missing.position, missing.market, clock, clock.meter - 1.0, guide)
    proof = stage.run()
    assert proof.stop is Stop.TIME
    assert missing.value <= proof.bound < trivial_bound(incumbent.instance, goal)
    assert proof.bound >= as_goal(hoped, guide.bound)  # promises that may be missed leave more for values
