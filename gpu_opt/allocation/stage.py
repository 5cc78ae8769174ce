"""The optimization of one goal, the earlier ones being held."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from gpu_opt.allocation.appraisal import held_with
from gpu_opt.allocation.constraints import expression
from gpu_opt.allocation.formulation import Formulation
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.neighbourhoods import Floats, choose_projects, fix_others
from gpu_opt.allocation.start import read_grants, read_relaxation, set_start
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverDied
from gpu_opt.instance import MILLI, Instance
from gpu_opt.options import Cancel, Options, Progress, relative_gap
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, OnProgress, solve

log = logging.getLogger(__name__)

HEAD_START = 0.3
"""Seconds for which CBC has the whole program to itself: small ones are solved by then."""

SHORTEST, LONGEST = 0.5, 2.0
"""Seconds for one neighbourhood. CBC has been seen to crash when given less than a fifth of a second."""

PROVED = 1e-6
"""Relative gap within which a goal counts as proved."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved of one goal, and what it took."""

    bound: float
    stop: Stop
    seconds: float


@dataclass(slots=True)
class Stage:
    """One goal, the plan to improve, and the two programs: the whole one, and the one solved in parts."""

    incumbent: Incumbent
    position: int
    whole: Formulation
    part: Formulation
    options: Options
    begun: float
    until: float
    bound: float = 0.0
    """Proved."""
    shown: float = 0.0
    """What a running CBC says it has proved; believed only when it has ended (see solver)."""

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
            for formulation in (self.whole, self.part):
                _aim(formulation, self.goal, self.incumbent.instance)
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
        for attempt in range(4):
            answer = _survive(
                self.whole, options, seconds=self._left(), gap=self.options.gap, on_progress=self._progress
            )
            if answer.status is not SolverStatus.INFEASIBLE:
                return answer
            widening = 10.0 ** (attempt + 1)
            log.warning("CBC calls %s infeasible; held goals widened %g times", self.goal.name, widening)
            self._hold_earlier(self.whole, widening)
        return answer

    def _hold_earlier(self, formulation: Formulation, widening: float = 1.0) -> None:
        """Hold every earlier goal at what the plan reaches: a later stage may have improved it by chance."""
        for position, goal in enumerate(self.incumbent.goals[: self.position]):
            _hold(formulation, goal, self.incumbent, position, widening)

    def _improve(self, future: Future[Answer]) -> None:
        """Solve neighbourhood after neighbourhood until the time is over or CBC is done with the whole."""
        _wait(future, HEAD_START, self.options.cancel)
        if future.done():
            return
        instance, number = self.incumbent.instance, 0
        options = replace(self.options, threads=1)
        relaxed = self._relax(options)
        while not future.done() and self._left() > SHORTEST and not self.options.cancel.is_set():
            chosen = choose_projects(
                instance, self.incumbent.x, relaxed, self.goal, self.options.seed, number
            )
            number += 1
            self._hold_earlier(self.part)
            set_start(instance, self.part.variables, self.incumbent.x)
            with fix_others(instance, self.part.variables, self.incumbent.x, chosen):
                answer = _survive(
                    self.part,
                    options,
                    seconds=min(LONGEST, self._left()),
                    gap=self.options.gap / 2,
                    preprocess=True,
                )
            if answer.has_solution and self.incumbent.offer(read_grants(self.part.variables)):
                self._report()
            if relative_gap(self.value, self._sound(self.shown)) <= max(self.options.gap, PROVED):
                break

    def _relax(self, options: Options) -> Floats | None:
        """The relaxation's grants; its optimum bounds the goal as well."""
        answer = solve(self.part.problem, options, seconds=self._left(), relax=True)
        if answer.status is not SolverStatus.OPTIMAL or answer.objective is None:
            return None
        self.bound, self.shown = self._tighter(answer.objective), self._tighter(answer.objective)
        return read_relaxation(self.part.variables)

    def _left(self) -> float:
        return self.until - time.monotonic()

    def _take(self, answer: Answer) -> None:
        if answer.has_solution:
            self.incumbent.offer(read_grants(self.whole.variables))
        if answer.bound is not None:
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

        Less than a step away from the value it is the value: nothing lies between.
        """
        if abs(bound - self.value) <= max(PROVED * abs(self.value), 0.9 * self.goal.step):
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
        return Stop.INTERRUPTED if self.options.cancel.is_set() else Stop.TIME

    def _report(self) -> None:
        if self.options.progress is not None:
            seconds = time.monotonic() - self.begun
            self.options.progress(Progress(self.goal.name, seconds, self.value, self._sound(self.shown)))


def _aim(formulation: Formulation, goal: GoalSpec, instance: Instance) -> None:
    """Make the goal the objective."""
    formulation.problem.sense = 1 if goal.sense == "minimize" else -1
    formulation.problem.objective = expression(goal.terms(instance, formulation.variables))


def _hold(
    formulation: Formulation, goal: GoalSpec, incumbent: Incumbent, position: int, widening: float
) -> None:
    """Keep the value that the goal has reached, in a row of the family `earlier_goals`."""
    name = f"earlier_goals_{position}"
    reached = incumbent.values[position]
    slack = held_with(reached) * widening
    limit = reached - slack if goal.sense == "maximize" else reached + slack
    row = formulation.problem.get_constraint_by_name(name)
    if row is not None:
        row.changeRHS(limit)
        return
    terms = expression(goal.terms(incumbent.instance, formulation.variables))
    formulation.problem.addConstraint(terms >= limit if goal.sense == "maximize" else terms <= limit, name)


def _survive(
    formulation: Formulation,
    options: Options,
    *,
    seconds: float,
    gap: float,
    preprocess: bool = False,
    on_progress: OnProgress | None = None,
) -> Answer:
    """Solve from the start that is set; a CBC that dies on one program has no answer, but costs no plan."""
    try:
        return solve(
            formulation.problem,
            options,
            seconds=seconds,
            gap=gap,
            start=True,
            preprocess=preprocess,
            on_progress=on_progress,
        )
    except SolverDied as error:
        log.warning("%s", error)
        return Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, None, 0.0)


def _wait(future: Future[Answer], seconds: float, cancel: Cancel) -> None:
    end = time.monotonic() + seconds
    while not future.done() and time.monotonic() < end and not cancel.is_set():
        time.sleep(0.01)


def trivial_bound(instance: Instance, goal: GoalSpec) -> float:
    """What no plan can beat, without solving: no shortfall, or every demand of the tier met in full."""
    if goal.sense == "minimize":
        return 0.0
    per_demand = float(sum(share * worth for share, worth in instance.segments))
    return sum(
        priority * per_demand * demand / MILLI
        for priority, demand, tier, own in zip(
            instance.projects.priority,
            instance.projects.demand,
            instance.projects.tier,
            instance.projects.arcs,
            strict=True,
        )
        if tier == goal.index and own
    )
