"""The relaxation of a stage: solved for its prices and its bound, rounded and dived into for a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.dive import HUGE, LARGE, dive
from gpu_opt.allocation.promises import who_would_keep_promises
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.allocation.strategy.crew import POLL, Crew, Job
from gpu_opt.allocation.strategy.lumps import SOME
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.pricing import as_goal
from gpu_opt.allocation.strategy.proving import early_jobs
from gpu_opt.allocation.strategy.relaxation import (
    Relaxation,
    aim_at_goal,
    aim_at_later_tiers,
    read_units,
    relaxation_of,
)
from gpu_opt.allocation.strategy.sifting import Guide, is_near_enough, moved, sift
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.allocation.strategy.whole import relax
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.instance import Instance
from gpu_opt.options import Cancel, relative_gap

if TYPE_CHECKING:
    from gpu_opt.allocation.stage import Stage


FAR = 5e-4
"""Gap to the relaxation's bound from which on a plan is worth a dive."""

SECONDS_PER_ARC = 3e-5
"""That must be left for a relaxation, for each of its arcs: it takes them to be written."""


def ask_relaxation(stage: Stage, crew: Crew, aim: Aim | None = None) -> Guide | None:
    """Solve the relaxation for the stage's goal, or for `aim`; offer what it rounds to.

    Of the crew one dives, and another one, if there is one, proves what needs nothing but prices meanwhile.
    Prices that are known already are kept where they prove as much, or where there is no time for others.
    """
    aim, before = aim or stage.aim, stage.guide
    if before is not None and before.aim.goal is stage.goal:
        stage.guide = moved(stage.market, before, aim, stage.has_no_time)
        if is_near_enough(before, stage.guide):
            return stage.guide
    sifted = _sift(stage, aim)
    if sifted is not None:
        stage.guide = _with_later_tiers(stage, sifted)
        began_near = stage.is_later_tier and stage.incumbent.instance.arcs.near is not None
        may_dive = not began_near and _is_far(stage, stage.guide)
        _offer(stage, stage.guide.relaxed)
        if may_dive:
            _dive(stage, crew, stage.guide)
    return stage.guide


def _is_far(stage: Stage, guide: Guide) -> bool:
    """Whether a dive may find a plan that is much better; one to begin with is mostly closer than that.

    A plan that misses promises may have much value: it is far from one that keeps them.
    """
    return guide.aim != stage.aim or relative_gap(stage.value, as_goal(guide.aim, guide.bound)) > FAR


def prove_by_relaxation(stage: Stage) -> None:
    """Take the bound of the relaxation, and nothing else of it."""
    guide = _sift(stage, stage.aim)
    if guide is not None:
        stage.tighten(as_goal(guide.aim, guide.bound))


def _sift(stage: Stage, aim: Aim) -> Guide | None:
    """The guide of a relaxation; what prices prove on the way is taken whether or not it is solved."""
    target = stage.value if stage.goal.sense == "maximize" else -stage.value

    def proved(bound: float) -> None:
        if aim == stage.aim:  # else it is of plans that keep promises which this one does not
            stage.tighten(as_goal(aim, bound))

    def solved(part: Instance) -> Relaxation | None:
        if stage.seconds_left < SECONDS_PER_ARC * len(part.arcs.pool):
            return None
        relaxation = relaxation_of(part, aim)
        return relaxation if _relax(stage, relaxation) else None

    return sift(stage.market, aim, stage.incumbent.x, target, solved, proved, stage.has_no_time)


def _relax(stage: Stage, relaxation: Relaxation, cancel: Cancel | None = None) -> bool:
    """Solve a linear program in the stage's time; whether it is solved."""
    return not stage.has_no_time() and relax(stage, relaxation.problem, cancel).status is SolverStatus.OPTIMAL


def _with_later_tiers(stage: Stage, guide: Guide) -> Guide:
    """The guide whose relaxation is, of equally good ones, the best for later tiers."""
    if not aim_at_later_tiers(guide.relaxation):
        return guide
    units = guide.relaxed.copy()
    if _relax(stage, guide.relaxation):
        units[guide.kept] = read_units(guide.relaxation)
    aim_at_goal(guide.relaxation)
    return replace(guide, relaxed=units)


def _dive(stage: Stage, crew: Crew, guide: Guide) -> None:
    """Take the relaxation's half decisions, the clearest first, and offer what it then rounds to."""
    proofs = early_jobs(stage, guide) if stage.options.work_limit is None else iter(())
    for choices, holders_stay in _dives(stage, guide):
        units = _beside(crew, partial(_dived, stage, guide, choices, holders_stay), proofs)
        if _offer(stage, units) or holders_stay:
            stage.guide = replace(guide, dived=units)
    crew.collect(0.0)


def _dives(stage: Stage, guide: Guide) -> Iterator[tuple[dict[int, int], bool]]:
    """What teams' lumps are decided beforehand, and whether holders stay.

    Where moves are few, twice: whether whole holdings are worth some of them shows only in the end. And once
    more with those who would keep the promises that the plan misses. None when time is over.
    """
    instance = stage.incumbent.instance
    choices = {project: arc for choice in guide.choices for project, arc in choice.taken}
    is_twice = instance.max_moves is not None and len(guide.kept) < LARGE
    for holders_stay in (True, False) if is_twice else (True,):
        if not stage.has_no_time():
            yield choices, holders_stay
    promised = dict.fromkeys(who_would_keep_promises(instance, stage.incumbent.x), SOME)
    if promised.items() - choices.items() and len(guide.kept) < HUGE and not stage.has_no_time():
        yield choices | promised, False


def _dived(stage: Stage, guide: Guide, choices: dict[int, int], holders_stay: bool, cancel: Cancel) -> Floats:
    """Units per arc at the end of a dive."""
    units = np.zeros_like(guide.relaxed)
    units[guide.kept] = dive(
        guide.relaxation,
        guide.relaxed[guide.kept],
        choices.items(),
        lambda: _relax(stage, guide.relaxation, cancel),
        holders_stay=holders_stay,
    )
    return units


def _beside(crew: Crew, work: Callable[[Cancel], Floats], proofs: Iterator[Job]) -> Floats:
    """What the work gives; one proof after the other is worked on meanwhile, if somebody is free.

    One at a time: writing its program takes Python, which the work needs as well.
    """
    given: list[Floats] = []
    crew.give(Job(lambda _, cancel: work(cancel), None, given.append, is_here=True))
    while not given:
        if crew.free > 0 and not crew.has_proof_job and (job := next(proofs, None)):
            crew.give(job)
        crew.collect(POLL)
    return given[0]


def _offer(stage: Stage, relaxed: Floats) -> bool:
    """Offer the plan that fractional grants round to; whether it is taken."""
    is_better = stage.incumbent.offer(round_relaxation(stage.incumbent.instance, relaxed))
    stage.report()
    return is_better
