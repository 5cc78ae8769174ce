"""The indexed form of an organization on a date: what the formulations are written in.

Names become indices, percentages become numbers, dates are applied, and compute becomes *integers*
in thousandths of a reference GPU (milli-compute), so that nothing here rounds. The symbols are
those of ``models/allocation.md``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

MILLI = 1000
"""Milli-compute in one reference GPU; every speed has at most three decimals."""

Ints = npt.NDArray[np.int64]


def add_up(index: Ints, amounts: Ints, size: int) -> Ints:
    """Sum whole amounts by index, shape (size,)."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, index, amounts)
    return total


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools p, by index."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    units: tuple[int, ...]
    """⌊C_p / u_p⌋, deliveries included."""
    unit: tuple[int, ...]
    """u_p, in GPUs."""
    unit_compute: tuple[int, ...]
    """σ_p u_p, in milli-compute."""
    over: tuple[int, ...]
    """Units by which today's wanted holdings exceed the pool; the bound of over_p."""
    merged: int = 0
    """How many of the last ones stand for all pools of their type (:mod:`gpu_opt.allocation.merging`)."""

    @property
    def market(self) -> Ints:
        """A number for every pool; the same for those between which GPUs can be shifted: a merged type's."""
        own = {kind: p for p, kind in enumerate(self.types) if p >= len(self.types) - self.merged}
        return np.array([own.get(kind, p) for p, kind in enumerate(self.types)], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams n, by index; parents come before their children."""

    names: tuple[str, ...]
    parent: tuple[int, ...]
    """-1 for the root."""
    level: tuple[int, ...]
    cap: tuple[int | None, ...]
    """c_n in milli-compute, rounded down: nothing between two multiples of 0.001 can be granted. None also
    for a cap that the whole fleet, and all that is held, fits under: it cannot bind."""
    over: tuple[int, ...]
    """Milli-compute by which today's wanted holdings exceed the cap; the bound of over_n."""
    promise: tuple[Fraction, ...]
    """G_n, in compute."""
    target: tuple[Fraction, ...]
    """τ_n, in compute."""


def chains_up(teams: Teams) -> list[tuple[int, ...]]:
    """Every team, and all teams above it, from the lowest up."""
    chains: list[tuple[int, ...]] = []
    for n, above in enumerate(teams.parent):
        chains.append((n,) if above < 0 else (n, *chains[above]))
    return chains


@dataclass(frozen=True, slots=True)
class TypeLimit:
    """One limit of a team on a GPU type."""

    team: int
    gpu_type: str
    gpus: int
    """l_ng, rounded down."""
    over: int
    """GPUs by which today's wanted holdings exceed it; the bound of over_ng."""
    milli: int
    """Milli-compute of one GPU of the type."""
    arcs: Ints
    """The arcs that it counts."""


@dataclass(frozen=True, slots=True)
class Projects:
    """Active projects j, by index."""

    names: tuple[str, ...]
    team: tuple[int, ...]
    tier: tuple[int, ...]
    priority: tuple[float, ...]
    demand: tuple[int, ...]
    """d_j, in milli-compute."""
    most_share: tuple[Fraction, ...]
    """F_j: the most that it may be granted, in shares of its demand."""
    minimum: tuple[int, ...]
    """m_j, in milli-compute; 0: none."""
    one_pool: tuple[int, ...]
    """k_j: pools where it may stay, at least 1; 0: it may use as many as it likes."""
    pinned: tuple[bool, ...]
    arcs: tuple[range, ...]
    """Its arcs; consecutive, empty if the project is dead."""


@dataclass(frozen=True, slots=True)
class Arcs:
    """Arcs (j, p), project by project; one entry per arc in every array."""

    project: Ints
    pool: Ints
    own: Ints
    """s_jp u_p: milli-compute of one unit at the project's own speed."""
    needed: Ints
    """K_jp: units that meet the demand in the pool alone; at least 1."""
    upper: Ints
    """Most units."""
    wanted: Ints
    """w_jp in units."""
    near: Ints | None = None
    """q_jp in GPUs: what the plan to stay near to grants; None: there is none."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An organization on a date, indexed."""

    date: dt.date
    pools: Pools
    teams: Teams
    limits: tuple[TypeLimit, ...]
    projects: Projects
    arcs: Arcs
    segments: tuple[tuple[Fraction, Fraction], ...]
    """(a_k, b_k): share of the demand, value per reference GPU."""
    move_cost: Fraction
    max_moves: int | None
    open_gaps: tuple[tuple[str, float], ...] = ()
    """(goal, relative gap): what the plan to stay near to leaves open, where it is not proved."""

    @property
    def size(self) -> tuple[int, int, int]:
        """Projects, pools and arcs."""
        return len(self.projects.names), len(self.pools.names), len(self.arcs.project)
