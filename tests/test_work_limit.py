"""Limits of work, and where programs are solved: the same plan on every run, whoever solves it."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from benchmarks.generator import Dials, generate
from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.options import Options
from gpu_opt.plan import Allocation
from tests.building import lab, pool, project

LAB = generate(Dials(24, 4, seed=3))


def limited(programs: int, **options: Any) -> Allocation:
    return allocate(LAB, options=Options(gap=0, work_limit=programs, **options))


def what_is_decided(plan: Allocation) -> tuple[object, ...]:
    """All that two runs have to agree on: not the seconds, nor the last digits that CBC prints of a bound."""
    return plan.grants, plan.moves, tuple((goal.name, goal.value) for goal in plan.goals)


def test_the_same_work_gives_the_same_plan() -> None:
    assert what_is_decided(limited(24)) == what_is_decided(limited(24))


def test_more_work_is_never_worse() -> None:
    little, more = limited(8), limited(40)
    assert verify(LAB, little) == verify(LAB, more) == ()
    assert [goal.value for goal in more.goals if goal.name.startswith("value")] >= [
        goal.value for goal in little.goals if goal.name.startswith("value")
    ]


def test_the_record_says_how_much_work_was_allowed() -> None:
    assert limited(5).run.work_limit == 5
    assert allocate(lab([pool()], projects=[project("orion", 4)])).run.work_limit is None


class Counting(Executor):
    """Another machine, as far as the solve can tell: a process that gets pickled tasks, and counts them."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.tasks = 0

    def submit(self, *task: Any, **named: Any) -> Future[Any]:
        self.tasks += 1
        return self.executor.submit(*task, **named)


def test_parts_are_solved_wherever_they_are_sent_with_the_same_result() -> None:
    with ProcessPoolExecutor(2) as processes:
        elsewhere = Counting(processes)
        there = limited(24, executor=elsewhere)
    assert elsewhere.tasks > 0
    assert what_is_decided(there) == what_is_decided(limited(24))
