"""The time of one call: how much is left, and where it went."""

from __future__ import annotations

import math
import threading
import time
from fractions import Fraction

from gpu_opt.cbc_process import OnProgress
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Options, Progress
from gpu_opt.plan import Run, Stop
from gpu_opt.solver import versions


class Clock:
    """Wall-clock seconds since it was made, by phase.

    With `counts_jobs` it is an allocation's: where a work limit is given, what is limited is jobs for CBC.
    Everything else has a limit of seconds all the same.
    """

    def __init__(self, options: Options, *, counts_jobs: bool = False) -> None:
        self.options = options
        self._counts_jobs = counts_jobs
        self._begun = self._entered = time.monotonic()
        self._phase = ""
        self._spent: dict[str, float] = {}
        self.reserve = 0.0
        """Seconds of the limit that are kept for what comes after the search: reasons, verification."""
        self.removed: dict[str, int] = {}
        """What the search was spared, by kind."""
        self.work = 0
        """Jobs that were begun."""
        self.has_cbc = False
        """CBC has run: if it cannot later, as on a full disk, the plan that is known by then is returned."""
        self._turn = threading.Lock()
        self._refused = False

    def enter(self, phase: str) -> None:
        """Close the phase before, and say that this one begins."""
        self._close()
        self._phase = phase
        self.report(Progress(phase, self.seconds))

    def report(self, progress: Progress) -> None:
        """Tell whoever asked how far the solve is: one thread at a time, and never again once that raised.

        What the callback raises is the solve's to pass on.
        """
        if self.options.progress is None:
            return
        with self._turn:
            if self._refused:
                return
            try:
                self.options.progress(progress)
            except BaseException:
                self._refused = True
                raise

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._begun

    @property
    def meter(self) -> float:
        """What the limit counts, so far: jobs, if these are limited, otherwise seconds."""
        return self.seconds if self._most_jobs is None else self.work

    @property
    def limit(self) -> float:
        """Where the meter is to stop."""
        return self.options.time_limit - self.reserve if self._most_jobs is None else self._most_jobs

    @property
    def left(self) -> float:
        """What is left of the limit, as the meter counts."""
        return self.limit - self.meter

    @property
    def seconds_left(self) -> float:
        """Seconds that one solve may take."""
        return self.left if self._most_jobs is None else math.inf

    @property
    def _most_jobs(self) -> int | None:
        return self.options.work_limit if self._counts_jobs else None

    @property
    def is_over(self) -> bool:
        """Whether to stop and return the best plan known."""
        return self.left <= 0 or self.options.cancel.is_set()

    def survives(self, error: SolverFailure) -> bool:
        """Whether the plan that is known outlives the error: CBC has run before, or died on one program."""
        return self.has_cbc or isinstance(error, SolverDied)

    def stop(self, until: float | None = None) -> Stop:
        """Why what is not proved ends now, though it had until then, as the meter counts.

        `until` defaults to the limit.
        """
        if self.options.cancel.is_set():
            return Stop.INTERRUPTED
        end = self.limit if until is None else until
        return Stop.TIME if self.meter >= end else Stop.FAILED

    def reporting(self, goal: str, unit: Fraction) -> OnProgress | None:
        """Report the progress on a goal, of which CBC counts in `unit`; None if nobody wants to know."""
        if self.options.progress is None:
            return None

        def call(best: float | None, bound: float | None) -> None:
            value, least = (None if each is None else each * float(unit) for each in (best, bound))
            self.report(Progress(goal, self.seconds, value, least))

        return call

    def run(self, organization_hash: str) -> Run:
        """What computed the plan, from the organization of this hash, with the seconds so far."""
        self._close()
        return Run(
            organization_hash=organization_hash,
            **versions(),
            time_limit=self.options.time_limit,
            gap=self.options.gap,
            threads=self.options.threads,
            seed=self.options.seed,
            work_limit=self._most_jobs,
            removed=self.removed,
            seconds={**self._spent, "total": self.seconds},
        )

    def _close(self) -> None:
        now = time.monotonic()
        if self._phase:
            self._spent[self._phase] = self._spent.get(self._phase, 0.0) + now - self._entered
        self._entered, self._phase = now, ""
