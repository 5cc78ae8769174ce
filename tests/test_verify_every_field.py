"""Nothing in a plan goes unchecked: whatever single field is altered, the checker refuses the plan."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.organization import Limit, Organization, Request
from gpu_opt.plan import Allocation, Reallocation, Status
from gpu_opt.reallocation import reallocate
from tests.building import day, delivery, lab, pool, project, request, root, team
from tests.solving import PROOF, proved

FREE = {
    # Only who asked for the plan knows on which day it was to be, for what, and with which limits.
    "date",
    "until",
    "asked",
    "run.time_limit",
    "run.threads",
    "run.seed",
    "run.work_limit",
    # What happened on another machine, at another time.
    "run",  # without `removed`, as plans of earlier versions are
    "run.removed",
    "run.gpu_opt",
    "run.pulp",
    "run.cbc",
    "run.numpy",
    "run.python",
    "run.platform",
    "run.seconds",
    "goals.seconds",
    # Sentences for people, written from what is checked.
    "projects.reason.text",
    "requests.text",
}
"""Fields that may be altered to another sane value: the checker cannot know better."""

SPARE: tuple[Any, ...] = ("other", "", 1, 1.5, day(40))
"""What may stand where nothing stands."""


class Mutation(NamedTuple):
    """One alteration of a plan, as plain data."""

    field: str
    """Its path, without places in lists."""
    told: str
    plan: dict[str, Any]


def mutations(plan: Allocation | Reallocation) -> Iterator[Mutation]:
    """The plan with every single field altered in turn."""
    whole = plan.model_dump()
    for path, value in alterations(whole, ()):
        words = ".".join(str(key) for key in path if isinstance(key, str))
        field = re.sub(r"(\.by_type|\.seconds|\.removed|^asked)\..*", r"\1", words)
        yield Mutation(field, f"{path} = {value!r}", altered(whole, path, value))


def altered(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The data with another value at the path; nothing else is copied."""
    if not path:
        return value
    key, *rest = path
    if isinstance(data, dict):
        return {**data, key: altered(data.get(key), tuple(rest), value)}
    return (*data[:key], altered(data[key], tuple(rest), value), *data[int(key) + 1 :])


def alterations(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Paths, each with another value for it."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from alterations(entry, (*path, key))
            yield path, {name: each for name, each in value.items() if name != key}
        yield path, {**value, "other": 1}
    elif isinstance(value, tuple):
        for place, entry in enumerate(value):
            yield from alterations(entry, (*path, place))
            yield path, (*value[:place], *value[place + 1 :])
            yield path, (*value[:place], entry, entry, *value[place + 1 :])
    else:
        for other in others(value):
            yield path, other


def others(value: Any) -> list[Any]:
    """Other values for a field; those that its type does not allow are sorted out later."""
    if value is None:
        return list(SPARE)
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, Enum):
        return [each for each in type(value) if each is not value]
    if isinstance(value, int):
        return [value + 1, value - 1, None]
    if isinstance(value, float):
        return [value + 1, value - 1, math.nan, math.inf, None]
    if isinstance(value, dt.date):
        return [value + dt.timedelta(days=1), value - dt.timedelta(days=1), None]
    return [f"{value}, or so", *{"minimize", "maximize", "pool_capacity", "team_cap"} - {value}, None]


def is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(is_finite(each) for each in value.values())
    if isinstance(value, tuple):
        return all(is_finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def survivors(organization: Organization, plan: Allocation | Reallocation) -> list[Mutation]:
    """What can be altered without the checker's noticing."""
    found = []
    for mutation in mutations(plan):
        try:
            other = type(plan).model_validate(mutation.plan)
        except ValidationError:
            continue  # no plan at all
        if other != plan and not verify(organization, other):
            found.append(mutation)
    return found


def assert_nothing_goes_unchecked(organization: Organization, plan: Allocation | Reallocation) -> None:
    assert verify(organization, plan) == ()
    unchecked = survivors(organization, plan)
    assert [each.told for each in unchecked if each.field not in FREE or not is_finite(each.plan)] == []


def crowded_lab() -> Organization:
    """Every feature once: what is held breaks a pool, a cap and a limit; somebody waits for each reason."""
    return lab(
        [
            pool("iowa", 16, unit=4),
            pool("texas", 8, unit=4, gpu_type="gb200"),
            pool("ohio", 8),
            pool("soon", 0),
        ],
        teams=[
            root(owner="ceo", cap=40, limits={"gb200": Limit(cap=4)}),
            team("vision", guarantee="25%", cap=12, owner="ada"),
            team("speech", guarantee=4, owner="alan"),
        ],
        projects=[
            project("orion", 20, "vision", holds={"iowa": 16}, priority=2),
            project("lyra", 20, "speech", tier=2, minimum=10, holds={"texas": 8}, ends=day(9)),
            project("rigel", 8, "speech", holds={"iowa": 8}, pinned=True, one_pool=True),
            project("vega", 6, "speech", speeds={"h100": 1.1}, one_pool=True),
            project("deneb", 4, "vision"),
            project("later", 8, "speech", starts=day(5)),
            project("nowhere", 8, "speech", pools=("soon",)),
            project("huge", 900, "speech", minimum=800),
        ],
        deliveries=[delivery("ohio", 4, on=3)],
        value=[[0.5, 1.0], [0.5, 0.6]],
        move_cost=0.05,
        max_moves=8,
    )


@pytest.mark.parametrize("date", [0, 9])
def test_no_field_of_an_optimal_allocation_goes_unchecked(date: int) -> None:
    organization = crowded_lab()
    assert_nothing_goes_unchecked(organization, proved(organization, day(date)))


@pytest.mark.parametrize(("time_limit", "gap"), [(0.0, 0.0), (60.0, 0.9)])
def test_no_field_of_an_unproved_allocation_goes_unchecked(time_limit: float, gap: float) -> None:
    organization = crowded_lab()
    plan = allocate(organization, options=dataclasses.replace(PROOF, time_limit=time_limit, gap=gap))
    assert plan.status is Status.FEASIBLE
    assert_nothing_goes_unchecked(organization, plan)


def test_no_field_of_a_plan_that_stays_near_to_another_goes_unchecked() -> None:
    organization = crowded_lab()
    before = proved(organization)
    plan = allocate(organization, date=day(3), options=PROOF, near=before)
    assert_nothing_goes_unchecked(organization, plan)


@pytest.mark.parametrize("time_limit", [60.0, 0.0])
def test_no_field_of_a_reallocation_goes_unchecked(time_limit: float) -> None:
    organization = crowded_lab()
    asked = [
        request("big", 12, "vision", by=5, gpu_types=("gb200", "h100")),
        request("small", 2, "speech", by=2, tier=2, starts=day(1), all_or_nothing=True),
    ]
    assert_nothing_goes_unchecked(organization, reallocated(organization, asked, time_limit))


def reallocated(organization: Organization, asked: list[Request], time_limit: float = 60.0) -> Reallocation:
    options = dataclasses.replace(PROOF, time_limit=time_limit)
    return reallocate(organization, until=day(30), requests=asked, options=options)


def test_what_is_free_can_be_altered() -> None:
    """The list of what is not checked has nothing in it that is."""
    organization = crowded_lab()
    asked = [request("big", 12, "vision", by=5)]
    plans = (
        survivors(organization, proved(organization)),
        survivors(organization, reallocated(organization, asked)),
    )
    assert {each.field for plan in plans for each in plan} == FREE
