"""Merging alike pools loses no plan and makes none up, on instances small enough to try everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from gpu_opt.allocation.appraisal import is_feasible
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.merging import merge
from gpu_opt.indexing import build_instance
from gpu_opt.organization import Organization
from tests.building import lab, pool, project
from tests.properties.all_plans import as_maxima, plans
from tests.strategies import tiny_organizations


def of_one_type(organization: Organization) -> Organization:
    """The organization with pools of a single type, as many units of one GPU each; only the first project
    has to be at certain sites, or in certain pools."""
    kind = organization.pools[0].gpu_type
    unit = {each.name: each.unit for each in organization.pools}
    return organization.model_copy(
        update={
            "pools": tuple(
                each.model_copy(update={"gpu_type": kind, "unit": 1, "gpus": each.gpus // each.unit})
                for each in organization.pools
            ),
            "deliveries": tuple(
                each.model_copy(update={"gpus": each.gpus // unit[each.pool]})
                for each in organization.deliveries
            ),
            "teams": tuple(
                each.model_copy(update={"limits": dict(zip((kind,), each.limits.values(), strict=False))})
                for each in organization.teams
            ),
            "projects": tuple(
                each.model_copy(
                    update={
                        "speeds": None,
                        "sites": None if j else each.sites,
                        "pools": None if j else each.pools,
                        "holds": {name: gpus // unit[name] for name, gpus in each.holds.items()},
                    }
                )
                for j, each in enumerate(organization.projects)
            ),
        }
    )


@settings(max_examples=150)
@given(tiny_organizations())
def test_every_plan_is_one_of_the_merged_instance_and_comes_back_no_worse(organization: Organization) -> None:
    instance = build_instance(of_one_type(organization), organization.as_of)
    merged = merge(instance)
    goals = list_goals(instance)
    for x in plans(instance):
        y = merged.collapse(x, instance)
        assert is_feasible(merged.instance, y)
        assert as_maxima(goals, merged.instance, y) == pytest.approx(as_maxima(goals, instance, x))
    for y in plans(merged.instance):
        x = merged.expand(y, instance)
        assert is_feasible(instance, x)
        before, after = as_maxima(goals, merged.instance, y), as_maxima(goals, instance, x)
        assert all(new >= old - 1e-9 for old, new in zip(before, after, strict=True))


def test_who_may_be_spread_has_one_arc_for_pools_that_are_alike_and_one_for_what_it_holds() -> None:
    orion = project("orion", 8, holds={"iowa": 2})
    lyra = project("lyra", 8, one_pool=True)
    instance = build_instance(
        organization := lab([pool("iowa", gpus=4), pool("texas", gpus=4)], projects=[orion, lyra]),
        organization.as_of,
    )
    merged = merge(instance)
    assert merged.arcs.tolist() == [0, -1, 2, 3]
    assert merged.instance.arcs.upper.tolist() == [2, 8, 4, 4]
    assert merged.instance.pools.units == (4, 4, 8)
    (limit,) = merged.instance.limits
    assert (limit.gpus, limit.arcs.tolist()) == (8, [0, 1, 2, 3])
    # orion keeps 2 of Iowa and has 2 of either, lyra is in Texas
    assert merged.expand(np.array([2, 2, 0, 4]), instance).tolist() == [4, 0, 0, 4]


def test_a_project_is_split_between_pools_only_where_none_has_room_for_all_of_it() -> None:
    projects = [project("orion", 5), project("lyra", 3), project("vega", 4)]
    organization = lab([pool("iowa", gpus=6), pool("texas", gpus=6)], projects=projects)
    instance = build_instance(organization, organization.as_of)
    expanded = merge(instance).expand(np.array([5, 3, 4]), instance)
    assert expanded.tolist() == [5, 0, 1, 2, 0, 4]
    expanded = merge(instance).expand(np.array([3, 3, 4]), instance)
    assert expanded.tolist() == [0, 3, 0, 3, 4, 0]


def test_pools_that_differ_for_a_project_stay_apart() -> None:
    """At one site only, in another unit, or where today's holdings exceed one of them."""
    everywhere, here = project("orion", 8), project("lyra", 8, sites=("iowa",))
    two = [pool("iowa", gpus=8, site="iowa"), pool("texas", gpus=8, site="texas")]

    def arcs(organization: Organization) -> list[int]:
        return [int(a) for a in merge(build_instance(organization, organization.as_of)).arcs]

    assert arcs(lab(two, projects=[everywhere, here])) == [-1, 2]
    assert arcs(lab([two[0], pool("texas", gpus=8, unit=4)], projects=[everywhere])) == [0, 1]
    over = project("vega", 9, holds={"iowa": 9})
    assert arcs(lab(two, projects=[everywhere, over])) == [0, 1, 2, 3]
