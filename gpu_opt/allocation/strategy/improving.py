"""Jobs that improve the plan: a few projects decide again while everybody else keeps what it has.

Large neighbourhood search (Shaw 1998). At the relaxation's prices it is known how much less than its best
every project gains, so the blocks of the team tree take turns by what they lose: what a cap forbids one
team member is given to another. Between them come parts that cut across the tree
(:mod:`gpu_opt.allocation.neighbourhoods`), for pools that the wrong projects hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.strategy.between import at_random, between, by_team
from gpu_opt.allocation.strategy.choosing import across, around_losers, by_loss, losses, who_misses_most
from gpu_opt.allocation.strategy.coarse import decide_coarsely
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.focus import choose_arcs
from gpu_opt.allocation.strategy.parts import Decision, Limits, decide
from gpu_opt.allocation.strategy.table import Flags
from gpu_opt.cbc_process import GRACE
from gpu_opt.instance import Ints
from gpu_opt.solver import Effort

if TYPE_CHECKING:
    from gpu_opt.allocation.stage import Stage

LIMITS = Limits(seconds=1.0, nodes=100, gap=1e-5, effort=Effort.HASTY)
"""For one part. Most need a few tenths of a second."""

LATER = 80
"""Projects of later tiers that decide at once, before anything else is tried."""

ARCS = 6
"""Arcs of a project that a part looks at, beside those in use."""

MANY, FEWER_ARCS = 500, 4
"""Projects that decide coarsely at once, and arcs of each that they look at."""

SECONDS_PER_ARC = 1.5e-3
"""That this takes, for each arc; half of it is mostly enough."""

AT_MOST = 3
"""How many times as long it may take, where there is time: a third of what is left."""

PATIENCE = 3
"""How many times as long a goal must still have, for what it gains to be more than what others would: but
where moves are few nothing else finds as much."""

PROMISES_SHARE = 0.5
"""Share of all time that is left which it may take where a promise is missed."""

LARGER_SHARE = 0.6
"""Share of a goal's time that it may take where it gains most."""

FAR = 0.005
"""Gap of a plan from which on they gain most where they are all that there are, too."""

FEW_FIRST = 40
"""Parts of a few projects that come before, where moves are not limited: while they gain most."""

OUTDONE = 3
"""How many coarse parts in a row may gain less than others did meanwhile."""

Tried = dict[tuple[int, ...], tuple[float, ...]]
"""Parts that were tried, and the values of the plan then: it has others whenever it has improved."""


def improving_jobs(stage: Stage) -> Iterator[Job]:
    """Yield jobs for better plans, without end."""
    rounds = _rounds(stage)
    for later in _after_earlier_tiers(stage):
        yield _job(stage, later)
    if stage.goal.kind == "value" and stage.guide is not None:
        yield from _neighbours_rounded(stage)
        if stage.guide.aim.goal is stage.goal:
            yield from _coarse_jobs(stage, rounds)
    if stage.goal.kind == "guarantee" and stage.guide is not None:
        yield from _coarse_for_promises(stage)
    yield from rounds


def _neighbours_rounded(stage: Stage) -> Iterator[Job]:
    """Yield the roundings of all that the dive left in halves."""
    for neighbours in _counting(stage, by_team(stage.incumbent.instance)):
        yield _rounding(stage, neighbours, dived=True)


def _coarse_jobs(stage: Stage, meanwhile: Iterator[Job]) -> Iterator[Job]:
    """Yield parts of many projects, one after the other, where most is lost first; others `meanwhile`.

    It ends when parts of a few projects gain more in the same time, several times or with all that there are.
    """
    assert stage.guide is not None
    if not _gains_most(stage):
        yield from itertools.islice(meanwhile, FEW_FIRST)
    groups = list(_counting(stage, by_team(stage.incumbent.instance, MANY, stage.goal.index)))
    while True:
        loss = losses(stage, stage.guide)
        for many in sorted(groups, key=lambda projects: -float(loss[list(projects)].sum())):
            while stage.is_coarse:
                yield next(meanwhile)
            job = None if stage.outdone >= min(OUTDONE, len(groups)) else _coarse(stage, many)
            if job is None:
                return
            yield job


def _coarse_for_promises(stage: Stage) -> Iterator[Job]:
    """Yield the part of many projects that most is missed of, if there is time for it."""
    most = who_misses_most(stage, list(by_team(stage.incumbent.instance, MANY)))
    job = _coarse(stage, most) if most else None
    if job is not None:
        yield job


def _rounds(stage: Stage) -> Iterator[Job]:
    """Yield parts of a few projects, without end."""
    instance, tried = stage.incumbent.instance, Tried()
    number, rounds = itertools.count(), itertools.count()
    while True:
        for rivals in untried(stage, _counting(stage, around_losers(stage)), tried):
            yield _job(stage, rivals)
        for turn, chosen in enumerate(untried(stage, _counting(stage, by_loss(stage)), tried)):
            yield _job(stage, chosen)
            if turn % 4 == 3:
                yield _job(stage, across(stage, next(number)))
        some = at_random(instance, (stage.options.seed, next(number))) if stage.guide else ()
        for mixed in _counting(stage, some):
            yield _rounding(stage, mixed, dived=next(rounds) % 2 == 1)
        for _ in range(8):
            yield _job(stage, across(stage, next(number)))


def _counting(stage: Stage, parts: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    """Those parts of which some project counts for the goal: where a tier has few, most have none."""
    tier, goal = stage.incumbent.instance.projects.tier, stage.goal
    return (chosen for chosen in parts if goal.kind != "value" or any(tier[j] == goal.index for j in chosen))


def untried(stage: Stage, parts: Iterable[Sequence[int]], tried: Tried) -> Iterator[Sequence[int]]:
    """Those parts that were not tried since the plan last improved."""
    for chosen in parts:
        key = tuple(chosen)
        if tried.get(key) != stage.incumbent.values:
            tried[key] = stage.incumbent.values
            yield chosen


def _after_earlier_tiers(stage: Stage) -> Iterator[list[int]]:
    """All projects from the goal's tier on, neighbours together; none where it is the first tier.

    What earlier tiers were granted stays, so that none of their value can be lost: most that is to be had for
    a later one is had so.
    """
    if stage.is_later_tier:
        yield from by_team(stage.incumbent.instance, LATER, stage.goal.index)


def _job(stage: Stage, chosen: Sequence[int]) -> Job:
    incumbent = stage.incumbent
    part, arcs = restrict(incumbent.instance, incumbent.x, chosen, _among(stage))
    return _deciding(
        stage, Decision(part, incumbent.x[arcs], stage.goal.name, stage.within_time(LIMITS)), arcs
    )


def _coarse(stage: Stage, chosen: Sequence[int]) -> Job | None:
    """Many projects decide together; None if there is no time for that."""
    incumbent, guide = stage.incumbent, stage.guide
    assert guide is not None
    before, among = incumbent.x, choose_arcs(stage.market, guide.prices, incumbent.x, FEWER_ARCS)
    part, arcs = restrict(incumbent.instance, before, chosen, among | (guide.relaxed > 0))
    seconds = _time_for_many(stage, len(arcs))
    if seconds is None:
        return None
    stage.is_coarse, begun = True, stage.value

    def done(answer: Ints | None) -> None:
        found = stage.value
        stage.is_coarse = False
        stage.count(answer is not None)
        if answer is not None and not _put(stage, incumbent.x, arcs, answer, incumbent.offer):
            _put(stage, before, arcs, answer, incumbent.offer)  # what others found does not go with it
        stage.outdone = 0 if stage.value - found > found - begun else stage.outdone + 1

    limits = stage.within_time(replace(LIMITS, seconds=seconds, effort=Effort.FULL))
    return Job(decide_coarsely, Decision(part, before[arcs], guide.aim.goal.name, limits), done)


def _gains_most(stage: Stage) -> bool:
    """Whether many projects deciding together gain more than anything else does in the same time."""
    is_one_part = len(stage.incumbent.instance.projects.names) <= 1.5 * MANY
    return stage.incumbent.instance.max_moves is not None or (is_one_part and stage.gap > FAR)


def _time_for_many(stage: Stage, arcs: int) -> float | None:
    """Seconds for a coarse part; None if it would take too many of those that are left.

    A promise that is missed may take them from the goals after it, which it decides as well: its stage then
    lasts as much longer.
    """
    usual, clock = SECONDS_PER_ARC * arcs, stage.clock
    if stage.goal.kind == "guarantee" and stage.options.work_limit is None:
        seconds = min(PROMISES_SHARE * clock.left, AT_MOST * usual)
        if seconds < usual:
            return None
        stage.until = max(stage.until, min(clock.limit, clock.meter + seconds + GRACE))
        return seconds
    needed, share = (1.0, LARGER_SHARE) if _gains_most(stage) else (PATIENCE, 1.0 / PATIENCE)
    if stage.seconds_left < usual * needed:
        return None
    return max(usual, min(stage.seconds_left * share, AT_MOST * usual))


def _rounding(stage: Stage, chosen: Sequence[int], *, dived: bool) -> Job:
    incumbent, guide = stage.incumbent, stage.guide
    assert guide is not None
    units, limits = guide.dived if dived else guide.relaxed, stage.within_time(LIMITS)
    return _deciding(stage, *between(incumbent.instance, units, incumbent.x, chosen, stage.goal, limits))


def _deciding(stage: Stage, decision: Decision, arcs: Ints) -> Job:
    def done(answer: Ints | None) -> None:
        stage.count(answer is not None)
        if answer is not None:
            _put(stage, stage.incumbent.x, arcs, answer, stage.incumbent.take)

    return Job(decide, decision, done)


def _put(stage: Stage, x: Ints, arcs: Ints, answer: Ints, take: Callable[[Ints], bool]) -> bool:
    """Take a plan with an answer put into it, if it is better than the best."""
    x = x.copy()
    x[arcs] = answer
    if not take(x):
        return False
    stage.report()
    return True


def _among(stage: Stage) -> Flags | None:
    """The arcs worth looking at; None: all."""
    guide = stage.guide
    if guide is None or stage.goal.kind != "value":
        return None
    return np.asarray(choose_arcs(stage.market, guide.prices, stage.incumbent.x, ARCS))
