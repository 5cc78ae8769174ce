"""What cannot all be had, in the planner's words: by hand, and in the organizations to run."""

from __future__ import annotations

from pathlib import Path

from gpu_opt import load
from gpu_opt.explanation import conflicts
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Conflict
from tests.building import day, delivery, lab, pool, project, root, team
from tests.solving import PROOF

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
    assert one.sentence == "applications.guarantee 50% + research.guarantee 55% > lab.cap 20"
    assert relaxations(one) == {"research": 10, "applications": 9, "lab": 21}
    assert {each.owner for each in one.statements} == {"ceo"}


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
