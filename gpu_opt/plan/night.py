"""The results of the nightly batch: both plans, and what changed since last night."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from gpu_opt.plan.allocation import Allocation, TeamOutcome
from gpu_opt.plan.common import Result
from gpu_opt.plan.reallocation import Reallocation


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
