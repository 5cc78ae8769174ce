"""Jobs that improve the bound of a goal: the blocks of the team tree, then the whole program.

Every block has its own program at the relaxation's prices; those come first where the plan is furthest from
what prices allow, and each takes what it proves off the bound. A large lab's blocks are divisions, and CBC
cuts them only. The whole program follows where it is small: CBC's branching closes what prices cannot.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.formulation import Formulation, aim, formulate, hold
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.allocation.strategy.blocks import MOST_PROJECTS, Block, at_prices, cut_tree, loss_of
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.parts import Limits, bound_part
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.pricing import as_goal, price
from gpu_opt.allocation.strategy.sifting import Guide
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverDied
from gpu_opt.options import Cancel
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, Effort, solve

if TYPE_CHECKING:
    from pulp import LpProblem

    from gpu_opt.allocation.stage import Stage

log = logging.getLogger(__name__)

WHOLE_ARCS = 10_000
"""Arcs of an instance whose whole program is worth CBC's time."""

ROOT_ARCS = 15_000
"""Arcs of an instance whose whole program CBC may cut."""

CLOSE, DEEP_PER_ARC = 0.005, 0.01
"""The whole program is cut deeply from this gap on, if so many seconds are left for each arc."""

WHOLE_NODES = 20
"""Nodes that the whole program may take where work is limited instead of time."""

BLOCK_LIMITS = Limits(seconds=2.0, nodes=500)
"""For one block that is solved. Most need a tenth of a second."""

CUT_LIMITS = Limits(seconds=20.0, effort=Effort.ROOT)
"""For a block that is only cut: nine tenths of what solving it gains, in a seventh of the time."""

DIVISION = 600
"""Projects of a division; where there are several they are the blocks, and gain as much as small ones."""

BLOCKS_PER_ARC, ROOT_PER_ARC = 0.75e-3, 0.65e-3
"""Seconds, for each arc, in which small blocks are cut, and the whole program."""


def proving_jobs(stage: Stage) -> Iterator[Job | None]:
    """Yield jobs for better bounds, the most promising first; None while the whole program is in work."""
    guide = stage.guide
    root = [_root_job] if len(stage.incumbent.instance.arcs.pool) <= ROOT_ARCS else []
    if guide is not None and guide.aim.goal is stage.goal:
        divisions = _closed_blocks(stage, DIVISION)
        blocks = divisions if len(divisions) > 1 else _closed_blocks(stage, MOST_PROJECTS)
        taken: dict[Block, float] = {}
        if not (_has_time_for_one(stage) or _misses_a_promise(stage.aim)):
            yield from _block_jobs(stage, guide, blocks, CUT_LIMITS, taken)
        for ask in root:
            yield ask(stage)
        if blocks is not divisions:
            for block in _block_jobs(stage, guide, blocks, BLOCK_LIMITS, taken):
                if stage.is_small and stage.asks_whole:
                    yield whole_job(stage)
                yield block
    else:
        for ask in root:
            yield ask(stage)
    while len(stage.incumbent.instance.arcs.pool) <= WHOLE_ARCS:
        yield whole_job(stage) if stage.asks_whole else None


def relax(stage: Stage, problem: LpProblem) -> Answer:
    """Solve a linear program within the stage's time."""
    return _survive(stage, problem, stage.options.cancel)


def whole_job(stage: Stage) -> Job:
    """CBC on the whole program, for its bound and whatever it finds."""
    formulation = formulate(stage.incumbent.instance)
    stage.began_with = stage.value
    has_time = stage.seconds_left >= DEEP_PER_ARC * len(stage.incumbent.instance.arcs.pool)
    effort = Effort.DEEP if has_time and stage.gap <= CLOSE else Effort.FULL

    def run(_: None, cancel: Cancel) -> Answer:
        return _solve_whole(stage, formulation, cancel, effort)

    def done(answer: Answer) -> None:
        if answer.has_solution:
            stage.incumbent.offer(read_grants(formulation.variables))
        if answer.bound is not None:
            stage.tighten(answer.bound)
        stage.shown = stage.bound
        stage.count(answer.has_solution)
        stage.is_done = answer.stop in {Stop.PROVED, Stop.GAP}

    return Job(run, None, done, is_long=True, is_proof=True)


def _solve_whole(stage: Stage, formulation: Formulation, cancel: Cancel, effort: Effort) -> Answer:
    """Solve the whole program; widen the held goals if CBC calls a program infeasible that is not."""
    instance, target = stage.incumbent.instance, stage.aim
    aim(formulation, target.goal, instance)
    for widening in (1.0, 10.0, 100.0, 1000.0):
        if widening > 1:
            log.warning("CBC calls %s infeasible; held goals widened %g times", target.goal.name, widening)
        for goal, value in zip(target.earlier, target.held, strict=True):
            hold(formulation, instance, goal, value, widening)
        set_start(instance, formulation.variables, stage.incumbent.x)
        answer = _survive(stage, formulation.problem, cancel, start=True, nodes=WHOLE_NODES, effort=effort)
        if answer.status is not SolverStatus.INFEASIBLE:
            break
    return answer


def _root_job(stage: Stage) -> Job:
    """CBC's cuts on the whole program, for the bound alone: what pools and moves cost by being whole."""
    formulation = formulate(stage.incumbent.instance)
    target = stage.aim
    aim(formulation, target.goal, stage.incumbent.instance)
    for goal, value in zip(target.earlier, target.held, strict=True):
        hold(formulation, stage.incumbent.instance, goal, value)

    effort = Effort.FEW_NODES if _misses_a_promise(target) else Effort.ROOT

    def run(_: None, cancel: Cancel) -> Answer:
        return _survive(stage, formulation.problem, cancel, effort=effort)

    def done(answer: Answer) -> None:
        if answer.bound is not None:
            stage.tighten(answer.bound)

    return Job(run, None, done, is_proof=True, is_here=True)


def _misses_a_promise(target: Aim) -> bool:
    """Whether a promise is held that is not kept in full: then it mostly hangs on one large project.

    No cut sees that such a project cannot have its minimum; a few branchings do.
    """
    earlier = zip(target.earlier, target.held, strict=True)
    return any(goal.kind == "guarantee" and value > 0 for goal, value in earlier)


def _closed_blocks(stage: Stage, most: int) -> list[Block]:
    return [block for block in cut_tree(stage.incumbent.instance, most) if block.closed]


def _has_time_for_one(stage: Stage) -> bool:
    """Whether there is time to cut the whole program, but not for its blocks as well."""
    arcs = len(stage.incumbent.instance.arcs.pool)
    return arcs <= ROOT_ARCS and ROOT_PER_ARC <= stage.seconds_left / arcs < BLOCKS_PER_ARC + ROOT_PER_ARC


def _block_jobs(
    stage: Stage, guide: Guide, blocks: Sequence[Block], limits: Limits, taken: dict[Block, float]
) -> Iterator[Job]:
    """Every block at the guide's prices, by what the plan leaves there; each answer lowers the one bound.

    `taken` is what blocks have taken off it so far.
    """
    instance, table, target = stage.incumbent.instance, stage.market.table, guide.aim
    priced = price(stage.market, target, guide.prices)
    loss = loss_of(table, target, guide.prices, priced, stage.incumbent.x)
    gain = np.zeros(len(instance.teams.names))
    for choice in guide.choices:
        gain[choice.team] = choice.gain
    before_blocks = priced.bound - float(gain.sum())

    def left(block: Block) -> float:
        return float(loss[list(block.projects)].sum())

    for block in sorted(blocks, key=left, reverse=True):
        task, earned = at_prices(table, target, guide.prices, block, stage.within_time(limits))
        before = earned + float(priced.profit[list(block.projects)].sum() - gain[list(block.teams)].sum())

        def done(bound: float | None, block: Block = block, before: float = before) -> None:
            stage.count(bound is not None)
            if bound is not None:
                taken[block] = max(taken.get(block, 0.0), before - bound)
                stage.tighten(as_goal(target, before_blocks - sum(taken.values())))

        yield Job(bound_part, task, done, is_proof=True)


def _survive(
    stage: Stage,
    problem: LpProblem,
    cancel: Cancel,
    *,
    seconds: float | None = None,
    nodes: int | None = None,
    gap: float = 0.0,
    start: bool = False,
    effort: Effort = Effort.FULL,
) -> Answer:
    """Solve within the stage's time; a CBC that dies has no answer, but costs no plan.

    Nodes count only where work is limited; whatever CBC shows of the whole program meanwhile is reported.
    """
    in_waves = stage.options.work_limit is not None

    def show(_best: float | None, bound: float | None) -> None:
        if bound is not None:
            stage.shown = stage.tighter(stage.shown, bound)

    try:
        return solve(
            problem,
            replace(stage.options, threads=1, cancel=cancel),
            seconds=stage.seconds_left if seconds is None else seconds,
            gap=gap,
            nodes=nodes if in_waves else None,
            start=start,
            effort=effort,
            on_progress=show if start else None,
        )
    except SolverDied as error:
        log.warning("%s", error)
        return Answer(SolverStatus.NO_SOLUTION, Stop.FAILED, None, None, 0.0)
