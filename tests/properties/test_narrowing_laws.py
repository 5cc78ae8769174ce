"""What is left out, rounded, or decided in parts loses no plan and makes none up, on tiny instances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise, is_feasible
from gpu_opt.allocation.formulation import aim, formulate
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.reduction import reduce
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.allocation.strategy.between import between, by_team
from gpu_opt.allocation.strategy.focus import choose_arcs, keep_arcs
from gpu_opt.allocation.strategy.parts import Limits, decide
from gpu_opt.indexing import build_instance
from gpu_opt.options import Options
from gpu_opt.organization import Limit, Organization
from gpu_opt.solver import solve
from tests.building import lab, pool, project, team
from tests.properties.all_plans import opened, plans, some_aim, some_prices
from tests.strategies import tiny_organizations


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


def test_half_a_unit_does_not_meet_half_a_gpus_demand() -> None:
    """Four GPUs for six projects that ask for half a GPU each, and get a whole one or none."""
    projects = [project(f"pod-{n}", 0.5, minimum=0.5, one_pool=True) for n in range(6)]
    instance, _ = opened(lab([pool("iowa", gpus=4)], projects=projects))
    bounds = []
    for each in (instance, reduce(instance).instance):
        formulation = formulate(each)
        aim(formulation, list_goals(each)[0], each)
        answer = solve(formulation.problem, Options(threads=1), seconds=60.0, relax=True)
        bounds.append(answer.objective)
    assert bounds == pytest.approx([3.0, 2.0])


def test_who_asks_for_nothing_is_no_division_by_zero() -> None:
    """Who asks for nothing may still hold something."""
    instance, _ = opened(
        lab([pool("iowa", gpus=4)], projects=[project("pod", 0, holds={"iowa": 2}, pinned=True)])
    )
    assert instance.projects.demand == (0,)
    assert reduce(instance).instance.arcs.own.min() > 0


def test_what_others_keep_is_not_there_for_a_project_that_needs_it_as_a_whole() -> None:
    pinned = project("pinned", 6, holds={"iowa": 6}, pinned=True)
    orion = project("orion", 4, minimum=4, one_pool=True)
    instance, _ = opened(lab([pool("iowa", gpus=8), pool("texas", gpus=8)], projects=[pinned, orion]))
    assert reduce(instance).removed["arcs"] == 1
    holder = project("holder", 8, holds={"iowa": 8})
    instance, _ = opened(lab([pool("iowa", gpus=8)], projects=[holder, orion], max_moves=3))
    assert reduce(instance).removed == {"arcs": 1, "projects": 1, "caps": 0, "limits": 0, "budgets": 0}


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
