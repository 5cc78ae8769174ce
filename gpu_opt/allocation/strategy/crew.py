"""Who works: small programs on any ``concurrent.futures.Executor``, long ones on threads of this process.

CBC is a process of its own, so threads are enough to keep all cores busy. With a work limit the jobs go in
waves and are taken in the order in which they were given, so that the same run gives the same plan whatever
the load.

An executor that breaks, or gives a part back, costs nothing but time: the part is solved here, and so are
those after it, until the goal ends. A part that never comes back holds its place until then; where work is
limited, until somebody cancels.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from gpu_opt.errors import SolverFailure
from gpu_opt.options import Cancel, Options

log = logging.getLogger(__name__)

POLL = 0.1
"""Seconds between two looks at the switch that cancels."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to compute, and what to do with the answer (in the thread that waits for it)."""

    function: Callable[..., Any]
    task: Any
    done: Callable[[Any], None]
    """Of a part, None is no answer."""
    is_long: bool = False
    """It stops when its switch is thrown, and shares objects with this process."""
    is_proof: bool = False
    """It works on the bound."""
    is_here: bool = False
    """It shares objects with this process: it cannot be sent away."""


class Crew:
    """Runs jobs, up to `size` at once; leaves nothing running here when it is closed.

    What another process or machine is at then, it ends by its own limits.
    """

    def __init__(self, options: Options) -> None:
        self.size = options.threads
        self._cancel = Cancel(options.cancel)
        self._cancel_long = Cancel(self._cancel)
        self._in_waves = options.work_limit is not None
        self._threads = ThreadPoolExecutor(self.size)
        self._elsewhere: Executor | None = options.executor
        self._running: dict[Future[Any], Job] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cancel.set()
        for future in self._running:
            future.cancel()
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def free(self) -> int:
        """How many more jobs it takes now."""
        return self.size - len(self._running)

    @property
    def has_proof_job(self) -> bool:
        """Whether somebody works on a part's bound."""
        return any(job.is_proof and not job.is_long for job in self._running.values())

    @property
    def has_long_job(self) -> bool:
        """Whether somebody works on the whole program."""
        return any(job.is_long for job in self._running.values())

    def give(self, job: Job) -> None:
        """Start a job."""
        if job.is_long:
            self._cancel_long = Cancel(self._cancel)
            future = self._threads.submit(job.function, job.task, self._cancel_long)
        elif self._elsewhere is not None and not job.is_here:
            future = self._threads.submit(self._solve_elsewhere, self._elsewhere, job)
        else:
            future = self._threads.submit(job.function, job.task, self._cancel)
        self._running[future] = job

    def _solve_elsewhere(self, executor: Executor, job: Job) -> Any:
        """Wait for another process or machine; solve it here if nothing comes of that."""
        try:
            future = executor.submit(job.function, job.task)
            while not future.done():
                if self._cancel.is_set():
                    future.cancel()
                    return None
                wait([future], timeout=POLL)
            return future.result()
        except Exception as error:  # noqa: BLE001 - executors raise what they like; the part's own errors come again
            log.warning("a part is solved here, the executor failed: %s: %s", type(error).__name__, error)
            self._elsewhere = None
            return job.function(job.task, self._cancel)

    def stop_long_jobs(self) -> None:
        """Ask long jobs for what they have."""
        self._cancel_long.set()

    def collect(self, seconds: float) -> int:
        """Wait, for up to `seconds`, for a job (in waves: for all, however long); how many there were."""
        if not self._running:
            return 0
        condition = ALL_COMPLETED if self._in_waves else FIRST_COMPLETED
        timeout = None if self._in_waves else seconds
        finished, _ = wait(self._running, timeout=timeout, return_when=condition)
        ready = [future for future in self._running if future in finished]
        for future in ready:
            job = self._running.pop(future)
            job.done(_answer(future, job))
        return len(ready)


def _answer(future: Future[Any], job: Job) -> Any:
    """What came of a job; a part has no answer where CBC cannot be run any more, as on a full disk."""
    try:
        return future.result()
    except SolverFailure as error:
        if job.is_long or job.is_here:
            raise
        log.warning("%s", error)
        return None
