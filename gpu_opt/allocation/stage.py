"""The optimization of one goal, the earlier ones being held."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass, field, replace

from gpu_opt.allocation.appraisal import PROVED, contradicts, sound, trivial_bound
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.proof import PriceBound, Proof
from gpu_opt.allocation.relaxing import ask_relaxation
from gpu_opt.allocation.strategy.crew import POLL, Crew, Job
from gpu_opt.allocation.strategy.improving import improving_jobs
from gpu_opt.allocation.strategy.parts import Limits
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.pricing import Market
from gpu_opt.allocation.strategy.proving import proving_jobs, take_known
from gpu_opt.allocation.strategy.sifting import Guide, moved
from gpu_opt.allocation.strategy.whole import Forced, whole_job
from gpu_opt.clock import Clock
from gpu_opt.options import Options, Progress, relative_gap
from gpu_opt.plan import Stop

HEAD_START = 0.3
"""Seconds for which CBC has a small program to itself: most are solved by then."""

HEAD_SHARE = 0.15
"""Share of the goal's time that this may be at most."""

ALONE = 0.4
"""Share of the goal's time that the whole of a small program gets where there is one thread for all."""

SMALL = 2_500
"""Arcs of an instance that CBC may solve as a whole."""

COME_CLOSER = 0.75
"""Share of its gap to which a plan must have come before CBC begins the whole program again."""

FAILURES = 20
"""Jobs in a row without an answer after which CBC is given up."""


@dataclass(slots=True)
class Stage:
    """One goal, the plan to improve, and what was proved so far."""

    incumbent: Incumbent
    position: int
    market: Market
    clock: Clock
    until: float
    """When to end, as the clock's meter counts."""
    guide: Guide | None = None
    """What the relaxation says, where it is known already."""
    bound: float = field(init=False)
    """Proved."""
    shown: float = field(init=False)
    """What a running CBC says it has proved; believed only when it has ended (see solver)."""

    failures: int = 0
    """Jobs in a row that had no answer."""
    is_done: bool = False
    """CBC has solved the whole program as far as it can."""
    is_head_start: bool = False
    """CBC has a small program to itself."""
    is_coarse: bool = False
    """Many projects are deciding together."""
    outdone: int = 0
    """How many of these in a row gained less than others did meanwhile."""
    forced: Forced | None = None
    """Choices that every better plan makes."""
    is_misled: bool = False
    """CBC has shown a bound that it had not proved."""
    began_with: float | None = None
    """What the plan reached when CBC last began the whole program; None if it shall begin."""

    def __post_init__(self) -> None:
        self.bound = self.shown = trivial_bound(self.incumbent.instance, self.goal)

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

    @property
    def gap(self) -> float:
        """Relative, of the plan from what is proved."""
        return self._gap(self.bound)

    @property
    def aim(self) -> Aim:
        """The goal, with the earlier ones where the plan has them: a later stage may have improved them."""
        before = self.incumbent.goals[: self.position]
        return Aim(self.goal, before, self.incumbent.values[: self.position])

    @property
    def left(self) -> float:
        """What is left of this stage's share, as the clock's meter counts."""
        return self.until - self.clock.meter

    @property
    def seconds_left(self) -> float:
        """Seconds that one call of CBC may take."""
        return math.inf if self.options.work_limit is not None else self.left

    def within_time(self, limits: Limits) -> Limits:
        """Limits for a part: of nodes only where work is limited, else also of the time that is left."""
        in_waves = self.options.work_limit is not None
        seconds = math.inf if in_waves else min(limits.seconds, self.left)
        return replace(limits, seconds=seconds, seed=self.options.seed)

    def run(self) -> Proof:
        """Improve the plan and the bound until they meet, the time is over, or somebody cancels."""
        started, rests_on = time.monotonic(), self.incumbent.setbacks_before(self.position)
        self.report()
        if self.is_over():
            self._take_known_prices()
        else:
            with Crew(self.options) as crew:
                self._optimize(crew)
        seconds = time.monotonic() - started
        return Proof(self._sound(self.bound), self._stop(), seconds, rests_on, self._by_prices())

    def _by_prices(self) -> PriceBound | None:
        guide = self.guide
        if guide is None or guide.aim.goal is not self.goal:
            return None
        return PriceBound(self.market, guide.aim, guide.prices, sum(each.gain for each in guide.choices))

    def _take_known_prices(self) -> None:
        """What the first relaxation's prices prove of this goal, where there is no time for anything else."""
        if self.guide is not None and self.guide.aim.goal is self.goal:
            self.guide = moved(self.market, self.guide, self.aim, self.has_no_time)
            take_known(self, self.guide)

    def _optimize(self, crew: Crew) -> None:
        """Let some jobs improve the bound while others improve the plan."""
        improving = improving_jobs(self)
        if self.is_small:
            self._give(crew, whole_job(self))
            if crew.free:
                self._give(crew, next(improving))
            if self.guide is None or crew.size == 1:
                self._wait_for_whole(crew)
        if self.is_over():
            self._take_last_words(crew)
            return
        if not self._is_hoped_for():
            ask_relaxation(self, crew)
        if self.guide is not None and self.guide.aim.goal is self.goal:
            take_known(self, self.guide)
        proving = proving_jobs(self)
        kinds = itertools.cycle((proving, improving, improving))  # of what begins, one in three
        while not self.is_over() and (crew.has_long_job or not self.is_given_up):
            while crew.free and not self.is_over() and not self.is_given_up:
                may_prove = next(kinds) is proving and not crew.has_proof_job
                job = next(proving, None) if may_prove else None
                self._give(crew, job or next(improving))
            self._collect(crew, POLL)
        self._take_last_words(crew)

    def _take_last_words(self, crew: Crew) -> None:
        """Stop CBC and take what it has proved of the whole program: its time ends with this stage's."""
        crew.stop_long_jobs()
        while crew.has_long_job:
            self._collect(crew, POLL)

    def _wait_for_whole(self, crew: Crew) -> None:
        """Let CBC have the whole program to itself for a while; with one thread, that is all it gets."""
        if self.options.work_limit is not None:  # jobs go in waves, whatever the clock says
            self._collect(crew, POLL)
            return
        self.is_head_start, several = True, crew.size > 1
        alone = min(HEAD_START, HEAD_SHARE * self.left) if several else ALONE * self.left
        ends = time.monotonic() + alone
        while crew.has_long_job and time.monotonic() < ends and not self.is_over():
            self._collect(crew, POLL)
        self.is_head_start = False
        if not several:
            self._take_last_words(crew)

    @property
    def is_small(self) -> bool:
        """Whether CBC may solve the whole program from the beginning."""
        return len(self.incumbent.instance.arcs.pool) <= SMALL

    @property
    def asks_whole(self) -> bool:
        """Whether CBC shall begin the whole program: for the first time, or once more from a better plan.

        What it fixes at its root, and so how far its cuts go, hangs on the plan that it begins with.
        """
        if self.began_with is None:
            return True
        begun = relative_gap(self.began_with, self._sound(self.bound))
        return self.options.threads > 1 and self._gap(self.bound) <= COME_CLOSER * begun

    @property
    def forced_choices(self) -> dict[str, int]:
        """Choices that every plan makes which is better than this one: those of plans better than less."""
        forced = self.forced
        is_known = forced is not None and forced.held == self.aim.held and forced.value <= self.value
        return dict(forced.choices) if forced is not None and is_known else {}

    @property
    def is_later_tier(self) -> bool:
        """Whether there are tiers before, whose grants may stay as they are while this one's are improved."""
        before = self.incumbent.goals[: self.position]
        return self.goal.kind == "value" and any(each.kind == "value" for each in before)

    def _is_hoped_for(self) -> bool:
        """Whether a later goal's relaxation has shown that this one may be had in full."""
        return self.guide is not None and self.goal in self.guide.aim.earlier

    def count(self, answered: bool) -> None:
        """Keep account of jobs that have no answer: a CBC that always dies is not asked for ever."""
        self.failures = 0 if answered else self.failures + 1
        self.clock.has_cbc |= answered

    def tighten(self, bound: float) -> None:
        """Take a proved bound if it is better, and not contradicted by a plan."""
        if not contradicts(self.goal, bound, self.value):
            self.bound = self.tighter(self.bound, bound)
            self.shown = self.tighter(self.shown, bound)
        self.report()

    def tighter(self, bound: float, other: float) -> float:
        """The better of two bounds."""
        return min(bound, other) if self.goal.sense == "maximize" else max(bound, other)

    def is_over(self) -> bool:
        """Whether to stop: good enough, no time left, or cancelled."""
        return self.is_done or self._gap(self.bound) <= self._enough or self.has_no_time()

    @property
    def is_given_up(self) -> bool:
        """Whether CBC had no answer so often that it is not asked for more."""
        return self.failures >= FAILURES

    def has_no_time(self) -> bool:
        """Whether its time is over, or somebody cancelled."""
        return self.left <= 0 or self.options.cancel.is_set()

    def seems_over(self) -> bool:
        """The same, if what a running CBC shows is true: where it once was not, it is believed no more."""
        in_waves = self.options.work_limit is not None
        may_believe = not (in_waves or self.is_misled)
        return self.is_over() or (may_believe and self._gap(self.shown) <= self._enough)

    def report(self) -> None:
        """Say how far it is."""
        self.clock.report(Progress(self.goal.name, self.clock.seconds, self.value, self._sound(self.shown)))

    @property
    def _enough(self) -> float:
        return max(self.options.gap, PROVED)

    def _give(self, crew: Crew, job: Job) -> None:
        self.clock.work += 1
        crew.give(job)

    def _collect(self, crew: Crew, seconds: float) -> None:
        """Take answers until there is one or `seconds` are over; stop CBC when it seems to be done."""
        shown = self.shown
        crew.collect(seconds)
        if self.shown != shown:
            self.report()
        if self.is_over() or not crew.has_long_job:
            return
        if self.seems_over():
            crew.stop_long_jobs()
        elif not self.is_head_start and self.asks_whole:
            crew.stop_long_jobs()
            self.began_with = None

    def _gap(self, bound: float) -> float:
        return relative_gap(self.value, self._sound(bound))

    def _sound(self, bound: float) -> float:
        return sound(self.goal, bound, self.value)

    def _stop(self) -> Stop:
        if self._gap(self.bound) <= PROVED:
            return Stop.PROVED
        if self._gap(self.bound) <= self._enough:
            return Stop.GAP
        return self.clock.stop(self.until)
