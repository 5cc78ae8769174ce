"""The smallest change of a kind that is enough, found and confirmed by solving again.

Whole programs of a large lab take minutes to be proved. So a change is confirmed in a frame: the projects
that it concerns decide again, in whole units, while all others keep what they have.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from enum import Enum, auto

from gpu_opt.allocation.appraisal import own_compute
from gpu_opt.allocation.decode import grants_of
from gpu_opt.allocation.near import with_near
from gpu_opt.checker import require_kept
from gpu_opt.clock import Clock
from gpu_opt.errors import InvalidInput
from gpu_opt.explanation.frame import best_in_frame
from gpu_opt.explanation.levers import Lever
from gpu_opt.explanation.seen import Seen, gpus_by_project, units
from gpu_opt.explanation.verdict import decide
from gpu_opt.explanation.wish import Wish
from gpu_opt.indexing import build_instance
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Basis, Candidates, Loss, Remedy, RemedyKind
from gpu_opt.solver import Effort

FACTS = {RemedyKind.POOL, RemedyKind.ONE_POOL, RemedyKind.MINIMUM}
"""Changes that nobody decides from above: hardware, and the project's own terms."""

RANKS = {RemedyKind.PRIORITY, RemedyKind.RANK}

SHARE = 0.5
"""Of the time for all changes, for one trial at most."""

SHARE_TO_SHOW = 0.3
"""Of it, for the plan from which is read what a change takes from whom."""


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """What was proved of the best plans within a frame."""

    organization: Organization
    instance: Instance
    frame: frozenset[str]
    x: Ints
    """One that is better than all that do not grant the wish, or as good as all that do."""
    is_granted: bool
    """Whether every best plan grants the wish, whichever is chosen."""


class Fate(Enum):
    """Why a change is not confirmed to be enough."""

    NOT_ENOUGH = auto()
    UNDECIDED = auto()
    CROWDED = auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Enough:
    """A change that is enough, and the largest one of its kind that was proved not to be."""

    lever: Lever
    grains: int
    trial: Trial
    before: Trial
    not_enough: int
    granted: frozenset[str]
    """The projects whose gain it is."""


class Trials:
    """Solves with changes, and without, each for one wish and within the time."""

    def __init__(self, seen: Seen, plan: Allocation, wish: Wish, options: Options) -> None:
        self.seen, self.plan, self.wish = seen, plan, wish
        limit = options.time_limit * (1 - SHARE_TO_SHOW)
        self.clock = Clock(dataclasses.replace(options, progress=None, time_limit=limit))
        self.workers = max(1, options.threads)
        self._turn = threading.Lock()
        self._turns: dict[frozenset[str], threading.Lock] = {}
        self._without: dict[frozenset[str], Trial | None] = {}
        self.names = frozenset(seen.instance.projects.names[j] for j in wish.projects)

    def of(self, organization: Organization, frame: frozenset[str]) -> Trial | None:
        """The best plan of an organization within a frame; None: not proved in the time."""
        seconds = min(self.clock.options.time_limit * SHARE, self.clock.seconds_left)
        if self.clock.is_over:
            return None
        instance = with_near(build_instance(organization, self.plan.date), self.plan.grants)
        x = units(instance, self.plan)
        found = decide(instance, x, frame, self.wish, self.clock.options, seconds)
        return None if found is None else Trial(organization, instance, frame, found.x, found.is_granted)

    def nearest(self, trial: Trial) -> Trial:
        """A plan at least as good, with few moves and changes: the best that is found in a short time."""
        seconds = self.clock.options.time_limit * SHARE_TO_SHOW / 2
        options = self.clock.options
        found = best_in_frame(trial.instance, trial.x, trial.frame, options, seconds, effort=Effort.HASTY)
        return dataclasses.replace(trial, x=found.x)

    def without(self, frame: frozenset[str]) -> Trial | None:
        """The same without any change, found once for a frame."""
        with self._turn:
            turn = self._turns.setdefault(frame, threading.Lock())
        with turn:
            if frame not in self._without:
                self._without[frame] = self.of(self.seen.organization, frame)
            return self._without[frame]

    @property
    def needs_no_change(self) -> bool:
        """Whether some frame grants the wish without any change."""
        return any(each is not None and each.is_granted for each in self._without.values())

    def with_change(self, lever: Lever, grains: int, frame: frozenset[str]) -> Trial | None:
        """The same with a change. Raises InvalidInput for one that cannot be meant alone."""
        return self.of(lever.made(grains), frame)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What was found."""

    remedies: tuple[Remedy, ...]
    """The cheapest first."""
    candidates: Candidates
    """What became of the others."""
    needs_no_change: bool
    """Whether solving again granted the wish without any change: the plan is not the best one."""


def find_remedies(
    levers: Sequence[Lever], seen: Seen, plan: Allocation, wish: Wish, options: Options
) -> Found:
    """The smallest change of each lever that grants the wish.

    Each is confirmed by the best plan in the lever's frame, proved and checked, and by the best one without
    the change, which does not grant it. Within ``options.time_limit`` seconds every lever has its turn, in
    small frames, and in larger ones where none of these did; then the way between what is enough and what
    is not is halved, the cheapest first. Levers for which nothing was confirmed are left out.
    """
    trials = Trials(seen, plan, wish, options)
    with ThreadPoolExecutor(trials.workers) as executor:
        fates = _confirm_all(trials, levers, executor)
        enough = _worth_narrowing([each for each in fates if isinstance(each, Enough)])
        narrowed = list(executor.map(lambda each: _narrow(trials, each), enough))
        shown = list(executor.map(lambda each: _shown(trials, each), filter(_is_answer, narrowed)))
    remedies = sorted(map(_remedy, shown), key=lambda each: each.cost)
    too_much = [each.lever.kind for each in narrowed if not _is_answer(each)]
    return Found(tuple(remedies), _candidates(levers, fates, too_much), trials.needs_no_change)


def _confirm_all(trials: Trials, levers: Sequence[Lever], executor: Executor) -> list[Enough | Fate]:
    """What becomes of every lever, first in small frames; in larger ones where none did in these."""
    fates: list[Enough | Fate] = [Fate.UNDECIDED if lever.frames else Fate.CROWDED for lever in levers]
    for size in range(max((len(lever.frames) for lever in levers), default=0)):
        frames = {place: lever.frames[size] for place, lever in enumerate(levers) if len(lever.frames) > size}
        ordered = sorted(frames.items(), key=lambda one: len(one[1]))
        tasks = {place: executor.submit(_confirm, trials, levers[place], frame) for place, frame in ordered}
        for place, task in tasks.items():
            fates[place] = task.result()
        if any(isinstance(each, Enough) for each in fates):
            break
    return fates


def _candidates(
    levers: Sequence[Lever], fates: Sequence[Enough | Fate], too_much: Sequence[RemedyKind]
) -> Candidates:
    """What became of those that are no remedy; `too_much`: enough, but nobody knows how little is."""

    def of(fate: Fate) -> list[RemedyKind]:
        return [lever.kind for lever, its in zip(levers, fates, strict=True) if its is fate]

    return Candidates(
        not_enough=tuple(dict.fromkeys(of(Fate.NOT_ENOUGH))),
        undecided=tuple(dict.fromkeys([*of(Fate.UNDECIDED), *too_much])),
        crowded=tuple(dict.fromkeys(of(Fate.CROWDED))),
    )


def _worth_narrowing(found: Sequence[Enough]) -> list[Enough]:
    """The cheapest first; no higher priority beside an earlier tier that does alone."""
    has_tier = any(each.lever.kind is RemedyKind.TIER for each in found)
    kept = [each for each in found if not (has_tier and each.lever.kind is RemedyKind.RANK)]
    return sorted(kept, key=_cost)


def _is_answer(enough: Enough) -> bool:
    """Whether it is not far more than was proved not to be enough: that is no answer."""
    return enough.grains <= 2 * max(enough.not_enough, enough.lever.guess)


def _shown(trials: Trials, enough: Enough) -> Enough:
    """The same with plans, of the best ones, that change little: their differences are the change's."""
    return dataclasses.replace(
        enough, trial=trials.nearest(enough.trial), before=trials.nearest(enough.before)
    )


def _confirm(trials: Trials, lever: Lever, frame: frozenset[str]) -> Enough | Fate:
    """Try the guess, then the most."""
    without, not_enough = trials.without(frame), 0
    if without is None or without.is_granted:
        return Fate.UNDECIDED
    for grains in dict.fromkeys((min(lever.guess, lever.most), lever.most)):
        try:
            trial = trials.with_change(lever, grains, frame)
        except InvalidInput:  # a guarantee above a cap, for one
            return Fate.NOT_ENOUGH
        if trial is None:
            return Fate.UNDECIDED
        if trial.is_granted:
            return Enough(lever, grains, trial, without, not_enough, trials.names)
        not_enough = grains
    return Fate.NOT_ENOUGH


def _narrow(trials: Trials, enough: Enough) -> Enough:
    """Halve the way between what is enough and what is not, until they are one grain apart.

    So the last amount is enough, and one grain less is not, whether or not more always helps.
    """
    is_first = enough.lever.kind not in RANKS  # there the guess is generous, elsewhere it is what is lacking
    while enough.grains - enough.not_enough > 1:
        grains = enough.grains - 1 if is_first else _between(enough.not_enough, enough.grains)
        is_first = False
        try:
            trial = trials.with_change(enough.lever, grains, enough.trial.frame)
        except InvalidInput:
            return enough
        if trial is None:
            return enough
        if trial.is_granted:
            enough = dataclasses.replace(enough, grains=grains, trial=trial)
        else:
            enough = dataclasses.replace(enough, not_enough=grains)
    return enough


def _between(low: int, high: int) -> int:
    """Half of the way; where the orders of magnitude differ, half of the way between these."""
    return math.isqrt(low * high) if high > 4 * low > 0 else (low + high) // 2


def _cost(enough: Enough) -> float:
    """Compute that others lose, and GPUs that the pools have more."""
    return sum(each.compute for each in _takes(enough)) + _added(enough)


def _added(enough: Enough) -> int:
    def gpus(instance: Instance) -> int:
        return sum(u * n for u, n in zip(instance.pools.unit, instance.pools.units, strict=True))

    return gpus(enough.trial.instance) - gpus(enough.before.instance)


def _takes(enough: Enough) -> tuple[Loss, ...]:
    """What others lose by the change, beside the best plan of the frame without it."""
    before, after = enough.before, enough.trial
    had, has = gpus_by_project(before.instance, before.x), gpus_by_project(after.instance, after.x)
    lost = own_compute(before.instance, before.x) - own_compute(after.instance, after.x)
    projects, teams = after.instance.projects, after.instance.teams
    takes = [
        Loss(
            project=name,
            team=teams.names[projects.team[j]],
            gpus=had[name] - has[name],
            compute=int(lost[j]) / MILLI,
        )
        for j, name in enumerate(projects.names)
        if lost[j] > 0 and name not in enough.granted
    ]
    return tuple(sorted(takes, key=lambda each: -each.compute))


def _remedy(enough: Enough) -> Remedy:
    lever, trial = enough.lever, enough.trial
    require_kept(trial.organization, grants_of(trial.instance, trial.x), trial.instance.date)
    is_fact = lever.kind in FACTS
    return Remedy(
        kind=lever.kind,
        text=lever.text(enough.grains),
        basis=Basis.FACT if is_fact else Basis.POLICY,
        owner=None if is_fact else lever.owner,
        change=lever.written(enough.grains),
        amount=round(enough.grains * lever.grain, 6),
        grain=lever.grain,
        is_smallest=enough.grains - enough.not_enough == 1,
        decided=len(trial.frame),
        takes=_takes(enough),
        cost=_cost(enough),
    )
