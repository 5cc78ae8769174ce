"""The results: what was decided, with proof.

All types are immutable and serialize to the JSON that ``--json`` prints (``model_dump_json``);
their field names are part of the public contract.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Result(BaseModel):
    """Base of every result record: immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """What is known about a plan."""

    OPTIMAL = "optimal"
    """Proved: no plan is better on any goal without being worse on an earlier one."""
    FEASIBLE = "feasible"
    """A verified plan; its gap says how far from the best it can be at most."""


class Stop(StrEnum):
    """Why the solve ended."""

    PROVED = "proved"
    """Every goal was proved optimal."""
    GAP = "gap"
    """Every goal is within the gap that was asked for."""
    TIME = "time"
    """The time limit."""
    INTERRUPTED = "interrupted"
    """Somebody pressed Ctrl-C or cancelled."""


class Goal(Result):
    """One of the lexicographic goals: how well the plan does on it, and what was proved.

    The bound says: no plan that does at least as well on the goals before this one does better
    than `bound` on this one.
    """

    name: str
    """``repair``, ``guarantee_level_<n>``, ``value_tier_<n>``, ``moves``; ``unmet_tier_<n>``, ``cost``."""
    sense: Literal["minimize", "maximize"]
    unit: str
    value: float
    bound: float
    gap: float
    """``|bound - value| / max(|bound|, |value|)``, 0 where both are 0."""
    stop: Stop
    seconds: float


class Run(Result):
    """What computed a plan: enough to compute it again."""

    gpu_opt: str
    pulp: str
    cbc: str
    time_limit: float
    gap: float
    threads: int
    seed: int
    seconds: dict[str, float]
    """Wall-clock seconds by phase, ``total`` included."""


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
    """How far `granted` is below the promise less one allocation unit; 0 when it is met to within a unit."""
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


class Donor(StrEnum):
    """Where GPUs of a handover come from."""

    RELEASE = "release"
    """A project that ends."""
    DELIVERY = "delivery"
    IDLE = "idle"
    """GPUs that nobody holds today."""


class Handover(Result):
    """GPUs that pass to a request on a date."""

    request: str
    team: str
    """The request's team."""
    donor: Donor
    project: str | None = None
    """The ending project, for a release."""
    donor_team: str | None = None
    pool: str
    gpus: int
    free_on: dt.date
    """The day on which the donor frees them."""
    on: dt.date
    """The day on which the request gets them: as soon as they are free and it can use them."""


class RequestOutcome(Result):
    """What one request gets, and by when."""

    request: str
    team: str
    gpus: int
    by: dt.date
    handed: int
    """GPUs handed over within the horizon."""
    in_time: int
    """Those of them that come no later than `by`."""
    complete_on: dt.date | None
    """The day from which it has all of them; None: not within the horizon."""
    text: str
    """A sentence for the planner."""


class Supply(Result):
    """GPUs that become free in a pool on a date."""

    donor: Donor
    project: str | None = None
    team: str | None = None
    pool: str
    gpus: int
    on: dt.date


class Reallocation(Result):
    """Who hands what to whom, and when."""

    organization: str
    as_of: dt.date
    until: dt.date
    """Last day of the horizon."""
    status: Status
    stop: Stop
    goals: tuple[Goal, ...]
    objective: float
    """The last goal: the price of lateness, idling, less preferred GPUs and other divisions' GPUs."""
    bound: float
    gap: float
    supplies: tuple[Supply, ...]
    handovers: tuple[Handover, ...]
    requests: tuple[RequestOutcome, ...]
    run: Run


class CapRaise(Result):
    """A cap that would have to be higher for a request to be met in full."""

    team: str
    gpu_type: str | None = None
    """For a limit on a GPU type; None: the cap on compute."""
    cap: float
    needed: float
    """The lowest cap that allows it: compute, or GPUs of the type."""
    on: dt.date
    """The first day on which the cap is in the way."""
    owner: str | None = None
    """Who may decide it."""


class Finding(Result):
    """The answer to "we need N more GPUs": how, and what is in the way."""

    reallocation: Reallocation
    allowed: bool
    """Whether every cap above the team allows all of them."""
    complete: bool
    """Whether the request is met in full within the horizon."""
    in_time: bool
    """Whether it is met in full by its date."""
    raises: tuple[CapRaise, ...]
    """What it would take where caps are in the way."""
    if_raised: Reallocation | None = None
    """The answer if those caps were raised."""
    sentence: str


class Violation(Result):
    """A rule that a plan breaks, as the checker found it."""

    rule: str
    subject: str
    message: str


class Change(StrEnum):
    """How tonight differs from the night before."""

    NEW = "new"
    """It is in tonight's organization and was not in the other."""
    GONE = "gone"
    """It was in the other organization and is not in tonight's."""
    CHANGED = "changed"


class ProjectChange(Result):
    """A project that is granted something else than the night before."""

    project: str
    team: str
    """Tonight's; for a project that is gone, its last."""
    change: Change
    before: int
    """GPUs granted the night before, 0 for a new project."""
    after: int
    """GPUs granted tonight, 0 for a project that is gone."""
    by_pool: dict[str, int]
    """GPUs more (or, negative, fewer) by pool; only pools that differ, so it is never empty."""


class TeamChange(Result):
    """A team whose guarantee, cap, granted compute or shortfall is not that of the night before."""

    team: str
    change: Change
    before: TeamOutcome | None
    """None: the team is new."""
    after: TeamOutcome | None
    """None: the team is gone."""


class NightReport(Result):
    """What a night computed, and what is different from the night before."""

    organization: str
    as_of: dt.date
    until: dt.date
    """Last day of the reallocation's horizon."""
    started: dt.datetime
    """In UTC, like `finished`."""
    finished: dt.datetime
    night: int | None
    """The number under which it is published; None: it is not, because it was interrupted or the store
    failed."""
    replaces: int | None
    """The night that counted for this day until this one was published, where the day was computed before."""
    previous: int | None
    """The night that it is compared with: the newest until now, of this day or an earlier one. None: this
    is the first, and `projects` and `teams` are empty."""
    previous_as_of: dt.date | None
    projects: tuple[ProjectChange, ...]
    """Only projects that are granted something else, by team and name."""
    teams: tuple[TeamChange, ...]
    """Only teams with a change, from the top of the tree down, those that are gone last."""
    allocation: Allocation
    reallocation: Reallocation | None
    """None: the night was interrupted before it began."""
