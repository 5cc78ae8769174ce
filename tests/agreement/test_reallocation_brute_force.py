"""The reallocation against the best of all plans there are, on tiny cases."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Status
from gpu_opt.reallocation import reallocate
from tests.brute_force import TooManyPlansError, best_reallocation
from tests.building import day
from tests.strategies import HORIZON, requests, tiny_organizations

PROVED = Options(gap=0.0, threads=1)


def assert_no_plan_is_better(organization: Organization, asked: Sequence[Request]) -> None:
    values, _ = best_reallocation(organization, asked, day(HORIZON))
    plan = reallocate(organization, until=day(HORIZON), requests=asked, options=PROVED)
    assert [goal.name for goal in plan.goals] == [name for name, _ in values]
    assert [goal.value for goal in plan.goals] == pytest.approx([float(value) for _, value in values])
    assert plan.status is Status.OPTIMAL


def sound(asked: Sequence[Request]) -> tuple[Request, ...]:
    return tuple(one for one in asked if one.starts is None or one.starts <= one.by)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_plan_of_a_tiny_organization_is_better(data: st.DataObject) -> None:
    organization = data.draw(tiny_organizations())
    asked = tuple(
        one for one in data.draw(requests(organization)) if one.starts is None or one.starts <= one.by
    )
    try:
        assert_no_plan_is_better(organization, asked)
    except TooManyPlansError:
        reject()
