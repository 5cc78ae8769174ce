"""The allocation against ``models/allocation.mod``, solved by GLPK goal by goal."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import allocate
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.near import stay_near
from gpu_opt.files import load
from gpu_opt.indexing import build_instance
from gpu_opt.instance import MILLI, Instance
from gpu_opt.plan import Allocation
from tests.agreement.allocation_data import minimized, write_data
from tests.agreement.mathprog import MODELS, solve_model
from tests.solving import PROOF, proved
from tests.strategies import days, organizations

MODEL = MODELS / "allocation.mod"
SLACK = 1e-6
"""Relative and absolute: GLPK's tolerances on rows; earlier goals are held with it."""

INTEGRALITY = 1e-5
"""How far from a whole number GLPK may call a number whole (its `tol_int`)."""


@settings(max_examples=20)
@given(st.data())
def test_glpk_finds_the_same_distance_from_another_plan(data: st.DataObject) -> None:
    organization = data.draw(organizations())
    base = allocate(organization, options=replace(PROOF, time_limit=0.0))
    fewer = organization.model_copy(update={"projects": organization.projects[1:]})
    plan = allocate(fewer, options=PROOF, near=base)
    assert_best(stay_near(build_instance(fewer, fewer.as_of), base), plan)


def best_by_goal(instance: Instance, plan: Allocation) -> list[float]:
    """What GLPK reaches on every goal, those before it held at what the plan reaches."""
    goals = list_goals(instance)
    held = [
        goal.value + SLACK * (1 + abs(goal.value)) * (1 if goal.sense == "minimize" else -1)
        for goal in plan.goals
    ]
    best = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "allocation.dat"
        for position, goal in enumerate(goals):
            data.write_text(write_data(instance, goals, position, held), encoding="ascii")
            best.append(minimized(goal, solve_model(MODEL, data)))
    return best


def leeway(instance: Instance, goal: GoalSpec, value: float) -> float:
    """How far GLPK's best may be from the best: its tolerances on rows, and on every integer of the goal."""
    pools, arcs, projects = instance.pools, instance.arcs, instance.projects
    most = max(float(worth) for _, worth in instance.segments)
    units = 0.0
    for j, p, own in zip(arcs.project.tolist(), arcs.pool.tolist(), arcs.own.tolist(), strict=True):
        if goal.kind == "value":
            units += projects.priority[j] * most * own / MILLI if projects.tier[j] == goal.index else 0.0
        else:
            units += pools.unit[p] if goal.unit == "GPUs" else pools.unit_compute[p] / MILLI
    return SLACK * (1 + abs(value)) + INTEGRALITY * units


def assert_best(instance: Instance, plan: Allocation) -> None:
    """GLPK reaches the plan's value on every goal, and no better one."""
    goals = list_goals(instance)
    for goal, reached, best in zip(goals, plan.goals, best_by_goal(instance, plan), strict=True):
        assert reached.value == pytest.approx(best, rel=0, abs=leeway(instance, goal, best)), goal.name


@given(st.data())
def test_glpk_reaches_the_same_values(data: st.DataObject) -> None:
    organization = data.draw(organizations(max_projects=5, max_pools=3, max_teams=5, max_units=6))
    date = data.draw(days())
    plan = proved(organization, date)
    assert_best(build_instance(organization, date), plan)


@pytest.mark.parametrize("name", ["two_teams", "oversubscribed", "pinned_conflict"])
def test_glpk_reaches_what_is_derived_by_hand(name: str) -> None:
    organization = load(MODELS / "organizations" / f"{name}.yaml")
    plan = proved(organization)
    assert_best(build_instance(organization, organization.as_of), plan)


def two_teams_data() -> str:
    organization = load(MODELS / "organizations" / "two_teams.yaml")
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    reached = [8.001, 212.0, 71.8]
    head = (
        "organizations/two_teams.yaml for allocation.mod: its last goal, those before it held.\n"
        "Written by tests/agreement/allocation_data.py; a test says so if it is not what is written today."
    )
    return write_data(instance, goals, len(goals) - 1, reached, head)


def test_the_data_beside_the_model_are_those_of_two_teams() -> None:
    assert (MODELS / "allocation.dat").read_text(encoding="ascii") == two_teams_data()


def test_the_model_runs_with_the_data_beside_it() -> None:
    assert solve_model(MODEL, MODELS / "allocation.dat") == pytest.approx(4)  # GPUs moved
