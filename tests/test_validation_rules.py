"""Each rule finds what it is for, says it with its remedy, and finds nothing else."""

from __future__ import annotations

import pytest

from gpu_opt.organization import Organization
from gpu_opt.validation import RULES, check
from gpu_opt.validation.facts import gather
from tests.faults_in_names_and_budgets import NAMES_AND_BUDGETS, Rule, Says
from tests.faults_in_pools_and_projects import POOLS_AND_PROJECTS

CASES = [*NAMES_AND_BUDGETS, *POOLS_AND_PROJECTS]


@pytest.mark.parametrize(("rule", "organization", "says"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_rule_finds_its_problems_and_no_others(rule: Rule, organization: Organization, says: Says) -> None:
    problems = list(rule(gather(organization)))
    assert [problem.path for problem in problems] == list(says)
    for problem in problems:
        assert says[problem.path] in problem.message
        assert (rule.__doc__ or "").startswith(f"{problem.severity.value.title()}: ")
    assert set(problems) <= set(check(organization))


def test_every_rule_has_a_case_in_which_it_finds_something() -> None:
    assert {case[0] for case in CASES if case[2]} == set(RULES)
