"""Jobs that improve the bound of a goal: the blocks of the team tree, then the whole program.

Every block has its own program at the relaxation's prices; those come first where the plan is furthest from
what prices allow, and each takes what it proves off the bound. A large lab's blocks are divisions, and CBC
cuts them only. The whole program follows where it is small: CBC's branching closes what prices cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.strategy.blocks import MOST_PROJECTS, Block, at_prices, cut_tree, loss_of
from gpu_opt.allocation.strategy.crew import Job
from gpu_opt.allocation.strategy.parts import Limits, bound_part
from gpu_opt.allocation.strategy.pricing import as_goal, price
from gpu_opt.allocation.strategy.probing import probing_jobs
from gpu_opt.allocation.strategy.sifting import Guide
from gpu_opt.allocation.strategy.whole import is_worth_depth, misses_a_promise, root_job, whole_job
from gpu_opt.solver import Effort

if TYPE_CHECKING:
    from gpu_opt.allocation.stage import Stage

WHOLE_ARCS = 10_000
"""Arcs of an instance whose whole program is worth CBC's time."""

ROOT_ARCS = 15_000
"""Arcs of an instance whose whole program CBC may cut."""

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
    root = [root_job] if len(stage.incumbent.instance.arcs.pool) <= ROOT_ARCS else []
    if guide is not None and guide.aim.goal is stage.goal:
        blocks, are_divisions = _blocks(stage)
        take = partial(_take, stage, guide, _before_blocks(stage, guide))
        if not (_has_time_for_one(stage) or misses_a_promise(stage.aim)):
            yield from _block_jobs(stage, guide, _left_of(blocks, guide), CUT_LIMITS, take)
        for ask in root:
            yield ask(stage)
        if stage.is_small and stage.goal.kind == "value" and is_worth_depth(stage):
            yield from probing_jobs(stage)
        if not are_divisions:
            for block in _block_jobs(stage, guide, blocks, BLOCK_LIMITS, take):
                if stage.is_small and stage.asks_whole:
                    yield whole_job(stage)
                yield block
    else:
        for ask in root:
            yield ask(stage)
    while len(stage.incumbent.instance.arcs.pool) <= WHOLE_ARCS:
        yield whole_job(stage) if stage.asks_whole else None


def early_jobs(stage: Stage, guide: Guide) -> Iterator[Job]:
    """Yield the jobs that need nothing but prices; the guide keeps what comes of them."""
    if not _has_time_for_one(stage):
        yield from _block_jobs(stage, guide, _blocks(stage)[0], CUT_LIMITS, lambda: None)


def _blocks(stage: Stage) -> tuple[list[Block], bool]:
    """The blocks of the tree, and whether they are divisions."""
    divisions = _closed_blocks(stage, DIVISION)
    are_divisions = len(divisions) > 1
    return divisions if are_divisions else _closed_blocks(stage, MOST_PROJECTS), are_divisions


def _left_of(blocks: Sequence[Block], guide: Guide) -> list[Block]:
    return [block for block in blocks if block not in guide.taken]


def _closed_blocks(stage: Stage, most: int) -> list[Block]:
    return [block for block in cut_tree(stage.incumbent.instance, most) if block.closed]


def _has_time_for_one(stage: Stage) -> bool:
    """Whether there is time to cut the whole program, but not for its blocks as well."""
    arcs = len(stage.incumbent.instance.arcs.pool)
    return arcs <= ROOT_ARCS and ROOT_PER_ARC <= stage.seconds_left / arcs < BLOCKS_PER_ARC + ROOT_PER_ARC


def take_known(stage: Stage, guide: Guide) -> None:
    """Take what the guide's prices prove of the goal, and what blocks took off that beside the dive."""
    stage.tighten(as_goal(guide.aim, guide.bound))
    if guide.taken:
        _take(stage, guide, _before_blocks(stage, guide))


def _before_blocks(stage: Stage, guide: Guide) -> float:
    """What the guide's prices prove, as a maximum, teams having chosen: its bound may be of other prices."""
    priced = price(stage.market, guide.aim, guide.prices)
    return priced.bound - sum(choice.gain for choice in guide.choices)


def _take(stage: Stage, guide: Guide, before_blocks: float) -> None:
    """Take that less what blocks take off it."""
    stage.tighten(as_goal(guide.aim, before_blocks - sum(guide.taken.values())))


def _block_jobs(
    stage: Stage, guide: Guide, blocks: Sequence[Block], limits: Limits, tell: Callable[[], None]
) -> Iterator[Job]:
    """Every block at the guide's prices, by what the plan leaves there; each answer lowers the one bound."""
    instance, table, target = stage.incumbent.instance, stage.market.table, guide.aim
    priced = price(stage.market, target, guide.prices)
    loss = loss_of(table, target, guide.prices, priced, stage.incumbent.x)
    gain = np.zeros(len(instance.teams.names))
    for choice in guide.choices:
        gain[choice.team] = choice.gain

    def left(block: Block) -> float:
        return float(loss[list(block.projects)].sum())

    for block in sorted(blocks, key=left, reverse=True):
        task, earned = at_prices(table, target, guide.prices, block, stage.within_time(limits))
        before = earned + float(priced.profit[list(block.projects)].sum() - gain[list(block.teams)].sum())

        def done(bound: float | None, block: Block = block, before: float = before) -> None:
            stage.count(bound is not None)
            if bound is not None:
                guide.taken[block] = max(guide.taken.get(block, 0.0), before - bound)
                tell()

        yield Job(bound_part, task, done, is_proof=True)
