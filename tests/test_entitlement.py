"""From an allocation to requests, and from grants to holdings."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.errors import InvalidInput
from gpu_opt.options import Options
from gpu_opt.organization import GpuType, Organization, Request
from gpu_opt.plan import Grant, Status
from gpu_opt.reallocation import derive_requests, entitled_requests, reallocate, with_grants
from tests.building import allocation, day, lab, pool, project, root, team

POOLS = (
    pool("iowa", 32, gpu_type="h100", site="iowa"),
    pool("ohio", 32, gpu_type="h100", site="ohio"),
    pool("texas", 32, gpu_type="gb200", site="texas"),
)


def entitled(organization: Organization, gpus: dict[tuple[str, str], int]) -> tuple[Request, ...]:
    return entitled_requests(organization, allocation(organization, gpus, day(30)))


def of(*projects: Any) -> Organization:
    return lab(POOLS, teams=[team("vision")], projects=projects)


def test_a_project_that_is_short_asks_for_what_it_is_granted_beyond_its_holdings() -> None:
    short = project("orion", 24, "vision", holds={"iowa": 8}, tier=2, priority=3)
    assert entitled(of(short), {("orion", "iowa"): 16, ("orion", "ohio"): 8}) == (
        Request(
            name="orion (h100)",
            team="vision",
            gpus=16,
            pools=("iowa", "ohio"),
            starts=day(0),
            by=day(0),
            tier=2,
            priority=3,
        ),
    )


def test_a_project_that_starts_asks_from_that_day() -> None:
    later = project("orion", 8, starts=day(9), sites=("ohio",))
    (asked,) = entitled(of(later), {("orion", "ohio"): 8})
    assert (asked.starts, asked.by, asked.pools) == (day(9), day(9), ("ohio",))


def test_every_type_is_a_request_of_its_own() -> None:
    asked = entitled(of(project("orion", 28)), {("orion", "iowa"): 8, ("orion", "texas"): 8})
    assert [(one.name, one.gpus) for one in asked] == [("orion (h100)", 8), ("orion (gb200)", 8)]


def test_a_one_pool_project_asks_for_the_pool_granted() -> None:
    single = project("orion", 16, one_pool=True, holds={"iowa": 8})
    (asked,) = entitled(of(single), {("orion", "iowa"): 16})
    assert (asked.name, asked.gpus, asked.pools) == ("orion (iowa)", 8, ("iowa",))


def test_whoever_keeps_what_it_has_asks_for_nothing() -> None:
    assert entitled(of(project("orion", 8, holds={"iowa": 8})), {("orion", "iowa"): 8}) == ()


def test_below_its_minimum_a_project_wants_all_or_nothing() -> None:
    runs_low = project("low", 16, minimum=8, holds={"iowa": 4})
    runs_well = project("well", 16, minimum=8, holds={"iowa": 8})
    asked = entitled(of(runs_low, runs_well), {("low", "iowa"): 8, ("well", "iowa"): 16})
    assert [one.all_or_nothing for one in asked] == [True, False]


def test_the_minimum_counts_at_the_projects_own_speeds() -> None:
    fast = project("fast", 16, minimum=8, speeds={"h100": 2.0}, holds={"iowa": 4})
    (asked,) = entitled(of(fast), {("fast", "iowa"): 8})
    assert not asked.all_or_nothing


def test_requests_of_projects_with_confusing_names_have_names_of_their_own() -> None:
    """Nobody forbids a GPU type that is called like the end of another project's name."""
    organization = Organization(
        name="lab",
        as_of=day(0),
        gpu_types={name: GpuType(vendor="some") for name in ("h100", "b) (h100")},
        pools=(pool("iowa", 32), pool("odd", 32, gpu_type="b) (h100")),
        teams=(root(),),
        projects=(project("a (b)", 8), project("a", 8)),
    )
    asked = entitled(organization, {("a (b)", "iowa"): 8, ("a", "odd"): 8})
    assert [one.name for one in asked] == ["a (b) (h100)", "a (b) (h100) #2"]


def test_what_is_held_before_a_start_is_not_had() -> None:
    later = project("orion", 8, starts=day(9), holds={"iowa": 8})
    (asked,) = entitled(of(later), {("orion", "iowa"): 8})
    assert asked.gpus == 8


def test_grants_take_the_place_of_holdings() -> None:
    organization = of(project("a", holds={"iowa": 8}), project("b", holds={"ohio": 8}))
    granted = with_grants(organization, [Grant(project="a", pool="texas", gpus=4)])
    assert [one.holds for one in granted.projects] == [{"texas": 4}, {}]
    assert organization.projects[0].holds == {"iowa": 8}


def test_who_ends_within_the_horizon_asks_for_nothing_and_is_granted_what_is_idle_on_the_day() -> None:
    ends, short = project("ends", 32, holds={"iowa": 32}, ends=day(5)), project("short", 32, ends=day(20))
    organization = of(ends, short).model_copy(update={"pools": POOLS[:1]})
    assert derive_requests(organization, options=Options(threads=1)) == ()
    then = organization.model_copy(update={"as_of": day(5)})
    assert allocate(then, options=Options(threads=1)).grants == (
        Grant(project="short", pool="iowa", gpus=32),
    )


def test_requests_may_be_derived_first_and_then_reallocated() -> None:
    organization = of(project("ends", 32, holds={"iowa": 32}, ends=day(5)), project("short", 96))
    options = Options(threads=1, time_limit=10)
    plan = reallocate(organization, options=options)
    assert plan.asked == derive_requests(organization, options=options)
    assert plan.asked
    assert verify(organization, plan) == ()


def test_a_horizon_that_ends_before_today_is_refused() -> None:
    with pytest.raises(InvalidInput, match="until"):
        derive_requests(of(), until=day(-1))


def test_without_requests_the_entitled_ask() -> None:
    ends = project("ends", 32, holds={"iowa": 32}, ends=day(5))
    starts = project("starts", 16, starts=day(3), minimum=16, sites=("iowa",))
    plan = reallocate(of(ends, starts), options=Options(threads=1, time_limit=10))
    assert plan.until == day(90)
    assert [(one.project, one.request, one.gpus, one.on) for one in plan.handovers] == [
        ("ends", "starts (h100)", 16, day(5))
    ]
    assert plan.status is Status.OPTIMAL
