"""A choice that the relaxation leaves in halves, made both ways: what CBC's cuts prove of either.

(Probing: Savelsbergh 1994, here with all of CBC's cuts.) Whether a project has its minimum, and in which pool
it is, is what a linear program says least about. Either way of such a choice is a program of its own, cut at
its root. No plan is better than the better one of the two; and where one of them cannot be better than the
plan that is known, every better plan makes the other choice, as the known one does: it is fixed in every
whole program that is begun after that. In some labs of a hundred projects one such choice is most of what is
left to prove.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpu_opt.allocation.appraisal import contradicts
from gpu_opt.allocation.start import set_start
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.parts import outward
from gpu_opt.allocation.strategy.whole import Forced, binaries, is_worth_depth, survive, whole_program
from gpu_opt.options import Cancel
from gpu_opt.solver import Answer, Effort

if TYPE_CHECKING:
    from pulp import LpVariable

    from gpu_opt.allocation.formulation import Formulation
    from gpu_opt.allocation.stage import Stage

log = logging.getLogger(__name__)

HALF = 0.02
"""How far from 0 and from 1 a choice must be to be left open."""

IN_VAIN = 10
"""Choices in a row that may leave the bound as it is, whether or not they are forced."""

Sides = tuple[float | None, float | None]
"""What CBC proves if the choice is not made, and if it is."""


def probing_jobs(stage: Stage) -> Iterator[Job]:
    """Yield jobs for one choice each, the most open ones first; again, as long as any of them is forced.

    It ends when several in a row have not made the bound better, or while there is time to branch as well.
    """
    known, in_vain = -1, 0
    while len(stage.forced_choices) > known and is_worth_depth(stage):
        known, held = len(stage.forced_choices), stage.aim.held
        formulation = whole_program(stage)
        open_choices: list[LpVariable] = []
        yield _relaxation_job(stage, formulation, open_choices)
        for choice in open_choices:
            if in_vain >= IN_VAIN or stage.aim.held != held or not is_worth_depth(stage):
                return
            if choice.lowBound != choice.upBound:
                before = stage.bound
                yield _probe(stage, formulation, choice)
                in_vain = 0 if stage.bound < before else in_vain + 1


def _relaxation_job(stage: Stage, formulation: Formulation, open_choices: list[LpVariable]) -> Job:
    """Find the choices that the linear relaxation leaves open, by how far."""

    def run(_: None, cancel: Cancel) -> Answer:
        return survive(stage, formulation.problem, cancel, as_linear=True)

    def done(answer: Answer) -> None:
        if answer.has_solution:
            halves = [(abs(0.5 - (each.varValue or 0.0)), each) for each in binaries(formulation)]
            some = [(far, number) for number, (far, _) in enumerate(halves) if far < 0.5 - HALF]
            open_choices.extend(halves[number][1] for _, number in sorted(some))

    return Job(run, None, done, is_proof=True, is_here=True)


def _probe(stage: Stage, formulation: Formulation, choice: LpVariable) -> Job:
    """One choice, both ways; what the known plan does is forced where the other is out of the question."""
    held = stage.aim.held

    def side(value: int, cancel: Cancel) -> float | None:
        choice.lowBound = choice.upBound = value
        answer = survive(stage, formulation.problem, cancel, effort=Effort.ROOT)
        choice.lowBound, choice.upBound = 0, 1
        return None if answer.bound is None else outward(answer.bound, stage.goal.sense)

    def run(_: None, cancel: Cancel) -> Sides:
        return side(0, cancel), side(1, cancel)

    def done(sides: Sides) -> None:
        stage.count(any(each is not None for each in sides))
        if stage.aim.held != held:  # a plan that keeps earlier goals better may be worse: it proves less
            return
        set_start(stage.incumbent.instance, formulation.variables, stage.incumbent.x)
        own = round(choice.varValue or 0.0)
        mine, other = sides[own], sides[1 - own]
        if mine is not None and contradicts(stage.goal, mine, stage.value):
            log.warning(
                "CBC proves that there is no such plan as the known one; %s is left open", choice.name
            )
            return
        if mine is not None and other is not None:
            stage.tighten(max(mine, other, stage.value))
        if other is not None and other <= stage.value:
            choice.lowBound = choice.upBound = own
            stage.forced = Forced(held, stage.value, {**stage.forced_choices, choice.name: own})

    return Job(run, None, done, is_proof=True, is_here=True)
