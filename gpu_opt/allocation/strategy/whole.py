"""CBC on the whole program: its cuts, its branching, and the choices that every better plan makes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpu_opt.allocation.formulation import WIDENINGS, Formulation, aim, formulate, hold
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.parts import outward, proven
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverFailure
from gpu_opt.instance import Ints
from gpu_opt.options import Cancel
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, Effort, solve

if TYPE_CHECKING:
    from pulp import LpProblem, LpVariable

    from gpu_opt.allocation.stage import Stage

log = logging.getLogger(__name__)

CLOSE, DEEP_PER_ARC = 0.005, 0.01
"""The whole program is cut deeply from this gap on, if so many seconds are left for each arc."""

WHOLE_NODES = 20
"""Nodes that the whole program may take where work is limited instead of time."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Choices that every plan makes which is better than the one that was known."""

    held: tuple[float, ...]
    """Where the goals before were held then."""
    value: float
    """What the known plan reached."""
    choices: dict[str, int]
    """The values of y_j and z_jp in the whole program, by name."""


def binaries(formulation: Formulation) -> list[LpVariable]:
    """The choices of the whole program: y_j and z_jp."""
    return [*formulation.variables.y.values(), *formulation.variables.z.values()]


def whole_program(stage: Stage) -> Formulation:
    """The program of the stage's goal, the ones before it held where the plan has them.

    What is forced is fixed in it, as long as that is known of plans better than the stage's, and as long as
    that makes the same choices: it is CBC's first solution.
    """
    instance, target = stage.incumbent.instance, stage.aim
    formulation = formulate(instance)
    aim(formulation, target.goal, instance)
    for goal, value in zip(target.earlier, target.held, strict=True):
        hold(formulation, instance, goal, value)
    set_start(instance, formulation.variables, stage.incumbent.x)
    choices = stage.forced_choices
    fixed = [each for each in binaries(formulation) if each.name in choices]
    if all(each.varValue == choices[each.name] for each in fixed):
        for each in fixed:
            each.lowBound = each.upBound = choices[each.name]
    return formulation


def relax(stage: Stage, problem: LpProblem, cancel: Cancel | None = None) -> Answer:
    """Solve a linear program within the stage's time; `cancel` (default: the solve's own) stops it."""
    return survive(stage, problem, cancel or stage.options.cancel, effort=Effort.UNSCALED)


def is_worth_depth(stage: Stage) -> bool:
    """Whether little is left to prove, and enough time for it."""
    arcs = len(stage.incumbent.instance.arcs.pool)
    return stage.gap <= CLOSE and stage.seconds_left >= DEEP_PER_ARC * arcs


def whole_job(stage: Stage) -> Job:
    """CBC on the whole program, for its bound and whatever it finds."""
    formulation, target, begins_with = whole_program(stage), stage.aim, stage.incumbent.x
    stage.began_with = stage.value
    effort = Effort.DEEP if is_worth_depth(stage) else Effort.FULL

    def run(_: None, cancel: Cancel) -> Answer:
        return _solve_whole(stage, target, formulation, begins_with, cancel, effort)

    def done(answer: Answer) -> None:
        seemed_over = stage.seems_over()
        if answer.has_solution:
            stage.incumbent.offer(read_grants(formulation.variables))
        bound = proven(answer, stage.goal.sense)
        if bound is not None:
            stage.tighten(bound)
        stage.shown = stage.bound
        stage.count(answer.has_solution)
        stage.is_done = answer.has_solution and answer.stop in {Stop.PROVED, Stop.GAP}
        if seemed_over and not stage.is_over():  # what it showed was of a program of its heuristics'
            stage.is_misled = True
            stage.began_with = None if stage.options.threads > 1 else stage.began_with

    return Job(run, None, done, is_long=True, is_proof=True)


def _solve_whole(
    stage: Stage, target: Aim, formulation: Formulation, begins_with: Ints, cancel: Cancel, effort: Effort
) -> Answer:
    """Solve the whole program from a plan; widen held goals if CBC calls it infeasible, which it is not."""
    instance = stage.incumbent.instance
    for widening in WIDENINGS:
        if widening > 1:
            log.warning("CBC calls %s infeasible; held goals widened %g times", target.goal.name, widening)
        for goal, value in zip(target.earlier, target.held, strict=True):
            hold(formulation, instance, goal, value, widening)
        set_start(instance, formulation.variables, begins_with)
        answer = survive(stage, formulation.problem, cancel, start=True, nodes=WHOLE_NODES, effort=effort)
        if answer.status is not SolverStatus.INFEASIBLE:
            break
    return answer


def root_job(stage: Stage) -> Job:
    """CBC's cuts on the whole program, for the bound alone: what pools and moves cost by being whole."""
    formulation = whole_program(stage)
    effort = Effort.FEW_NODES if misses_a_promise(stage.aim) else Effort.ROOT

    def run(_: None, cancel: Cancel) -> Answer:
        return survive(stage, formulation.problem, cancel, effort=effort)

    def done(answer: Answer) -> None:
        if answer.bound is not None:
            stage.tighten(outward(answer.bound, stage.goal.sense))

    return Job(run, None, done, is_proof=True, is_here=True)


def misses_a_promise(target: Aim) -> bool:
    """Whether a promise is held that is not kept in full: then it mostly hangs on one large project.

    No cut sees that such a project cannot have its minimum; a few branchings do.
    """
    earlier = zip(target.earlier, target.held, strict=True)
    return any(goal.kind == "guarantee" and value > 0 for goal, value in earlier)


def survive(
    stage: Stage,
    problem: LpProblem,
    cancel: Cancel,
    *,
    as_linear: bool = False,
    nodes: int | None = None,
    start: bool = False,
    effort: Effort = Effort.FULL,
) -> Answer:
    """Solve within the stage's time; a CBC that dies has no answer, but costs no plan.

    Nor does one that cannot be run any more, as on a full disk; SolverFailure is raised if it never could.
    Nodes count only where work is limited; whatever CBC shows of the whole program meanwhile is reported.
    """
    in_waves = stage.options.work_limit is not None

    def show(_best: float | None, bound: float | None) -> None:
        if bound is not None:
            stage.shown = stage.tighter(stage.shown, outward(bound, stage.goal.sense))

    try:
        answer = solve(
            problem,
            replace(stage.options, threads=1, cancel=cancel),
            seconds=stage.seconds_left,
            gap=0.0,
            nodes=nodes if in_waves else None,
            start=start,
            relax=as_linear,
            effort=effort,
            on_progress=show if start else None,
        )
    except SolverFailure as error:
        if not stage.clock.survives(error):
            raise
        log.warning("%s", error)
        return Answer(SolverStatus.NO_SOLUTION, Stop.FAILED, None, None, 0.0)
    stage.clock.has_cbc |= answer.seconds > 0  # else there was no time to run it
    return answer
