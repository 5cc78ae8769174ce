"""What planners may rely on when they are told what would help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import assume, event, given, settings

from gpu_opt.checker.data import allocation_data
from gpu_opt.explanation import explain
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.organization import Organization, exact
from gpu_opt.plan import Allocation, Cause, Explanation, Grant, Lacks, Remedy, RemedyKind
from gpu_opt.scenario import Scenario, apply
from tests.brute_force import TooManyPlansError, best_allocations
from tests.solving import PROOF, proved
from tests.strategies import tiny_organizations

few = settings(max_examples=settings().max_examples // 4)
"""Every example is solved to proof dozens of times, and every plan is looked at."""

MOST = 3_000
"""Plans that are looked at for one change."""

FIELD = {
    RemedyKind.CAP: "cap",
    RemedyKind.LIMIT: "cap",
    RemedyKind.MOVES: "max_moves",
    RemedyKind.POOL: "gpus",
    RemedyKind.PRIORITY: "priority",
    RemedyKind.RANK: "priority",
    RemedyKind.OWN_GUARANTEE: "guarantee",
}
"""Changes that raise a number, by the field that has it."""

LOWERED = {RemedyKind.TIER: "tier"}
"""Changes that lower one, down to nothing at the least."""


@few
@given(tiny_organizations())
def test_a_change_is_enough_for_a_project_and_one_grain_less_is_not(organization: Organization) -> None:
    stated = in_numbers(organization, organization.as_of)
    plan = proved(stated)
    lacking = [each for each in plan.projects if each.active and each.reason.cause is not Cause.MET]
    assume(lacking)
    for each in lacking:
        assert_smallest(stated, explain(stated, plan, each.project, options=PROOF), plan)


@few
@given(tiny_organizations())
def test_a_change_is_enough_for_a_team_and_one_grain_less_is_not(organization: Organization) -> None:
    stated = in_numbers(organization, organization.as_of)
    plan = proved(stated)
    short = [each.team for each in plan.teams if each.shortfall]
    lacking = [each.team for each in plan.projects if each.active and each.reason.cause is not Cause.MET]
    assume(short or lacking)
    for team in dict.fromkeys((*short, *lacking[:1])):
        assert_smallest(stated, explain(stated, plan, team, options=PROOF), plan)


def assert_smallest(stated: Organization, found: Explanation, plan: Allocation) -> None:
    """Every change is enough in all best plans; one grain less is not, in one of them at least."""
    for remedy in found.remedies:
        if remedy.change is None:
            continue
        try:
            enough = best_plans(stated, remedy.change, plan)
            less = best_plans(stated, one_grain_less(remedy), plan)
        except TooManyPlansError:
            continue
        event(remedy.kind.value)
        assert all(has_what_it_lacked(stated, found, plan, each) for each in enough), remedy.text
        if remedy.is_smallest:
            assert not all(has_what_it_lacked(stated, found, plan, each) for each in less), remedy.text


def best_plans(
    stated: Organization, change: dict[str, Any] | None, plan: Allocation
) -> list[tuple[Grant, ...]]:
    if change is None:
        return best_allocations(stated, plan.date, MOST)
    scenario = Scenario.model_validate({"name": "remedy", "changes": [change]})
    return best_allocations(apply(stated, scenario.changes), plan.date, MOST)


def one_grain_less(remedy: Remedy) -> dict[str, Any] | None:
    """The change by one grain less; None: no change at all."""
    assert remedy.change is not None
    if remedy.amount == remedy.grain:
        return None
    if remedy.kind in LOWERED:
        field = LOWERED[remedy.kind]
        return remedy.change | {field: remedy.change[field] + int(remedy.grain)}
    if remedy.kind in FIELD:
        field = FIELD[remedy.kind]
        less = round(remedy.change[field] - remedy.grain, 6)
        return remedy.change | {field: less if isinstance(remedy.change[field], float) else int(less)}
    return None  # one that is lowered to nothing: without it at least


def has_what_it_lacked(
    stated: Organization, found: Explanation, plan: Allocation, grants: Sequence[Grant]
) -> bool:
    """By hand: a project has its demand, to within a unit; a team its promise, or what it lacks."""
    if found.kind == "project":
        return has_all(stated, grants, found.subject)
    data = allocation_data(stated, plan.date)
    unit = {pool.name: exact(stated.gpu_types[pool.gpu_type].speed) for pool in stated.pools}
    total = sum(
        (
            unit[each.pool] * each.gpus
            for each in grants
            if found.subject in chain(stated, team_of(stated, each.project))
        ),
        exact(0),
    )
    if found.lacks is Lacks.PROMISE:
        return total >= data.targets[found.subject]
    pools = {pool for name in found.projects for pool in data.scopes[name].speeds}
    largest = max((unit[pool] * data.fleet.unit[pool] for pool in pools), default=exact(0))
    more = max(exact(0), exact(round(found.missing, 3)) - largest)  # more than it has, in any case
    return total > exact(found.granted) + more


def team_of(stated: Organization, project: str) -> str:
    return next(each.team for each in stated.projects if each.name == project)


def chain(stated: Organization, team: str | None) -> list[str]:
    parents = {each.name: each.parent for each in stated.teams}
    found = []
    while team is not None:
        found.append(team)
        team = parents[team]
    return found


def has_all(stated: Organization, grants: Sequence[Grant], name: str) -> bool:
    project = next(each for each in stated.projects if each.name == name)
    pools = {pool.name: pool for pool in stated.pools}
    granted, units = exact(0), [exact(0)]
    for each in grants:
        if each.project == name:
            pool = pools[each.pool]
            kinds = {kind: gpu.speed for kind, gpu in stated.gpu_types.items()}
            speed = exact((project.speeds or kinds)[pool.gpu_type])
            granted += speed * each.gpus
            units.append(speed * pool.unit)
    return len(units) > 1 and exact(project.demand) - granted < max(units)
