"""The results of the reallocation: who hands what to whom, and when."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from gpu_opt.organization import Request
from gpu_opt.plan.common import Goal, Result, Run, Status, Stop


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
    """The day on which the request gets them: when they are free, it can use them, and caps have room."""


class RequestOutcome(Result):
    """What one request gets, and by when."""

    request: str
    team: str
    gpus: int
    by: dt.date
    handed: int
    """GPUs handed over within the horizon; in whole units, they may be more than asked for."""
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
    """The goal `cost`: the price of idling, less preferred GPUs and other divisions' GPUs."""
    bound: float
    gap: float
    asked: tuple[Request, ...]
    """The requests that it answers."""
    supplies: tuple[Supply, ...]
    handovers: tuple[Handover, ...]
    requests: tuple[RequestOutcome, ...]
    """What each of them gets, in their order."""
    run: Run


class CapRaise(Result):
    """A cap that would have to be higher for a request to be met in full."""

    team: str
    gpu_type: str | None = None
    """For a limit on a GPU type; None: the cap on compute."""
    cap: float
    needed: float
    """The lowest cap that allows it, or up to an allocation unit more where the pools that would do have
    several units: compute, or GPUs of the type."""
    on: dt.date
    """The first day on which the cap is in the way."""
    owner: str | None = None
    """Who may decide it."""


class Finding(Result):
    """The answer to "we need N more GPUs": how, and what is in the way."""

    reallocation: Reallocation
    allowed: bool
    """Whether no cap keeps it from being complete by its date, or as soon after as the GPUs are there."""
    complete: bool
    """Whether the request is met in full within the horizon."""
    in_time: bool
    """Whether it is met in full by its date."""
    raises: tuple[CapRaise, ...]
    """What it would take where caps are in the way."""
    if_raised: Reallocation | None = None
    """The answer if those caps were raised."""
    sentence: str
