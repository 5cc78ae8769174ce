"""The results of the nightly batch: both plans, and what changed since last night."""

from __future__ import annotations

import datetime as dt

from gpu_opt.plan.allocation import Allocation
from gpu_opt.plan.common import Result
from gpu_opt.plan.comparison import Comparison
from gpu_opt.plan.reallocation import Reallocation


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
    """The night that it is compared with: the newest until now, of this day or an earlier one."""
    comparison: Comparison | None
    """Tonight's allocation against that night's; None: this is the first night."""
    allocation: Allocation
    reallocation: Reallocation | None
    """None: the night was interrupted before it began."""
