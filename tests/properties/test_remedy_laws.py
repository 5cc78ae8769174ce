"""What planners may rely on when they are told what would help."""

from __future__ import annotations

from hypothesis import given, settings

from gpu_opt.allocation import allocate
from gpu_opt.explanation import explain
from gpu_opt.explanation.remedies import has_all
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Cause, Remedy, RemedyKind
from gpu_opt.scenario import Scenario, apply
from tests.solving import PROOF, proved
from tests.strategies import organizations

few = settings(max_examples=settings().max_examples // 4)
"""Every example is solved to proof dozens of times."""

RAISED = {
    RemedyKind.CAP: "cap",
    RemedyKind.LIMIT: "cap",
    RemedyKind.MOVES: "max_moves",
    RemedyKind.POOL: "gpus",
    RemedyKind.PRIORITY: "priority",
}
"""Changes that raise a number, by the field that has it."""


@few
@given(organizations(max_projects=3, max_units=4))
def test_the_smallest_change_is_enough_and_one_grain_less_is_not(organization: Organization) -> None:
    stated = in_numbers(organization, organization.as_of)
    plan = proved(stated)
    lacking = [each.project for each in plan.projects if each.active and each.reason.cause is not Cause.MET]
    for name in lacking[:1]:
        for remedy in explain(stated, plan, name, options=PROOF).remedies:
            if remedy.change is None or not remedy.is_smallest:
                continue
            assert has_all(with_change(stated, plan, remedy.change), name)
            if remedy.kind in RAISED:
                assert not has_all(with_change(stated, plan, one_grain_less(remedy)), name)


def one_grain_less(remedy: Remedy) -> dict[str, object]:
    assert remedy.change is not None
    field = RAISED[remedy.kind]
    less = round(remedy.change[field] - remedy.grain, 6)
    return remedy.change | {
        field: less if remedy.kind in {RemedyKind.CAP, RemedyKind.PRIORITY} else int(less)
    }


def with_change(stated: Organization, plan: Allocation, change: dict[str, object]) -> Allocation:
    """The best plan with the change, near to the plan without; no GPUs more are no change."""
    if change.get("gpus") == 0:
        return plan
    scenario = Scenario.model_validate({"name": "remedy", "changes": [change]})
    return allocate(apply(stated, scenario.changes), options=PROOF, near=plan)
