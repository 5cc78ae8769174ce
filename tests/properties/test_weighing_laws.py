"""Rivals weighed all at once, pool by pool, are as rivals weighed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import weighing
from gpu_opt.allocation.appraisal import is_feasible
from gpu_opt.allocation.barriers import Barrier, Situation, barriers, wanted_units
from gpu_opt.allocation.rivals import NO_LEVEL, Contest
from gpu_opt.allocation.standing import TOLERANCE, Standing
from gpu_opt.allocation.weighing import Scales
from gpu_opt.indexing import build_instance
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.organization import Organization
from tests.building import lab, pool, project
from tests.strategies import organizations


def value(case: Situation, j: int, milli: int) -> float:
    """What so much compute of its own is worth to a project."""
    projects = case.instance.projects
    left, worth, demand = milli / MILLI, 0.0, projects.demand[j]
    for share, each in case.segments:
        piece = min(left, share * demand / MILLI)
        worth += each * piece
        left -= piece
    return worth * projects.priority[j]


def gain(case: Situation, j: int, arc: int, units: int) -> float:
    """What so many more units are worth to it, for each reference GPU that budgets count."""
    have, arcs = int(case.own[j]), case.instance.arcs
    counted = units * case.instance.pools.unit_compute[int(arcs.pool[arc])]
    return (value(case, j, have + units * int(arcs.own[arc])) - value(case, j, have)) * MILLI / counted


def worth_of_last(case: Situation, arc: int) -> float:
    instance, x = case.instance, case.x
    j, each = int(instance.arcs.project[arc]), int(instance.arcs.own[arc])
    pools: list[int] = instance.arcs.pool.tolist()
    counted = instance.pools.unit_compute
    have = int(case.own[j])
    if have - each < instance.projects.minimum[j]:
        all_of_it = sum(int(x[a]) * counted[pools[a]] for a in instance.projects.arcs[j])
        return value(case, j, have) * MILLI / all_of_it
    return (value(case, j, have) - value(case, j, have - each)) * MILLI / counted[pools[arc]]


def promises(case: Situation, j: int, arc: int) -> list[int]:
    """Teams, not above the project, whose promise the unit keeps, from the root down."""
    instance, mine = case.instance, case.chain(j)
    counted = instance.pools.unit_compute[instance.arcs.pool[arc]]
    return [
        n
        for n in reversed(case.chain(int(instance.arcs.project[arc])))
        if n not in mine and instance.teams.target[n] and case.total[n] - counted < case.goal[n]
    ]


def standing(case: Situation, j: int, gain: float, arc: int) -> Standing | None:
    """The standing of the rival's unit on the arc against the project."""
    instance, level = case.instance, case.instance.teams.level
    rival, pool = int(instance.arcs.project[arc]), int(instance.arcs.pool[arc])
    kept = min((level[n] for n in promises(case, j, arc)), default=NO_LEVEL)
    short = min((level[n] for n in case.chain(j) if case.total[n] < case.goal[n]), default=NO_LEVEL)
    tier, its_tier = instance.projects.tier[j], instance.projects.tier[rival]
    worth = worth_of_last(case, arc)
    if kept < short:
        return Standing.GUARANTEED
    if kept == short and its_tier < tier and worth > 0:
        return Standing.AHEAD
    less = gain * (1 - TOLERANCE)
    is_compared = kept == short and its_tier == tier
    if is_compared and worth >= less:
        return Standing.AHEAD if worth > gain / (1 - TOLERANCE) else None
    is_move = case.x[arc] <= instance.arcs.wanted[arc]
    unit = instance.pools.unit[pool]
    if instance.projects.pinned[rival] and is_move:
        return Standing.PINNED
    if case.moves_left is not None and is_move and unit > case.moves_left:
        return Standing.MOVES_SPENT
    cost = float(instance.move_cost) * unit * MILLI / instance.pools.unit_compute[pool] if is_move else 0.0
    return Standing.MOVE_COST if is_compared and worth + cost >= less else Standing.BEHIND


def makes_room(case: Situation, j: int, on: int, found: tuple[Barrier, ...], arc: int) -> bool:
    """Whether a unit on `arc` is in the way of the project on the arc `on`."""
    instance, families = case.instance, {each.family for each in found}
    limits = [instance.limits[each.place] for each in found if each.family == "type_limit"]
    teams = {each.place for each in found if each.family == "team_cap"} | {each.team for each in limits}
    pool, rival = int(instance.arcs.pool[arc]), int(instance.arcs.project[arc])
    if rival == j or not case.x[arc] or not families & {"pool_capacity", "team_cap", "type_limit"}:
        return False
    in_pool = "pool_capacity" not in families or pool == instance.arcs.pool[on]
    of_type = all(instance.pools.types[pool] == each.gpu_type for each in limits)
    return in_pool and of_type and teams <= set(case.chain(rival))


def one_by_one(
    case: Situation, j: int, blocked: dict[int, tuple[Barrier, ...]], gained: list[float]
) -> Iterator[tuple[Standing | None, int]]:
    """The standings of all rivals that make room, with their arcs."""
    for (on, found), gain in zip(blocked.items(), gained, strict=True):
        for arc in range(len(case.x)):
            if makes_room(case, j, on, found, arc):
                yield standing(case, j, gain, arc), arc


def largest(case: Situation, arcs: set[int], most: int) -> list[int]:
    gpus: dict[int, int] = {}
    for a in arcs:
        unit = case.instance.pools.unit[case.instance.arcs.pool[a]]
        rival = int(case.instance.arcs.project[a])
        gpus[rival] = gpus.get(rival, 0) + int(case.x[a]) * unit
    return sorted(gpus, key=lambda j: (-gpus[j], j))[:most]


def some_plan(instance: Instance, random: Random) -> Ints:
    """A feasible plan, as full as chance has it, from today's wanted holdings on."""
    x = instance.arcs.wanted.copy()
    for a in random.sample(range(len(x)), len(x)):
        more = x.copy()
        more[a] = random.randint(0, int(instance.arcs.upper[a]))
        if is_feasible(instance, more):
            x = more
    return x


@settings(max_examples=300)
@given(organizations(max_projects=7, max_pools=3), st.randoms(use_true_random=False), st.booleans())
def test_every_standing_is_found_and_its_largest_are_named(
    organization: Organization, random: Random, first_is_enough: bool
) -> None:
    instance = build_instance(organization, organization.as_of)
    case = Situation(instance, some_plan(instance, random), proved=False)
    scales = Scales(Contest(case))
    for j, arcs in enumerate(instance.projects.arcs):
        steps = wanted_units(case, j) if arcs else {}
        if not steps:
            continue
        blocked = barriers(case, j, steps)
        gained = [gain(case, j, a, units) for a, units in steps.items()]
        expected = list(one_by_one(case, j, blocked, gained))
        weighed = scales.weigh(blocked, steps)
        for each in Standing:
            where = {arc for has, arc in expected if has is each}
            event(f"{each}: {bool(where)}")
            assert weighed.has(each) == bool(where), each
            if where:
                with patch.object(weighing, "AT_FIRST", 500 if first_is_enough else 1):
                    assert weighed.largest(each, 2) == largest(case, where, 2)
        if kept := [n for has, arc in expected if has is Standing.GUARANTEED for n in promises(case, j, arc)]:
            level = instance.teams.level
            assert weighed.highest_promise() == min(kept, key=lambda n: (level[n], n))
        ahead = [int(instance.arcs.project[arc]) for has, arc in expected if has is Standing.AHEAD]
        higher = any(instance.projects.tier[r] < instance.projects.tier[j] for r in ahead)
        assert weighed.has_higher_tier() == higher


def holders_of_one_each(*priorities: float) -> tuple[Scales, Situation]:
    """Some who hold a GPU each, and another one, of priority 1.5, who would like one for a move of 0.2."""
    holders = [
        project(f"p{number}", 1, priority=priority, holds={"iowa": 1})
        for number, priority in enumerate(priorities)
    ]
    organization = lab(
        [pool("iowa", len(holders))],
        projects=[*holders, project("orion", 1, priority=1.5)],
        value=((1.0, 1.0),),
        move_cost=0.2,
    )
    instance = build_instance(organization, organization.as_of)
    case = Situation(instance, instance.arcs.wanted, proved=True)
    return Scales(Contest(case)), case


@pytest.mark.parametrize(
    ("priorities", "kept"),
    [((1.0, 2.0), []), ((1.0, 2.0, 1.4), [2]), ((1.4, 1.35), [0, 1]), ((1.0,), []), ((2.0,), [])],
)
def test_the_cost_of_a_move_keeps_those_between_the_gain_with_it_and_without(
    priorities: tuple[float, ...], kept: list[int]
) -> None:
    scales, case = holders_of_one_each(*priorities)
    orion = len(priorities)
    steps = wanted_units(case, orion)
    weighed = scales.weigh(barriers(case, orion, steps), steps)
    assert weighed.has(Standing.MOVE_COST) == bool(kept)
    assert weighed.largest(Standing.MOVE_COST, 5) == kept
    assert weighed.has(Standing.BEHIND) == any(priority < 1.3 for priority in priorities)
    assert weighed.has(Standing.AHEAD) == any(priority > 1.5 for priority in priorities)
