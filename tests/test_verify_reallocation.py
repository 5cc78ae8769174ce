"""The checker on reallocations: a good plan passes, and a broken one is refused by the rule it breaks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gpu_opt.checker import verify
from gpu_opt.checker.reallocation import reallocation_goals
from gpu_opt.checker.supplies import reallocation_data
from gpu_opt.organization import Request
from gpu_opt.plan import Donor
from tests.brute_force import TooManyPlansError, best_reallocation
from tests.building import (
    changed,
    day,
    delivery,
    handover,
    lab,
    pool,
    project,
    reallocation,
    refusals,
    refused_by,
    request,
    team,
)
from tests.strategies import HORIZON, requests, tiny_organizations

ORGANIZATION = lab(
    [pool("iowa", 16), pool("texas", 8, gpu_type="gb200")],
    teams=[team("research"), team("vision", "research"), team("speech", "research"), team("product")],
    projects=[
        project("ended", team="vision", holds={"iowa": 2}, ends=day(-3)),
        project("orion", team="speech", holds={"iowa": 6}, ends=day(5)),
        project("lyra", team="product", holds={"iowa": 4}, ends=day(7)),
        project("goes-on", team="vision", holds={"iowa": 1, "texas": 8}, ends=day(99)),
    ],
    deliveries=[delivery("texas", 4, on=9), delivery("texas", 2, on=9), delivery("iowa", 8, on=77)],
)
"""Free of iowa: 2 of a project that has ended, 3 idle, 6 on day 5, 4 on day 7; of texas: 6 on day 9."""

ASKED = (
    request("big", 10, "vision", by=6, gpu_types=("h100", "gb200"), priority=3),
    request("small", 4, "speech", by=30, tier=2, priority=2, starts=day(8)),
)
BIG, SMALL = ASKED

HANDED = (
    handover(ORGANIZATION, BIG, "ended", 2),
    handover(ORGANIZATION, BIG, "orion", 6, free=5),
    handover(ORGANIZATION, BIG, "lyra", 1, free=7),
    handover(ORGANIZATION, BIG, "delivery", 1, "texas", free=9),
    handover(ORGANIZATION, SMALL, "idle", 3, on=8),
)
GOOD = reallocation(ORGANIZATION, ASKED, HANDED)


def test_a_good_plan_passes() -> None:
    assert verify(ORGANIZATION, GOOD) == ()


def test_its_goals_are_those_that_a_pencil_finds() -> None:
    data = reallocation_data(ORGANIZATION, ASKED, day(30))
    assert list(reallocation_goals(data, HANDED)) == [
        ("unmet_tier_1", 0),
        ("unmet_tier_2", 2),
        # lyra's comes a day late, the delivered one three days
        ("late_tier_1", 3 * (1 + 3)),
        ("late_tier_2", 0),
        # lyra's comes from another division, the delivered one is the second choice, 3 wait for 8 days
        ("cost", 2 + 5 + 3 * 8 * Fraction("0.1")),
        ("days", 2 * 1 + 6 * 6 + 8 + 10 + 3 * 9),
    ]


def test_its_figures_are_those_that_a_pencil_finds() -> None:
    big, small = GOOD.requests
    assert (big.handed, big.in_time, big.complete_on) == (10, 8, day(9))
    assert (small.handed, small.in_time, small.complete_on) == (3, 3, None)
    assert [(each.donor, each.pool, each.gpus, each.on) for each in GOOD.supplies] == [
        (Donor.RELEASE, "iowa", 2, day(0)),
        (Donor.IDLE, "iowa", 3, day(0)),
        (Donor.RELEASE, "iowa", 6, day(5)),
        (Donor.RELEASE, "iowa", 4, day(7)),
        (Donor.DELIVERY, "texas", 6, day(9)),
    ]


@pytest.mark.parametrize(
    "asked",
    [(BIG, BIG), (BIG, SMALL.model_copy(update={"team": "nobody"}))],
    ids=["a name twice", "an unknown team"],
)
def test_requests_that_cannot_be_meant_are_refused(asked: tuple[Request, ...]) -> None:
    assert refused_by(ORGANIZATION, changed(GOOD, asked=asked)) == {"asked"}


def test_a_plan_is_checked_against_what_was_asked() -> None:
    more = SMALL.model_copy(update={"gpus": 5})
    assert refused_by(ORGANIZATION, changed(GOOD, asked=(BIG, more))) == {"goals", "outcomes"}


def test_what_is_delivered_or_has_ended_by_today_is_free_today() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[
            project("ended", holds={"iowa": 2}, ends=day(0)),
            project("not-yet", holds={"iowa": 3}, starts=day(2), ends=day(8)),
        ],
        deliveries=[delivery("iowa", 4, on=0), delivery("iowa", 1, on=30), delivery("iowa", 1, on=31)],
    )
    supplies = reallocation(organization, [], []).supplies
    assert [(each.donor, each.gpus, each.on) for each in supplies] == [
        (Donor.RELEASE, 2, day(0)),
        (Donor.IDLE, 10, day(0)),
        (Donor.DELIVERY, 1, day(30)),
    ]


def test_preferences_are_counted_by_type_and_by_site() -> None:
    organization = lab([pool("iowa"), pool("ohio"), pool("texas", gpu_type="gb200")])
    asked = [request("big", gpu_types=("gb200", "h100"), sites=("texas", "iowa", "ohio"))]
    for at, steps in (("texas", 0), ("iowa", 1 + 1), ("ohio", 1 + 2)):
        plan = reallocation(organization, asked, [handover(organization, asked[0], "idle", 1, at)])
        assert plan.objective == 5 * steps


# --- What no handovers may break ----------------------------------------------------------------------


def test_a_project_cannot_hand_over_more_than_it_holds() -> None:
    organization = lab(projects=[project("orion", holds={"iowa": 4}, ends=day(5))])
    asked = [request("big", 16)]
    assert refusals(organization, asked, handover(organization, asked[0], "orion", 4, free=5)) == set()
    assert refusals(organization, asked, handover(organization, asked[0], "orion", 5, free=5)) == {"supply"}


def test_what_first_becomes_free_fills_the_hole_in_an_overfull_pool() -> None:
    ends = {"vega": 7, "orion": 5, "lyra": 5}
    organization = lab(
        [pool(gpus=10)], projects=[project(name, holds={"iowa": 6}, ends=day(n)) for name, n in ends.items()]
    )
    asked = [request("big", 16)]
    plan = reallocation(organization, asked, [])  # the hole of 8 takes all of orion's and 2 of lyra's
    assert [(each.project, each.gpus) for each in plan.supplies] == [("lyra", 4), ("vega", 6)]
    handed = [handover(organization, asked[0], name, 4, free=n) for name, n in ends.items()]
    vega, orion, lyra = handed
    assert refusals(organization, asked, vega, lyra) == set()
    assert refusals(organization, asked, vega, changed(lyra, gpus=5)) == {"supply"}
    nothing_left = changed(plan, handovers=(orion,))
    assert refused_by(organization, nothing_left) == {"handovers"}


def test_of_one_day_releases_fill_the_hole_before_deliveries() -> None:
    organization = lab(
        [pool(gpus=4)],
        projects=[project("orion", holds={"iowa": 8}, ends=day(5))],
        deliveries=[delivery("iowa", 2, on=5)],
    )
    supplies = reallocation(organization, [], []).supplies
    assert [(each.donor, each.gpus) for each in supplies] == [(Donor.RELEASE, 4), (Donor.DELIVERY, 2)]


def test_a_request_is_handed_no_more_than_it_asks_for() -> None:
    asked = [request("small", 3, "vision")]
    assert refusals(ORGANIZATION, asked, handover(ORGANIZATION, asked[0], "orion", 3, free=5)) == set()
    assert refusals(ORGANIZATION, asked, handover(ORGANIZATION, asked[0], "orion", 4, free=5)) == {"request"}


UNITS = lab([pool("iowa", 16, unit=8), pool("ohio", 16, unit=4)])


def test_a_unit_is_handed_over_whole() -> None:
    asked = [request("r", 10)]
    half = handover(UNITS, asked[0], "idle", 4)
    plan = changed(reallocation(UNITS, asked, []), handovers=(half,))
    assert [each.message for each in verify(UNITS, plan)] == ["4 GPUs are handed over, in units of 8"]
    assert refusals(UNITS, asked, changed(half, gpus=8)) == set()


def test_a_request_is_handed_no_unit_that_it_does_not_need() -> None:
    """Of 10 GPUs become 12, in multiples of 4."""
    asked = [request("r", 10)]
    large, small = (handover(UNITS, asked[0], "idle", gpus, at) for gpus, at in ((8, "iowa"), (4, "ohio")))
    assert refusals(UNITS, asked, large, small) == set()
    assert refusals(UNITS, asked, changed(large, gpus=16)) == set()
    assert refusals(UNITS, asked, large, changed(small, gpus=8)) == {"request"}
    assert refusals(UNITS, asked, changed(large, gpus=16), small) == {"request"}


def test_all_or_nothing_counts_whole_units() -> None:
    asked = [request("r", 10, all_or_nothing=True)]
    assert refusals(UNITS, asked, handover(UNITS, asked[0], "idle", 8)) == {"all_or_nothing"}
    assert refusals(UNITS, asked, handover(UNITS, asked[0], "idle", 12, "ohio")) == set()


def test_all_or_nothing_is_all_or_nothing() -> None:
    asked = [request("whole", 4, "vision", all_or_nothing=True)]
    assert refusals(ORGANIZATION, asked) == set()
    assert refusals(ORGANIZATION, asked, handover(ORGANIZATION, asked[0], "orion", 4, free=5)) == set()
    assert refusals(ORGANIZATION, asked, handover(ORGANIZATION, asked[0], "orion", 3, free=5)) == {
        "all_or_nothing"
    }


# --- What the plan says of itself ---------------------------------------------------------------------

HANDOVER = HANDED[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"request": "nobody"},
        {"pool": "nowhere"},
        {"project": "nobody"},
        {"project": "goes-on"},
        {"free_on": day(4)},
        {"donor": Donor.IDLE},
        {"team": "speech"},
        {"donor_team": "vision"},
        {"gpus": 0},
        {"gpus": -1},
    ],
)
def test_a_handover_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    plan = reallocation(ORGANIZATION, ASKED, [])
    broken = changed(plan, handovers=(changed(HANDOVER, **fields),))
    assert refused_by(ORGANIZATION, broken) == {"handovers"}


@pytest.mark.parametrize(
    "restriction", [{"gpu_types": ("gb200",)}, {"sites": ("texas",)}, {"pools": ("texas",)}]
)
def test_nobody_is_handed_what_it_does_not_accept(restriction: dict[str, Any]) -> None:
    asked = [request("big", 10, "vision", **restriction)]
    plan = changed(reallocation(ORGANIZATION, asked, []), handovers=(HANDOVER,))
    assert [each.message for each in verify(ORGANIZATION, plan)] == ["does not accept iowa"]


@pytest.mark.parametrize(("starts", "on"), [(None, 4), (8, 7), (None, 31)])
def test_nobody_is_handed_gpus_too_early_or_after_the_horizon(starts: int | None, on: int) -> None:
    asked = [request("big", 10, "vision", by=40, starts=None if starts is None else day(starts))]
    handed = handover(ORGANIZATION, asked[0], "orion", 6, free=5, on=on)
    assert refusals(ORGANIZATION, asked, handed) == {"handovers"}


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (1, {"value": 0.0, "bound": 0.0}),
        (0, {"sense": "maximize"}),
        (0, {"name": "unmet_tier_3"}),
        (1, {"bound": 0.0, "gap": 1.0}),
        (1, {"gap": 0.5}),
    ],
)
def test_a_goal_stated_wrongly_is_refused(place: int, fields: dict[str, Any]) -> None:
    goals = list(GOOD.goals)
    goals[place] = changed(goals[place], **fields)
    assert refused_by(ORGANIZATION, changed(GOOD, goals=tuple(goals))) == {"goals"}


@pytest.mark.parametrize(
    "fields", [{"objective": 13.0, "bound": 13.0}, {"bound": 13.0, "gap": 0.4 / 13.4}, {"goals": ()}]
)
def test_a_wrong_objective_is_refused(fields: dict[str, Any]) -> None:
    assert refused_by(ORGANIZATION, changed(GOOD, **fields)) == {"goals"}


@pytest.mark.parametrize(
    "fields",
    [
        *({field: 7} for field in ("gpus", "handed", "in_time")),
        *({field: day(8)} for field in ("by", "complete_on")),
        {"team": "speech"},
        {"complete_on": None},
        {"request": "small"},
    ],
)
def test_an_outcome_stated_wrongly_is_refused(fields: dict[str, Any]) -> None:
    first, *others = GOOD.requests
    plan = changed(GOOD, requests=(changed(first, **fields), *others))
    assert refused_by(ORGANIZATION, plan) == {"outcomes"}


def broken_supplies() -> list[tuple[Any, ...]]:
    first, second, *others = GOOD.supplies
    return [
        (second, *others),
        (first, first, second, *others),
        (changed(first, gpus=1), second, *others),
        (changed(first, project="lyra", team="product"), second, *others),
        (changed(first, team="product"), second, *others),
        (changed(first, on=day(1)), second, *others),
        (first, second, changed(second, gpus=0), *others),
        (changed(first, gpus=1), changed(first, project=None, team=None, gpus=1), second, *others),
    ]


@pytest.mark.parametrize("supplies", broken_supplies())
def test_supplies_are_stated_exactly(supplies: tuple[Any, ...]) -> None:
    assert refused_by(ORGANIZATION, changed(GOOD, supplies=supplies)) == {"outcomes"}


def test_a_plan_is_for_the_organization_that_it_names() -> None:
    assert refused_by(ORGANIZATION, changed(GOOD, organization="another")) == {"outcomes"}
    assert refused_by(ORGANIZATION, changed(GOOD, as_of=day(1))) == {"outcomes"}


# --- All of it ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.data())
def test_the_best_plan_of_all_passes(data: st.DataObject) -> None:
    organization = data.draw(tiny_organizations())
    asked = data.draw(requests(organization))
    try:
        values, handed = best_reallocation(organization, asked, day(HORIZON))
    except TooManyPlansError:
        reject()
    plan = reallocation(organization, asked, handed, HORIZON)
    assert verify(organization, plan) == ()
    assert [goal.value for goal in plan.goals] == [float(value) for _, value in values]
