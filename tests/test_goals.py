"""The goals of an instance: which there are, and of what their values are multiples."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise, held_at
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.indexing import build_instance
from gpu_opt.organization import Organization
from tests.building import TODAY, lab, pool, project, team
from tests.solving import goals, proved
from tests.strategies import days, organizations


def steps(organization: Organization) -> dict[str, float]:
    return {goal.name: goal.step for goal in list_goals(build_instance(organization, TODAY))}


def test_there_is_a_goal_for_whatever_is_to_be_decided_the_first_one_first() -> None:
    organization = lab(
        [pool(gpus=4)],
        teams=[team("research", guarantee=2), team("vision", "research", guarantee=1)],
        projects=[
            project("orion", 8, "vision", tier=3, holds={"iowa": 5}),
            project("lyra", 8, "research"),
            project("whale", 8, tier=2, minimum=8),
        ],
    )
    assert list(steps(organization)) == [
        "repair",
        "guarantee_level_1",
        "guarantee_level_2",
        "value_tier_1",
        "value_tier_3",
        "moves",
    ]


def test_values_come_in_units_times_priorities_and_cuts() -> None:
    pools = [pool("iowa", 16, unit=8), pool("texas", 8, unit=4, gpu_type="gb200")]
    plain = lab(pools, projects=[project("orion", 40, priority=3)])
    assert steps(plain)["value_tier_1"] == 6  # units of 8 and 10, a demand of 40: multiples of 2
    cut = lab(pools, projects=[project("orion", 30, priority=3)], value=((0.5, 1.0), (0.5, 0.6)))
    assert steps(cut)["value_tier_1"] == pytest.approx(
        0.6
    )  # cuts at 15: compute in steps of 1; 3 or 1.8 each


def test_moves_count_only_where_there_is_something_to_lose() -> None:
    idle, holder = project("orion", 8), project("lyra", 8, holds={"iowa": 8})
    assert steps(lab(projects=[idle], move_cost=0.3))["value_tier_1"] == 1
    assert steps(lab(projects=[idle, holder], move_cost=0.3))["value_tier_1"] == pytest.approx(0.1)


@pytest.mark.parametrize("priority", [1 / 3, 11.100000000000001, 1111.1111111])
def test_crooked_priorities_are_no_obstacle_to_a_proof(priority: float) -> None:
    """Values then come in steps that are smaller than what CBC can tell apart."""
    rivals = [project("lyra", 1, tier=2, priority=3), project("vega", 1, tier=2, priority=priority)]
    plan = proved(lab([pool(gpus=1)], projects=[project("orion", 1), *rivals]))
    assert goals(plan) == {"value_tier_1": 1, "value_tier_2": 0}


def test_crooked_promises_are_no_obstacle_to_a_proof() -> None:
    """A demand of 5 at an own speed of 3.3 is promised 5 / 3.3; one of four teams gets nothing."""
    names = ("vision", "speech", "evals", "safety")
    organization = lab(
        [pool(gpus=3)],
        teams=[team(name, guarantee=9) for name in names],
        projects=[project(name, 5, name, speeds={"h100": 3.3}) for name in names],
    )
    assert goals(proved(organization))["guarantee_level_1"] == pytest.approx(5 / 3.3 - 1 + 0.001, abs=1e-6)


@given(organizations(max_projects=5, max_pools=3), days(), st.data())
def test_two_plans_differ_by_whole_steps(
    organization: Organization, date: dt.date, data: st.DataObject
) -> None:
    instance = build_instance(organization, date)
    goals = list_goals(instance)
    plans = [keep_holdings(instance), fill(instance, keep_holdings(instance)), 0 * instance.arcs.wanted]
    one, other = (appraise(instance, goals, data.draw(st.sampled_from(plans))) for _ in range(2))
    for goal, a, b in zip(goals, one, other, strict=True):
        count = (a - b) / goal.step if goal.step else a - b
        assert count == pytest.approx(round(count), abs=1e-4), goal.name


def test_a_held_goal_is_not_missed_by_the_digits_of_the_model_file() -> None:
    """However fine its steps are: a row may not exclude the plan that reached it."""
    organization = lab([pool(gpus=8)], projects=[project("orion", 8, priority=0.3333333), project("vela", 8)])
    goal = next(each for each in list_goals(build_instance(organization, TODAY)) if each.kind == "value")
    reached = 12345678.12345678
    assert goal.step < 1e-6
    assert float(f"{held_at(goal, reached):.12e}") <= reached
