"""The checker's own data: wanted holdings, reach, promises, targets, percentages, all found by pencil."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given

from gpu_opt.checker import lexicographic_value, verify
from gpu_opt.checker.data import allocation_data
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Status, Stop
from tests.building import allocation, changed, lab, pool, project, refused_by, root, team
from tests.strategies import organizations


def test_units_that_the_demand_does_not_need_are_given_up_from_the_slowest_pool() -> None:
    holder = project("orion", 20, holds={"iowa": 16, "ohio": 8, "texas": 4})
    organization = lab(
        [pool("iowa", unit=8), pool("ohio", unit=8), pool("texas", unit=4, gpu_type="gb200")],
        projects=[holder],
    )
    plan = allocation(organization, {})  # worth 34: 8 of ohio's go, then 26 less 8 would be too little
    assert [(move.pool, move.gpus) for move in plan.moves] == [("iowa", 16), ("texas", 4)]


def test_a_promise_is_no_more_than_what_can_be_used() -> None:
    organization = lab(
        teams=[team("vision", guarantee=14, limits={"h100": Limit(cap=9)})],
        projects=[project("orion", 12, "vision", minimum=4), project("dead", 12, "vision", minimum=10)],
    )
    vision = allocation(organization, {("orion", "iowa"): 7}).teams[1]
    assert (vision.guarantee, vision.promised) == (14, 9)
    assert vision.shortfall == 2


def test_a_promise_counts_at_the_speed_of_the_types() -> None:
    organization = lab(
        [pool("texas", gpu_type="gb200")],
        teams=[team("vision", guarantee=30)],
        projects=[project("orion", 10, "vision", speeds={"gb200": 2.0})],
    )
    assert allocation(organization, {}).teams[1].promised == 12.5  # 10 at its own speed are 5 GPUs of 2.5


def test_a_project_that_cannot_reach_its_minimum_is_granted_nothing() -> None:
    beyond_cap = lab(teams=[root(cap=7)], projects=[project("orion", 8, minimum=8)])
    beyond_pool = lab(
        [pool(gpus=6), pool("ohio", 6)], projects=[project("orion", 8, minimum=8, one_pool=True)]
    )
    for organization in (beyond_cap, beyond_pool):
        plan = allocation(organization, {("orion", "iowa"): 6})
        assert [each.message for each in verify(organization, plan)] == [
            "can never run: its minimum is out of reach"
        ]
        assert plan.goals == ()


def test_more_than_a_limit_may_be_kept_though_not_reached_anew() -> None:
    organization = lab(
        teams=[root(limits={"h100": Limit(cap=4)})],
        projects=[project("orion", 8, holds={"iowa": 6}), project("lyra", 8)],
    )
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 6})) == set()
    assert refused_by(organization, allocation(organization, {("lyra", "iowa"): 6})) == {"grants"}


@given(organizations(max_projects=4))
def test_speeds_that_are_those_of_the_types_may_be_left_out(organization: Organization) -> None:
    speeds = {name: kind.speed for name, kind in organization.gpu_types.items()}
    silent = [each.model_copy(update={"speeds": None}) for each in organization.projects]
    stated = [each.model_copy(update={"speeds": speeds}) for each in organization.projects]
    found = [
        allocation_data(organization.model_copy(update={"projects": tuple(projects)}), organization.as_of)
        for projects in (silent, stated)
    ]
    uses = [[scope.usable for scope in data.scopes.values()] for data in found]
    assert uses[0] == uses[1]
    assert found[0].targets == found[1].targets


def test_a_project_with_its_own_speed_uses_what_the_types_are_worth() -> None:
    organization = lab(
        [pool("texas", 16, gpu_type="gb200")],
        teams=[team("vision", guarantee=60)],
        projects=[project("orion", 100, "vision", speeds={"gb200": 2.0})],
    )
    assert allocation(organization, {}).teams[1].promised == 40


def test_a_small_pool_in_which_a_project_is_fast_does_not_shrink_a_promise() -> None:
    organization = lab(
        [pool("iowa", 16), pool("texas", 1, gpu_type="gb200")],
        teams=[team("vision", guarantee=16)],
        projects=[project("orion", 16, "vision", speeds={"h100": 1.0, "gb200": 5.0})],
    )  # the GPU of texas does 5 of its demand and counts 2.5, the other 11 count 11
    assert allocation(organization, {}).teams[1].promised == 13.5


@pytest.mark.parametrize(("gpus", "promised"), [(1, 16), (3, 16), (4, 8)])
def test_a_one_pool_project_needs_what_counts_least_of_the_pools_that_meet_its_demand(
    gpus: int, promised: float
) -> None:
    organization = lab(
        [pool("iowa", 16), pool("texas", gpus, gpu_type="gb200")],
        teams=[team("vision", guarantee=16)],
        projects=[project("orion", 16, "vision", speeds={"h100": 1.0, "gb200": 5.0}, one_pool=True)],
    )
    assert allocation(organization, {}).teams[1].promised == promised


@pytest.mark.parametrize(
    ("own", "promised"),
    [
        (1.0, 6),  # iowa does 6 of its demand, texas 4, though these count 10
        (1.5, 6),  # as much in both, where iowa counts less
        (2.0, 10),
    ],
)
def test_a_one_pool_project_that_no_pool_serves_reaches_for_what_does_most(
    own: float, promised: float
) -> None:
    organization = lab(
        [pool("iowa", 6), pool("texas", 4, gpu_type="gb200")],
        teams=[team("vision", guarantee=16)],
        projects=[project("orion", 16, "vision", speeds={"h100": 1.0, "gb200": own}, one_pool=True)],
    )
    assert allocation(organization, {}).teams[1].promised == promised


def test_what_is_pinned_beyond_the_demand_is_needed() -> None:
    organization = lab(
        teams=[team("vision", guarantee=8)],
        projects=[project("orion", 2, "vision", holds={"iowa": 5}, pinned=True)],
    )
    assert allocation(organization, {}).teams[1].promised == 5


def test_a_one_pool_project_uses_its_largest_pool() -> None:
    organization = lab(
        [pool("iowa", 6), pool("ohio", 4)],
        teams=[team("vision", guarantee=10)],
        projects=[project("orion", 10, "vision", one_pool=True)],
    )
    assert allocation(organization, {}).teams[1].promised == 6


def test_a_cap_below_limits_what_is_promised_above() -> None:
    organization = lab(
        teams=[root(guarantee=12), team("vision", cap=5)],
        projects=[project("orion", 12, "vision"), project("lyra", 3)],
    )
    assert allocation(organization, {}).teams[0].promised == 8


def test_a_target_leaves_out_the_smallest_unit_that_the_team_could_get() -> None:
    organization = lab(
        [pool("iowa", 16, unit=4), pool("ohio", 16, unit=2)],
        teams=[root(guarantee=11), team("vision"), team("speech")],
        projects=[project("orion", 8, "vision"), project("lyra", 4, "speech", sites=("ohio",))],
    )
    assert allocation(organization, {}).teams[0].shortfall == 11
    short = allocation(organization, {("orion", "iowa"): 4, ("lyra", "ohio"): 4})
    assert short.teams[0].shortfall == 3  # a unit of 4 more than the smallest, which is 2
    met = allocation(organization, {("orion", "iowa"): 8, ("lyra", "ohio"): 2})
    assert met.teams[0].shortfall == 0  # 10 of 11: less than a unit of ohio short


def test_a_minimum_counts_at_the_speed_of_the_types_under_a_cap() -> None:
    slow = project("orion", 8, "vision", minimum=8, speeds={"gb200": 2.0})
    for cap, goals in ((10, ["value_tier_1"]), (9.999, [])):
        organization = lab([pool("texas", 8, gpu_type="gb200")], [team("vision", cap=cap)], [slow])
        assert [goal.name for goal in allocation(organization, {}).goals] == goals


def test_a_percentage_is_of_the_nearest_cap_or_limit_above() -> None:
    half = {"limits": {"h100": Limit(cap="50%")}}
    organization = lab(
        teams=[
            team("vision", "division", cap="50%", guarantee="25%", limits=half["limits"]),
            team("division", "lab", cap="75%", limits=half["limits"]),
            root(cap=16),
        ],
        projects=[project("orion", 16, "vision")],
    )
    vision, division, top = allocation(organization, {}).teams
    assert (top.cap, division.cap, vision.cap, vision.guarantee) == (16, 12, 6, 3)
    assert vision.promised == 3
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 4})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 5})) == {
        "grants",
        "type_limit",
    }


def test_repairs_count_compute() -> None:
    organization = lab(
        [pool("texas", 4, gpu_type="gb200")],
        teams=[root(limits={"gb200": Limit(cap=3)})],
        projects=[project("orion", 20, holds={"texas": 6})],
    )
    plan = allocation(organization, {("orion", "texas"): 5})
    assert lexicographic_value(organization, plan.grants, plan.date)[0] == (
        "repair",
        Fraction("2.5") * (1 + 2),
    )


def test_goals_come_from_the_top_of_the_tree_down_and_tier_by_tier() -> None:
    organization = lab(
        teams=[team("vision", "division", guarantee=4), team("division", guarantee=4), root(guarantee=4)],
        projects=[project("orion", 8, "vision", tier=2), project("lyra", 8, tier=1, holds={"iowa": 1})],
    )
    assert [goal.name for goal in allocation(organization, {}).goals] == [
        *(f"guarantee_level_{level}" for level in range(3)),
        *("value_tier_1", "value_tier_2", "moves"),
    ]


def test_a_bound_may_be_below_a_large_value_by_what_doubles_lose() -> None:
    organization = lab(projects=[project("orion", 16, priority=1_000_000)])
    plan = allocation(organization, {("orion", "iowa"): 16})
    for lost, rules in ((0.015, set()), (0.017, {"goals"})):
        bound = 16e6 - lost
        low = changed(plan.goals[0], bound=bound, stop=Stop.TIME)
        feasible = changed(plan, status=Status.FEASIBLE, stop=Stop.TIME, goals=(low,), bound=bound)
        assert refused_by(organization, feasible) == rules


def test_caps_are_rounded_down_to_thousandths_and_limits_to_whole_gpus() -> None:
    organization = lab(
        teams=[team("vision", cap="33.33%", limits={"h100": Limit(cap="60%")})],
        projects=[project("orion", 16, "vision", holds={"iowa": 12})],
    )
    plan = allocation(organization, {("orion", "iowa"): 12})
    assert plan.teams[1].cap == 5.332
    assert [(each.rule, each.limit) for each in plan.overruns] == [("team_cap", 5.332), ("type_limit", 9)]
    assert refused_by(organization, plan) == set()
