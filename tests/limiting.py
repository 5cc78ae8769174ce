"""Allocations with a limit of work, and what two of them have to agree on."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

from benchmarks.generator import Dials, generate
from gpu_opt.allocation import allocate
from gpu_opt.options import Options
from gpu_opt.plan import Allocation

LAB = generate(Dials(24, 4, seed=3))


def limited(programs: int, **options: Any) -> Allocation:
    """A plan of the lab after so many programs."""
    return allocate(LAB, options=Options(gap=0, work_limit=programs, **options))


def decided(plan: Allocation) -> tuple[object, ...]:
    """All that two runs have to agree on: not the seconds, nor the last digits that CBC prints of a bound."""
    return plan.grants, plan.moves, tuple((goal.name, goal.value) for goal in plan.goals)


class Counting(Executor):
    """Counts the tasks that it passes on, to other processes or machines."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self.tasks = 0

    def submit(self, *task: Any, **named: Any) -> Future[Any]:
        """Pass it on."""
        self.tasks += 1
        return self._inner.submit(*task, **named)
