"""Limits of work, and where programs are solved: the same plan on every run, whoever solves it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.options import Cancel
from gpu_opt.plan import Stop
from tests.building import lab, pool, project
from tests.limiting import LAB, Counting, decided, limited


def test_the_same_work_gives_the_same_plan() -> None:
    assert decided(limited(24)) == decided(limited(24))


def test_more_work_is_never_worse() -> None:
    little, more = limited(8), limited(40)
    assert verify(LAB, little) == verify(LAB, more) == ()
    assert [goal.value for goal in more.goals if goal.name.startswith("value")] >= [
        goal.value for goal in little.goals if goal.name.startswith("value")
    ]


def test_the_record_says_how_much_work_was_allowed() -> None:
    assert limited(5).run.work_limit == 5
    assert allocate(lab([pool()], projects=[project("orion", 4)])).run.work_limit is None


class Failing(Executor):
    """Does two tasks; then whatever is wrong goes wrong."""

    def __init__(self, then: Callable[[Future[Any]], None]) -> None:
        self._then, self.tasks = then, 0

    def submit(self, function: Any, /, *task: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.tasks += 1
        if self.tasks > 2:
            self._then(future)
        else:
            future.set_result(function(*task))
        return future


def refuse(_: Future[Any]) -> None:
    raise RuntimeError("cannot schedule new futures after shutdown")


def lose(future: Future[Any]) -> None:
    future.set_exception(BrokenExecutor("a worker was killed"))


def cancel(future: Future[Any]) -> None:
    future.cancel()
    future.set_running_or_notify_cancel()


def cancel_quietly(future: Future[Any]) -> None:
    """As a pool that is shut down with what it has not begun: nobody who waits is told."""
    future.cancel()


@pytest.mark.parametrize("then", [refuse, lose, cancel, cancel_quietly])
def test_an_executor_that_fails_costs_no_plan(
    then: Callable[[Future[Any]], None], caplog: pytest.LogCaptureFixture
) -> None:
    failing = Failing(then)
    there = limited(24, executor=failing)
    assert failing.tasks > 2
    assert "a part is solved here, the executor failed" in caplog.text
    assert decided(there) == decided(limited(24))


def test_whoever_cancels_waits_for_no_executor() -> None:
    """Its workers are gone, and it waits for them for ever."""
    cancel = Cancel()

    def never(_: Future[Any]) -> None:
        cancel.set()

    failing = Failing(never)
    plan = limited(24, executor=failing, cancel=cancel)
    assert failing.tasks > 2
    assert plan.stop is Stop.INTERRUPTED


def test_parts_are_solved_wherever_they_are_sent_with_the_same_result() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:  # a fork of threads may hang
        elsewhere = Counting(processes)
        there = limited(24, executor=elsewhere)
    assert elsewhere.tasks > 0
    assert decided(there) == decided(limited(24))
