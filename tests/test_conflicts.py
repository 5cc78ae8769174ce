"""What cannot all be had, in the planner's words: by hand, and in the organizations to run."""

from __future__ import annotations

from pathlib import Path

from gpu_opt import load
from gpu_opt.explanation import conflicts
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Conflict
from tests.building import day, delivery, lab, pool, project, root, team
from tests.solving import PROOF, proved

MODELS = Path(__file__).parents[1] / "models" / "organizations"


def found_in(organization: Organization) -> tuple[Conflict, ...]:
    found = conflicts(organization, options=PROOF)
    assert found.is_complete
    assert all(one.is_minimal for one in found.conflicts)
    return found.conflicts


def relaxations(one: Conflict) -> dict[str, float | None]:
    return {each.subject: each.relaxed for each in one.statements}


def test_guarantees_that_are_more_than_a_cap() -> None:
    teams = [
        root(owner="ceo", cap=20),
        team("research", guarantee="55%"),
        team("applications", guarantee="50%"),
    ]
    projects = [project("orion", 40, "research"), project("lyra", 40, "applications")]
    (one,) = found_in(lab([pool(gpus=40)], teams, projects))
    assert one.sentence == "research.guarantee 55% + applications.guarantee 50% > lab.cap 20"
    assert relaxations(one) == {"research": 10, "applications": 9, "lab": None}
    assert {each.owner for each in one.statements} == {"ceo"}
    assert [each.is_base for each in one.statements] == [False, False, True]  # they are shares of the cap


SPLIT = [team("research", guarantee="55%"), team("applications", guarantee="50%")]
WANTED = [project("orion", 64, "research"), project("lyra", 64, "applications")]


def test_promises_of_more_than_all_there_is_are_a_conflict_though_no_plan_feels_it() -> None:
    """35.2 and 32 of 64: with 32 each, in units of 8, both have what they are promised to within a unit."""
    organization = lab([pool(gpus=64, unit=8)], SPLIT, WANTED)
    assert [one.shortfall for one in proved(organization).teams] == [0, 0, 0]
    (one,) = found_in(organization)
    assert one.sentence == "research.guarantee 55% + applications.guarantee 50% > lab 100%"
    assert one.is_felt is False
    assert relaxations(one) == {"research": 32, "applications": 28.8, "lab": None}


def test_they_are_felt_where_a_unit_is_missing() -> None:
    (one,) = found_in(lab([pool(gpus=160, unit=8)], SPLIT, WANTED_MORE))
    assert one.sentence == "research.guarantee 55% + applications.guarantee 50% > lab 100%"
    assert one.is_felt is True


WANTED_MORE = [project("orion", 160, "research"), project("lyra", 160, "applications")]


def test_amounts_are_compared_with_the_fleet_and_a_larger_one_would_do() -> None:
    teams = [team("research", guarantee=40), team("applications", guarantee="50%")]
    (one,) = found_in(lab([pool(gpus=64)], teams, WANTED))
    assert one.sentence == "research.guarantee 40 + applications.guarantee 50% > the fleet of 64"
    assert relaxations(one) == {"research": 32, "applications": 24, "lab": 80}
    assert found_in(lab([pool(gpus=80)], teams, WANTED)) == ()


def test_a_cap_that_the_shares_of_it_leave_room_under_may_be_raised() -> None:
    def promised(cap: float) -> Organization:
        teams = [
            team("product", cap=cap),
            team("chat", "product", guarantee=12),
            team("shop", "product", guarantee="25%"),
        ]
        projects = [project("orion", 64, "chat"), project("lyra", 64, "shop")]
        return lab([pool(gpus=64)], teams, projects)

    (one,) = found_in(promised(14))
    assert one.sentence == "chat.guarantee 12 + shop.guarantee 25% > product.cap 14"
    assert relaxations(one) == {"chat": 10.5, "shop": 2, "product": 16}
    assert found_in(promised(16)) == ()
    assert found_in(promised(15.9)) != ()


def test_what_is_promised_below_counts_where_it_is_more_than_the_promise_above() -> None:
    (one,) = found_in(load(MODELS / "oversubscribed.yaml"))
    assert one.sentence == "research.guarantee 68 + assistant.guarantee 52 > the fleet of 96"
    assert relaxations(one) == {"research": 44, "assistant": 28, "lab": 120}


def test_a_promise_that_is_not_needed_for_the_excess_is_no_part_of_it() -> None:
    teams = [team("research", guarantee=40), team("safety", guarantee=4), team("product", guarantee=30)]
    projects = [project(name, 64, name) for name in ("research", "safety", "product")]
    found = found_in(lab([pool(gpus=64)], teams, projects))
    assert found[0].sentence == "research.guarantee 40 + product.guarantee 30 > the fleet of 64"
    assert len(found) == 1


def test_nobody_is_promised_more_than_its_projects_could_use() -> None:
    small = [project("orion", 64, "research"), project("lyra", 8, "applications")]
    assert found_in(lab([pool(gpus=80, unit=8)], SPLIT, small)) == ()


def test_guarantees_that_fit_are_no_conflict() -> None:
    teams = [team("research", guarantee="50%"), team("applications", guarantee="50%")]
    projects = [project("orion", 40, "research"), project("lyra", 40, "applications")]
    assert found_in(lab([pool(gpus=40)], teams, projects)) == ()


def test_a_guarantee_on_a_pool_that_is_too_small() -> None:
    pools = [pool("iowa", 8), pool("texas", 40)]
    teams = [team("research", guarantee=12), team("applications", guarantee=6)]
    projects = [
        project("orion", 12, "research", sites=("iowa", "texas"), minimum=12, one_pool=True),
        project("lyra", 8, "applications", sites=("iowa",)),
        project("vega", 40, "lab", sites=("texas",), holds={"texas": 32}, pinned=True),
    ]
    (one,) = found_in(lab(pools, teams, projects))
    assert one.sentence == (
        "research.guarantee 12, vega pinned with 32 GPUs in texas, texas has 40 GPUs and iowa has 8 GPUs "
        "cannot all hold"
    )
    assert relaxations(one) == {"research": 0, "vega": 28, "texas": 44, "iowa": 12}


def test_holdings_that_may_not_be_moved_and_a_limit_below_them() -> None:
    teams = [root(owner="ceo"), team("vision", limits={"h100": Limit(cap=3)})]
    organization = lab(
        [pool(gpus=16)], teams, [project("orion", 8, "vision", holds={"iowa": 8})], max_moves=2
    )
    (one,) = found_in(organization)
    assert one.sentence == "policy.max_moves 2 and vision.limits.h100 3 cannot all hold"
    assert relaxations(one) == {"lab": 5, "vision": 6}


def test_two_conflicts_are_told_apart() -> None:
    teams = [team("research", guarantee=12), team("applications", guarantee=9), team("safety", cap=4)]
    projects = [
        project("orion", 40, "research", sites=("iowa",)),
        project("lyra", 40, "applications", sites=("iowa",)),
        project("vega", 8, "safety", sites=("texas",), holds={"texas": 8}, pinned=True),
    ]
    found = found_in(lab([pool("iowa", 16), pool("texas", 16)], teams, projects))
    assert {one.sentence for one in found} == {
        "applications.guarantee 9 + research.guarantee 12 > iowa has 16 GPUs",
        "vega pinned with 8 GPUs in texas > safety.cap 4",
    }


def test_a_delivery_resolves_it() -> None:
    teams = [team("research", guarantee=20)]
    organization = lab(
        [pool(gpus=16), pool("texas", 8)],
        teams,
        [
            project("orion", 20, "research", sites=("iowa",), minimum=0),
            project("vega", 8, holds={"iowa": 8}, pinned=True),
        ],
        [delivery("iowa", 16, 5)],
    )
    assert [one.sentence for one in found_in(organization)] == [
        "research.guarantee 20 + vega pinned with 8 GPUs in iowa > iowa has 16 GPUs"
    ]
    assert conflicts(organization, date=day(5), options=PROOF).conflicts == ()


def test_pinned_conflict_shows_both_of_its_conflicts() -> None:
    found = found_in(load(MODELS / "pinned_conflict.yaml"))
    assert {one.sentence: relaxations(one) for one in found} == {
        "serving pinned with 72 GPUs in iowa-h100 > product.cap 64": {"serving": 64, "product": 72},
        "serving pinned with 72 GPUs in iowa-h100 > iowa-h100 has 64 GPUs": {"serving": 64, "iowa-h100": 72},
    }


def test_two_teams_needs_more_moves_than_it_may_make() -> None:
    """research has 80 and is content with more than 88: two units of 8, that is 8 GPUs of texas."""
    (one,) = found_in(load(MODELS / "two_teams.yaml"))
    assert relaxations(one) == {"research": 80, "texas-gb200": 40, "two-teams": 12}
