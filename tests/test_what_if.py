"""What-ifs: scenarios solved near to the base, and what reaches whom."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.errors import InvalidInput
from gpu_opt.options import Options, Progress
from gpu_opt.organization import Delivery, Organization, Team
from gpu_opt.plan import Link, ScenarioOutcome, Status, WhatIf
from gpu_opt.scenario import Scenario, apply, what_if
from tests.building import day, delivery, lab, pool, project, team
from tests.solving import PROOF, gpus, proved
from tests.strategies import organizations

QUICK = dataclasses.replace(PROOF, time_limit=20.0)

BASE = lab(
    [pool("iowa", 16), pool("texas", 8), pool("ohio", 4, gpu_type="gb200")],
    teams=[team("research", cap=20), team("product")],
    projects=[
        project("orion", 16, "research", priority=2, sites=("iowa",)),
        project("lyra", 8, "product", sites=("texas",)),
        project("vega", 8, "product", sites=("iowa", "texas")),
        project("rigel", 20, "research", speeds={"gb200": 2.5}, starts=day(5)),
    ],
    deliveries=[delivery("ohio", 4, on=3)],
)


def scenario(*changes: dict[str, Any], name: str = "test") -> Scenario:
    return Scenario.model_validate({"name": name, "changes": changes})


def outcome(*changes: dict[str, Any], organization: Organization = BASE) -> ScenarioOutcome:
    """What comes out of one scenario with these changes."""
    (found,) = what_if(organization, scenario(*changes), options=QUICK).scenarios
    assert verify(apply(organization, scenario(*changes).changes), found.plan) == ()
    return found


def differences(found: ScenarioOutcome) -> dict[str, dict[str, int]]:
    return {one.project: one.by_pool for one in found.comparison.projects}


def grounds(found: ScenarioOutcome) -> dict[str, list[tuple[int, Link, str]]]:
    return {
        one.project: [(each.change, each.link, each.subject) for each in one.grounds]
        for one in found.comparison.projects
    }


# --- What comes out -----------------------------------------------------------------------------------


def test_what_a_scenario_takes_from_one_another_one_gets() -> None:
    found = outcome({"change": "resize_project", "project": "orion", "demand": 8})
    assert differences(found) == {"orion": {"iowa": -8}, "vega": {"iowa": 8}}
    assert found.changes == ("resize project: project orion, demand 8",)


def test_scenarios_stand_beside_the_base_in_the_order_asked_for() -> None:
    asked = [
        scenario({"change": "end_project", "project": name}, name=f"without {name}")
        for name in ("orion", "lyra")
    ]
    found = what_if(BASE, asked, options=QUICK)
    assert found.base == what_if(BASE, [], options=QUICK, base=found.base).base
    assert [one.scenario for one in found.scenarios] == ["without orion", "without lyra"]
    assert [gpus(one.plan).get("vega", 0) for one in found.scenarios] == [8, 8]
    assert all(one.comparison.before.as_of == BASE.as_of for one in found.scenarios)


def test_a_base_that_is_given_is_not_solved_again() -> None:
    base = proved(BASE)
    phases: list[Progress] = []
    options = dataclasses.replace(QUICK, progress=phases.append)
    found = what_if(BASE, scenario(), options=options, base=base)
    assert found.base is base
    assert sum(progress.phase == "building" for progress in phases) == 1


def test_a_change_that_does_not_apply_is_told_before_anything_is_solved() -> None:
    phases: list[Progress] = []
    misnamed = scenario({"change": "end_project", "project": "orio"})
    asked = [scenario(), misnamed, scenario({"change": "set_cap", "team": "visio", "cap": 8})]
    with pytest.raises(InvalidInput, match="no project 'orio'; did you mean 'orion'") as caught:
        what_if(BASE, asked, options=dataclasses.replace(QUICK, progress=phases.append))
    assert phases == []
    paths = [f"{misnamed.name}: changes[0].project", f"{misnamed.name}: changes[0].team"]
    assert [each.path for each in caught.value.problems] == paths


def test_the_time_limit_is_for_all_solves_together() -> None:
    found = what_if(BASE, [scenario(), scenario()], options=dataclasses.replace(QUICK, time_limit=9.0))
    limits = [found.base.run.time_limit, *(one.plan.run.time_limit for one in found.scenarios)]
    assert limits[0] <= 0.4 * 9
    assert all(limit <= 9 for limit in limits)


def test_who_cancels_keeps_what_is_solved_by_then() -> None:
    options = Options(threads=1)
    begun: list[Progress] = []

    def cancel_in_the_second(progress: Progress) -> None:
        begun.extend([progress] if progress.phase == "building" else [])
        if len(begun) == 3:  # the base, the first scenario, the second
            options.cancel.set()

    options = dataclasses.replace(options, progress=cancel_in_the_second)
    found = what_if(BASE, [scenario(name=str(n)) for n in range(4)], options=options)
    assert [one.scenario for one in found.scenarios] == ["0", "1"]


def test_the_result_is_the_same_after_a_trip_through_json() -> None:
    found = what_if(BASE, scenario({"change": "set_cap", "team": "research", "cap": None}), options=QUICK)
    assert WhatIf.model_validate_json(found.model_dump_json()) == found


# --- Because of which change --------------------------------------------------------------------------


def test_a_change_reaches_the_project_that_it_is_about_and_from_there_who_shares_its_pool() -> None:
    found = outcome({"change": "resize_project", "project": "orion", "demand": 8})
    assert grounds(found) == {
        "orion": [(0, Link.PROJECT, "orion")],
        "vega": [(0, Link.KNOCK_ON, "iowa")],
    }


def test_a_change_of_a_team_reaches_those_under_it_and_one_of_a_pool_those_in_it() -> None:
    assert grounds(outcome({"change": "set_cap", "team": "research", "cap": 4}))["orion"] == [
        (0, Link.TEAM, "research")
    ]
    assert grounds(outcome({"change": "lose_pool", "pool": "texas"})) == {"lyra": [(0, Link.POOL, "texas")]}


def test_of_two_changes_each_project_has_those_that_reach_it() -> None:
    found = outcome(
        {"change": "end_project", "project": "lyra"},
        {"change": "add_project", "name": "nova", "team": "lab", "demand": 4, "sites": ["ohio"]},
    )
    assert grounds(found) == {
        "lyra": [(0, Link.PROJECT, "lyra")],
        "nova": [(1, Link.PROJECT, "nova")],
        "vega": [(0, Link.KNOCK_ON, "texas")],
    }


def test_the_policy_and_the_date_are_everybodys() -> None:
    organization = lab(
        projects=[project("orion", 8, holds={"iowa": 8}), project("lyra", 16, priority=3)], max_moves=0
    )
    found = outcome({"change": "set_policy", "max_moves": None}, organization=organization)
    assert grounds(found) == {"orion": [(0, Link.POLICY, "")], "lyra": [(0, Link.POLICY, "")]}
    later = outcome({"change": "move_date", "to": str(day(6))})
    assert grounds(later)["rigel"] == [(0, Link.POOL, "ohio")]
    starts = lab(projects=[project("rigel", 8, starts=day(5))])
    moved = outcome({"change": "move_date", "to": str(day(6))}, organization=starts)
    assert grounds(moved) == {"rigel": [(0, Link.DATE, "")]}


# --- Laws ---------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(organizations())
def test_a_scenario_that_changes_nothing_changes_nothing(organization: Organization) -> None:
    (found,) = what_if(organization, scenario(), options=QUICK).scenarios
    assert found.comparison.is_empty
    assert found.plan.status is Status.OPTIMAL


@settings(max_examples=15)
@given(organizations(), st.floats(0.0, 0.5))
def test_nor_does_it_where_the_base_is_not_proved(organization: Organization, gap: float) -> None:
    base = allocate(organization, options=dataclasses.replace(PROOF, gap=gap))
    options = dataclasses.replace(PROOF, gap=gap)
    (found,) = what_if(organization, scenario(), options=options, base=base).scenarios
    if all(goal.gap <= 0.01 for goal in base.goals):
        assert found.comparison.projects == ()


@settings(max_examples=25)
@given(organizations(), st.sampled_from(("project", "pool", "delivery", "moves")))
def test_an_irrelevant_change_moves_nothing(organization: Organization, kind: str) -> None:
    """A project that starts later, a pool where nobody runs, a delivery of another day, moves to spare."""
    first = organization.pools[0]
    described: dict[str, dict[str, Any]] = {
        "project": {
            "change": "add_project",
            "name": "later",
            "team": organization.teams[0].name,
            "demand": 5,
            "starts": day(9),
        },
        "pool": {"change": "add_pool", "name": "apart", "gpu_type": "h100", "site": "apart", "gpus": 0},
        "delivery": {
            "change": "add_delivery",
            "pool": first.name,
            "gpus": first.unit,
            "on": day(9),
        },
        "moves": {"change": "set_policy", "reallocation": {"idle": 3.0}},
    }
    (found,) = what_if(organization, scenario(described[kind]), options=QUICK).scenarios
    assert found.comparison.projects == ()


@settings(max_examples=25)
@given(organizations(), st.data())
def test_a_higher_cap_another_pool_or_an_earlier_delivery_is_never_worse(
    organization: Organization, data: st.DataObject
) -> None:
    """Nothing but what percentages and guarantees turn on: those are taken out."""

    def budget(one: Team) -> Team:
        cap = None if isinstance(one.cap, str) else one.cap
        return one.model_copy(update={"guarantee": None, "cap": cap})

    plain = organization.model_copy(update={"teams": tuple(budget(one) for one in organization.teams)})
    changes: list[dict[str, Any]] = [
        {"change": "set_cap", "team": one.name, "cap": None} for one in plain.teams
    ]
    kind, site = data.draw(st.sampled_from([(one.gpu_type, one.site) for one in plain.pools]))
    changes += [
        {"change": "add_pool", "name": "another pool", "gpu_type": kind, "site": site, "gpus": 3, "unit": 1}
    ]
    later = plain.pools[0]
    awaited = Delivery(pool=later.name, gpus=2 * later.unit, on=day(7))
    plain = plain.model_copy(update={"deliveries": (awaited,)})
    changes += [{"change": "delay_delivery", "pool": later.name, "on": str(day(7)), "to": str(plain.as_of)}]
    chosen = data.draw(st.sampled_from(changes))
    found = what_if(plain, scenario(chosen), options=QUICK)
    (after,) = found.scenarios
    old = {goal.name: goal.value for goal in found.base.goals}
    for goal in after.plan.goals:
        if goal.name not in old or goal.name == "changes":
            continue
        gain = goal.value - old[goal.name] if goal.sense == "maximize" else old[goal.name] - goal.value
        assert gain >= -1e-5 * (1 + abs(goal.value))
        if abs(gain) > 1e-6:
            break
