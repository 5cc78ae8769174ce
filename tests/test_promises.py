"""Promises that hang on one large project: who it is, and that the plan that is found has it."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_opt.allocation.appraisal import appraise
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.greedy import keep_holdings
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.promises import who_would_keep_promises
from gpu_opt.allocation.relaxing import ask_relaxation
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy.crew import Crew
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.pricing import open_market
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.options import Options
from tests.building import lab, pool, project, root, team


def research(guarantee: float) -> Instance:
    """Orion and lyra could have 8 GPUs each, but of the same 8; beyond these only vega and wega are left."""
    projects = [
        project("orion", 8, "research", priority=5, pools=("texas",)),
        project("lyra", 8, "research", priority=5, pools=("texas",)),
        project("vega", 20, "research", minimum=16, pools=("iowa",), priority=0.1),
        project("wega", 30, "research", minimum=24, pools=("iowa",), priority=0.1),
        project("quill", 32, priority=9, pools=("iowa",)),
    ]
    teams = [root(), team("research", guarantee=guarantee)]
    organization = lab([pool("iowa", 32), pool("texas", 8)], teams, projects)
    return build_instance(organization, organization.as_of)


@pytest.mark.parametrize(("guarantee", "found"), [(8, []), (14, [2]), (30, [3]), (60, [])])
def test_the_least_project_that_makes_up_for_what_is_missing_is_found(
    guarantee: float, found: list[int]
) -> None:
    """Orion has its 8; 60 cannot be had of one project more."""
    instance = research(guarantee)
    x = np.zeros(len(instance.arcs.pool), dtype=np.int64)
    x[instance.projects.arcs[0].start] = 8
    assert who_would_keep_promises(instance, x) == found


@pytest.mark.parametrize("guarantee", [10, 14])
def test_a_promise_that_a_plan_misses_is_kept_by_whom_it_gave_up(guarantee: float) -> None:
    instance = research(guarantee)
    goals = list_goals(instance)
    nothing = keep_holdings(instance)
    incumbent = Incumbent(instance, goals, nothing, appraise(instance, goals, nothing))
    position = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    stage = Stage(incumbent, position, open_market(tabulate(instance)), Clock(Options()), 60.0)
    with Crew(stage.options) as crew:
        ask_relaxation(stage, crew, Aim(goals[position], goals[:position], (0.0,) * position))
    assert incumbent.values[:position] == (0.0,) * position
