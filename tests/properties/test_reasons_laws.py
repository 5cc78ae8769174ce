"""What planners may rely on when they are told why."""

from __future__ import annotations

import numpy as np
from hypothesis import event, given, settings

from gpu_opt.allocation.appraisal import is_feasible, overruns
from gpu_opt.budgets import resolve_budgets
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization, runs_in
from gpu_opt.plan import POLICIES, Basis, Cause, Reason
from gpu_opt.scenario import apply
from gpu_opt.scenario.changes import AddDelivery, SetCap, SetLimit
from tests.building import changed
from tests.solving import goals, proved, reasons, units
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


RELIEVED = {Cause.TEAM_CAP, Cause.TYPE_LIMIT, Cause.POOLS_FULL}


@settings(max_examples=settings().max_examples // 2)
@given(organizations())
def test_without_the_only_reason_there_is_a_better_plan(organization: Organization) -> None:
    """Of what budgets and pools leave: the others hang on what somebody else would lose.

    And of projects that could have something: what no plan can give at all, others may come first for.
    """
    stated = in_numbers(without_guarantees(organization), organization.as_of)
    plan = proved(stated)
    projects = build_instance(stated, plan.date).projects
    able = {name for name, own in zip(projects.names, projects.arcs, strict=True) if own}
    for outcome in plan.projects:
        found = reasons(stated, outcome.project)
        if outcome.project in able and len(found) == 1 and found[0].cause in RELIEVED:
            event(found[0].cause.value)
            better = goals(proved(relieved(stated, found[0], outcome.project)))
            assert is_better(better, goals(plan)), (outcome.project, found[0].text)


def without_guarantees(organization: Organization) -> Organization:
    """Nothing is promised, so that nobody is promised more where there is more."""
    teams = tuple(changed(team, guarantee=None) for team in organization.teams)
    return changed(organization, teams=teams)


def relieved(organization: Organization, reason: Reason, project: str) -> Organization:
    """The organization without the cap or limits, or with as many GPUs more as the project could use.

    A cap of the whole fleet, which says nothing today, is not to stand in the way of a larger one.
    """
    subject = str(reason.subject)
    if reason.cause is Cause.TEAM_CAP:
        return apply(organization, [SetCap(team=subject, cap=None)])
    if reason.cause is Cause.TYPE_LIMIT:
        limited = next(team for team in organization.teams if team.name == subject)
        return apply(
            organization, [SetLimit(team=subject, gpu_type=kind, cap=None) for kind in limited.limits]
        )
    wanted = next(each for each in organization.projects if each.name == project)
    more = [
        AddDelivery(pool=pool.name, gpus=(int(10 * wanted.demand) + 1) * pool.unit, on=organization.as_of)
        for pool in organization.pools
        if runs_in(wanted, pool)
    ]
    fleet = float(resolve_budgets(organization, organization.as_of).fleet)
    whole = [team.name for team in organization.teams if isinstance(team.cap, float) and team.cap >= fleet]
    return apply(organization, [*more, *(SetCap(team=name, cap=None) for name in whole)])


def is_better(new: dict[str, float], old: dict[str, float]) -> bool:
    """By what is broken, then by the value of each tier; a goal that is not there is 0."""
    names = [name for name in new | old if name.startswith("repair")]
    names += sorted(name for name in new | old if name.startswith("value"))
    for name in names:
        gain = new.get(name, 0.0) - old.get(name, 0.0)
        if abs(gain) > 1e-5 * (1 + abs(old.get(name, 0.0))):
            return gain < 0 if name.startswith("repair") else gain > 0
    return False
