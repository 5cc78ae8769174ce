"""Uniting projects that are alike loses no plan and makes none up, where everything can be tried."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gpu_opt import Options, allocate
from gpu_opt.allocation.appraisal import appraise, is_feasible, trivial_bound
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.merging import merge
from gpu_opt.allocation.reduction import reduce
from gpu_opt.allocation.uniting import United, unite
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.organization import Organization, Project
from tests.building import lab, pool, project
from tests.properties.all_plans import as_maxima, plans
from tests.strategies import tiny_organizations


@st.composite
def with_equals(draw: st.DrawFn) -> Organization:
    """A tiny organization whose first project is two or three that ask for less than a unit each."""
    organization = draw(tiny_organizations())
    if not organization.projects:
        return organization
    first, *others = organization.projects
    demand = draw(st.sampled_from((0.25, 0.5, 1.0)))
    minimum = draw(st.sampled_from((0.0, demand)))
    some = draw(st.sampled_from(organization.pools)) if organization.pools else None
    equals = []
    for number in range(draw(st.integers(2, 3))):
        holds = {some.name: some.unit} if some is not None and draw(st.booleans()) else {}
        changed = {
            "name": f"{first.name} {number}",
            "demand": demand,
            "minimum": minimum,
            "holds": holds,
            "pinned": False,
        }
        equals.append(first.model_copy(update=changed))
    return organization.model_copy(update={"projects": (*equals, *others[:1])})


def instance_of(organization: Organization) -> Instance:
    """As the search has it: pools that are alike are merged, and what no plan can use is gone."""
    return reduce(merge(build_instance(organization, organization.as_of)).instance).instance


@settings(max_examples=150)
@given(with_equals())
def test_every_plan_is_no_better_than_its_united_one_which_comes_back_as_it_is(
    organization: Organization,
) -> None:
    instance = instance_of(organization)
    united, goals = unite(instance), list_goals(instance)
    event(f"united: {len(united.members) < len(instance.projects.names)}")
    for goal in goals:
        assert trivial_bound(united.instance, goal) == pytest.approx(trivial_bound(instance, goal))
    for x in plans(instance):
        y = united.collapse(x)
        assert is_feasible(united.instance, y)
        before, after = as_maxima(goals, instance, x), as_maxima(goals, united.instance, y)
        assert all(new >= old - 1e-9 for old, new in zip(before, after, strict=True))
    for y in plans(united.instance):
        x = united.expand(y, instance)
        assert is_feasible(instance, x)
        assert united.collapse(x).tolist() == y.tolist()
        assert appraise(united.instance, goals, y) == pytest.approx(appraise(instance, goals, x))


POOLS = [pool("iowa", gpus=2), pool("texas", gpus=2, gpu_type="h200")]


def unite_projects(*projects: Project) -> tuple[United, Instance]:
    instance = instance_of(lab(POOLS, projects=projects))
    return unite(instance), instance


def test_who_holds_a_unit_keeps_it_and_who_comes_first_has_what_is_left() -> None:
    pods = [project(f"pod {n}", 0.5, holds={"texas": 1} if n == 2 else {}) for n in range(4)]
    united, instance = unite_projects(*pods, project("orion", 2))
    assert united.members == ((0, 1, 2, 3), (4,))
    assert united.instance.arcs.upper.tolist() == [2, 2, 2, 2]
    assert united.instance.arcs.wanted.tolist() == [0, 1, 0, 0]
    x = united.expand(np.array([1, 2, 1, 0]), instance)
    assert x.tolist() == [1, 0, 0, 1, 0, 1, 0, 0, 1, 0]


def test_who_differs_in_what_counts_stays_apart() -> None:
    pod = project("pod", 0.5)
    others = [
        project("longer", 1),
        project("dearer", 0.5, priority=2),
        project("later", 0.5, tier=2),
        project("pinned", 0.5, holds={"iowa": 1}, pinned=True),
        project("elsewhere", 0.5, pools=("iowa",)),
        project("larger", 1.5),
    ]
    for other in others:
        assert unite_projects(pod, other)[0].members == ((0,), (1,)), other.name
    assert unite_projects(pod, project("twin", 0.5, minimum=0.5))[0].members == ((0, 1),)


@pytest.mark.parametrize(
    ("value", "is_united"),
    [
        (((1.0, 1.0),), True),
        (((0.5, 1.0), (0.5, 0.6)), True),
        (((0.5, 3.0), (0.5, 2.0)), False),  # 2.5 / 3 is no decimal number
        (((1.0, 0.0),), False),
    ],
)
def test_projects_are_united_where_their_common_priority_is_a_number(
    value: tuple[tuple[float, float], ...], is_united: bool
) -> None:
    organization = lab(POOLS, projects=[project("pod", 0.5), project("twin", 0.5)], value=value)
    assert (len(unite(instance_of(organization)).members) == 1) is is_united


def test_of_merged_pools_too_equals_get_their_units_one_each() -> None:
    """Two pools that are alike are one, two pods are one, and who has to be in one pool stays as it is."""
    pods = [project("pod", 0.5), project("twin", 0.5)]
    two = [pool("iowa", gpus=2), pool("texas", gpus=2)]
    organization = lab(two, projects=[*pods, project("orion", 2, one_pool=True)])
    whole = build_instance(organization, organization.as_of)
    merged = merge(whole)
    reduced = reduce(merged.instance)
    united = unite(reduced.instance)
    assert (len(merged.instance.arcs.pool), united.members) == (4, ((0, 1), (2,)))
    x = merged.expand(
        reduced.expand(united.expand(np.array([2, 2, 0]), reduced.instance), merged.instance), whole
    )
    assert is_feasible(whole, x)
    assert x.tolist() == [0, 1, 0, 1, 2, 0]


def test_what_is_met_without_a_solver_is_proved_without_one() -> None:
    pods = [project(f"pod {n}", 0.5) for n in range(3)]
    organization = lab(projects=pods, value=((0.5, 1.0), (0.5, 0.6)))
    assert allocate(organization, options=Options(time_limit=0)).status == "optimal"


def test_where_holdings_exceed_a_pool_as_many_may_stay_as_today() -> None:
    pods = [project(f"pod {n}", 0.5, holds={"iowa": 1}) for n in range(3)]
    united, instance = unite_projects(*pods)
    assert (instance.pools.units[0], instance.pools.over[0]) == (2, 1)
    assert united.members == ((0, 1, 2),)
    assert united.instance.arcs.upper.tolist() == [3, 2]


def test_thousands_of_equals_are_one_and_the_plan_is_proved() -> None:
    pods = [project(f"pod {n}", 0.5, priority=1 + n % 2) for n in range(2000)]
    organization = lab([pool("iowa", gpus=700)], projects=pods, value=((0.5, 1.0), (0.5, 0.6)))
    plan = allocate(organization, options=Options(time_limit=60.0, threads=1))
    assert plan.status == "optimal"
    assert plan.run.removed["equals"] == 1998
    (value,) = (goal.value for goal in plan.goals if goal.name == "value_tier_1")
    assert value == pytest.approx(700 * 2 * 0.4)  # all to those of priority 2, each worth 0.25 + 0.15
