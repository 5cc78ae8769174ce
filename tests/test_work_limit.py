"""Limits of work, and where programs are solved: the same plan on every run, whoever solves it."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
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


def test_parts_are_solved_wherever_they_are_sent_with_the_same_result() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:  # a fork of threads may hang
        elsewhere = Counting(processes)
        there = limited(24, executor=elsewhere)
    assert elsewhere.tasks > 0
    assert decided(there) == decided(limited(24))
