"""Who decides next: those who lose most at the relaxation's prices, their rivals, and who misses most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.appraisal import team_compute
from gpu_opt.allocation.neighbourhoods import choose_projects
from gpu_opt.allocation.strategy.blocks import cut_tree, loss_of
from gpu_opt.allocation.strategy.pricing import price
from gpu_opt.allocation.strategy.sifting import Guide
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.instance import MILLI, chains_up

if TYPE_CHECKING:
    from gpu_opt.allocation.stage import Stage

BLOCK, ACROSS = 25, 18
"""Projects in a block, and in a part that cuts across the tree."""

LOSERS = 6
"""Projects around which parts are chosen, before every round of blocks."""


def losses(stage: Stage, guide: Guide) -> Floats:
    """How much less than its best every project gains in the plan, at the guide's prices."""
    priced = price(stage.market, guide.aim, guide.prices)
    return loss_of(stage.market.table, guide.aim, guide.prices, priced, stage.incumbent.x)


def by_loss(stage: Stage) -> list[Sequence[int]]:
    """The blocks in which the plan loses something at the guide's prices, most first."""
    guide = stage.guide
    if guide is None or stage.goal.kind != "value":
        return []
    loss = losses(stage, guide)
    blocks = [block.projects for block in cut_tree(stage.incumbent.instance, BLOCK)]
    by_loss = sorted(blocks, key=lambda projects: -float(loss[list(projects)].sum()))
    return [projects for projects in by_loss if loss[list(projects)].sum() > 0]


def around_losers(stage: Stage) -> Iterator[list[int]]:
    """The projects that lose most, each with those that have what the relaxation gives it.

    In its pools: who has more there than in the relaxation; where moves are few: who spends more of them.
    """
    guide, instance = stage.guide, stage.incumbent.instance
    if guide is None or stage.goal.kind != "value":
        return
    arcs, count = instance.arcs, len(instance.projects.names)
    unit = np.array(instance.pools.unit, dtype=np.float64)[arcs.pool]
    market = instance.pools.market[arcs.pool]
    for loser in np.argsort(-losses(stage, guide), kind="stable")[:LOSERS].tolist():
        x = stage.incumbent.x
        own = slice(instance.projects.arcs[loser].start, instance.projects.arcs[loser].stop)
        here = np.isin(market, market[own][(guide.relaxed[own] > 0) | (arcs.wanted[own] > 0)])
        excess = np.where(here, x - guide.relaxed, 0.0)
        if instance.max_moves is not None:
            kept, better = np.minimum(x, arcs.wanted), np.minimum(guide.relaxed, arcs.wanted)
            excess = np.maximum(excess, better - kept)
        taken = np.bincount(arcs.project, weights=np.maximum(excess, 0.0) * unit, minlength=count)
        taken[loser] = np.inf
        yield sorted(np.argsort(-taken, kind="stable")[:ACROSS].tolist())


def across(stage: Stage, number: int) -> Sequence[int]:
    """Projects of a part that cuts across the tree; `number` counts the calls."""
    incumbent, guide = stage.incumbent, stage.guide
    relaxed = None if guide is None else guide.relaxed
    seed = (stage.options.seed, number)
    return choose_projects(incumbent.instance, incumbent.x, relaxed, stage.goal, ACROSS, seed)


def who_misses_most(stage: Stage, groups: Sequence[list[int]]) -> list[int]:
    """The group whose teams miss most of what the stage's goal promises them."""
    instance = stage.incumbent.instance
    targets = np.array([each * MILLI for each in instance.teams.target], dtype=np.float64)
    missing = np.maximum(0.0, targets - team_compute(instance, stage.incumbent.x))
    missing[np.array(instance.teams.level) != stage.goal.index] = 0.0
    chains, team = chains_up(instance.teams), instance.projects.team

    def missed(projects: Sequence[int]) -> float:
        return float(missing[sorted({n for j in projects for n in chains[team[j]]})].sum())

    return max(groups, key=missed, default=[])
