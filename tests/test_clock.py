"""The time of a call, and who is told of it."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gpu_opt.clock import Clock
from gpu_opt.options import Cancel, Options, Progress
from gpu_opt.plan import Stop


@pytest.mark.parametrize(
    ("time_limit", "until", "cancelled", "stop"),
    [
        (0.0, None, False, Stop.TIME),
        (99.0, 0.0, False, Stop.TIME),
        (99.0, None, False, Stop.FAILED),
        (99.0, 50.0, False, Stop.FAILED),
        (0.0, None, True, Stop.INTERRUPTED),
        (99.0, None, True, Stop.INTERRUPTED),
    ],
)
def test_what_ends_without_a_proof_while_there_is_time_has_failed(
    time_limit: float, until: float | None, cancelled: bool, stop: Stop
) -> None:
    cancel = Cancel()
    if cancelled:
        cancel.set()
    assert Clock(Options(time_limit=time_limit, cancel=cancel)).stop(until) is stop


def test_only_an_allocation_counts_jobs_where_work_is_limited() -> None:
    options = Options(time_limit=50.0, work_limit=3)
    allocating, other = Clock(options, counts_jobs=True), Clock(options)
    assert (allocating.left, allocating.seconds_left) == (3, math.inf)
    assert 49.0 < other.left <= 50.0
    allocating.work = other.work = 3
    assert allocating.is_over
    assert allocating.stop() is Stop.TIME
    assert not other.is_over
    assert [clock.run("").work_limit for clock in (allocating, other)] == [3, None]
    assert Clock(Options(time_limit=50.0), counts_jobs=True).left > 49.0


def test_threads_report_one_after_the_other() -> None:
    reporting = threading.Lock()
    calls = []

    def report(progress: Progress) -> None:
        calls.append(reporting.acquire(blocking=False))
        time.sleep(0.001)  # long enough for another thread to come in
        reporting.release()

    clock = Clock(Options(progress=report))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(clock.report, [Progress("solving", 0.0)] * 40))
    assert calls == [True] * 40


def test_whoever_raised_is_told_nothing_more() -> None:
    calls = []

    def report(progress: Progress) -> None:
        calls.append(progress.phase)
        raise KeyboardInterrupt

    clock = Clock(Options(progress=report))
    with pytest.raises(KeyboardInterrupt):
        clock.enter("building")
    clock.enter("solving")
    assert calls == ["building"]
