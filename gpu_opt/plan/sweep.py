"""The results of a sweep: one point for every combination of values, and where something turns."""

from __future__ import annotations

from typing import Literal

from gpu_opt.plan.allocation import Allocation
from gpu_opt.plan.common import Result, Status, Stop
from gpu_opt.plan.comparison import Comparison


class Binding(Result):
    """A budget that keeps projects from more, or a guarantee that is short."""

    kind: Literal["team_cap", "type_limit", "guarantee"]
    team: str


class SweepPoint(Result):
    """What comes out of one combination of values."""

    values: dict[str, str]
    """By axis, as `research: cap`; in the order of the grid."""
    status: Status
    stop: Stop
    gap: float
    bindings: tuple[Binding, ...]
    """Caps and limits that are the reason why some project lacks something, and guarantees that are short."""
    comparison: Comparison
    """The point's plan against the base plan."""


class Breakpoint(Result):
    """A value from which on something binds, or no longer does, the other axes being as stated."""

    axis: str
    value: str
    others: dict[str, str]
    """The values of the other axes."""
    binding: Binding
    binds: bool
    """Whether it binds from this value on, and did not before; False: the reverse."""
    text: str
    """In words."""


class Sweep(Result):
    """A base plan, and what comes out of a grid of scenarios."""

    name: str
    base: Allocation
    points: tuple[SweepPoint, ...]
    """In the order of the grid, the last axis running fastest; fewer than `asked` if somebody cancelled."""
    asked: int
    """Points of the grid."""
    breakpoints: tuple[Breakpoint, ...]
    """Between points that are neighbours in the grid; empty for what was cancelled."""
