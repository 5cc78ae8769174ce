"""The results of `prices`: what one allocation unit more of everything is worth."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from gpu_opt.plan.allocation import Basis
from gpu_opt.plan.common import Result, Run, Status


class Resource(StrEnum):
    """What there could be more of; the names are those of the constraints in ``models/allocation.md``."""

    POOL_CAPACITY = "pool_capacity"
    TEAM_CAP = "team_cap"
    TYPE_LIMIT = "type_limit"
    TEAM_GUARANTEE = "team_guarantee"
    MOVE_BUDGET = "move_budget"


class Price(Result):
    """What one allocation unit more of a resource is worth."""

    resource: Resource
    subject: str
    """The pool or the team; the organization for `move_budget`."""
    gpu_type: str | None
    """Of the pool, or of the limit."""
    basis: Basis
    """A fact for a pool; a policy for everything else."""
    owner: str | None
    """Who could decide it; None for a pool, and where no owner is named."""
    amount: float
    """One allocation unit: GPUs; reference GPUs for caps and guarantees."""
    limit: float
    """What there is today, in the same unit."""
    slack: float
    """What of it is left; of a guarantee, by how much it is exceeded."""
    worth: float
    """Weighted value of one allocation unit more, over all tiers, by the linear program; negative where
    it costs value, as a higher guarantee does."""
    worth_by_tier: dict[int, float]
    """The same, by tier."""
    shortfall: float
    """Reference GPUs by which shortfalls and overruns shrink, by the linear program. They come before all
    value: where it is positive, `worth` is what that costs."""
    confirmed: float | None
    """The weighted value that solving again with one unit more gains, in whole units; where it differs from
    `worth`, it stands. None: it was not solved again, or the solve was not proved in the time."""
    confirmed_by_tier: dict[int, float] | None
    """The same, by tier."""
    gainers: tuple[str, ...]
    """The projects that get more in the confirming solve, the largest gain first; at most five."""


class Prices(Result):
    """What one allocation unit more of everything is worth, at a plan."""

    organization: str
    date: dt.date
    status: Status
    """Of the plan."""
    objective: float
    """Of the plan."""
    relaxed: float
    """The linear program's optimum, with the plan's yes-or-no decisions: the prices are its duals."""
    frame: int
    """Projects that decide again in a confirming solve, while the others keep what they have."""
    projects: int
    """Active projects: where they are no more than `frame`, a confirming solve is of everything."""
    prices: tuple[Price, ...]
    """Everything that there could be more of; first what is felt most, for each GPU, reference GPU or move:
    shortfalls before value, earlier tiers before later ones."""
    run: Run
