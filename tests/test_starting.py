"""A plan to begin with: a candidate from the first moment, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given

from benchmarks.generator import Dials, generate
from gpu_opt import allocate
from gpu_opt.checker import verify
from gpu_opt.nightly import run_night
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.store import connection as store_connection
from gpu_opt.store import export_night
from tests.building import allocation, lab, pool, project
from tests.solving import PROOF, goals, grants
from tests.strategies import organizations, tiny_organizations

NO_TIME = Options(time_limit=0.0, threads=1)


@given(tiny_organizations())
def test_no_plan_is_worse_than_the_one_it_began_with(organization: Organization) -> None:
    best = allocate(organization, options=PROOF)
    again = allocate(organization, options=NO_TIME, start=best)
    assert goals(again) == goals(best)
    assert verify(organization, again) == ()


@given(organizations(), organizations())
def test_whatever_it_begins_with_a_plan_is_no_worse_than_without(
    organization: Organization, other: Organization
) -> None:
    """What no longer fits is left out."""
    start = allocate(other, options=NO_TIME)
    plan = allocate(organization, options=NO_TIME, start=start)
    assert verify(organization, plan) == ()
    for after, before in zip(plan.goals, allocate(organization, options=NO_TIME).goals, strict=True):
        gain = after.value - before.value if after.sense == "maximize" else before.value - after.value
        assert gain >= -1e-6
        if gain > 1e-6:
            break


def test_where_there_are_no_pools_there_is_nothing_to_begin_with() -> None:
    organization = lab([], projects=[project("orion", 8)])
    nothing = allocate(organization, options=NO_TIME)
    assert grants(allocate(organization, options=NO_TIME, start=nothing)) == {}


def test_a_plan_to_begin_with_is_no_goal() -> None:
    """The better plan is taken, however far it is from the first one."""
    pools = [pool("iowa", 8), pool("texas", 8)]
    organization = lab(pools, projects=[project("orion", 8, priority=3), project("lyra", 8, pools=["iowa"])])
    start = allocation(organization, {("orion", "iowa"): 8})
    plan = allocate(organization, options=PROOF, start=start)
    assert grants(plan) == {"orion": {"texas": 8}, "lyra": {"iowa": 8}}
    assert [goal.name for goal in plan.goals] == ["value_tier_1"]


def test_a_large_lab_begins_with_what_others_found() -> None:
    """It comes through all that is merged, removed and united."""
    organization = generate(Dials(projects=60, pools=8))
    best = allocate(organization, options=Options(threads=1, work_limit=24))
    worse = allocate(organization, options=NO_TIME)
    value = next(name for name in goals(best) if name.startswith("value"))
    assert goals(worse)[value] < goals(best)[value]
    again = allocate(organization, options=NO_TIME, start=best)
    assert goals(again)[value] >= goals(best)[value]


def test_a_night_begins_with_the_one_before(tmp_path: Path) -> None:
    organization, store = generate(Dials(projects=40, pools=6)), f"sqlite:///{tmp_path / 'plans.db'}"
    first = run_night(organization, store_url=store, options=Options(threads=1, work_limit=24))
    hurried = dataclasses.replace(NO_TIME, time_limit=0.001)
    again = run_night(organization, store_url=store, options=hurried)
    without = allocate(organization, options=NO_TIME)
    value = next(name for name in goals(without) if name.startswith("value"))
    assert goals(without)[value] < goals(first.allocation)[value]
    assert goals(again.allocation)[value] >= goals(first.allocation)[value]
    assert again.night is not None
    bundle = export_night(store, again.night)
    assert bundle["options"]["start"] == first.night
    assert bundle["start"] == [each.model_dump(mode="json") for each in first.allocation.grants]
    with store_connection.transaction(store, write=True) as connection:
        connection.execute(sa.text("DELETE FROM plans WHERE night_id = :night"), {"night": first.night})
    assert export_night(store, again.night)["start"] is None
