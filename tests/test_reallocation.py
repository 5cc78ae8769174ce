"""The reallocation in examples: who hands what to whom, and when."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_opt.organization import Organization, ReallocationPrices
from gpu_opt.plan import Status
from tests.building import day, delivery, lab, pool, project, request
from tests.handing_over import DIVISIONS, TYPES, ending, full, handed, plan, values

# --- Who hands over -----------------------------------------------------------------------------------


def test_the_same_team_hands_over_first() -> None:
    organization = full(ending("other", "speech"), ending("own", "vision"))
    assert handed(plan(organization, request("r", 4, "vision", by=5))) == [("own", "r", 4, 5)]


def test_then_the_same_division() -> None:
    organization = full(ending("foreign", "product"), ending("near", "speech"))
    assert handed(plan(organization, request("r", 4, "vision", by=5))) == [("near", "r", 4, 5)]


def test_the_same_division_comes_first_even_where_another_one_costs_nothing() -> None:
    organization = full(
        ending("foreign", "product"),
        ending("near", "speech"),
        reallocation=ReallocationPrices(other_division=0.0),
    )
    assert handed(plan(organization, request("r", 4, "vision", by=5))) == [("near", "r", 4, 5)]


def test_every_team_gets_its_own_where_several_ask() -> None:
    organization = full(ending("a", "vision"), ending("b", "speech"))
    answer = plan(organization, request("s", 4, "speech", by=5), request("v", 4, "vision", by=5))
    assert handed(answer) == [("b", "s", 4, 5), ("a", "v", 4, 5)]


def test_another_division_costs_its_price() -> None:
    answer = plan(full(ending("foreign", "product")), request("r", 4, "vision", by=5))
    assert handed(answer) == [("foreign", "r", 4, 5)]
    assert answer.objective == 4 * 2


def test_idle_gpus_and_deliveries_belong_to_no_division() -> None:
    organization = full(ending("foreign", "product", 4, on=3), gpus=2, deliveries=[delivery("iowa", 2, on=3)])
    answer = plan(organization, request("r", 4, "vision", by=3))
    assert handed(answer) == [("idle", "r", 2, 0), ("delivery", "r", 2, 3)]
    assert answer.objective == 0


def test_what_an_ended_project_still_holds_is_free_today() -> None:
    organization = full(project("ended", team="vision", holds={"iowa": 4}, ends=day(-3)))
    assert handed(plan(organization, request("r", 4, "vision"))) == [("ended", "r", 4, 0)]


def test_what_is_held_before_a_project_starts_is_idle() -> None:
    organization = full(project("later", holds={"iowa": 4}, starts=day(3), ends=day(20)))
    assert handed(plan(organization, request("r", 4))) == [("idle", "r", 4, 0)]


def test_a_hole_in_a_pool_is_filled_first() -> None:
    organization = lab(
        [pool("iowa", 6)],
        teams=DIVISIONS,
        projects=[ending("first", "vision", 4, on=3), ending("second", "vision", 4, on=5)],
    )
    answer = plan(organization, request("r", 8, "vision", by=5))
    assert [(one.project, one.gpus) for one in answer.supplies] == [("first", 2), ("second", 4)]
    assert answer.requests[0].handed == 6


def test_gpus_beyond_the_horizon_are_not_there() -> None:
    organization = full(ending("late", "vision", on=31), deliveries=[delivery("iowa", 4, on=31)])
    assert handed(plan(organization, request("r", 4, "vision", by=5))) == []


# --- When ---------------------------------------------------------------------------------------------


def test_gpus_wait_for_the_start() -> None:
    answer = plan(full(ending("own", "vision", on=5)), request("r", 4, "vision", by=8, starts=day(8)))
    assert handed(answer) == [("own", "r", 4, 8)]
    assert answer.handovers[0].free_on == day(5)
    assert answer.objective == pytest.approx(4 * 3 * 0.1)


def test_what_comes_just_in_time_is_better_than_what_waits() -> None:
    organization = full(ending("early", "vision", on=2), ending("just", "vision", on=8))
    answer = plan(organization, request("r", 4, "vision", by=8, starts=day(8)))
    assert handed(answer) == [("just", "r", 4, 8)]


def test_within_its_window_a_request_takes_gpus_as_they_come() -> None:
    organization = full(ending("one", "vision", 2, on=3), ending("two", "vision", 2, on=5))
    answer = plan(organization, request("r", 4, "vision", by=8, starts=day(1)))
    assert handed(answer) == [("one", "r", 2, 3), ("two", "r", 2, 5)]
    assert answer.objective == 0


def test_what_is_late_is_counted_by_gpu_day_and_priority() -> None:
    answer = plan(full(ending("own", "vision", on=12)), request("r", 4, "vision", by=10, priority=1.5))
    assert values(answer) == {"unmet_tier_1": 0, "late_tier_1": 4 * 2 * 1.5, "cost": 0, "days": 4 * 13}
    assert answer.requests[0].in_time == 0


DEAREST = ReallocationPrices(idle=1e6, less_preferred=1e6, other_division=1e6)


@pytest.mark.parametrize(
    ("in_time", "asked"),
    [
        (full(ending("late", "vision", on=12), gpus=4, reallocation=DEAREST), {"starts": day(10)}),
        (
            lab(
                [pool("iowa", 4), pool("texas", 4, gpu_type="h200")],
                teams=DIVISIONS,
                projects=[ending("late", "vision", on=12)],
                reallocation=DEAREST,
            ),
            {"gpu_types": ("h100", "h200")},
        ),
        (full(ending("late", "vision", on=12), ending("x", "product"), reallocation=DEAREST), {}),
    ],
    ids=["idle until then", "second choice", "another division"],
)
def test_in_time_comes_before_any_price(in_time: Organization, asked: dict[str, Any]) -> None:
    answer = plan(in_time, request("r", 4, "vision", by=10, **asked))
    assert answer.requests[0].in_time == 4


def test_all_that_can_be_met_is_met_before_anything_is_in_time() -> None:
    organization = lab(
        [pool("iowa", 4), pool("texas", 4)], teams=DIVISIONS, projects=[ending("late", "vision", on=12)]
    )
    anywhere, there = request("anywhere", 4, by=10), request("there", 4, tier=2, by=10, sites=("texas",))
    assert handed(plan(organization, anywhere, there)) == [
        ("idle", "there", 4, 0),
        ("late", "anywhere", 4, 12),
    ]


@pytest.mark.parametrize("less", [{"priority": 1.9}, {"tier": 2, "priority": 9.0}], ids=["priority", "tier"])
def test_the_earlier_gpus_go_to_the_higher_tier_and_priority(less: dict[str, Any]) -> None:
    organization = full(ending("soon", "vision", 4, on=5), ending("later", "vision", 4, on=25))
    answer = plan(organization, request("less", 4, by=0, **less), request("more", 4, by=0, priority=2))
    assert handed(answer) == [("soon", "more", 4, 5), ("later", "less", 4, 25)]


def test_of_equally_good_gpus_the_idle_and_the_earliest_are_taken() -> None:
    organization = full(*(ending(f"on-{n}", "vision", 2, on=n) for n in (8, 2, 5)), gpus=2)
    answer = plan(organization, request("r", 6, "vision", by=10))
    assert handed(answer) == [("idle", "r", 2, 0), ("on-2", "r", 2, 2), ("on-5", "r", 2, 5)]


def test_a_request_for_today_gets_what_is_idle_today() -> None:
    answer = plan(full(gpus=4), request("r", 4, by=0))
    assert handed(answer) == [("idle", "r", 4, 0)]
    assert answer.requests[0].complete_on == day(0)


# --- Which GPUs ---------------------------------------------------------------------------------------


def test_the_preferred_type_is_taken_first() -> None:
    answer = plan(lab(TYPES), request("r", 4, gpu_types=("h200", "h100")))
    assert {one.pool for one in answer.handovers} <= {"texas", "ohio"}


def test_and_the_preferred_site() -> None:
    answer = plan(lab(TYPES), request("r", 8, gpu_types=("h200", "h100"), sites=("ohio", "texas", "iowa")))
    assert {one.pool: one.gpus for one in answer.handovers} == {"ohio": 4, "texas": 4}
    assert answer.objective == 4 * 5


def test_only_pools_that_a_request_names_serve_it() -> None:
    answer = plan(lab(TYPES), request("r", 8, pools=("texas",)))
    assert [(one.pool, one.gpus) for one in answer.handovers] == [("texas", 4)]


# --- Whole units --------------------------------------------------------------------------------------

NODES = (pool("iowa", 16, unit=8, gpu_type="h100"), pool("texas", 8, unit=4, gpu_type="gb200"))


def test_a_request_is_rounded_up_to_whole_units() -> None:
    answer = plan(lab(NODES), request("r", 10, gpu_types=("h100",)))
    (outcome,) = answer.requests
    assert (outcome.handed, outcome.in_time, outcome.complete_on) == (16, 16, day(0))
    assert (
        outcome.text
        == f"complete on {day(0)}, 10 days before it is needed, 16 GPUs in whole units: 16 idle in iowa"
    )


def test_a_unit_goes_whole_to_one_request() -> None:
    answer = plan(lab(NODES), *(request(name, 6, gpu_types=("h100",)) for name in "abc"))
    assert sorted(one.handed for one in answer.requests) == [0, 8, 8]


def test_where_units_differ_a_request_gets_what_fits_best() -> None:
    answer = plan(lab(NODES), request("r", 12))
    assert {one.pool: one.gpus for one in answer.handovers} == {"iowa": 8, "texas": 4}


def test_where_units_differ_no_unit_is_split_either() -> None:
    """As GPUs, 4 of the second unit of iowa would do for the one and 4 for the other."""
    nodes = (NODES[0], pool("texas", 4, unit=4, gpu_type="gb200"))
    answer = plan(lab(nodes), request("a", 12), request("b", 8, gpu_types=("h100",), priority=2))
    assert {(one.request, one.pool): one.gpus for one in answer.handovers} == {
        ("a", "iowa"): 8,
        ("a", "texas"): 4,
        ("b", "iowa"): 8,
    }
    assert answer.status is Status.OPTIMAL


def test_where_nothing_smaller_is_left_a_larger_unit_is_taken_whole() -> None:
    answer = plan(
        lab([NODES[0], pool("texas", 4, unit=4)]), request("r", 16), request("s", 4, sites=("texas",))
    )
    assert {one.request: one.handed for one in answer.requests} == {"r": 16, "s": 4}
    answer = plan(
        lab([NODES[0], pool("texas", 4, unit=4)]),
        request("r", 12, all_or_nothing=True, sites=("iowa", "texas")),
        request("s", 4, sites=("texas",), priority=9),
    )
    assert {one.request: one.handed for one in answer.requests} == {"r": 16, "s": 4}


# --- Who is served ------------------------------------------------------------------------------------


def test_a_higher_tier_comes_before_any_priority() -> None:
    answer = plan(
        full(gpus=4), request("low", 4, tier=2, priority=9), request("high", 4, tier=1, priority=0.5)
    )
    assert handed(answer) == [("idle", "high", 4, 0)]
    assert values(answer) == {
        "unmet_tier_1": 0,
        "unmet_tier_2": 36,
        "late_tier_1": 0,
        "late_tier_2": 0,
        "cost": 0,
        "days": 4,
    }


def test_within_a_tier_the_higher_priority_comes_first() -> None:
    answer = plan(full(gpus=4), request("low", 4, priority=1.25), request("high", 2, priority=1.5))
    assert handed(answer) == [("idle", "low", 2, 0), ("idle", "high", 2, 0)]
    assert values(answer)["unmet_tier_1"] == 2 * 1.25


def test_priorities_of_any_precision_are_told_apart() -> None:
    answer = plan(
        full(gpus=4), request("low", 4, priority=1.23456789), request("high", 4, priority=1.23456798)
    )
    assert handed(answer) == [("idle", "high", 4, 0)]
    assert answer.status is Status.OPTIMAL


def test_all_or_nothing_gets_nothing_where_all_is_out_of_reach() -> None:
    answer = plan(full(gpus=4), request("whole", 6, priority=9, all_or_nothing=True), request("part", 3))
    assert handed(answer) == [("idle", "part", 3, 0)]
    assert answer.status is Status.OPTIMAL


def test_all_or_nothing_gets_all_where_that_is_best() -> None:
    organization = full(ending("own", "vision"), gpus=4)
    answer = plan(
        organization, request("whole", 6, "vision", all_or_nothing=True), request("part", 8, priority=0.9)
    )
    assert {one.request: one.handed for one in answer.requests} == {"whole": 6, "part": 2}


def test_nothing_to_give() -> None:
    answer = plan(full(), request("r", 4))
    assert handed(answer) == []
    assert answer.requests[0].text == f"none of 4: no GPUs that it accepts come free by {day(30)}"


def test_nothing_asked() -> None:
    answer = plan(full(gpus=4))
    assert (values(answer), answer.status, answer.requests) == ({"cost": 0, "days": 0}, Status.OPTIMAL, ())
