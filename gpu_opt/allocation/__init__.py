"""The allocation: who holds how many GPUs of which pool, under a tree of budgets, by priority.

The mathematics is in ``models/allocation.md``; the way is instance -> formulation -> search -> plan.
"""

from __future__ import annotations

import datetime as dt

from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation

__all__ = ["allocate"]


def allocate(
    organization: Organization,
    *,
    date: dt.date | None = None,
    options: Options | None = None,
    near: Allocation | None = None,
    start: Allocation | None = None,
) -> Allocation:
    """Decide who holds how many GPUs of which pool on a date (default: the organization's `as_of`).

    The plan is the best one found within ``options.time_limit`` seconds, with a proven bound for every
    goal; it was verified by :func:`gpu_opt.verify`, which knows nothing of the solver. A plan always
    exists: at worst it is today's holdings.

    With `near`, a plan of this organization as it was before, the result stays near to it: it is the first
    candidate as far as it still fits, and of equally good plans the one that grants fewest GPUs otherwise
    is chosen (the last goal, ``changes``).

    `start`, a plan of this organization as it is or was, such as last night's, is a candidate from the
    beginning as far as it still fits. It changes nothing of the goals, and the result is no worse, but for
    what a plan near to `near` may give up.

    Raises
    ------
    InvalidInput
        The organization cannot be meant, with every problem; or `date` is before the day that it describes.
    SolverFailure
        CBC could not be started, or its files could not be written, before it had run once.
    VerificationFailure
        The checker refused the plan: a defect of gpu_opt.
    """
    from gpu_opt.clock import Clock

    # what follows takes a tenth of a second the first time, which counts
    clock = Clock(options or Options(), counts_jobs=True)
    from gpu_opt.allocation.steps import run

    return run(organization, date or organization.as_of, near, start, clock)
