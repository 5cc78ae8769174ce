"""The results of `explain`: why a project or a team has what it has, and what would give it what it lacks."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, Literal

from gpu_opt.plan.allocation import Basis, Reason
from gpu_opt.plan.common import Result, Run
from gpu_opt.plan.prices import Resource


class Touch(Result):
    """A constraint that counts the subject's GPUs, and what it leaves."""

    resource: Resource
    subject: str
    """The pool or the team; the organization for `move_budget`."""
    gpu_type: str | None
    """Of the pool, or of the limit."""
    unit: float
    """One allocation unit: GPUs; reference GPUs for caps and guarantees."""
    limit: float
    slack: float
    """What is left of the limit; of a guarantee, by how much it is exceeded."""


class RemedyKind(StrEnum):
    """What a single change may be."""

    CAP = "cap"
    LIMIT = "limit"
    ONE_POOL = "one_pool"
    MINIMUM = "minimum"
    PRIORITY = "priority"
    TIER = "tier"
    RANK = "rank"
    """An earlier tier and a higher priority, where the tier alone is not enough."""
    MOVES = "moves"
    UNPIN = "unpin"
    OWN_GUARANTEE = "own_guarantee"
    """More is promised to the team itself, or to the project's."""
    GUARANTEE = "guarantee"
    """Less is promised to another team."""
    POOL = "pool"


class Loss(Result):
    """What a change takes from a project."""

    project: str
    team: str
    gpus: int
    compute: float
    """At the project's own speeds."""


class Remedy(Result):
    """A single change after which the subject has what it lacks, confirmed by solving again.

    The best plan with the change, proved and checked, grants it, and the best one without it does not; in
    both, `decided` projects decide again, while all others keep what they have.
    """

    kind: RemedyKind
    text: str
    """``raise vision.cap from 8 to 16``."""
    basis: Basis
    """A fact for GPUs in a pool and for the project's own terms; a policy for everything else."""
    owner: str | None
    """Who could decide it, for a policy."""
    change: dict[str, Any] | None
    """The change as a scenario file writes it, with budgets in numbers; None: scenarios have none such."""
    amount: float
    """By how much: GPUs for `pool`, `limit` and `moves`, compute for `cap`, guarantees and `minimum`, else
    the difference in priority or tiers; 1 for a yes or no."""
    grain: float
    """The smallest step of such a change, in the same unit."""
    is_smallest: bool
    """Whether one grain less was solved too, and proved not to be enough."""
    decided: int
    """Projects that decide again; where these are all active ones, the plan is the best of all."""
    takes: tuple[Loss, ...]
    """What others lose by it, the largest loss first."""
    cost: float
    """Compute that others lose, plus the GPUs that are added to pools: what makes a change cheap or dear."""


class Candidates(Result):
    """What became of the single changes that were thought of and are no remedy, by kind."""

    not_enough: tuple[RemedyKind, ...]
    """Proved not to be enough, whatever the amount, by those who decided again; or not to be meant alone."""
    undecided: tuple[RemedyKind, ...]
    """The time ended before it was proved whether, or how little of it, is enough."""
    crowded: tuple[RemedyKind, ...]
    """Not tried: more than ten other projects would take first what it makes room for."""


class Lacks(StrEnum):
    """What a subject has not in full, and what the changes are to grant."""

    DEMAND = "demand"
    """A project: what it asked for."""
    PROMISE = "promise"
    """A team: what it is promised."""
    DEMANDS = "demands"
    """A team whose promise is met: what its projects asked for."""
    CAP = "cap"
    """The same, as far as its cap leaves room."""


class Explanation(Result):
    """Why a project or a team has what it has."""

    organization: str
    date: dt.date
    subject: str
    kind: Literal["project", "team"]
    sentence: str
    granted: float
    """Compute: a project's at its own speeds, a team's at the speeds of the types."""
    wanted: float
    """The demand of a project; what is promised to a team."""
    reasons: tuple[Reason, ...]
    """Of a project, the decisive one first; of a team, the decisive one of each of its projects that lack
    something, the largest lack first, every cause once for a pool or a team."""
    touches: tuple[Touch, ...]
    """Every constraint that counts its GPUs, the tightest first."""
    lacks: Lacks | None
    """What it has not in full; None: it lacks nothing."""
    missing: float
    """Compute that it lacks, as budgets count it, where that is least."""
    remedies: tuple[Remedy, ...]
    """The smallest change of each kind that was confirmed in the time to grant it, the cheapest first."""
    candidates: Candidates
    """Why other changes are not among them."""
    needs_no_change: bool
    """Whether solving again near the plan gave it all without any change: the plan is not the best one."""
    active: int
    """Projects that are active on the date."""
    projects: tuple[str, ...]
    """Of a team, its projects that lack something, the largest lack first; the project itself."""
    run: Run
