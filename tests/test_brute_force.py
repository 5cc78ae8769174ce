"""Brute force on cases that a pencil solves, and what the strategies draw is valid."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.checker import lexicographic_value, verify
from gpu_opt.checker.data import allocation_data
from gpu_opt.errors import Severity
from gpu_opt.organization import Organization
from gpu_opt.plan import Grant
from gpu_opt.validation import check
from tests import brute_force
from tests.brute_force import TooManyPlansError, best_allocation, best_reallocation, rank
from tests.building import TODAY, allocation, day, delivery, lab, pool, project, request, team
from tests.strategies import days, organizations, tiny_organizations


def test_the_higher_priority_takes_the_scarce_pool() -> None:
    organization = lab(
        [pool("iowa", 8, unit=4), pool("texas", 4, gpu_type="gb200")],
        projects=[project("orion", 10, priority=3, minimum=8), project("lyra", 8, speeds={"h100": 1.0})],
    )
    values, grants = best_allocation(organization, TODAY)
    assert values == (("value_tier_1", Fraction(38)),)
    assert {(each.project, each.pool, each.gpus) for each in grants} == {
        ("orion", "texas", 4),
        ("lyra", "iowa", 8),
    }


def test_a_guarantee_comes_before_any_value() -> None:
    organization = lab(
        [pool(gpus=3)],
        teams=[team("vision", guarantee=3)],
        projects=[project("orion", 3, priority=9), project("lyra", 3, "vision")],
    )
    values, grants = best_allocation(organization, TODAY)  # a shortfall below one unit counts as met
    assert {each.project: each.gpus for each in grants} == {"lyra": 3}
    assert values == (("guarantee_level_1", Fraction(0)), ("value_tier_1", Fraction(3)))


def test_too_many_plans_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    organization = lab([pool(gpus=600)], projects=[project(name, 600) for name in ("orion", "lyra")])
    with pytest.raises(TooManyPlansError):
        best_allocation(organization, TODAY)
    monkeypatch.setattr(brute_force, "MOST", 1_000)
    asked = [request(f"request-{n}", 8) for n in range(8)]
    with pytest.raises(TooManyPlansError):
        best_reallocation(organization, asked, day(9))


def test_the_cheaper_donor_hands_over() -> None:
    organization = lab(
        [pool(gpus=4)],
        teams=[team("research"), team("product")],
        projects=[
            project("orion", team="research", holds={"iowa": 2}, ends=day(2)),
            project("lyra", team="product", holds={"iowa": 2}, ends=day(2)),
        ],
        deliveries=[delivery("iowa", 2, on=5)],
    )
    values, handed = best_reallocation(organization, [request("big", 3, "product", by=2)], day(9))
    assert dict(values[:3]) == {"unmet_tier_1": 0, "late_tier_1": 0, "cost": 2}
    assert {each.project: each.gpus for each in handed} == {"lyra": 2, "orion": 1}


@settings(deadline=None)
@given(organizations())
def test_organizations_are_drawn_valid(organization: Organization) -> None:
    assert [problem for problem in check(organization) if problem.severity is Severity.ERROR] == []


@settings(deadline=None)
@given(st.data())
def test_todays_holdings_are_a_plan_and_no_better_than_the_best(data: st.DataObject) -> None:
    organization, date = data.draw(tiny_organizations()), data.draw(days())
    wanted = {
        (name, at): gpus
        for name, scope in allocation_data(organization, date).scopes.items()
        for at, gpus in scope.wanted.items()
    }
    assert verify(organization, allocation(organization, wanted, date)) == ()
    grants = [Grant(project=name, pool=at, gpus=gpus) for (name, at), gpus in wanted.items()]
    best, _ = best_allocation(organization, date)
    assert rank(lexicographic_value(organization, grants, date)) <= rank(best)
