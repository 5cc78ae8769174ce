"""No plan beats what cuts, branching and choices made both ways prove, where every plan can be tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy import whole
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.probing import probing_jobs
from gpu_opt.allocation.strategy.whole import root_job, whole_job
from gpu_opt.clock import Clock
from gpu_opt.options import Cancel, Options
from gpu_opt.organization import Organization
from tests.properties.all_plans import TINY, best_for, opened, plans
from tests.strategies import tiny_organizations


def cut(stage: Stage) -> Iterator[Job]:
    yield root_job(stage)


def cut_deeply_and_branched_on(stage: Stage) -> Iterator[Job]:
    yield whole_job(stage)


@pytest.mark.parametrize("how", [cut, probing_jobs, cut_deeply_and_branched_on])
@settings(max_examples=25)
@given(organization=tiny_organizations(), data=st.data())
def test_no_plan_beats_what_is_proved_of_the_whole_program(
    how: Callable[[Stage], Iterator[Job]], organization: Organization, data: st.DataObject
) -> None:
    """Whatever plan is known, and held on the goals before."""
    instance, market = opened(organization)
    all_plans, goals = plans(instance), list_goals(instance)
    tiers = [position for position, goal in enumerate(goals) if goal.kind == "value"]
    if not all_plans or not tiers:
        return
    x = data.draw(st.sampled_from(all_plans))
    incumbent = Incumbent(instance, goals, x, appraise(instance, goals, x))
    clock = Clock(Options(threads=1, time_limit=60.0))
    stage = Stage(incumbent, data.draw(st.sampled_from(tiers)), market, clock, 60.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "CLOSE", math.inf)
        for job in how(stage):
            job.done(job.function(job.task, Cancel()))
            assert stage.bound >= best_for(stage.aim, instance, all_plans) - TINY
    if stage.is_done:
        assert stage.value >= best_for(stage.aim, instance, all_plans) - TINY
