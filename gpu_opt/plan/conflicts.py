"""The results of `conflicts`: statements that exclude one another."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from gpu_opt.plan.allocation import Basis
from gpu_opt.plan.common import Result, Run


class StatementKind(StrEnum):
    """What a planner states, or a pool is."""

    GUARANTEE = "guarantee"
    CAP = "cap"
    LIMIT = "limit"
    POOL = "pool"
    FLEET = "fleet"
    """All pools together: what promises may add up to."""
    PINNED = "pinned"
    MAX_MOVES = "max_moves"


class Statement(Result):
    """One statement of a conflict, with the smallest relaxation of it that would resolve the conflict."""

    kind: StatementKind
    subject: str
    """The team, the pool or the project; the root team for `fleet`, the organization for `max_moves`."""
    gpu_type: str | None
    """For a limit."""
    text: str
    """As a planner states it: ``research.guarantee 55%``."""
    basis: Basis
    """A fact for a pool and the fleet; a policy for everything else."""
    owner: str | None
    """Who could relax it; None for a fact, and where no owner is named."""
    amount: float
    """What it says: compute for a guarantee or a cap, else GPUs. Of a guarantee, what is promised: no more
    than its projects need, or can reach."""
    relaxed: float | None
    """The nearest amount with which the statements of this conflict can all hold: less for a guarantee or
    a pin, more for all others. None: it was not found in the time, or there is none (`is_base`)."""
    is_base: bool = False
    """Whether the others are percentages of it that come to 100 % or more: no amount of it would do."""


class Conflict(Result):
    """Statements that cannot all hold, though all but any one of them could."""

    sentence: str
    statements: tuple[Statement, ...]
    is_minimal: bool
    """Whether it was proved, in the time, that no statement can be left out."""
    is_felt: bool | None = True
    """Whether every plan must miss one of them by an allocation unit or more, or break it. False for promises
    that add up to too much on paper only: each can be met to within a unit, which counts as met. None: not
    decided in the time."""


class Conflicts(Result):
    """What an organization states that cannot all be had."""

    organization: str
    date: dt.date
    conflicts: tuple[Conflict, ...]
    is_complete: bool
    """Whether it was proved that all else can be had once one statement of each conflict is given up."""
    run: Run
