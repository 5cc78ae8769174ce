"""Changes that do not apply to an organization, or lead to an error in it: each says why, all at once."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_opt.errors import InvalidInput
from gpu_opt.organization import Organization
from gpu_opt.scenario import apply
from tests.building import TODAY, day, delivery, lab, pool, team
from tests.changing import BASE, changes, parts


def misfits(*described: dict[str, Any], organization: Organization = BASE) -> dict[str, str]:
    """The problems of changes, by path."""
    with pytest.raises(InvalidInput) as refused:
        apply(organization, changes(*described))
    return {problem.path: problem.message for problem in refused.value.problems}


def test_every_change_that_does_not_apply_says_so_at_once() -> None:
    found = misfits(
        {"change": "set_cap", "team": "research", "cap": 15},
        {"change": "end_project", "project": "orio"},
        {"change": "set_limit", "team": "reserach", "gpu_type": "gb20", "cap": 4},
        {"change": "add_project", "name": "nova", "team": "labs", "demand": 4},
        {"change": "add_delivery", "pool": "txas", "gpus": 1, "on": "2026-12-01"},
    )
    assert found == {
        "changes[1].project": "no project 'orio'; did you mean 'orion'?",
        "changes[2].team": "no team 'reserach'; did you mean 'research'?",
        "changes[2].gpu_type": "no GPU type 'gb20'; did you mean 'gb200'?",
        "changes[3].team": "no team 'labs'; did you mean 'lab'?",
        "changes[4].pool": "no pool 'txas'; did you mean 'texas'?",
    }


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"change": "add_project", "name": "orion", "team": "lab", "demand": 1},
            ".name",
            "a project 'orion' al",
        ),
        (
            {"change": "add_pool", "name": "texas", "gpu_type": "h100", "site": "x", "gpus": 1},
            ".name",
            "there is a pool 'texas' already",
        ),
        (
            {"change": "end_project", "project": "lyra", "on": day(30)},
            ".on",
            "'lyra' ends on 2026-12-13 already",
        ),
        ({"change": "end_project", "project": "orion", "on": day(-1)}, ".on", "is before 2026-11-23"),
        ({"change": "resize_project", "project": "orion"}, "", "states nothing; state demand or minimum"),
        (
            {"change": "reprioritize_project", "project": "orion"},
            "",
            "states nothing; state tier or priority",
        ),
        ({"change": "pin_project", "project": "vega"}, ".project", "'vega' holds nothing"),
        ({"change": "forbid", "project": "vega"}, "", "states 0 of pool, gpu_type and site; state one"),
        ({"change": "forbid", "project": "vega", "pool": "texas", "site": "texas"}, "", "states 2 of pool"),
        ({"change": "allow", "project": "mira"}, "", "states 0 of pool, gpu_type and site; state one"),
        ({"change": "allow", "project": "mira", "gpu_type": "h100"}, ".gpu_type", "'mira' may run there"),
        ({"change": "allow", "project": "vega", "site": "iowa"}, ".site", "'vega' may run there"),
        (
            {"change": "allow", "project": "deneb", "site": "texas", "speed": 2},
            ".speed",
            "a speed is that on a GPU type",
        ),
        (
            {"change": "set_limit", "team": "lab", "gpu_type": "h100", "cap": None},
            ".gpu_type",
            "has no limit on",
        ),
        (
            {"change": "lose_delivery", "pool": "iowa-gb200"},
            ".pool",
            "no delivery to 'iowa-gb200' is planned",
        ),
        ({"change": "lose_delivery", "pool": "iowa-h100"}, ".on", "say which: 2026-11-28, 2026-12-02"),
        ({"change": "lose_delivery", "pool": "texas", "on": TODAY}, ".on", "planned: 2026-11-28"),
        ({"change": "delay_pool", "pool": "texas", "to": TODAY}, ".to", "is not after 2026-11-23"),
        ({"change": "move_date", "to": day(-1)}, ".to", "is before 2026-11-23"),
        ({"change": "set_policy"}, "", "states nothing; state one of value, move_cost"),
    ],
)
def test_a_change_says_why_it_does_not_apply(change: dict[str, Any], path: str, message: str) -> None:
    ((where, said),) = misfits(change).items()
    assert where == f"changes[0]{path}"
    assert message in said


def test_a_place_where_a_project_does_not_run_cannot_be_forbidden_again() -> None:
    twice = [{"change": "forbid", "project": "vega", "site": "texas"}] * 2
    assert misfits(*twice) == {"changes[1].site": "'vega' cannot run there as it is"}


def test_what_is_allowed_and_forbidden_in_one_scenario_is_forbidden() -> None:
    allow = {"change": "allow", "project": "mira", "gpu_type": "gb200"}
    forbid = {"change": "forbid", "project": "mira", "pool": "iowa-gb200"}
    assert apply(BASE, changes(forbid, allow)) == apply(BASE, changes(allow, forbid))
    assert parts(apply(BASE, changes(forbid, allow)))["mira"].pools == ("iowa-h100", "texas")


def test_two_deliveries_that_nothing_tells_apart_cannot_be_changed() -> None:
    twins = lab([pool()], deliveries=[delivery("iowa", 4, on=3), delivery("iowa", 4, on=3)])
    lose = {"change": "lose_delivery", "pool": "iowa", "on": day(3)}
    assert "make them one" in misfits(lose, organization=twins)["changes[0].on"]


def test_what_a_change_leads_to_is_said_where_it_was_changed() -> None:
    found = misfits(
        {"change": "resize_project", "project": "orion", "demand": 2},
        {"change": "set_guarantee", "team": "research", "guarantee": 21},
        {
            "change": "add_project",
            "name": "nova",
            "team": "lab",
            "demand": 1,
            "starts": day(2),
            "ends": day(1),
        },
        {"change": "set_policy", "value": [[0.5, 1.0]]},
        {"change": "add_delivery", "pool": "iowa-h100", "gpus": 3, "on": day(2)},
    )
    assert found == {
        "changes[0].minimum": "the minimum 4 is above the demand 2; lower it, or raise the demand",
        "changes[1].guarantee": "the guarantee 21 is above the team's own cap 20; lower the guarantee "
        "to 20, or raise the cap to 21",
        "changes[2].ends": "the end 2026-11-24 is not after the start 2026-11-25; correct one of them",
        "changes[3].value": "the shares add up to 0.5, 0.5 too little; they must add up to 1",
        "changes[4].gpus": "3 GPUs are not a multiple of 4, the unit of pool 'iowa-h100'; write 4",
    }


def test_an_error_that_no_change_is_about_names_what_it_is_about() -> None:
    base = lab([pool(gpus=100)], teams=[team("research", guarantee="50%", cap=60)])
    cap = {"change": "add_pool", "name": "ohio", "gpu_type": "h100", "site": "ohio", "gpus": 100}
    ((path, said),) = misfits(cap, organization=base).items()
    assert path == "changes"
    assert said.startswith("they lead to an error in teams 'research', guarantee: the guarantee 100 is above")
