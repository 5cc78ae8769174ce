"""The allocation: who holds how many GPUs of which pool, under a tree of budgets, by priority.

The mathematics is in ``models/allocation.md``; the way is instance -> formulation -> search -> plan.
"""

from __future__ import annotations

import datetime as dt
import time

from gpu_opt.options import Options, Progress
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Run

__all__ = ["allocate"]


def allocate(
    organization: Organization, *, date: dt.date | None = None, options: Options | None = None
) -> Allocation:
    """Decide who holds how many GPUs of which pool on a date (default: the organization's `as_of`).

    The plan is the best one found within ``options.time_limit`` seconds, with a proven bound for every
    goal; it was verified by :func:`gpu_opt.verify`, which knows nothing of the solver. A plan always
    exists: at worst it is today's holdings.

    Raises
    ------
    InvalidInput
        The organization cannot be meant; the error has every problem.
    SolverFailure
        CBC could not be started.
    VerificationFailure
        The checker refused the plan: a defect of gpu_opt.
    """
    from gpu_opt.allocation.decode import decode
    from gpu_opt.allocation.goals import list_goals
    from gpu_opt.allocation.search import search
    from gpu_opt.indexing import build_instance
    from gpu_opt.validation import require_valid
    from gpu_opt.verify import require_verified

    options = options or Options()
    clock = _Clock(options)
    clock.enter("checking")
    require_valid(organization)
    clock.enter("building")
    instance = build_instance(organization, date or organization.as_of)
    goals = list_goals(instance)
    clock.enter("solving")
    x, proofs = search(instance, goals, options, clock.begun)
    clock.enter("verifying")
    plan = decode(organization, instance, goals, x, proofs, clock.run())
    require_verified(organization, plan)
    return plan.model_copy(update={"run": clock.run()})


class _Clock:
    """Wall-clock seconds by phase, and the record of the run."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.begun = self._entered = time.monotonic()
        self._phase = ""
        self._seconds: dict[str, float] = {}

    def enter(self, phase: str) -> None:
        self._close()
        self._phase = phase
        if self._options.progress is not None:
            self._options.progress(Progress(phase, time.monotonic() - self.begun))

    def _close(self) -> None:
        now = time.monotonic()
        if self._phase:
            self._seconds[self._phase] = self._seconds.get(self._phase, 0.0) + now - self._entered
        self._entered = now

    def run(self) -> Run:
        from gpu_opt.solver import versions

        self._close()
        return Run(
            **versions(),
            time_limit=self._options.time_limit,
            gap=self._options.gap,
            threads=self._options.threads,
            seed=self._options.seed,
            seconds={**self._seconds, "total": time.monotonic() - self.begun},
        )
