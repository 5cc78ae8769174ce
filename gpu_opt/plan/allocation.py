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
    """Why a project has what it has: a closed set."""

    MET = "met"
    """It has all it asked for, or another unit would be more than that."""
    NOT_ACTIVE = "not_active"
    """It has not started on the date, or has ended."""
    NO_POOL = "no_pool"
    """No pool has GPUs of a type and at a site where it runs."""
    MINIMUM_UNREACHABLE = "minimum_unreachable"
    """What it could get is below its minimum."""
    TEAM_CAP = "team_cap"
    """A team above it is at its cap."""
    TYPE_LIMIT = "type_limit"
    """A team above it is at its limit on a GPU type."""
    POOLS_FULL = "pools_full"
    """Every pool where it could use another unit is full."""
    ONE_POOL = "one_pool"
    """It must stay in a single pool; another one has room."""
    OUTRANKED = "outranked"
    """What it lacks is with projects of a higher tier, or worth more by priority."""
    GUARANTEE = "guarantee"
    """What it lacks keeps another team's guarantee."""
    MOVES = "moves"
    """What it lacks may not be moved: no moves are left, or a move costs more than it gains."""
    PINNED = "pinned"
    """What it lacks is pinned."""
    NO_VALUE = "no_value"
    """The policy values no more than it has."""
    UNPROVED = "unproved"
    """The plan is not proved to be the best: more time may give it more."""


class Basis(StrEnum):
    """What a reason rests on."""

    FACT = "fact"
    """Capacity, delivery dates, compatibility, the project's own terms: nobody decides otherwise today."""
    POLICY = "policy"
    """A decision that somebody could change."""


POLICIES = frozenset(
    {
        Cause.TEAM_CAP,
        Cause.TYPE_LIMIT,
        Cause.OUTRANKED,
        Cause.GUARANTEE,
        Cause.MOVES,
        Cause.PINNED,
        Cause.NO_VALUE,
    }
)
"""Causes that are a policy; all others are facts."""


class Reason(Result):
    """Why a project has what it has: a cause from a closed set, and a sentence."""

    cause: Cause
    text: str
    subject: str | None = None
    """The team, or the pool, that the cause is about."""
    basis: Basis = Basis.FACT
    owner: str | None = None
    """Who could decide otherwise, for a policy; None also where no owner is named."""
    projects: tuple[str, ...] = ()
    """The projects that have what it lacks, the largest holder first and at most five, for `outranked`,
    `guarantee`, `moves` and `pinned`."""


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
    """The first of its reasons; :func:`gpu_opt.explain` gives all."""


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
    """The guarantee; where that is less, the least compute that meets its projects' demands, as far as they
    are within reach."""
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
    near: tuple[Grant, ...] | None = None
    """The grants that it was to stay near to, as far as they can be granted still; None: none were given."""
    moves: tuple[Move, ...]
    projects: tuple[ProjectOutcome, ...]
    teams: tuple[TeamOutcome, ...]
    pools: tuple[PoolOutcome, ...]
    overruns: tuple[Overrun, ...]
    run: Run
