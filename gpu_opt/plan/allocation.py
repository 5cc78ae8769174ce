"""The results of the allocation: who holds how many GPUs of which pool."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from gpu_opt.plan.common import Goal, Result, Run, Status, Stop


class Grant(Result):
    """GPUs given to a project in a pool."""

    project: str
    pool: str
    gpus: int


class Move(Result):
    """GPUs taken in a pool from a project that still wants them."""

    project: str
    pool: str
    gpus: int


class Cause(StrEnum):
    """Why a project has what it has."""

    MET = "met"
    NOT_ACTIVE = "not_active"
    NO_POOL = "no_pool"
    MINIMUM_UNREACHABLE = "minimum_unreachable"
    TEAM_CAP = "team_cap"
    TYPE_LIMIT = "type_limit"
    POOLS_FULL = "pools_full"
    ONE_POOL = "one_pool"
    MOVES = "moves"
    PINNED = "pinned"
    UNPROVED = "unproved"


class Reason(Result):
    """Why a project has what it has: a cause from a closed set, and a sentence."""

    cause: Cause
    text: str
    subject: str | None = None
    """The team, or the pool, that the cause is about."""


class ProjectOutcome(Result):
    """What one project gets."""

    project: str
    team: str
    tier: int
    priority: float
    active: bool
    """Whether it wants GPUs on the date at all."""
    demand: float
    minimum: float
    granted: float
    """Compute at the project's own speeds."""
    gpus: int
    held: int
    """GPUs that it holds today."""
    reason: Reason


class TeamOutcome(Result):
    """What one team gets; compute at the speeds of the GPU types."""

    team: str
    parent: str | None
    level: int
    """Depth in the tree; the root is at 0."""
    owner: str | None
    guarantee: float | None
    """As written, percentages resolved."""
    promised: float
    """The guarantee, or what its projects could use where that is less."""
    cap: float | None
    granted: float
    shortfall: float
    """`promised` less `granted`; 0 when that is less than one allocation unit. (The goals count only what
    is beyond it, see ``models/allocation.md``.)"""
    by_type: dict[str, int]
    """GPUs granted, by GPU type; only types with any."""


class PoolOutcome(Result):
    """What happens to one pool."""

    pool: str
    gpu_type: str
    site: str
    gpus: int
    """What the pool has on the date, deliveries included."""
    granted: int
    idle: int


class Overrun(Result):
    """A cap, limit or capacity that today's holdings break and the plan cannot yet bring back under."""

    rule: Literal["pool_capacity", "team_cap", "type_limit"]
    subject: str
    """The pool or the team."""
    gpu_type: str | None = None
    before: float
    """What is held today: GPUs for `pool_capacity` and `type_limit`, compute for `team_cap`."""
    after: float
    limit: float


class Allocation(Result):
    """Who holds how many GPUs of which pool."""

    organization: str
    as_of: dt.date
    date: dt.date
    """The day that it is for."""
    status: Status
    stop: Stop
    objective: float
    """Weighted value less the cost of moves, over all tiers."""
    bound: float
    """No plan that does at least as well on each earlier goal has a higher objective."""
    gap: float
    goals: tuple[Goal, ...]
    grants: tuple[Grant, ...]
    moves: tuple[Move, ...]
    projects: tuple[ProjectOutcome, ...]
    teams: tuple[TeamOutcome, ...]
    pools: tuple[PoolOutcome, ...]
    overruns: tuple[Overrun, ...]
    run: Run
