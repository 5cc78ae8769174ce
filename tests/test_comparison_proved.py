"""Two allocations side by side: what is proved of their difference, and the laws of every comparison."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import allocate
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Comparison, Decided, Difference, Status, Stop
from gpu_opt.scenario import compare
from tests.building import allocation, changed, day, lab, project, team
from tests.solving import PROOF, proved
from tests.strategies import organizations

# --- What is proved -----------------------------------------------------------------------------------


def with_bounds(plan: Allocation, **bounds: float) -> Allocation:
    """The plan, with goals that are not proved: by name, the bound."""
    goals = tuple(
        goal.model_copy(update={"bound": bounds[goal.name], "stop": Stop.TIME})
        if goal.name in bounds
        else goal
        for goal in plan.goals
    )
    bound = plan.objective + sum(abs(goal.bound - goal.value) for goal in goals if goal.sense == "maximize")
    fields = {"goals": goals, "bound": bound, "status": Status.FEASIBLE, "stop": Stop.TIME}
    return plan.model_copy(update=fields)


def valued(gpus: int, bound: float | None = None, demand: float = 16) -> Allocation:
    """A plan worth so much, at most `bound`; with the same demand they are of the same organization."""
    plan = allocation(lab(projects=[project("orion", demand)]), {("orion", "iowa"): gpus})
    return plan if bound is None else with_bounds(plan, value_tier_1=bound)


def first(found: Comparison) -> tuple[float, float, Decided]:
    goal = found.goals[0]
    return goal.least, goal.most, goal.decided


def open_figures(found: Comparison) -> set[str]:
    return {figure.name for figure in found.figures if figure.is_open}


def test_a_difference_within_what_the_solves_leave_open_is_no_difference() -> None:
    found = compare(valued(8, bound=10), valued(9, bound=9.5, demand=15))
    assert first(found) == (-1, 1.5, Decided.OPEN)
    assert open_figures(found) == {"objective", "granted", "gpus", "idle"}


@pytest.mark.parametrize(
    ("before", "after", "decided"), [((8, 10), (11, 12), Decided.BETTER), ((8, 10), (6, 7), Decided.WORSE)]
)
def test_a_difference_beyond_it_is_proved(
    before: tuple[int, float], after: tuple[int, float], decided: Decided
) -> None:
    found = compare(valued(*before), valued(*after, demand=15))
    assert first(found) == (after[0] - before[1], after[1] - before[0], decided)
    assert open_figures(found) == set()


def test_less_is_better_of_what_is_minimized() -> None:
    def short(gpus: int, bound: float, cap: float) -> Allocation:
        organization = lab(
            teams=[team("research", guarantee=8, cap=cap)], projects=[project("orion", 8, "research")]
        )
        return with_bounds(allocation(organization, {("orion", "iowa"): gpus}), guarantee_level_1=bound)

    found = compare(short(2, 5, 12), short(4, 1, 11))
    assert first(found) == (
        1 - short(2, 5, 12).goals[0].value,
        short(4, 1, 11).goals[0].value - 5,
        Decided.BETTER,
    )
    assert compare(short(2, 2, 12), short(4, 1, 11)).goals[0].decided is Decided.OPEN


def test_of_one_organization_nothing_differs_but_by_chance() -> None:
    found = compare(valued(8, bound=16), valued(16))
    assert first(found) == (0, 0, Decided.SAME)
    assert open_figures(found) == {"objective", "granted", "gpus", "idle", "projects_met"}


def test_a_tier_that_only_one_of_the_plans_has_is_proved_to_be_worth_nothing_in_the_other() -> None:
    late = allocation(lab(projects=[project("orion", 16), project("lyra", 4, tier=2)]), {("lyra", "iowa"): 4})
    found = compare(valued(8), late)
    assert [(one.goal, one.before, one.after, one.decided) for one in found.goals] == [
        ("value_tier_1", 8, 0, Decided.WORSE),
        ("value_tier_2", 0, 4, Decided.BETTER),
    ]


@settings(max_examples=30)
@given(organizations(), st.data())
def test_what_is_proved_of_a_difference_holds_for_the_best_plans(
    organization: Organization, data: st.DataObject
) -> None:
    """Of the first goal that either has: of later ones it holds among plans that do as well before."""
    left_out = data.draw(st.sampled_from(organization.projects)).name
    fewer = tuple(one for one in organization.projects if one.name != left_out)
    other = organization.model_copy(update={"projects": fewer})
    at_once, quick = (replace(PROOF, time_limit=limit) for limit in (0.0, 0.05))
    found = compare(allocate(organization, options=at_once), allocate(other, options=quick))
    best = compare(proved(organization), proved(other))
    if found.goals:
        told, true = found.goals[0], best.goals[0].after - best.goals[0].before
        noise = 1e-6 * (1 + abs(true))
        assert told.least - noise <= true <= told.most + noise
        sign = 1 if told.sense == "maximize" else -1
        if told.decided in TURNED:
            assert (sign * true > 0) == (told.decided is Decided.BETTER)


# --- Laws ---------------------------------------------------------------------------------------------


@given(organizations())
def test_a_plan_compared_with_itself_does_not_differ(organization: Organization) -> None:
    plan = proved(organization)
    found = compare(plan, plan)
    assert found.is_empty
    assert found.before == found.after
    assert (found.gained, found.lost) == (0, 0)
    assert all(figure.before == figure.after and not figure.is_open for figure in found.figures)
    assert {(one.least, one.most, one.decided) for one in found.goals} <= {(0, 0, Decided.SAME)}


@given(organizations(), st.data())
def test_compared_the_other_way_round_everything_is_mirrored(
    organization: Organization, data: st.DataObject
) -> None:
    """Also where one of them is not proved: it ends at once."""
    left_out = data.draw(st.sampled_from(organization.projects)).name
    fewer = tuple(one for one in organization.projects if one.name != left_out)
    at_once = replace(PROOF, time_limit=data.draw(st.sampled_from((0.0, 60.0))))
    one = allocate(organization, options=at_once)
    other = proved(organization.model_copy(update={"projects": fewer}), day(3))
    forth, back = compare(one, other), compare(other, one)
    assert by_name(back) == by_name(mirrored(forth))


TURNED = {Decided.BETTER: Decided.WORSE, Decided.WORSE: Decided.BETTER}
MIRRORED = {Difference.NEW: Difference.GONE, Difference.GONE: Difference.NEW}
OPPOSITE = {"met": "broken", "broken": "met", "closer": "further", "further": "closer"}


def mirrored(found: Comparison) -> Comparison:
    """The comparison with before and after exchanged, field by field."""

    def turned(one: Any, **fields: Any) -> Any:
        if hasattr(one, "difference"):
            fields["difference"] = MIRRORED.get(one.difference, one.difference)
        return changed(one, before=one.after, after=one.before, **fields)

    return turned(  # type: ignore[no-any-return]
        found,
        figures=tuple(turned(one) for one in found.figures),
        goals=tuple(
            turned(one, least=-one.most, most=-one.least, decided=TURNED.get(one.decided, one.decided))
            for one in found.goals
        ),
        gained=found.lost,
        lost=found.gained,
        projects=tuple(
            turned(
                one,
                compute_before=one.compute_after,
                compute_after=one.compute_before,
                by_pool={name: -gpus for name, gpus in one.by_pool.items()},
            )
            for one in found.projects
        ),
        teams=tuple(turned(one) for one in found.teams),
        pools=tuple(turned(one) for one in found.pools),
        guarantees=tuple(turned(one, verdict=OPPOSITE[one.verdict]) for one in found.guarantees),
    )


def by_name(found: Comparison) -> Comparison:
    """The comparison with its lists in an order that does not hang on which plan comes first."""
    return changed(
        found,
        teams=tuple(sorted(found.teams, key=lambda one: one.team)),
        pools=tuple(sorted(found.pools, key=lambda one: one.pool)),
    )
