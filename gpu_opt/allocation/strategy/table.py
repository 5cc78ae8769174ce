"""What pricing needs of an instance, as arrays of floats, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.appraisal import most_compute
from gpu_opt.instance import MILLI, Instance, Ints

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """An instance, arc by arc and project by project; compute in reference GPUs."""

    instance: Instance
    project: Ints
    """Of every arc, as all up to `upper`."""
    pool: Ints
    team_of_arc: Ints
    own: Floats
    """s_jp u_p."""
    counted: Floats
    """σ_p u_p."""
    unit: Floats
    """u_p, in GPUs."""
    wanted: Floats
    """w_jp / u_p."""
    upper: Floats
    tier: Ints
    """Of every project, as all below."""
    priority: Floats
    demand: Floats
    minimum: Floats
    most: Floats
    """No plan gives it more compute."""
    single: Flags
    """It may be in one pool only."""
    pinned: Flags
    holds: Floats
    """GPUs that it holds and wants, in all pools."""
    alive: Flags
    kinks: Floats
    """Shares of the demand at which the value's slope changes; shape (segments,)."""
    slopes: Floats
    """Value of a reference GPU up to the kink."""


def tabulate(instance: Instance) -> Table:
    """Lay out an instance for pricing."""
    arcs, projects, pools = instance.arcs, instance.projects, instance.pools
    unit = np.array(pools.unit, dtype=np.float64)[arcs.pool]
    return Table(
        instance=instance,
        project=arcs.project,
        pool=arcs.pool,
        team_of_arc=np.array(projects.team, dtype=np.int64)[arcs.project],
        own=arcs.own / MILLI,
        counted=np.array(pools.unit_compute)[arcs.pool] / MILLI,
        unit=unit,
        wanted=arcs.wanted.astype(np.float64),
        upper=arcs.upper.astype(np.float64),
        tier=np.array(projects.tier, dtype=np.int64),
        priority=np.array(projects.priority, dtype=np.float64),
        demand=np.array(projects.demand) / MILLI,
        minimum=np.array(projects.minimum) / MILLI,
        most=most_compute(instance) / MILLI,
        single=np.array(projects.one_pool) == 1,
        pinned=np.array(projects.pinned, dtype=bool),
        holds=add_up(arcs.project, arcs.wanted * unit, len(projects.names)),
        alive=np.array([len(own) > 0 for own in projects.arcs], dtype=bool),
        kinks=np.cumsum([float(share) for share, _ in instance.segments]),
        slopes=np.array([float(worth) for _, worth in instance.segments]),
    )


def value_of(table: Table, project: Ints, compute: Floats) -> Floats:
    """Σ_k b_k v_jk, without the priority, of compute given to projects; arrays of one shape."""
    demand = table.demand[project]
    worth = np.zeros_like(compute)
    before = 0.0
    for kink, slope in zip(table.kinks, table.slopes, strict=True):
        worth += slope * np.clip(compute - before * demand, 0.0, (kink - before) * demand)
        before = kink
    return worth


def add_up(index: Ints, amounts: Floats, size: int) -> Floats:
    """Sum amounts by index; shape (size,). NumPy alone counts in integers where there is nothing."""
    return np.bincount(index, weights=amounts, minlength=size).astype(np.float64)
