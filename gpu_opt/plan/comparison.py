"""The results of a comparison: how one allocation differs from another, for whom, and because of what."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from gpu_opt.plan.allocation import PoolOutcome, Reason, TeamOutcome
from gpu_opt.plan.common import Result, Status


class Difference(StrEnum):
    """How a thing differs between two organizations' plans."""

    NEW = "new"
    """It is in the plan after and was not in the one before."""
    GONE = "gone"
    """It was in the plan before and is not in the one after."""
    CHANGED = "changed"


class Link(StrEnum):
    """How a change of a scenario reaches a project."""

    PROJECT = "project"
    """The change is about the project itself."""
    TEAM = "team"
    """It is about its team, or one above it."""
    POOL = "pool"
    """It is about a pool in which the project gains or loses GPUs."""
    KNOCK_ON = "knock_on"
    """It reaches another project, which gains or loses GPUs in the same pool; or, where it is the only
    change, in ways that are not traced."""
    POLICY = "policy"
    """It is about the policy, which is everybody's."""
    DATE = "date"
    """It moves the date, which is everybody's."""


class Ground(Result):
    """One change that reaches a project. It is a link and, unless the change is the only one, no proof."""

    change: int
    """Its place among the scenario's changes, counted from 0."""
    link: Link
    subject: str
    """The project, team or pool that it is about, the pool that a knock-on goes through; else empty."""


class Side(Result):
    """One of the two plans, and how far it is to be trusted."""

    organization: str
    as_of: dt.date
    date: dt.date
    status: Status
    gap: float


type FigureName = Literal[
    "objective", "asked", "granted", "gpus", "idle", "moves", "guarantees_short", "projects_met"
]
type Verdict = Literal["met", "broken", "closer", "further"]


class Decided(StrEnum):
    """What two solves prove of the best plans' difference on a goal."""

    BETTER = "better"
    """The best plan after is better than the best one before."""
    WORSE = "worse"
    SAME = "same"
    """Both are proved the best and equal, or the two plans are of the same organization and day."""
    OPEN = "open"
    """The solves leave open which is better: what differs may be chance."""


class GoalDifference(Result):
    """What both plans reach on a goal, and what that says of the best plans there are.

    As with every goal's bound, the best plan is that among plans which do as well on the goals before.
    """

    goal: str
    """A name as in a plan's goals. A plan without that goal has nothing to do for it: 0, proved."""
    sense: Literal["minimize", "maximize"]
    unit: str
    before: float
    after: float
    least: float
    """The best plans differ (after less before) by at least this, as their bounds prove."""
    most: float
    """They differ by at most this."""
    decided: Decided


class Figure(Result):
    """A headline figure of both plans."""

    name: FigureName
    """`asked` and `granted` are compute; `gpus`, `idle` and `moves` GPUs; `guarantees_short` teams that are
    short of their promise; `projects_met` active projects that lack nothing they could use."""
    unit: str
    before: float
    after: float
    is_open: bool
    """Whether it differs, and that may be chance: what the solves leave open is as much. The `objective` and
    `moves` are judged by their own bounds, `guarantees_short` by the guarantees' goals. `granted`, `gpus`,
    `idle` and `projects_met` are no goals: of them it is said where no goal is proved to differ. False for
    what does not differ, and for `asked`, which is given."""


class ProjectDifference(Result):
    """A project that is granted something else."""

    project: str
    team: str
    """Its team in the plan after; for a project that is gone, its last."""
    difference: Difference
    before: int
    """GPUs granted in the plan before, 0 for a new project."""
    after: int
    """GPUs granted in the plan after, 0 for a project that is gone."""
    compute_before: float
    """The same at its own speeds, in reference GPUs."""
    compute_after: float
    by_pool: dict[str, int]
    """GPUs more (or, negative, fewer) by pool; only pools that differ, so it is never empty."""
    reason: Reason | None
    """The constraint that keeps it, or kept it, from more compute in the plan in which it has less; None
    for a project that is new or gone, and where its compute is the same."""
    grounds: tuple[Ground, ...] = ()
    """The changes that reach it, for a scenario; empty where two plans are compared and nothing is known of
    what lies between them."""

    @property
    def gain(self) -> float:
        """Compute more than before, at its own speeds."""
        return round(self.compute_after - self.compute_before, 3)

    @property
    def is_swap(self) -> bool:
        """Whether it only has other GPUs: as much compute as before, in other pools."""
        return self.gain == 0


class TeamDifference(Result):
    """A team whose guarantee, cap, granted compute or shortfall differs."""

    team: str
    difference: Difference
    before: TeamOutcome | None
    """None: the team is new."""
    after: TeamOutcome | None
    """None: the team is gone."""


class PoolDifference(Result):
    """A pool whose size or whose idle GPUs differ."""

    pool: str
    difference: Difference
    before: PoolOutcome | None
    """None: the pool is new."""
    after: PoolOutcome | None
    """None: the pool is gone."""


class GuaranteeDifference(Result):
    """A guarantee that is kept better or worse; of teams that both plans have."""

    team: str
    verdict: Verdict
    """`met`: short before and not after; `broken`: the reverse; `closer`, `further`: short in both."""
    before: float
    """Shortfall in the plan before, in reference GPUs."""
    after: float


class Comparison(Result):
    """How one allocation differs from another. Whatever does not differ is left out, but for the figures."""

    before: Side
    after: Side
    figures: tuple[Figure, ...]
    """Always all of them."""
    goals: tuple[GoalDifference, ...]
    """Every goal that one of the plans has, in the order of the goals; nearness to another plan is none."""
    gained: int
    """GPUs that projects are granted in pools beyond what they were granted there."""
    lost: int
    """GPUs that projects were granted in pools and are no longer granted there."""
    projects: tuple[ProjectDifference, ...]
    """By team and name."""
    teams: tuple[TeamDifference, ...]
    """From the top of the tree down, those that are gone last."""
    pools: tuple[PoolDifference, ...]
    """In the order of the file, those that are gone last."""
    guarantees: tuple[GuaranteeDifference, ...]
    """From the top of the tree down."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs that somebody has, may have, or is promised."""
        return not (self.projects or self.teams or self.pools or self.guarantees)
