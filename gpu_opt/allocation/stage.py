"""The optimization of one goal, the earlier ones being held."""

from __future__ import annotations

import itertools
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from gpu_opt.allocation.appraisal import appraise, contradicts, trivial_bound
from gpu_opt.allocation.dive import dive
from gpu_opt.allocation.formulation import Formulation, aim, formulate, hold
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.neighbourhoods import Floats, choose_projects
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.allocation.start import read_grants, read_relaxation, set_start
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.clock import Clock
from gpu_opt.errors import SolverDied
from gpu_opt.instance import Ints
from gpu_opt.options import Cancel, Options, Progress, relative_gap
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, OnProgress, solve

log = logging.getLogger(__name__)

HEAD_START = 0.3
"""Seconds for which CBC has the whole program to itself: small ones are solved by then."""

SHORTEST, LONGEST = 0.5, 2.0
"""Seconds for one neighbourhood. CBC has been seen to crash when given less than a fifth of a second."""

FIRST_SIZE = 40
"""Projects in the first neighbourhood; the size adapts to what CBC solves within its seconds."""

PROVED = 1e-9
"""Relative gap within which a goal counts as proved."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved of one goal, and what it took."""

    bound: float
    stop: Stop
    seconds: float


@dataclass(slots=True)
class Stage:
    """One goal, the plan to improve, and the whole program twice: for CBC's search and for its relaxation."""

    incumbent: Incumbent
    position: int
    whole: Formulation
    relaxation: Formulation
    clock: Clock
    until: float
    """When to end, in the clock's seconds."""
    bound: float = 0.0
    """Proved."""
    shown: float = 0.0
    """What a running CBC says it has proved; believed only when it has ended (see solver)."""

    @property
    def options(self) -> Options:
        """How to solve."""
        return self.clock.options

    @property
    def goal(self) -> GoalSpec:
        """The goal that is optimized."""
        return self.incumbent.goals[self.position]

    @property
    def value(self) -> float:
        """What the plan reaches on it."""
        return self.incumbent.values[self.position]

    def run(self) -> Proof:
        """Improve the plan and the bound until they meet, the time is over, or somebody cancels."""
        started = time.monotonic()
        self.bound = self.shown = trivial_bound(self.incumbent.instance, self.goal)
        self._report()
        if not self._good_enough():
            for formulation in (self.whole, self.relaxation):
                aim(formulation, self.goal, self.incumbent.instance)
                self._hold_earlier(formulation)
            self._optimize()
        return Proof(self._sound_bound(), self._stop(), time.monotonic() - started)

    def _optimize(self) -> None:
        """Let CBC bound the whole program while neighbourhoods improve the plan."""
        while not self._good_enough() and self._left() > 0 and not self.options.cancel.is_set():
            self.shown = self.bound
            enough = Cancel(self.options.cancel)
            options = replace(self.options, threads=max(1, self.options.threads - 1), cancel=enough)
            with ThreadPoolExecutor(1) as executor:
                future = executor.submit(self._solve_whole, options)
                try:
                    self._improve(future)
                finally:
                    enough.set()
                answer = future.result()
            self._take(answer)
            if answer.stop is not Stop.INTERRUPTED:
                break

    def _solve_whole(self, options: Options) -> Answer:
        """Solve the whole program; widen the held goals if CBC calls a program infeasible that is not."""
        instance = self.incumbent.instance
        set_start(instance, self.whole.variables, self.incumbent.x)
        for widening in (1.0, 10.0, 100.0, 1000.0):
            if widening > 1:
                log.warning("CBC calls %s infeasible; held goals widened %g times", self.goal.name, widening)
                self._hold_earlier(self.whole, widening)
            answer = _survive(
                self.whole,
                options,
                seconds=self._left(),
                on_progress=self._progress,
            )
            if answer.status is not SolverStatus.INFEASIBLE:
                break
        return answer

    def _hold_earlier(self, formulation: Formulation, widening: float = 1.0) -> None:
        """Hold every earlier goal at what the plan reaches: a later stage may have improved it by chance."""
        earlier = self.incumbent.goals[: self.position]
        for goal, value in zip(earlier, self.incumbent.values, strict=False):
            hold(formulation, self.incumbent.instance, goal, value, widening)

    def _improve(self, future: Future[Answer]) -> None:
        """Solve neighbourhood after neighbourhood until the time is over or CBC is done with the whole."""
        _wait(future, HEAD_START, self.options.cancel)
        if future.done():
            return
        instance = self.incumbent.instance
        over = Cancel(self.options.cancel)
        future.add_done_callback(lambda _: over.set())  # with the whole solved, its parts are of no use
        options = replace(self.options, threads=1, cancel=over)
        relaxed = self._relax(options)
        if relaxed is not None:
            self._round(relaxed, options)
        size = float(FIRST_SIZE)
        for number in itertools.count():
            if over.is_set() or self._left() < SHORTEST:
                return
            seed = (self.options.seed, number)
            chosen = choose_projects(instance, self.incumbent.x, relaxed, self.goal, int(size), seed)
            begun = time.monotonic()
            candidate = self._solve_part(chosen, options)
            if candidate is not None and self.incumbent.offer(candidate):
                self._report()
            taken = time.monotonic() - begun
            size = max(8.0, 0.8 * size) if taken > LONGEST else size * 1.1 if taken < LONGEST / 4 else size
            if relative_gap(self.value, self._sound(self.shown)) <= max(self.options.gap, PROVED):
                return

    def _solve_part(self, chosen: list[int], options: Options) -> Ints | None:
        """Let the chosen projects decide again; the plan with their answer, None without one."""
        x = self.incumbent.x
        part, arcs = restrict(self.incumbent.instance, x, chosen)
        goals = list_goals(part)
        names = [goal.name for goal in goals]
        if self.goal.name not in names:
            return None
        formulation = formulate(part)
        reached = appraise(part, goals, x[arcs])
        for goal, value in zip(goals, reached, strict=True):
            if goal.name == self.goal.name:
                break
            hold(formulation, part, goal, value)
        aim(formulation, goals[names.index(self.goal.name)], part)
        set_start(part, formulation.variables, x[arcs])
        answer = _survive(
            formulation,
            options,
            seconds=min(LONGEST, self._left()),
            gap=self.options.gap / 2,
            preprocess=True,
        )
        if not answer.has_solution:
            return None
        candidate = x.copy()
        candidate[arcs] = read_grants(formulation.variables)
        return candidate

    def _relax(self, options: Options) -> Floats | None:
        """The relaxation's grants; its optimum bounds the goal as well."""
        answer = _survive(self.relaxation, options, seconds=self._left(), relax=True)
        if answer.status is not SolverStatus.OPTIMAL or answer.objective is None:
            return None
        self.bound = self._tighter(answer.objective)
        self.shown = self._tighter(self.shown)
        return read_relaxation(self.relaxation.variables)

    def _round(self, relaxed: Floats, options: Options) -> None:
        """Offer the rounded relaxation; then dive from it, and offer what that comes to."""
        instance, variables = self.incumbent.instance, self.relaxation.variables

        def again() -> Floats | None:
            if options.cancel.is_set():
                return None
            answer = _survive(self.relaxation, options, seconds=self._left() / 2, relax=True)
            return read_relaxation(variables) if answer.status is SolverStatus.OPTIMAL else None

        if self.incumbent.offer(round_relaxation(instance, relaxed)):
            self._report()
        deepest = dive(instance, variables, relaxed, again)
        if self.incumbent.offer(round_relaxation(instance, deepest)):
            self._report()

    def _left(self) -> float:
        return self.until - self.clock.seconds

    def _take(self, answer: Answer) -> None:
        if answer.has_solution:
            self.incumbent.offer(read_grants(self.whole.variables))
        if answer.bound is not None and not contradicts(self.goal, answer.bound, self.value):
            self.bound = self._tighter(answer.bound)
        self._report()

    def _progress(self, _best: float | None, bound: float | None) -> None:
        if bound is not None:
            self.shown = self._tighter(bound)
        self._report()

    def _tighter(self, bound: float) -> float:
        return min(self.bound, bound) if self.goal.sense == "maximize" else max(self.bound, bound)

    def _sound_bound(self) -> float:
        return self._sound(self.bound)

    def _sound(self, bound: float) -> float:
        """A bound, never on the wrong side of a value that was reached (by the slack of held goals).

        Less than a step away from the value it is the value: nothing lies between; nor does anything that
        CBC can tell from it.
        """
        near = max(PROVED * abs(self.value), 0.9 * self.goal.step, self.goal.noise)
        if abs(bound - self.value) <= near:
            return self.value
        return max(bound, self.value) if self.goal.sense == "maximize" else min(bound, self.value)

    def _gap(self) -> float:
        return relative_gap(self.value, self._sound_bound())

    def _good_enough(self) -> bool:
        return self._gap() <= max(self.options.gap, PROVED)

    def _stop(self) -> Stop:
        if self._gap() <= PROVED:
            return Stop.PROVED
        if self._good_enough():
            return Stop.GAP
        return self.clock.stop(self.until)

    def _report(self) -> None:
        self.clock.report(Progress(self.goal.name, self.clock.seconds, self.value, self._sound(self.shown)))


def _survive(
    formulation: Formulation,
    options: Options,
    *,
    seconds: float,
    gap: float = 0.0,
    relax: bool = False,
    preprocess: bool = False,
    on_progress: OnProgress | None = None,
) -> Answer:
    """Solve, from the start that is set unless relaxed; a CBC that dies has no answer, but costs no plan."""
    try:
        return solve(
            formulation.problem,
            options,
            seconds=seconds,
            gap=gap,
            start=not relax,
            relax=relax,
            preprocess=preprocess,
            on_progress=on_progress,
        )
    except SolverDied as error:
        log.warning("%s", error)
        return Answer(SolverStatus.NO_SOLUTION, Stop.FAILED, None, None, 0.0)


def _wait(future: Future[Answer], seconds: float, cancel: Cancel) -> None:
    end = time.monotonic() + seconds
    while not future.done() and time.monotonic() < end and not cancel.is_set():
        time.sleep(0.01)
