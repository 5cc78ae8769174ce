"""The allocation against the best of all plans there are, on tiny organizations."""

from __future__ import annotations

import dataclasses
import itertools
import time
from fractions import Fraction
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulp import LpProblem

from gpu_opt import solver
from gpu_opt.allocation import allocate, search, stage
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.checker import lexicographic_value, verify
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Grant, Status, Stop
from gpu_opt.solver import Answer
from tests.breaking import replace_solver
from tests.brute_force import Values, best_allocation, rank
from tests.building import allocation, lab, pool, project
from tests.solving import PROOF
from tests.strategies import days, tiny_organizations

TINY = 1e-6


def stated(plan: Allocation) -> list[tuple[str, float]]:
    return [(goal.name, goal.value) for goal in plan.goals]


def approximately(values: Values) -> list[tuple[str, object]]:
    return [(name, pytest.approx(float(value), rel=TINY, abs=TINY)) for name, value in values]


@settings(max_examples=100)
@given(st.data())
def test_no_plan_of_a_tiny_organization_is_better(data: st.DataObject) -> None:
    organization, date = data.draw(tiny_organizations()), data.draw(days())
    best, _ = best_allocation(organization, date)
    plan = allocate(organization, date=date, options=PROOF)
    assert stated(plan) == approximately(best)
    assert plan.status is Status.OPTIMAL
    assert verify(organization, plan) == ()


@settings(max_examples=60)
@given(st.data())
def test_of_the_best_plans_the_nearest_is_chosen(data: st.DataObject) -> None:
    organization, date = data.draw(tiny_organizations()), data.draw(days())
    near = some_grants(data, organization)
    best, _ = best_allocation(organization, date, near)
    base = allocation(organization, {}).model_copy(update={"grants": near})
    plan = allocate(organization, date=date, options=PROOF, near=base)
    assert stated(plan) == approximately(best)
    assert plan.status is Status.OPTIMAL


def some_grants(data: st.DataObject, organization: Organization) -> tuple[Grant, ...]:
    """Grants of some plan, not necessarily of one that is possible."""
    units = data.draw(st.lists(st.integers(0, 3), min_size=9, max_size=9))
    pairs = itertools.product(organization.projects, organization.pools)
    return tuple(
        Grant(project=project.name, pool=pool.name, gpus=pool.unit * count)
        for (project, pool), count in zip(pairs, units, strict=False)
        if count
    )


@given(st.data())
def test_without_time_a_plan_is_there_that_claims_no_more_than_it_is(data: st.DataObject) -> None:
    organization, date = data.draw(tiny_organizations()), data.draw(days())
    best, _ = best_allocation(organization, date)
    plan = allocate(organization, date=date, options=dataclasses.replace(PROOF, time_limit=0.0))
    assert verify(organization, plan) == ()
    assert rank(lexicographic_value(organization, plan.grants, date)) <= rank(best)
    assert_bounds_hold(plan, best)
    if plan.status is Status.OPTIMAL:
        assert stated(plan) == approximately(best)


def only_parts(problem: LpProblem, options: Options, **how: object) -> Answer:
    """A CBC that is silent on whole programs: relaxations and neighbourhoods have to do."""
    if not problem.isMIP() or how.get("preprocess"):
        return solver.solve(problem, options, **how)  # type: ignore[arg-type]
    ends = time.monotonic() + float(str(how["seconds"]))
    while not options.cancel.is_set() and time.monotonic() < ends:
        time.sleep(0.01)
    return Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, None, 0.0)


def allocate_in_parts(organization: Organization) -> Allocation:
    with pytest.MonkeyPatch.context() as patch:
        replace_solver(patch, only_parts)
        patch.setattr(stage, "HEAD_START", 0.0)
        return allocate(organization, options=dataclasses.replace(PROOF, time_limit=1.5))


@settings(max_examples=12)
@given(tiny_organizations())
def test_neighbourhoods_alone_give_plans_with_bounds_that_hold(organization: Organization) -> None:
    best, _ = best_allocation(organization, organization.as_of)
    plan = allocate_in_parts(organization)
    assert verify(organization, plan) == ()
    assert rank(lexicographic_value(organization, plan.grants, plan.date)) <= rank(best)
    assert_bounds_hold(plan, best)


AS_LARGE: dict[str, list[tuple[ModuleType, str, float]]] = {
    "opened": [(search, "TINY", 0)],
    "and the whole last": [(search, "TINY", 0), (stage, "SMALL", 0)],
}
"""With a relaxation, its prices and its dive first, as in labs of hundreds of projects."""


@pytest.mark.parametrize("how", AS_LARGE)
@settings(max_examples=50)
@given(organization=tiny_organizations())
def test_a_lab_that_is_opened_as_a_large_one_has_a_plan_with_bounds_that_hold(
    how: str, organization: Organization
) -> None:
    best, _ = best_allocation(organization, organization.as_of)
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in AS_LARGE[how]:
            patch.setattr(module, name, value)
        plan = allocate(organization, options=dataclasses.replace(PROOF, time_limit=3.0))
    assert verify(organization, plan) == ()
    assert rank(lexicographic_value(organization, plan.grants, plan.date)) <= rank(best)
    assert_bounds_hold(plan, best)
    if plan.status is Status.OPTIMAL:
        assert stated(plan) == approximately(best)


def test_neighbourhoods_alone_find_what_handing_out_does_not() -> None:
    holders = [project(f"holder-{n}", 4, tier=2, holds={"iowa": 4}) for n in range(3)]
    newcomers = [project(f"newcomer-{n}", 4, minimum=4, priority=1 + n) for n in range(3)]
    organization = lab([pool(gpus=12)], projects=[*holders, *newcomers], max_moves=8)
    plan = allocate_in_parts(organization)
    assert stated(plan) == [("value_tier_1", 20), ("value_tier_2", 4), ("moves", 8)]


def assert_bounds_hold(plan: Allocation, best: Values) -> None:
    """What is said to be impossible is not done by the best plan, as far as the goals before it are equal."""
    for goal, (name, value) in zip(plan.goals, best, strict=True):
        better = Fraction(goal.bound) - value if goal.sense == "maximize" else value - Fraction(goal.bound)
        assert better >= -TINY * (1 + abs(value)), f"the best plan has {float(value)} on {name}"
        if abs(goal.value - value) > TINY * (1 + abs(value)):
            return
