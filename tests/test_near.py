"""Staying near a plan that is there: of equally good plans the nearest, and a first candidate made of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import allocate, settling
from gpu_opt.allocation.appraisal import is_feasible, overruns
from gpu_opt.allocation.near import fit, with_near
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.checker import verify
from gpu_opt.indexing import build_instance
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Allocation, Grant, Status, Stop
from gpu_opt.solver import Answer, solve
from tests.building import TODAY, allocation, changed, lab, pool, project, root, team
from tests.solving import PROOF, goals, gpus, grants
from tests.strategies import organizations, tiny_organizations

TWINS = [pool("iowa", 8), pool("texas", 8)]


def near(organization: Organization, base: Allocation) -> Allocation:
    """The best plan that is nearest to the base, proved to be it."""
    plan = allocate(organization, options=PROOF, near=base)
    assert plan.status is Status.OPTIMAL
    return plan


def fitted(organization: Organization, *base: tuple[str, str, int]) -> dict[str, dict[str, int]]:
    """What is left of grants when they are made to fit, by project and pool."""
    told = (Grant(project=name, pool=at, gpus=count) for name, at, count in base)
    instance = with_near(build_instance(organization, TODAY), told)
    assert instance.arcs.near is not None
    x = fit(instance, instance.arcs.near)
    assert is_feasible(instance, x)
    left: dict[str, dict[str, int]] = {}
    for a in np.flatnonzero(x).tolist():
        pool_index = int(instance.arcs.pool[a])
        pools = left.setdefault(instance.projects.names[int(instance.arcs.project[a])], {})
        pools[instance.pools.names[pool_index]] = int(x[a]) * instance.pools.unit[pool_index]
    return left


# --- The nearest of equals ----------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["iowa", "texas"])
def test_of_two_pools_that_are_as_good_a_project_gets_the_one_that_it_had(where: str) -> None:
    organization = lab(TWINS, projects=[project("orion", 8, one_pool=True)])
    plan = near(organization, allocation(organization, {("orion", where): 8}))
    assert grants(plan) == {"orion": {where: 8}}
    assert goals(plan) == {"value_tier_1": 8, "changes": 0}


def test_a_better_plan_comes_before_a_nearer_one() -> None:
    organization = lab(projects=[project("orion", 16, priority=2), project("lyra", 16)])
    plan = near(organization, allocation(organization, {("lyra", "iowa"): 16}))
    assert gpus(plan) == {"orion": 16}
    assert goals(plan)["changes"] == 32


def test_fewer_moves_come_before_a_nearer_plan() -> None:
    organization = lab(TWINS, projects=[project("orion", 8, one_pool=True, holds={"iowa": 8})])
    plan = near(organization, allocation(organization, {("orion", "texas"): 8}))
    assert goals(plan) == {"value_tier_1": 8, "moves": 0, "changes": 16}


def test_what_is_idle_stays_idle_where_nobody_gains_from_it() -> None:
    organization = lab(projects=[project("orion", 8)], value=((0.5, 1.0), (0.5, 0.0)))
    plan = near(organization, allocation(organization, {("orion", "iowa"): 4}))
    assert gpus(plan) == {"orion": 4}


def test_a_plan_of_other_projects_and_pools_is_no_hindrance() -> None:
    other = lab([pool("ohio", 8)], projects=[project("vega", 8)])
    organization = lab(projects=[project("orion", 8)])
    plan = near(organization, allocation(other, {("vega", "ohio"): 8}))
    assert gpus(plan) == {"orion": 8}
    assert plan.near == ()
    assert goals(plan)["changes"] == 8


def test_without_a_plan_to_with_near_to_there_is_no_such_goal() -> None:
    plan = allocate(lab(projects=[project("orion", 8)]), options=PROOF)
    assert plan.near is None
    assert "changes" not in goals(plan)


# --- What counts as equal -----------------------------------------------------------------------------

CROWD = lab([pool(gpus=1000)], projects=[project("orion", 1000, priority=1.001), project("lyra", 1000)])
SLIGHTLY_WORSE = allocation(CROWD, {("orion", "iowa"): 950, ("lyra", "iowa"): 50})
"""Its value is 1000.95 of 1001: five hundred-thousandths less than the best."""


def gpus_near(base: Allocation, gap: float) -> dict[str, int]:
    return gpus(allocate(CROWD, options=dataclasses.replace(PROOF, gap=gap), near=base))


def test_what_is_within_the_gap_is_no_reason_to_leave_the_base() -> None:
    assert gpus_near(SLIGHTLY_WORSE, gap=0.0001) == {"orion": 950, "lyra": 50}
    assert gpus_near(SLIGHTLY_WORSE, gap=0.0) == {"orion": 1000}


def test_what_the_base_leaves_open_is_no_reason_to_leave_it_either() -> None:
    (value,) = SLIGHTLY_WORSE.goals
    for gap, stays in ((0.00006, True), (0.00004, False)):
        unproved = changed(SLIGHTLY_WORSE, goals=(changed(value, gap=gap),))
        assert (gpus_near(unproved, gap=0.0) == {"orion": 950, "lyra": 50}) is stays


def test_a_base_that_leaves_much_open_is_left_for_more_than_a_hundredth() -> None:
    (value,) = SLIGHTLY_WORSE.goals
    poor = allocation(CROWD, {("orion", "iowa"): 500})
    unproved = changed(poor, goals=(changed(value, gap=0.5),))
    found = gpus_near(unproved, gap=0.0)
    assert sum(found.values()) >= 990
    assert found["orion"] >= 500


def test_what_is_promised_gives_nothing_up_for_a_nearer_plan() -> None:
    organization = lab(
        [pool(gpus=1000)],
        teams=[team("vision", guarantee=1000)],
        projects=[project("orion", 1000, "vision"), project("lyra", 1000)],
    )
    base = allocation(organization, {("orion", "iowa"): 950, ("lyra", "iowa"): 50})
    plan = allocate(organization, options=dataclasses.replace(PROOF, gap=0.1), near=base)
    assert gpus(plan)["orion"] >= 999  # less than one unit short is met


@settings(max_examples=25)
@given(organizations(), st.sampled_from((0.0, 0.01)))
def test_bounds_hold_and_the_plan_is_good_also_where_goals_give(
    organization: Organization, gap: float
) -> None:
    """The best plan on the first goal that differs is within its bound, whatever was given up before it."""
    base = allocate(thinned(organization), options=dataclasses.replace(PROOF, time_limit=0.0))
    base = changed(base, goals=tuple(changed(goal, gap=gap) for goal in base.goals))
    plan = allocate(organization, options=dataclasses.replace(PROOF, gap=gap), near=base)
    assert verify(organization, plan) == ()
    best = {goal.name: goal.value for goal in allocate(organization, options=PROOF).goals}
    for goal in plan.goals[:-1]:
        sign = 1 if goal.sense == "maximize" else -1
        assert sign * (goal.bound - best[goal.name]) >= -1e-5 * (1 + abs(best[goal.name]))
        assert sign * (best[goal.name] - goal.value) <= 0.021 * (1 + abs(best[goal.name]))
        if abs(goal.value - best[goal.name]) > 1e-6:
            break


# --- The base as the first candidate ------------------------------------------------------------------


def test_what_still_fits_is_kept_as_it_is() -> None:
    organization = lab(TWINS, projects=[project("orion", 8), project("lyra", 8)])
    assert fitted(organization, ("orion", "iowa", 5), ("lyra", "texas", 3)) == {
        "orion": {"iowa": 5},
        "lyra": {"texas": 3},
    }


def test_in_a_pool_that_became_too_small_the_more_important_project_keeps_its_own() -> None:
    organization = lab([pool(gpus=8)], projects=[project("orion", 6, tier=2), project("lyra", 6)])
    assert fitted(organization, ("orion", "iowa", 6), ("lyra", "iowa", 6)) == {
        "orion": {"iowa": 2},
        "lyra": {"iowa": 6},
    }


def test_under_a_lower_cap_or_limit_less_is_kept() -> None:
    organization = lab(
        [pool(gpus=16)],
        teams=[root(limits={"h100": Limit(cap=7)}), team("vision", cap=5)],
        projects=[project("orion", 8, "vision", priority=2), project("lyra", 8)],
    )
    assert fitted(organization, ("orion", "iowa", 8), ("lyra", "iowa", 8)) == {
        "orion": {"iowa": 5},
        "lyra": {"iowa": 2},
    }


def test_what_falls_below_a_minimum_is_made_up_for_elsewhere_or_given_up() -> None:
    pools = [pool("iowa", 4), pool("texas", 4)]
    organization = lab(
        pools, projects=[project("orion", 8, priority=2, minimum=6), project("lyra", 8, minimum=4)]
    )
    assert fitted(organization, ("orion", "iowa", 8), ("lyra", "iowa", 4)) == {
        "orion": {"iowa": 4, "texas": 2}
    }


def test_a_one_pool_project_keeps_one_of_its_pools() -> None:
    organization = lab(TWINS, projects=[project("orion", 8, one_pool=True)])
    assert fitted(organization, ("orion", "iowa", 3), ("orion", "texas", 5)) == {"orion": {"iowa": 3}}


def test_a_smaller_project_keeps_no_more_than_it_asks_for() -> None:
    organization = lab(TWINS, projects=[project("orion", 3)])
    assert fitted(organization, ("orion", "iowa", 2), ("orion", "texas", 5)) == {
        "orion": {"iowa": 2, "texas": 1}
    }


def test_moves_that_the_policy_allows_no_more_are_not_made() -> None:
    organization = lab(
        projects=[project("orion", 8, holds={"iowa": 8}), project("lyra", 8, priority=2)], max_moves=3
    )
    assert fitted(organization, ("orion", "iowa", 2), ("lyra", "iowa", 6)) == {
        "orion": {"iowa": 5},
        "lyra": {"iowa": 6},
    }


def test_whole_units_are_kept_where_the_unit_has_become_larger() -> None:
    organization = lab([pool(unit=4)], projects=[project("orion", 8)])
    assert fitted(organization, ("orion", "iowa", 6)) == {"orion": {"iowa": 4}}


def test_without_any_time_the_base_plan_stays() -> None:
    organization = lab(
        TWINS, projects=[project("orion", 8), project("lyra", 8, priority=3), project("vega", 8)]
    )
    base = allocation(organization, {("orion", "texas"): 8, ("lyra", "iowa"): 8})
    plan = allocate(organization, options=dataclasses.replace(PROOF, time_limit=0.0), near=base)
    assert set(plan.grants) == set(base.grants)


@pytest.mark.parametrize(("wrong", "stop"), [(1, Stop.PROVED), (4, Stop.FAILED)])
def test_a_plan_near_another_is_there_though_cbc_calls_it_infeasible(
    wrong: int, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again with what is held a little wider."""
    calls: list[float] = []

    def refusing(*arguments: Any, **options: Any) -> Answer:
        row = arguments[0].get_constraint_by_name("earlier_goals_value_tier_1")
        calls.append(-row.constant)
        if len(calls) <= wrong:
            return Answer(SolverStatus.INFEASIBLE, Stop.PROVED, None, None, 0.0)
        return solve(*arguments, **options)

    monkeypatch.setattr(settling, "solve", refusing)
    projects = [project("orion", 8), project("lyra", 8, priority=3), project("vega", 8)]
    organization = lab(TWINS, projects=projects)
    base = allocation(organization, {("orion", "texas"): 8, ("vega", "iowa"): 8})
    plan = allocate(organization, options=PROOF, near=base)
    assert plan.goals[-1].name == "changes"
    assert plan.goals[-1].stop is stop
    assert len(calls) == min(wrong + 1, 4)
    assert calls == sorted(set(calls), reverse=True)


def test_no_program_is_written_that_there_is_no_time_to_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large lab it takes longer to write than what is kept for it."""
    projects = [project("orion", 8), project("lyra", 8, priority=3), project("vega", 8)]
    organization = lab(TWINS, projects=projects)
    base = allocation(organization, {("orion", "texas"): 8, ("vega", "iowa"): 8})
    monkeypatch.setattr(settling, "SECONDS_PER_ARC", 1e6)
    monkeypatch.setattr(settling, "formulate", lambda _: pytest.fail("there is no time for it"))
    plan = allocate(organization, options=PROOF, near=base)
    assert gpus(plan)["lyra"] == 8
    assert plan.stop is Stop.TIME
    assert verify(organization, plan) == ()


@given(organizations(), organizations())
def test_whatever_the_base_what_is_kept_of_it_breaks_nothing_but_the_budget_of_moves(
    organization: Organization, other: Organization
) -> None:
    base = allocate(other, options=dataclasses.replace(PROOF, time_limit=0.0))
    instance = with_near(build_instance(organization, TODAY), base.grants)
    assert instance.arcs.near is not None
    x = fit(instance, instance.arcs.near)
    assert is_feasible(dataclasses.replace(instance, max_moves=None), x)
    assert all((over == 0).all() for over in overruns(instance, x)[:1]) or any(instance.pools.over)


# --- Laws ---------------------------------------------------------------------------------------------


@given(tiny_organizations())
def test_a_proved_plan_is_its_own_nearest(organization: Organization) -> None:
    base = allocate(organization, options=PROOF)
    again = near(organization, base)
    assert set(again.grants) == set(base.grants)
    assert goals(again).get("changes", 0) == 0
    assert verify(organization, again) == ()


@given(tiny_organizations(), st.booleans())
def test_to_with_near_costs_nothing_on_any_other_goal(organization: Organization, same: bool) -> None:
    base = allocate(organization if same else thinned(organization), options=PROOF)
    plan, best = near(organization, base), allocate(organization, options=PROOF)
    reached = {name: value for name, value in goals(plan).items() if name != "changes"}
    assert reached == pytest.approx(goals(best), abs=1e-5)


def thinned(organization: Organization) -> Organization:
    return organization.model_copy(update={"projects": organization.projects[1:]})
