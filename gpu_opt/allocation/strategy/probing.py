"""A choice that the relaxation leaves in halves, made both ways: what CBC's cuts prove of either.

(Probing: Savelsbergh 1994, here with all of CBC's cuts.) Whether a project has its minimum, and in which pool
it is, is what a linear program says least about. Either way of such a choice is a program of its own, cut at
its root. No plan is better than the better one of the two; and where one of them cannot be better than the
plan that is known, every better plan makes the other choice, which is fixed for good: everything that is cut
later knows it. In some labs of a hundred projects one such choice is most of what is left to prove.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.whole import Forced, binaries, survive, whole_program
from gpu_opt.options import Cancel
from gpu_opt.solver import Answer, Effort

if TYPE_CHECKING:
    from pulp import LpVariable

    from gpu_opt.allocation.formulation import Formulation
    from gpu_opt.allocation.stage import Stage

HALF = 0.02
"""How far from 0 and from 1 a choice must be to be left open."""

ROOTS_PER_ARC = 3e-3
"""Seconds, for each arc, that must be left to begin with a choice: twice what its two programs take."""

IN_VAIN = 10
"""Choices in a row that may leave the bound as it is."""

Sides = tuple[Answer, Answer]
"""What CBC proves if the choice is not made, and if it is."""


def probing_jobs(stage: Stage) -> Iterator[Job]:
    """Yield jobs for one choice each, the most open ones first; again, as long as any of them is forced.

    It ends when several in a row have not made the bound better.
    """
    known, in_vain = -1, 0
    while len(stage.forced_choices) > known and _has_time(stage):
        known, held = len(stage.forced_choices), stage.aim.held
        formulation = whole_program(stage)
        open_choices: list[LpVariable] = []
        yield _relaxation_job(stage, formulation, open_choices)
        for choice in open_choices:
            if in_vain >= IN_VAIN or stage.aim.held != held or not _has_time(stage):
                return
            if choice.lowBound != choice.upBound:
                before = stage.bound
                yield _probe(stage, formulation, choice)
                in_vain = 0 if stage.bound < before else in_vain + 1


def _has_time(stage: Stage) -> bool:
    return stage.seconds_left >= ROOTS_PER_ARC * len(stage.incumbent.instance.arcs.pool)


def _relaxation_job(stage: Stage, formulation: Formulation, open_choices: list[LpVariable]) -> Job:
    """Find the choices that the linear relaxation leaves open, by how far."""

    def run(_: None, cancel: Cancel) -> Answer:
        return survive(stage, formulation.problem, cancel, relax=True)

    def done(answer: Answer) -> None:
        if answer.has_solution:
            halves = [(abs(0.5 - (each.varValue or 0.0)), each) for each in binaries(formulation)]
            some = [(far, number) for number, (far, _) in enumerate(halves) if far < 0.5 - HALF]
            open_choices.extend(halves[number][1] for _, number in sorted(some))

    return Job(run, None, done, is_proof=True, is_here=True)


def _probe(stage: Stage, formulation: Formulation, choice: LpVariable) -> Job:
    """One choice, both ways."""
    held = stage.aim.held

    def side(value: int, cancel: Cancel) -> Answer:
        choice.lowBound = choice.upBound = value
        answer = survive(stage, formulation.problem, cancel, effort=Effort.ROOT)
        choice.lowBound, choice.upBound = 0, 1
        return answer

    def run(_: None, cancel: Cancel) -> Sides:
        return side(0, cancel), side(1, cancel)

    def done(sides: Sides) -> None:
        bounds = [each.bound for each in sides]
        stage.count(any(bound is not None for bound in bounds))
        if bounds[0] is not None and bounds[1] is not None:
            stage.tighten(max(bounds[0], bounds[1], stage.value))
        for value, bound in enumerate(bounds):
            if bound is not None and bound <= stage.value and stage.aim.held == held:
                _force(stage, choice, 1 - value)

    return Job(run, None, done, is_proof=True, is_here=True)


def _force(stage: Stage, choice: LpVariable, value: int) -> None:
    """Note that every plan better than the stage's makes the choice so, and fix it in what is solved next."""
    choice.lowBound = choice.upBound = value
    choices = {**stage.forced_choices, choice.name: value}
    stage.forced = Forced(stage.aim.held, stage.value, choices)
