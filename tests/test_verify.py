"""The checker on grants: what keeps every rule passes, and what breaks one is refused by that rule."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.checker import ALLOCATION_RULES, REALLOCATION_RULES, lexicographic_value, verify
from gpu_opt.organization import Limit
from gpu_opt.plan import Overrun
from tests.brute_force import best_allocation
from tests.building import allocation, changed, day, delivery, lab, pool, project, refused_by, root, team
from tests.strategies import days, tiny_organizations

MODELS = Path(__file__).parent.parent / "models"


def test_a_pool_cannot_give_more_than_it_has() -> None:
    organization = lab([pool(gpus=16)], projects=[project("orion", 12), project("lyra", 12)])
    assert (
        refused_by(organization, allocation(organization, {("orion", "iowa"): 12, ("lyra", "iowa"): 4}))
        == set()
    )
    plan = allocation(organization, {("orion", "iowa"): 12, ("lyra", "iowa"): 5})
    assert refused_by(organization, plan) == {"pool_capacity"}


def test_a_delivery_counts_from_its_day_on() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8), project("lyra", 8)],
        deliveries=[delivery("iowa", 4, on=3)],
    )
    grants = {("orion", "iowa"): 8, ("lyra", "iowa"): 4}
    assert refused_by(organization, allocation(organization, grants, day(2))) == {"pool_capacity"}
    assert refused_by(organization, allocation(organization, grants, day(3))) == set()


@pytest.mark.parametrize(("cap", "rules"), [(10, set()), (9.999, {"team_cap"})])
def test_a_cap_broken_by_a_thousandth_is_seen(cap: float, rules: set[str]) -> None:
    organization = lab(teams=[team("vision", cap=cap)], projects=[project("orion", 10, "vision")])
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 10})) == rules


def test_a_percentage_is_of_the_nearest_cap_above() -> None:
    organization = lab(
        teams=[root(cap=12), team("division"), team("vision", "division", cap="75%")],
        projects=[project("orion", 16, "vision")],
    )
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 9})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 10})) == {"team_cap"}


def test_a_limit_counts_gpus_of_its_type_under_the_team() -> None:
    organization = lab(
        [pool("iowa", 16), pool("texas", 8, gpu_type="gb200")],
        teams=[root(limits={"gb200": Limit(cap="50%")}), team("vision", limits={"gb200": Limit(cap=3.5)})],
        projects=[project("orion", 20, "vision"), project("lyra", 20, "vision")],
    )
    plan = allocation(organization, {("orion", "texas"): 2, ("lyra", "texas"): 1, ("lyra", "iowa"): 10})
    assert refused_by(organization, plan) == set()
    plan = allocation(organization, {("orion", "texas"): 2, ("lyra", "texas"): 2})
    assert [(each.rule, each.subject) for each in verify(organization, plan)] == [("type_limit", "vision")]


def test_nobody_gets_more_than_it_asked_for_in_whole_units() -> None:
    organization = lab([pool(gpus=32, unit=4)], projects=[project("orion", 9)])
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 12})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 16})) == {"demand"}


def test_a_pool_of_large_units_allows_no_more_in_the_others() -> None:
    organization = lab(
        [pool("iowa", 512, unit=8), pool("ohio", 512, unit=256)], projects=[project("orion", 10)]
    )
    for gpus, rules in (({"iowa": 16}, set()), ({"ohio": 256}, set()), ({"iowa": 24}, {"demand"})):
        plan = allocation(organization, {("orion", at): count for at, count in gpus.items()})
        assert refused_by(organization, plan) == rules
    both = allocation(organization, {("orion", "iowa"): 8, ("orion", "ohio"): 256})
    assert [each.message for each in verify(organization, both)] == [
        "granted 264 reference GPUs, more than whole units for the 10 that it asks for"
    ]


def test_units_of_several_pools_are_added_up_as_shares_of_the_demand() -> None:
    organization = lab(
        [pool("iowa", unit=4), pool("ohio", 20, unit=5)], projects=[project("orion", 10)]
    )  # 3 units of iowa meet it, or 2 of ohio
    for iowa, ohio, rules in ((4, 5, set()), (8, 5, {"demand"}), (12, 0, set()), (0, 10, set())):
        plan = allocation(organization, {("orion", "iowa"): iowa, ("orion", "ohio"): ohio})
        assert refused_by(organization, plan) - {"grants"} == rules


def test_who_asks_for_nothing_has_what_is_pinned_and_no_more() -> None:
    organization = lab(projects=[project("orion", 0, holds={"iowa": 3}, pinned=True), project("lyra", 0)])
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 3})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 4})) == {"demand"}
    plan = allocation(organization, {("orion", "iowa"): 3, ("lyra", "iowa"): 1})
    assert refused_by(organization, plan) == {"demand"}


def test_less_than_the_minimum_is_refused() -> None:
    organization = lab(projects=[project("orion", 8, minimum=4)])
    assert refused_by(organization, allocation(organization, {})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 3})) == {"minimum"}


def test_who_runs_below_its_minimum_today_may_stay_there() -> None:
    organization = lab(projects=[project("orion", 8, minimum=4, holds={"iowa": 3})])
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 3})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 2})) == {"minimum"}


def test_a_one_pool_project_uses_one_pool() -> None:
    organization = lab([pool("iowa"), pool("texas")], projects=[project("orion", 8, one_pool=True)])
    plan = allocation(organization, {("orion", "iowa"): 4, ("orion", "texas"): 4})
    assert refused_by(organization, plan) == {"one_pool"}


def test_a_one_pool_project_that_is_spread_today_may_stay_so() -> None:
    spread = project("orion", 8, one_pool=True, holds={"iowa": 4, "texas": 4})
    organization = lab([pool("iowa"), pool("texas"), pool("ohio")], projects=[spread])
    plan = allocation(organization, {("orion", "iowa"): 4, ("orion", "texas"): 4})
    assert refused_by(organization, plan) == set()
    plan = allocation(organization, {("orion", at): 2 for at in ("iowa", "texas", "ohio")})
    assert refused_by(organization, plan) == {"one_pool"}


def test_a_one_pool_project_that_is_spread_today_stays_or_goes_to_one_other_pool() -> None:
    spread = project("orion", 8, one_pool=True, holds={"iowa": 4, "texas": 4})
    organization = lab([pool(name) for name in ("iowa", "texas", "ohio", "utah")], projects=[spread])
    for places in (["iowa"], ["texas"], ["ohio"], ["iowa", "texas"]):
        plan = allocation(organization, {("orion", at): 4 for at in places})
        assert refused_by(organization, plan) == set()
    for places in (["ohio", "utah"], ["iowa", "ohio"]):
        plan = allocation(organization, {("orion", at): 4 for at in places})
        assert refused_by(organization, plan) == {"one_pool"}


def test_moves_stay_within_their_budget() -> None:
    organization = lab(projects=[project("orion", 8, holds={"iowa": 6})], max_moves=2)
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 4})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 3})) == {"move_budget"}


def test_pinned_holdings_stay() -> None:
    organization = lab(projects=[project("orion", 2, holds={"iowa": 6}, pinned=True)])
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 6})) == set()
    assert refused_by(organization, allocation(organization, {("orion", "iowa"): 5})) == {"pinned"}


# --- What today's holdings break ----------------------------------------------------------------------

CROWDED = lab(
    [pool(gpus=8)],
    teams=[root(limits={"h100": Limit(cap=7)}), team("vision", cap=6)],
    projects=[project(name, 8, "vision", holds={"iowa": 5}) for name in ("orion", "lyra")],
)
"""Ten GPUs are held: of a pool of 8, under a limit of 7 and a cap of 6."""


@pytest.mark.parametrize("gpus", [5, 4, 1])
def test_a_broken_state_may_stay_or_get_better(gpus: int) -> None:
    assert refused_by(CROWDED, allocation(CROWDED, {("orion", "iowa"): 5, ("lyra", "iowa"): gpus})) == set()


def test_a_broken_state_may_not_get_worse() -> None:
    plan = allocation(CROWDED, {("orion", "iowa"): 6, ("lyra", "iowa"): 5})
    assert refused_by(CROWDED, plan) == {"pool_capacity", "team_cap", "type_limit"}


def test_what_is_still_broken_is_to_be_repaired() -> None:
    plan = allocation(CROWDED, {("orion", "iowa"): 5, ("lyra", "iowa"): 4})
    assert lexicographic_value(CROWDED, plan.grants, plan.date)[0] == ("repair", Fraction(1 + 2 + 3))
    assert plan.overruns == (
        Overrun(rule="pool_capacity", subject="iowa", before=10, after=9, limit=8),
        Overrun(rule="team_cap", subject="vision", before=10, after=9, limit=6),
        Overrun(rule="type_limit", subject="lab", gpu_type="h100", before=10, after=9, limit=7),
    )


def test_overruns_are_stated_exactly() -> None:
    plan = allocation(CROWDED, {("orion", "iowa"): 5, ("lyra", "iowa"): 3})
    first, *rest = plan.overruns
    for overruns in ((), (first, first, *rest), (changed(first, limit=9.0), *rest)):
        assert refused_by(CROWDED, changed(plan, overruns=tuple(overruns))) == {"outcomes"}
    repaired = allocation(CROWDED, {("orion", "iowa"): 5})
    assert refused_by(CROWDED, changed(repaired, overruns=(first,))) == {"outcomes"}


# --- All of it ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.data())
def test_the_best_plan_of_all_passes(data: st.DataObject) -> None:
    organization = data.draw(tiny_organizations())
    date = data.draw(days())
    reached, grants = best_allocation(organization, date)
    plan = allocation(organization, {(grant.project, grant.pool): grant.gpus for grant in grants}, date)
    assert verify(organization, plan) == ()
    assert lexicographic_value(organization, grants, date) == reached


def test_the_rules_are_the_sections_of_the_models() -> None:
    own = {"grants", "handovers", "goals", "outcomes", "reasons", "run"}
    for model, rules in (("allocation", ALLOCATION_RULES), ("reallocation", REALLOCATION_RULES)):
        sections = re.findall(r"^## ([a-z_]+)$", (MODELS / f"{model}.md").read_text(), re.MULTILINE)
        assert {rule.__name__ for rule in rules} - own == set(sections) - {"earlier_goals"}
