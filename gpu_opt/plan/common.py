"""What every result has: status, goals, the record of the run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Result(BaseModel):
    """Base of every result record: immutable."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class Status(StrEnum):
    """What is known about a plan."""

    OPTIMAL = "optimal"
    """Proved: no plan is better on any goal without being worse on an earlier one."""
    FEASIBLE = "feasible"
    """A verified plan; its gap says how far from the best it can be at most."""


class Stop(StrEnum):
    """Why the solve ended; from what proves most to what says least."""

    PROVED = "proved"
    """Every goal was proved optimal."""
    GAP = "gap"
    """Every goal is within the gap that was asked for."""
    NEAR = "near"
    """The plan stays near to another one, which leaves a larger gap open; what is within it is not sought."""
    TIME = "time"
    """The time limit."""
    FAILED = "failed"
    """The solver failed before the time was over, or what it had reached was given up for an earlier goal;
    the plan is the best known."""
    INTERRUPTED = "interrupted"
    """Somebody pressed Ctrl-C or cancelled."""


def weakest(stops: Iterable[Stop]) -> Stop:
    """Why a plan's solve ended, from why each of its goals did: the one that says least.

    >>> weakest([Stop.PROVED, Stop.FAILED, Stop.GAP])
    <Stop.FAILED: 'failed'>
    """
    return max(stops, key=list(Stop).index, default=Stop.PROVED)


class Goal(Result):
    """One of the lexicographic goals: how well the plan does on it, and what was proved.

    The bound says: no plan that does at least as well on the goals before this one does better
    than `bound` on this one.
    """

    name: str
    """``repair``, ``guarantee_level_<n>``, ``value_tier_<n>``, ``moves``, ``changes``; ``unmet_tier_<n>``,
    ``late_tier_<n>``, ``cost``, ``days``."""
    sense: Literal["minimize", "maximize"]
    unit: str
    value: float
    bound: float
    gap: float
    """``|bound - value| / max(|bound|, |value|)``, 0 where both are 0."""
    stop: Stop
    seconds: float


class Run(Result):
    """What computed a plan, and from what.

    With the organization, and the plan that it began with if there was one, enough to compute it again.
    """

    organization_hash: str
    """:func:`gpu_opt.organization.content_hash` of the organization that the plan is for."""
    gpu_opt: str
    """Its version, like those that follow."""
    pulp: str
    cbc: str
    numpy: str
    python: str
    platform: str
    """Operating system and processor architecture, as ``Linux x86_64``."""
    time_limit: float
    """Seconds."""
    gap: float
    threads: int
    seed: int
    work_limit: int | None = None
    """Jobs for CBC, where those were limited instead of seconds."""
    removed: dict[str, int] = {}
    """What no plan could use and the search left out: how many ``arcs`` (a project in a pool),
    ``projects``, ``caps``, ``limits`` and ``budgets`` of moves; and how many were counted together with
    others just like them: ``alike`` arcs, and ``equals``, projects of the same kind that one unit meets."""
    seconds: dict[str, float]
    """Wall-clock seconds by phase, ``total`` included."""


class Violation(Result):
    """A rule that a plan breaks, as the checker found it."""

    rule: str
    subject: str
    message: str
