"""Organizations small enough to solve twice, and which of two plans is no worse."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from gpu_opt.budgets import resolve_budgets
from gpu_opt.checker.data import allocation_data
from gpu_opt.organization import Limit, Organization, Team
from gpu_opt.plan import Allocation
from tests.building import changed
from tests.solving import goals
from tests.strategies import organizations as drawn_organizations

law = settings(max_examples=settings().max_examples // 2)
"""Every example is solved to proof twice."""

ORDER = ("repair", "guarantee", "value", "moves")


def organizations() -> st.SearchStrategy[Organization]:
    return drawn_organizations(max_projects=4, max_pools=2, max_units=4)


def absolute(organization: Organization) -> Organization:
    """The same budgets as numbers, so that a larger fleet, or a higher cap, leaves the others as they are."""
    budgets = resolve_budgets(organization, organization.as_of)

    def stated(team: Team) -> Team:
        guarantee = budgets.guarantee.get(team.name)
        return changed(
            team,
            cap=float(budgets.cap[team.name]) if team.name in budgets.cap else None,
            guarantee=None if guarantee is None else int(guarantee * 1000) / 1000,
            limits={kind: Limit(cap=int(budgets.limit[team.name, kind])) for kind in team.limits},
        )

    return changed(organization, teams=tuple(stated(team) for team in organization.teams))


def without_guarantees(organization: Organization) -> Organization:
    return changed(organization, teams=tuple(changed(team, guarantee=None) for team in organization.teams))


def with_equal_targets(before: Organization, after: Organization) -> tuple[Organization, Organization]:
    """Both as they are if they promise the same, else both without guarantees.

    A guarantee promises no more than what could be used; where more could be used, more is promised, and
    missing it is no worse a plan.
    """
    targets = [allocation_data(each, each.as_of).targets for each in (before, after)]
    if targets[0] == targets[1]:
        return before, after
    return without_guarantees(before), without_guarantees(after)


def ranked(plan: Allocation, other: Allocation) -> list[tuple[str, float]]:
    """What is higher the better, goal by goal, for every goal that either plan has."""
    own, sense = goals(plan), {goal.name: goal.sense for goal in (*plan.goals, *other.goals)}

    def place(name: str) -> tuple[int, int]:
        kind, *index = name.split("_")
        return ORDER.index(kind), int(index[-1]) if index else 0

    return [
        (name, own.get(name, 0.0) * (1 if sense[name] == "maximize" else -1))
        for name in sorted(sense, key=place)
    ]


def assert_no_worse(after: Allocation, before: Allocation) -> None:
    """`after` is lexicographically at least as good as `before`."""
    for (name, new), (_, old) in zip(ranked(after, before), ranked(before, after), strict=True):
        tolerance = 1e-6 * (1 + abs(old))
        assert new >= old - tolerance, name
        if new > old + tolerance:
            return


def assert_same(after: Allocation, before: Allocation) -> None:
    assert_no_worse(after, before)
    assert_no_worse(before, after)
