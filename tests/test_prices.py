"""What one unit more is worth, by hand: also where the linear program and whole units differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpu_opt import InvalidInput, load
from gpu_opt.explanation import prices
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Basis, Price, Resource
from gpu_opt.report.prices import sentence
from tests.building import lab, pool, project, root, team
from tests.solving import PROOF, proved

MODELS = Path(__file__).parents[1] / "models" / "organizations"


def priced(organization: Organization) -> dict[tuple[Resource, str], Price]:
    found = prices(organization, proved(organization), top=9, options=PROOF)
    return {(each.resource, each.subject): each for each in found.prices}


def worths(price: Price) -> list[float]:
    """By the linear program, and as solving again confirmed it."""
    assert price.confirmed is not None
    return [price.worth, price.confirmed]


def crowded() -> Organization:
    projects = [project("orion", 16, priority=3), project("lyra", 16, priority=2, tier=2)]
    return lab([pool(gpus=8, unit=4)], projects=projects)


def test_a_unit_of_a_full_pool_is_worth_what_who_comes_first_makes_of_it() -> None:
    each = priced(crowded())[Resource.POOL_CAPACITY, "iowa"]
    assert (each.amount, each.limit, each.slack) == (4, 8, 0)
    assert worths(each) == pytest.approx([12, 12])
    assert each.worth_by_tier == pytest.approx({1: 12, 2: 0}), "what the first tier takes is not the second's"
    assert each.gainers == ("orion",)
    assert (each.basis, each.owner) == (Basis.FACT, None)


def test_a_unit_of_a_pool_with_room_is_worth_nothing() -> None:
    each = priced(lab([pool(gpus=80)], projects=[project("orion", 16)]))[Resource.POOL_CAPACITY, "iowa"]
    assert (each.slack, each.worth, each.confirmed) == (64, 0, None)


def test_a_cap_is_worth_what_it_keeps_idle() -> None:
    teams = [root(owner="ceo"), team("vision", cap=8, owner="head")]
    found = priced(lab(teams=teams, projects=[project("orion", 16, "vision", priority=3)]))
    each = found[Resource.TEAM_CAP, "vision"]
    assert worths(each) == pytest.approx([3, 3])
    assert each.owner == "ceo"
    assert found[Resource.POOL_CAPACITY, "iowa"].worth == 0


def test_a_limit_is_worth_what_its_type_is_faster_by() -> None:
    pools = [pool("iowa", 40), pool("texas", 8, gpu_type="gb200")]
    teams = [team("vision", limits={"gb200": Limit(cap=3)})]
    found = priced(lab(pools, teams, [project("orion", 100, "vision")]))
    each = found[Resource.TYPE_LIMIT, "vision"]
    assert worths(each) == pytest.approx([2.5, 2.5])
    assert each.gpu_type == "gb200"


def test_a_guarantee_costs_what_others_lose() -> None:
    teams = [team("safety", guarantee=4), team("vision")]
    projects = [project("orion", 8, "vision", priority=3), project("lyra", 8, "safety")]
    each = priced(lab([pool(gpus=8)], teams, projects))[Resource.TEAM_GUARANTEE, "safety"]
    assert worths(each) == pytest.approx([-2, -2])


def test_a_move_is_worth_what_it_gains_less_its_cost() -> None:
    projects = [project("orion", 8, priority=9), project("lyra", 8, holds={"iowa": 8})]
    found = priced(lab([pool(gpus=8)], projects=projects, max_moves=3, move_cost=0.5))
    each = found[Resource.MOVE_BUDGET, "lab"]
    assert worths(each) == pytest.approx([7.5, 7.5])


def test_where_whole_units_differ_from_the_linear_program_both_are_told() -> None:
    """The cap leaves no room; iowa's units of 2 are all taken, and texas comes in eights."""
    pools = [pool("iowa", 4, unit=2), pool("texas", 32, unit=8)]
    each = priced(lab(pools, [team("vision", cap=12)], [project("orion", 40, "vision")]))[
        Resource.TEAM_CAP, "vision"
    ]
    assert worths(each) == pytest.approx([2, 0])
    assert each.amount == 2


def test_a_larger_fleet_does_not_raise_budgets_in_per_cent() -> None:
    teams = [team("vision", cap="50%")]
    found = priced(lab([pool(gpus=8)], teams, [project("orion", 16, "vision")]))
    assert found[Resource.POOL_CAPACITY, "iowa"].worth == 0
    assert found[Resource.TEAM_CAP, "vision"].confirmed == pytest.approx(1)


def test_two_teams_as_its_comment_derives_them() -> None:
    """pretrain gains 4 GPUs at 2 x 4 x 0.5; of research's shortfall a unit of 8 goes."""
    found = priced(load(MODELS / "two_teams.yaml"))
    texas = found[Resource.POOL_CAPACITY, "texas-gb200"]
    assert texas.confirmed == pytest.approx(16)
    assert texas.shortfall == pytest.approx(8)
    assert found[Resource.MOVE_BUDGET, "two-teams"].shortfall == pytest.approx(8)


def test_the_sentence_says_where_and_which() -> None:
    organization = lab(
        [pool("iowa", 8), pool("texas", 8)],
        [root(owner="ceo"), team("vision", cap=2)],
        [project("orion", 9, sites=("iowa",), priority=3), project("lyra", 9, "vision", sites=("texas",))],
    )
    found = prices(organization, proved(organization), options=PROOF)
    assert sentence(found) == (
        "The next GPUs should go to iowa, where each is worth 3. "
        "What hurts most is the cap of vision (ceo): each reference GPU more is worth 1."
    )


def test_the_sentence_prefers_none_of_those_that_are_worth_the_same() -> None:
    organization = lab(
        [pool("iowa", 8), pool("texas", 8), pool("ohio", 40)],
        [root(owner="ceo"), team("vision", cap=2), team("speech", cap=4), team("robots", cap=4)],
        [
            project("orion", 9, sites=("iowa",), priority=3),
            project("lyra", 9, sites=("texas",), priority=3),
            *(project(name, 9, name, sites=("ohio",)) for name in ("vision", "speech", "robots")),
        ],
    )
    found = prices(organization, proved(organization), options=PROOF)
    assert sentence(found) == (
        "The next GPUs should go to iowa or texas, where each is worth 3. "
        "What hurts most is the cap of vision (ceo), and 2 others as much: "
        "each reference GPU more is worth 1."
    )


def test_the_sentence_says_which_tiers_pay_for_what_another_gains() -> None:
    organization = lab([pool("iowa", 4)], projects=[project("orion", 8)])
    found = prices(organization, proved(organization), options=PROOF)
    moves = {"resource": Resource.MOVE_BUDGET, "owner": "ceo", "amount": 4.0, "confirmed_by_tier": None}

    def told(by_tier: dict[int, float]) -> str:
        changed = found.prices[0].model_copy(update=moves | {"worth_by_tier": by_tier, "shortfall": 0.0})
        return sentence(found.model_copy(update={"prices": (changed,)})).partition("hurts most is ")[2]

    assert told({1: 8.0, 2: -4.0}) == (
        "max_moves (ceo): each move more is worth 2 to tier 1, and costs later tiers 1."
    )
    assert told({1: -8.0, 2: 12.0}) == (
        "max_moves (ceo): each move more costs tier 1 2, and is worth 3 to later tiers."
    )


def test_nothing_is_worth_more_where_everybody_has_all() -> None:
    organization = lab(projects=[project("orion", 8)])
    assert sentence(prices(organization, options=PROOF)).startswith("Nothing is worth having more of")


def test_a_plan_of_another_organization_is_refused() -> None:
    plan = proved(lab(projects=[project("orion", 8)]))
    with pytest.raises(InvalidInput, match="plan: is not a plan of this organization"):
        prices(lab([pool(gpus=4)], projects=[project("orion", 8)]), plan)
