"""The reallocation against models/reallocation.mod, solved by GLPK."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from math import gcd
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_opt.checker.supplies import (
    ReallocationData,
    accepts,
    division,
    reallocation_data,
    rooms_on,
    steps_down,
)
from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Donor
from gpu_opt.reallocation import reallocate
from tests.agreement.mathprog import MODELS, solve_model
from tests.building import day, delivery, lab, pool, project, request, team
from tests.strategies import HORIZON, organizations, requests

MODEL = MODELS / "reallocation.mod"


Goal = tuple[str, int]
"""What is measured, and the tier; 0 for all."""


def written(organization: Organization, asked: Sequence[Request], held: dict[Goal, float], goal: Goal) -> str:
    """The data section; `held` are the values of the goals before this one."""
    data = reallocation_data(organization, asked, day(HORIZON))
    days = changes(data)
    prices = organization.policy.reallocation
    return "\n".join(
        [
            "data;",
            sets("POOLS", "P", organization.pools),
            sets("REQUESTS", "R", asked),
            sets("SUPPLIES", "S", data.supplies),
            sets("ROOMS", "K", rooms_on(data, organization.as_of)),
            f"set DAYS := {' '.join(str(number(data, each)) for each in days)};",
            *collected([*supplies_written(data), *requests_written(data), *rooms_written(data, days)]),
            f"param idle := {prices.idle!r};",
            f"param less_preferred := {prices.less_preferred!r};",
            f"param other_division := {prices.other_division!r};",
            f"param measure := {goal[0]};",
            f"param at := {goal[1]};",
            f"set EARLIER := {' '.join(f'({measure},{tier})' for measure, tier in held)};",
            f"param reached := {', '.join(f'{m} {k} {value + 1e-6!r}' for (m, k), value in held.items())};",
            "end;",
        ]
    )


def sets(name: str, letter: str, members: Iterable[object]) -> str:
    return f"set {name} := {' '.join(f'{letter}{i}' for i, _ in enumerate(members))};"


def collected(entries: Iterable[tuple[str, str]]) -> Iterable[str]:
    """One statement for each set or parameter: MathProg wants all its values together."""
    values: dict[str, list[str]] = {"set ACCEPTS": [], "set COUNTS": []}
    for name, entry in entries:
        values.setdefault(name, []).append(entry)
    return [f"{name} := {', '.join(entries)};" for name, entries in values.items()]


def number(data: ReallocationData, date: dt.date) -> int:
    return (date - data.organization.as_of).days


def changes(data: ReallocationData) -> list[dt.date]:
    """Days on which something changes."""
    organization = data.organization
    ends = {one.ends for one in organization.projects if one.ends is not None}
    grows = {one.on for one in organization.deliveries}
    asked = {date for one in data.requests.values() for date in (one.starts, one.by) if date is not None}
    days = {organization.as_of, *ends, *grows, *asked}
    return [each for each in sorted(days) if organization.as_of <= each <= data.until]


def supplies_written(data: ReallocationData) -> Iterable[tuple[str, str]]:
    places = {name: p for p, name in enumerate(data.pools)}
    for p, at in enumerate(data.pools.values()):
        yield "param unit", f"P{p} {at.unit}"
    for i, (source, gpus) in enumerate(data.supplies.items()):
        yield "param pool", f"S{i} P{places[source.pool]}"
        yield "param gpus", f"S{i} {gpus}"
        yield "param free_on", f"S{i} {number(data, source.on)}"
        for r, asked in enumerate(data.requests.values()):
            donor = data.team_of[str(source.project)] if source.donor is Donor.RELEASE else asked.team
            if division(data.paths, donor) != division(data.paths, asked.team):
                yield "param crosses", f"S{i} R{r} 1"


def requests_written(data: ReallocationData) -> Iterable[tuple[str, str]]:
    for r, asked in enumerate(data.requests.values()):
        units = [at.unit for at in data.pools.values() if accepts(asked, at)] or [1]
        yield "param asked", f"R{r} {data.asked[asked.name]}"
        yield "param more", f"R{r} {max(units) - gcd(*units)}"
        yield "param starts", f"R{r} {number(data, asked.starts or data.organization.as_of)}"
        yield "param needed", f"R{r} {number(data, asked.by)}"
        yield "param tier", f"R{r} {asked.tier}"
        yield "param priority", f"R{r} {asked.priority!r}"
        yield "param whole", f"R{r} {int(asked.all_or_nothing)}"
    pairs = [
        (r, p, steps_down(asked, at))
        for r, asked in enumerate(data.requests.values())
        for p, at in enumerate(data.pools.values())
        if accepts(asked, at)
    ]
    for r, p, steps in pairs:
        yield "set ACCEPTS", f"(R{r},P{p})"
        yield "param steps", f"R{r} P{p} {steps}"


def rooms_written(data: ReallocationData, days: Sequence[dt.date]) -> Iterable[tuple[str, str]]:
    today = rooms_on(data, data.organization.as_of)
    for k, room in enumerate(today):
        yield "param limits_type", f"K{k} {int(room.gpu_type is not None)}"
        for p, at in enumerate(data.pools.values()):
            if room.gpu_type in {None, at.gpu_type}:
                takes = data.fleet.worth[at.name] / 1000 if room.gpu_type is None else 1
                yield "param takes", f"K{k} P{p} {takes!r}"
                for r, one in enumerate(data.requests.values()):
                    if room.team in data.paths[one.team]:
                        yield "set COUNTS", f"(K{k},R{r},P{p})"
    for each in days:
        for k, room in enumerate(rooms_on(data, each)):
            yield "param room", f"K{k} {number(data, each)} {float(room.amount)!r}"


def glpk_goals(organization: Organization, asked: Sequence[Request], folder: Path) -> list[float]:
    """The goals by GLPK, one after the other."""
    held: dict[Goal, float] = {}
    tiers = sorted({one.tier for one in asked})
    by_tier = [(measure, tier) for measure in ("unmet", "late") for tier in tiers]
    for goal in [*by_tier, ("cost", 0), ("days", 0)]:
        data = folder / "data.dat"
        data.write_text(written(organization, asked, held, goal), encoding="utf-8")
        held[goal] = solve_model(MODEL, data)
    return list(held.values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_executable_model_reaches_the_same_goals(tmp_path: Path, data: st.DataObject) -> None:
    organization = data.draw(organizations(max_projects=4))
    drawn = data.draw(requests(organization, most=3, gpus=8))
    asked = [one for one in drawn if one.starts is None or one.starts <= one.by]
    plan = reallocate(organization, until=day(HORIZON), requests=asked, options=Options(gap=0.0, threads=1))
    assert [goal.value for goal in plan.goals] == pytest.approx(
        glpk_goals(organization, asked, tmp_path), rel=1e-5, abs=1e-5
    )


def test_the_worked_example_is_the_one_in_the_model() -> None:
    organization = lab(
        [pool("iowa", 640, 8, "h100"), pool("texas", 0, 8, "h200")],
        teams=[team("research"), team("product")],
        projects=[
            project("vega", team="product", holds={"iowa": 64}, ends=day(8)),
            project("orion", team="research", holds={"iowa": 512}, ends=day(19)),
        ],
        deliveries=[delivery("texas", 256, on=15)],
    )
    asked = (
        request("lyra", 640, "research", by=17, gpu_types=("h100", "h200"), priority=2),
        request("carina", 128, "product", by=8, starts=day(8), gpu_types=("h100",), all_or_nothing=True),
    )
    plan = reallocate(organization, requests=asked)
    assert plan.objective == pytest.approx(solve_model(MODEL))
    assert [(one.request, one.project or one.donor, one.gpus, one.on) for one in plan.handovers] == [
        ("carina", Donor.IDLE, 64, day(8)),
        ("carina", "vega", 64, day(8)),
        ("lyra", Donor.DELIVERY, 256, day(15)),
        ("lyra", "orion", 384, day(19)),
    ]
    assert [(goal.name, goal.value) for goal in plan.goals] == [
        ("unmet_tier_1", 0),
        ("late_tier_1", 1536),
        ("cost", pytest.approx(1331.2)),
        ("days", 12928),
    ]
