"""What was proved of the goals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu_opt.plan import Stop
from gpu_opt.reallocation.instance import Handed

Floats = npt.NDArray[np.float64]

LARGEST_COST = 10**7
"""Largest scaled price or priority of a pure flow; up to it, doubles tell integer duals apart with ease."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A best solution where only some of the side conditions count."""

    handed: tuple[Handed, ...]
    values: tuple[int, ...]
    """Of every goal, in units of 1 / its scale."""
    bounds: tuple[int, ...]
    """Whoever does at least as well on each goal before one does no better than the bound on this one; 0
    if nothing was proved: no goal is ever below it."""
    stops: tuple[Stop, ...]
    """Why the work on each goal ended."""
    seconds: tuple[float, ...]


def proven_bounds(values: tuple[int, ...], relaxations: Iterable[Relaxed]) -> tuple[int, ...]:
    """The best bound on each goal for whoever does at least as well as `values` on those before it.

    A relaxation's bound holds for whoever does at least as well as the relaxation on the goals before.
    """
    known = list(relaxations)
    return tuple(
        max(
            (
                each.bounds[k]
                for each in known
                if all(v <= w for v, w in zip(values[:k], each.values, strict=False))
            ),
            default=0,
        )
        for k in range(len(values))
    )
