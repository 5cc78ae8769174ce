"""What is held today, by example: kept, moved at a price, pinned, given up, or broken and made no worse."""

from __future__ import annotations

import pytest

from gpu_opt.organization import Limit
from tests.building import lab, pool, project, root, team
from tests.solving import goals, gpus, grants, moves, proved, shortfalls

# --- What is held today -------------------------------------------------------------------------------


def test_of_equally_good_plans_the_quietest_is_taken() -> None:
    held = [project(name, 4, holds={"iowa": 4}) for name in ("orion", "lyra")]
    plan = proved(lab([pool(gpus=8)], projects=[*held, project("vega", 8)]))
    assert gpus(plan) == {"orion": 4, "lyra": 4}
    assert goals(plan) == {"value_tier_1": 8, "moves": 0}


@pytest.mark.parametrize(("priority", "holder"), [(1.9, "orion"), (2.1, "lyra")])
def test_a_move_costs_what_the_policy_says(priority: float, holder: str) -> None:
    organization = lab(
        [pool(gpus=4)],
        projects=[project("orion", 4, holds={"iowa": 4}), project("lyra", 4, priority=priority)],
        move_cost=1.0,
    )
    assert gpus(proved(organization)) == {holder: 4}


def test_moves_stay_within_their_budget_and_are_listed() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8, holds={"iowa": 8}), project("lyra", 8, priority=9)],
        max_moves=3,
    )
    plan = proved(organization)
    assert gpus(plan) == {"orion": 5, "lyra": 3}
    assert moves(plan) == {("orion", "iowa"): 3}
    assert goals(plan)["moves"] == 3


def test_a_move_is_charged_to_the_tier_of_the_loser() -> None:
    organization = lab(
        [pool(gpus=4)],
        projects=[project("orion", 4, tier=2, holds={"iowa": 4}), project("lyra", 4)],
        move_cost=100.0,
    )
    plan = proved(organization)
    assert gpus(plan) == {"lyra": 4}
    assert goals(plan) == {"value_tier_1": 4, "value_tier_2": -400, "moves": 4}


def test_a_pinned_project_keeps_all_that_it_holds() -> None:
    organization = lab(
        [pool(gpus=8)],
        teams=[team("vision", guarantee=8)],
        projects=[
            project("orion", 2, tier=9, holds={"iowa": 5}, pinned=True),
            project("lyra", 8, "vision", priority=99),
        ],
    )
    plan = proved(organization)
    assert gpus(plan) == {"orion": 5, "lyra": 3}
    assert shortfalls(plan) == {"vision": 5}


def test_holdings_beyond_the_demand_are_given_up_from_the_slowest_pool_and_are_no_moves() -> None:
    organization = lab(
        [pool("iowa", 4), pool("texas", 4, gpu_type="gb200")],
        projects=[project("orion", 10, holds={"iowa": 4, "texas": 4}), project("lyra", 4, priority=0.1)],
        max_moves=0,
    )
    plan = proved(organization)
    assert grants(plan) == {"orion": {"texas": 4}, "lyra": {"iowa": 4}}
    assert moves(plan) == {}


# --- No worse: what is broken today -------------------------------------------------------------------


def test_a_team_over_its_cap_gets_nothing_more_and_makes_no_plan_impossible() -> None:
    organization = lab(
        [pool(gpus=16)],
        teams=[team("vision", cap=4)],
        projects=[
            project("orion", 4, "vision", priority=9),
            project("lyra", 6, "vision", holds={"iowa": 6}),
            project("vega", 16),
        ],
        max_moves=0,
    )
    plan = proved(organization)
    assert gpus(plan) == {"lyra": 6, "vega": 10}
    (overrun,) = plan.overruns
    assert (overrun.rule, overrun.subject) == ("team_cap", "vision")
    assert (overrun.before, overrun.after, overrun.limit) == (6, 6, 4)


def test_a_cap_of_the_whole_fleet_binds_where_more_is_held_than_there_is() -> None:
    organization = lab(
        [pool("iowa", 2), pool("texas", 1)],
        teams=[root(cap="100%")],
        projects=[project("orion", 2, holds={"texas": 2}), project("lyra", 2), project("vega", 2)],
        max_moves=0,
    )
    plan = proved(organization)
    assert plan.teams[0].granted == 3
    assert gpus(plan)["orion"] == 2


def test_what_is_broken_is_repaired_before_anything_else_as_far_as_moves_allow() -> None:
    organization = lab(
        [pool(gpus=16)],
        teams=[team("vision", cap=4)],
        projects=[project("lyra", 8, "vision", priority=99, holds={"iowa": 8})],
        max_moves=3,
    )
    plan = proved(organization)
    assert gpus(plan) == {"lyra": 5}
    assert goals(plan) == {"repair": 1, "value_tier_1": 495, "moves": 3}


def test_a_pool_that_shrank_keeps_its_holders_where_they_are_pinned() -> None:
    organization = lab(
        [pool("iowa", 8), pool("texas", 8)],
        projects=[
            project("orion", 6, holds={"iowa": 6}, pinned=True),
            project("lyra", 6, holds={"iowa": 6}, priority=9),
        ],
    )
    plan = proved(organization)
    assert grants(plan) == {"orion": {"iowa": 6}, "lyra": {"iowa": 2, "texas": 4}}
    assert plan.overruns == ()


def test_a_limit_that_is_overrun_lets_nobody_in() -> None:
    organization = lab(
        [pool("texas", 8, gpu_type="gb200")],
        teams=[team("vision", limits={"gb200": Limit(cap=2)})],
        projects=[
            project("orion", 9, "vision", holds={"texas": 3}, pinned=True),
            project("lyra", 20, "vision", priority=9),
            project("vega", 20),
        ],
    )
    plan = proved(organization)
    assert gpus(plan) == {"orion": 3, "vega": 5}
    (overrun,) = plan.overruns
    assert (overrun.rule, overrun.subject, overrun.gpu_type) == ("type_limit", "vision", "gb200")
    assert (overrun.before, overrun.after, overrun.limit) == (3, 3, 2)


def test_who_runs_below_its_minimum_may_stay_or_go_but_not_shrink() -> None:
    rival = project("lyra", 8, priority=9)
    for max_moves, granted in ((0, {"orion": 3, "lyra": 5}), (2, {"orion": 3, "lyra": 5}), (3, {"lyra": 8})):
        organization = lab(
            [pool(gpus=8)],
            projects=[project("orion", 8, minimum=4, holds={"iowa": 3}), rival],
            max_moves=max_moves,
        )
        assert gpus(proved(organization)) == granted


def test_a_one_pool_project_that_is_spread_may_stay_so() -> None:
    spread = project("orion", 8, one_pool=True, holds={"iowa": 4, "texas": 4})
    pools = [pool("iowa", 4), pool("texas", 4), pool("ohio", 6)]
    assert grants(proved(lab(pools, projects=[spread]))) == {"orion": {"iowa": 4, "texas": 4}}


@pytest.mark.parametrize(("ohio", "granted"), [(7, {"iowa": 4, "texas": 4}), (9, {"ohio": 9})])
def test_a_one_pool_project_that_is_spread_does_not_spread_elsewhere(
    ohio: int, granted: dict[str, int]
) -> None:
    spread = project("orion", 12, one_pool=True, holds={"iowa": 4, "texas": 4})
    pools = [pool("iowa", 4), pool("texas", 4), pool("ohio", ohio), pool("utah", 6)]
    assert grants(proved(lab(pools, projects=[spread]))) == {"orion": granted}
