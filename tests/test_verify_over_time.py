"""The checker on caps and limits over time: they hold on every day of the horizon."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_opt.organization import Limit, Organization
from tests.brute_force import best_reallocation
from tests.building import day, delivery, handover, lab, pool, project, refusals, request, root, team


def ending(**budget: Any) -> Organization:
    """A team holds 6 and 2 GPUs until days 5 and 9, of a pool of 16 that grows to 26 on day 7."""
    return lab(
        teams=[team("vision", **budget)],
        projects=[
            project("orion", team="vision", holds={"iowa": 6}, ends=day(5)),
            project("lyra", team="vision", holds={"iowa": 2}, ends=day(9)),
        ],
        deliveries=[delivery("iowa", 10, on=7)],
    )


@pytest.mark.parametrize(
    ("cap", "gpus", "on", "fits"),
    [
        (9, 1, 0, True),
        (9, 2, 0, False),
        (9, 2, 4, False),
        (9, 7, 5, True),
        (9, 8, 5, False),
        (9, 8, 9, True),
        (8.999, 1, 0, False),
        (4, 1, 0, False),
        ("50%", 6, 5, True),
        ("50%", 7, 5, False),
        ("50%", 8, 7, True),
    ],
)
def test_caps_and_limits_hold_on_every_day(cap: float | str, gpus: int, on: int, fits: bool) -> None:
    asked = [request("more", 8, "vision")]
    for rule, budget in (
        ("team_cap_over_time", {"cap": cap}),
        ("type_limit_over_time", {"limits": {"h100": Limit(cap=cap)}}),
    ):
        organization = ending(**budget)
        handed = handover(organization, asked[0], "idle", gpus, on=on)
        assert refusals(organization, asked, handed) == (set() if fits else {rule})


def test_what_was_handed_over_before_counts() -> None:
    organization = ending(cap=9)
    asked = [request("more", 4, "vision"), request("still-more", 4, "vision"), request("other", 4)]
    more, still, other = asked
    soon = handover(organization, more, "idle", 1)
    later = handover(organization, still, "orion", 4, free=5)
    assert refusals(organization, asked, soon, later, handover(organization, other, "idle", 4)) == set()
    too_much = handover(organization, more, "orion", 2, free=5), handover(organization, more, "idle", 1, on=6)
    assert refusals(organization, asked, soon, later, *too_much) == {"team_cap_over_time"}


def test_a_cap_counts_compute_and_a_limit_gpus() -> None:
    for budget, gpus in (({"cap": 5.0}, 2), ({"limits": {"gb200": Limit(cap=2)}}, 2)):
        organization = lab([pool("texas", 8, gpu_type="gb200")], teams=[root(**budget)])
        asked = [request("big", 8)]
        assert refusals(organization, asked, handover(organization, asked[0], "idle", gpus, "texas")) == set()
        assert (
            refusals(organization, asked, handover(organization, asked[0], "idle", gpus + 1, "texas"))
            != set()
        )


def test_the_best_plan_waits_for_a_cap_to_leave_room() -> None:
    organization = ending(cap=8)
    asked = [request("more", 3, "vision", all_or_nothing=True)]
    values, handed = best_reallocation(organization, asked, day(30))
    assert dict(values) == {"unmet_tier_1": 0, "late_tier_1": 0, "cost": 0, "days": 3 * 6}
    assert {(each.project, each.on) for each in handed} == {("orion", day(5))}


def test_a_team_over_its_budget_stops_nobody_else() -> None:
    for budget in ({"cap": 4}, {"limits": {"h100": Limit(cap=4)}}):
        organization = ending(**budget)
        asked = [request("other", 4)]
        assert refusals(organization, asked, handover(organization, asked[0], "idle", 4)) == set()


def test_only_what_runs_today_takes_room() -> None:
    organization = lab(
        teams=[team("vision", cap=6)],
        projects=[
            project("ended", team="vision", holds={"iowa": 2}, ends=day(-1)),
            project("not-yet", team="vision", holds={"iowa": 3}, starts=day(1)),
            project("orion", team="vision", holds={"iowa": 1}),
        ],
    )
    asked = [request("more", 8, "vision")]
    assert refusals(organization, asked, handover(organization, asked[0], "idle", 5)) == set()
    assert refusals(organization, asked, handover(organization, asked[0], "idle", 6)) == {
        "team_cap_over_time"
    }
