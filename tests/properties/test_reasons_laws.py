"""What planners may rely on when they are told why."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from gpu_opt.allocation.appraisal import is_feasible, overruns
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization
from gpu_opt.plan import POLICIES, Basis, Cause
from tests.solving import proved, reasons, units
from tests.strategies import organizations

IN_THE_WAY = {Cause.TEAM_CAP, Cause.TYPE_LIMIT, Cause.POOLS_FULL, Cause.ONE_POOL}


@given(organizations())
def test_a_proved_plan_leaves_no_project_undecided(organization: Organization) -> None:
    for outcome in proved(organization).projects:
        assert outcome.reason.cause is not Cause.UNPROVED


@given(organizations())
def test_where_something_is_in_the_way_no_unit_can_be_added(organization: Organization) -> None:
    plan = proved(organization)
    instance = build_instance(organization, plan.date)
    x = units(instance, plan)
    for j, own in enumerate(instance.projects.arcs):
        found = {each.cause for each in reasons(organization, instance.projects.names[j])}
        if found & IN_THE_WAY and x[own.start : own.stop].any():
            for a in own:
                one_more = x + np.eye(len(x), dtype=np.int64)[a]
                assert not is_feasible(instance, one_more) or breaks_more(instance, one_more, x)


def breaks_more(instance: Instance, new: Ints, old: Ints) -> bool:
    """Whether something that today's holdings break would be broken further again."""
    pairs = zip(overruns(instance, new), overruns(instance, old), strict=True)
    return any((after > before).any() for after, before in pairs)


@given(organizations())
def test_every_reason_is_a_fact_or_a_policy_and_names_others_only(organization: Organization) -> None:
    for project in organization.projects:
        for each in reasons(organization, project.name):
            assert (each.basis is Basis.POLICY) == (each.cause in POLICIES)
            assert project.name not in each.projects
