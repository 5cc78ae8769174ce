"""A grid of scenarios solved side by side, on any executor."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import Any

from gpu_opt.allocation import allocate
from gpu_opt.options import Cancel, Options, Progress
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Binding, Cause, Sweep, SweepPoint
from gpu_opt.scenario.application import require_applicable
from gpu_opt.scenario.breakpoints import breakpoints
from gpu_opt.scenario.changes import Scenario
from gpu_opt.scenario.grid import Grid, Point
from gpu_opt.scenario.solving import solve_scenario

PAUSE = 0.1
"""Seconds between two looks whether somebody cancelled."""

LIMITS = ("time_limit", "gap", "seed", "work_limit")
"""Options that hold for every scenario; the others are this process's own."""


def sweep(
    organization: Organization,
    grid: Grid,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    options: Options | None = None,
    base: Allocation | None = None,
    arrived: Callable[[SweepPoint], None] | None = None,
) -> Sweep:
    """What comes out of every scenario of a grid, each near to `base` (default: solved first).

    Every scenario is solved with one CBC thread, by `workers` threads (default: ``options.threads``) of this
    process, or by `executor`, which may be any: processes, or a cluster's. `arrived` is called in this thread
    with every point as it arrives. The time limit of `options`, or the limit of work, holds for the base and
    for each scenario. Who cancels keeps the points that have arrived; the others are given up. The same grid
    gives the same points wherever they are solved, if they are solved within the limit.

    Raises
    ------
    InvalidInput
        Changes do not apply, or lead to what cannot be meant: all problems of all scenarios, before
        anything is solved.
    SolverFailure, VerificationFailure
        As :func:`gpu_opt.allocate`; also what `executor` raises if it fails. The other points are given up.
    """
    options = options or Options()
    require_applicable(organization, [point.scenario for point in grid.points])
    begun = time.monotonic()
    if base is None:
        base = allocate(organization, options=options)
    found: dict[int, SweepPoint] = {}
    with _Crew(executor, workers or options.threads, options) as crew:
        for place, arrival in crew.solve(organization, grid.points, base):
            found[place] = arrival
            if options.progress is not None:
                phase = f"scenario {len(found)} of {len(grid.points)}"
                options.progress(Progress(phase, time.monotonic() - begun))
            if arrived is not None:
                arrived(arrival)
    points = tuple(found[place] for place in sorted(found))
    turns = breakpoints(grid, found)
    return Sweep(name=grid.name, base=base, points=points, asked=len(grid.points), breakpoints=turns)


class _Crew:
    """An executor, and what becomes of its tasks when the sweep ends: own threads are waited for."""

    def __init__(self, executor: Executor | None, workers: int, options: Options) -> None:
        self._own = None if executor is not None else ThreadPoolExecutor(workers)
        self._executor = executor or self._own
        self._enough = Cancel(options.cancel)
        self._options = options
        self._tasks: dict[Future[SweepPoint], int] = {}

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for task in self._tasks:
            task.cancel()
        if self._own is not None:
            self._own.shutdown(wait=True, cancel_futures=True)

    def solve(
        self, organization: Organization, points: tuple[Point, ...], base: Allocation
    ) -> Iterator[tuple[int, SweepPoint]]:
        """Every point with its place, as it arrives, until all have or somebody cancels."""
        assert self._executor is not None
        limits = {name: getattr(self._options, name) for name in LIMITS}
        cancel = None if self._own is None else self._enough  # a switch reaches no further than this process
        for place, point in enumerate(points):
            task = self._executor.submit(solve_point, organization, point, base, limits, cancel)
            self._tasks[task] = place
        pending = set(self._tasks)
        while pending and not self._options.cancel.is_set():
            done, pending = wait(pending, timeout=PAUSE, return_when=FIRST_COMPLETED)
            for task in sorted(done, key=self._tasks.__getitem__):
                point_found = task.result()
                if not self._options.cancel.is_set():
                    yield self._tasks[task], point_found


def solve_point(
    organization: Organization,
    point: Point,
    base: Allocation,
    limits: Mapping[str, Any],
    cancel: Cancel | None,
) -> SweepPoint:
    """One point, solved in one thread; `limits` are those of :data:`LIMITS`. Runs wherever a worker is."""
    options = Options(threads=1, **limits)
    if cancel is not None:
        options = dataclasses.replace(options, cancel=cancel)
    scenario: Scenario = point.scenario
    found = solve_scenario(organization, scenario, base, options)
    return SweepPoint(
        values=point.values,
        status=found.plan.status,
        stop=found.plan.stop,
        gap=found.plan.gap,
        bindings=bindings(found.plan),
        comparison=found.comparison,
    )


def bindings(plan: Allocation) -> tuple[Binding, ...]:
    """The caps and limits for which some project lacks something, and the guarantees that are short."""
    found = {
        Binding(kind="team_cap" if one.reason.cause is Cause.TEAM_CAP else "type_limit", team=subject)
        for one in plan.projects
        if one.reason.cause in {Cause.TEAM_CAP, Cause.TYPE_LIMIT} and (subject := one.reason.subject)
    }
    found |= {Binding(kind="guarantee", team=one.team) for one in plan.teams if one.shortfall > 0}
    return tuple(sorted(found, key=lambda one: (one.kind, one.team)))
