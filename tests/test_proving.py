"""Jobs that improve the bound: blocks are cut, then solved; of each counts the best that was proved."""

from __future__ import annotations

import pytest

from benchmarks.generator import Dials, generate
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.relaxing import ask_relaxation
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy import proving
from gpu_opt.allocation.strategy.blocks import Block
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.pricing import as_goal, open_market
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.options import Cancel, Options


@pytest.fixture
def stage() -> Stage:
    organization = generate(Dials(projects=60, pools=6, binding="limits"))
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    tier = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    clock = Clock(Options(threads=1, time_limit=60))
    stage = Stage(first_incumbent(instance, goals), tier, open_market(tabulate(instance)), clock, 60.0)
    ask_relaxation(stage)
    assert stage.guide is not None
    stage.tighten(as_goal(stage.guide.aim, stage.guide.bound))
    return stage


def work_off(job: Job) -> None:
    job.done(job.function(job.task, Cancel()))


def test_of_a_block_counts_the_best_that_was_proved_once(stage: Stage) -> None:
    assert stage.guide is not None
    blocks = proving._closed_blocks(stage, 20)
    assert len(blocks) > 1
    taken: dict[Block, float] = {}
    bounds = [stage.bound]
    for limits in (proving.CUT_LIMITS, proving.BLOCK_LIMITS, proving.CUT_LIMITS):
        for job in proving._block_jobs(stage, stage.guide, blocks, limits, taken):
            work_off(job)
        bounds.append(stage.bound)
    assert bounds[0] > bounds[1] >= bounds[2] == bounds[3] >= stage.value


@pytest.mark.parametrize(("seconds_for_each_arc", "has"), [(0.1e-3, False), (1e-3, True), (2e-3, False)])
def test_the_whole_program_is_cut_first_where_there_is_no_time_for_its_blocks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds_for_each_arc: float, has: bool
) -> None:
    stage.until = stage.clock.meter + seconds_for_each_arc * len(stage.incumbent.instance.arcs.pool)
    monkeypatch.setattr(Clock, "meter", stage.clock.meter)
    assert proving._has_time_for_one(stage) is has
    monkeypatch.setattr(proving, "ROOT_ARCS", 0)
    assert proving._has_time_for_one(stage) is False
