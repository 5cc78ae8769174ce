"""An instance that is large enough to search in, and a search that has come to its first tier."""

from __future__ import annotations

import pytest

from benchmarks.generator import Dials, generate
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.relaxing import ask_relaxation
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy.crew import Crew
from gpu_opt.allocation.strategy.pricing import open_market
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.options import Options
from gpu_opt.organization import Organization

DIALS = Dials(projects=60, pools=8, tiers=2)


@pytest.fixture(scope="module")
def instance() -> Instance:
    organization = generate(DIALS)
    return build_instance(organization, organization.as_of)


def stage_of(dials: Dials, seconds: float = 60.0) -> Stage:
    """The stage of a generated lab's first tier, with the first plan and nothing proved."""
    return first_tier(generate(dials), seconds)


def first_tier(organization: Organization, seconds: float = 60.0) -> Stage:
    """The same of any lab."""
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    tier = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    clock = Clock(Options(threads=1, time_limit=seconds))
    return Stage(first_incumbent(instance, goals), tier, open_market(tabulate(instance)), clock, seconds)


def relaxed(dials: Dials) -> Stage:
    """The same when its relaxation is solved and rounded."""
    return with_guide(stage_of(dials))


def with_guide(stage: Stage) -> Stage:
    """The stage when its relaxation is solved and rounded."""
    with Crew(stage.options) as crew:
        ask_relaxation(stage, crew)
    assert stage.guide is not None
    return stage
