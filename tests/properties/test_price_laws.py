"""What planners may rely on when they are told a price."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from gpu_opt.budgets import resolve_budgets
from gpu_opt.errors import Severity
from gpu_opt.explanation import prices
from gpu_opt.explanation.resources import list_resources, with_one_more
from gpu_opt.explanation.seen import look
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.organization import Organization
from gpu_opt.validation import check
from tests.solving import PROOF, proved
from tests.strategies import organizations

few = settings(max_examples=settings().max_examples // 4)
"""Every example is solved to proof many times."""


@few
@given(organizations(max_projects=3))
def test_a_confirmed_price_is_what_the_best_plan_gains_with_one_unit_more(organization: Organization) -> None:
    stated = in_numbers(organization, organization.as_of)
    plan = proved(stated)
    seen = look(stated, plan.date, plan)
    by_row = {
        (each.rule, each.subject, each.gpu_type): each
        for each in list_resources(stated, resolve_budgets(stated, plan.date), seen.situation)
    }
    found = [each for each in prices(stated, plan, options=PROOF).prices if each.confirmed is not None]
    assume(found)
    for each in found[:2]:
        more = with_one_more(stated, by_row[each.resource, each.subject, each.gpu_type])
        if any(problem.severity is Severity.ERROR for problem in check(more)):
            continue  # a guarantee one unit above its own cap cannot be meant
        assert proved(more).objective - plan.objective == pytest.approx(each.confirmed, abs=1e-4)
