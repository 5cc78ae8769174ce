"""Why a project has what it has: a cause where it is the only one, and where it looks like it and is not."""

from __future__ import annotations

from gpu_opt.organization import Limit
from gpu_opt.plan import Basis, Cause
from tests.building import day, lab, pool, project, root, team
from tests.solving import proved, reason, reasons


def test_a_full_pool_is_the_only_cause_where_nobody_else_is() -> None:
    why = reason(proved(lab([pool(gpus=8)], projects=[project("orion", 12)])), "orion")
    assert (why.cause, why.text, why.basis) == (Cause.POOLS_FULL, "its pools are full", Basis.FACT)


def test_a_full_pool_is_not_the_cause_where_another_has_room_under_a_limit() -> None:
    organization = lab(
        [pool("iowa", 4), pool("texas", 8, gpu_type="gb200")],
        teams=[team("vision", limits={"gb200": Limit(cap=3)})],
        projects=[project("orion", 40, "vision"), project("lyra", 4, sites=("iowa",), priority=9)],
    )
    assert reason(proved(organization), "orion").cause is Cause.TYPE_LIMIT


def test_a_cap_is_the_only_cause_and_the_owner_above_decides_it() -> None:
    teams = [root(owner="ceo"), team("research", cap=8, owner="head"), team("vision", "research")]
    organization = lab(teams=teams, projects=[project("orion", 16, "vision")])
    (why,) = reasons(organization, "orion")
    assert (why.cause, why.subject, why.basis, why.owner) == (Cause.TEAM_CAP, "research", Basis.POLICY, "ceo")


def test_a_cap_that_is_reached_is_not_the_cause_for_who_gets_all() -> None:
    organization = lab(teams=[team("vision", cap=8)], projects=[project("orion", 8, "vision")])
    assert reason(proved(organization), "orion").cause is Cause.MET


def test_a_cap_is_not_the_cause_where_its_room_fits_a_unit_of_a_full_pool_only() -> None:
    """With 6 left under the cap, a unit of 4 would fit, but that pool is lyra's; one of 8 would not."""
    organization = lab(
        [pool("iowa", 8, unit=4), pool("texas", 32, unit=8)],
        teams=[team("vision", cap=14)],
        projects=[project("orion", 32, "vision"), project("lyra", 8, priority=9, sites=("iowa",))],
    )
    found = reasons(organization, "orion")
    assert [each.cause for each in found] == [Cause.TEAM_CAP, Cause.OUTRANKED, Cause.POOLS_FULL]
    assert found[0].text == "vision has only 6 left under its cap of 14, which is in the way in texas"
    assert found[2].text == "iowa is full"


def test_a_limit_is_the_only_cause() -> None:
    organization = lab(
        teams=[team("vision", limits={"h100": Limit(cap=3)})], projects=[project("orion", 8, "vision")]
    )
    assert [each.cause for each in reasons(organization, "orion")] == [Cause.TYPE_LIMIT]


def test_a_limit_is_not_the_cause_where_it_runs_on_another_type() -> None:
    organization = lab(
        [pool("iowa", 4), pool("texas", 2, gpu_type="gb200")],
        teams=[team("vision", limits={"gb200": Limit(cap=0)})],
        projects=[project("orion", 8, "vision", speeds={"h100": 1.0})],
    )
    assert [each.cause for each in reasons(organization, "orion")] == [Cause.POOLS_FULL]


def test_a_limit_that_leaves_its_minimum_out_of_reach_is_the_cause() -> None:
    organization = lab(
        teams=[root(owner="ceo"), team("vision", limits={"h100": Limit(cap=3)})],
        projects=[project("orion", 8, "vision", minimum=4)],
    )
    (why,) = reasons(organization, "orion")
    assert (why.cause, why.subject, why.owner) == (Cause.TYPE_LIMIT, "vision", "ceo")
    assert why.text == "limits leave less than its minimum of 4: vision may have 3 h100"


def test_a_cap_that_leaves_its_minimum_out_of_reach_is_the_cause() -> None:
    organization = lab(teams=[team("vision", cap=3)], projects=[project("orion", 8, "vision", minimum=4)])
    (why,) = reasons(organization, "orion")
    assert (why.cause, why.text) == (Cause.TEAM_CAP, "the cap of vision, 3, is below its minimum of 4")


def test_what_a_cap_leaves_is_told_beside_the_minimum_that_it_is_too_little_for() -> None:
    organization = lab(
        [pool(gpus=8)],
        teams=[team("vision", cap=6)],
        projects=[
            project("orion", 8, "vision", minimum=4),
            project("lyra", 4, "vision", priority=9),
            project("vega", 4, priority=9),
        ],
    )
    why = reasons(organization, "orion")[0]
    assert (why.cause, why.subject) == (Cause.TEAM_CAP, "vision")
    assert why.text == "vision has only 2 left under its cap of 6, too little for its minimum of 4"


def test_a_minimum_is_not_the_cause_where_nothing_at_all_is_left() -> None:
    organization = lab(
        [pool(gpus=8)], projects=[project("orion", 8, minimum=6), project("lyra", 8, priority=3)]
    )
    assert reasons(organization, "orion")[0].cause is Cause.OUTRANKED


def test_a_higher_tier_is_not_the_cause_where_the_pool_has_room() -> None:
    organization = lab(
        teams=[team("vision", cap=4)],
        projects=[project("orion", 8, "vision", tier=2), project("lyra", 8)],
    )
    assert [each.cause for each in reasons(organization, "orion")] == [Cause.TEAM_CAP]


def test_who_comes_later_is_not_named_as_coming_first() -> None:
    """lyra's first half is worth 1.2 a GPU, orion's second half 1: priority alone is not rank."""
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8, priority=2), project("lyra", 8, priority=1.2)],
        value=((0.5, 1.0), (0.5, 0.5)),
    )
    assert reasons(organization, "orion")[0].projects == ("lyra",)
    assert reasons(organization, "lyra")[0].projects == ("orion",)


def test_a_guarantee_of_another_team_is_the_cause() -> None:
    teams = [root(owner="ceo"), team("safety", guarantee=8), team("vision")]
    late = project("lyra", 8, "safety", tier=2)
    found = reasons(lab([pool(gpus=8)], teams=teams, projects=[project("orion", 8, "vision"), late]), "orion")
    assert (found[0].cause, found[0].subject, found[0].owner) == (Cause.GUARANTEE, "safety", "ceo")
    assert found[0].projects == ("lyra",)


def test_a_guarantee_is_not_the_cause_where_it_is_more_than_kept() -> None:
    teams = [team("safety", guarantee=2), team("vision")]
    first = project("lyra", 8, "safety", priority=9)
    found = reasons(
        lab([pool(gpus=8)], teams=teams, projects=[project("orion", 8, "vision"), first]), "orion"
    )
    assert [each.cause for each in found] == [Cause.OUTRANKED, Cause.POOLS_FULL]


def test_spent_moves_are_not_the_cause_where_nobody_comes_later() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8), project("lyra", 8, priority=2, holds={"iowa": 8})],
        max_moves=0,
    )
    assert reasons(organization, "orion")[0].cause is Cause.OUTRANKED


def test_the_cost_of_a_move_is_the_cause_where_the_gain_is_less() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8, priority=1.5), project("lyra", 8, holds={"iowa": 8})],
        move_cost=1.0,
    )
    found = reasons(organization, "orion")
    assert found[0].cause is Cause.MOVES
    assert found[0].text == "lyra would lose less than it gains, but not by the cost of a move"


def test_a_pin_is_not_the_cause_where_the_pinned_project_comes_first() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8), project("lyra", 8, priority=9, holds={"iowa": 8}, pinned=True)],
    )
    assert reasons(organization, "orion")[0].cause is Cause.OUTRANKED


def test_a_single_pool_is_not_the_cause_where_no_other_has_room() -> None:
    organization = lab(
        [pool("iowa", 6), pool("texas", 3)],
        projects=[
            project("orion", 8, one_pool=True, sites=("iowa",)),
            project("lyra", 3, sites=("texas",)),
        ],
    )
    assert [each.cause for each in reasons(organization, "orion")] == [Cause.POOLS_FULL]


def test_more_is_worth_nothing_to_the_policy_and_that_is_no_doubt_about_the_plan() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8), project("lyra", 8)],
        value=((0.5, 1.0), (0.5, 0.0)),
    )
    for name in ("orion", "lyra"):
        why = reason(proved(organization), name)
        assert why.cause in {Cause.NO_VALUE, Cause.MET}
        assert "more time" not in why.text


def test_starting_later_is_not_the_cause_on_a_later_day() -> None:
    organization = lab([pool(gpus=4)], projects=[project("orion", 8, starts=day(3))])
    assert reason(proved(organization, day(3)), "orion").cause is Cause.POOLS_FULL


def test_a_site_without_its_type_is_not_the_cause_where_another_site_has_it() -> None:
    pools = [pool("iowa", 8), pool("texas", 4, gpu_type="gb200")]
    found = reasons(lab(pools, projects=[project("orion", 30, speeds={"gb200": 2.5})]), "orion")
    assert [each.cause for each in found] == [Cause.POOLS_FULL]
