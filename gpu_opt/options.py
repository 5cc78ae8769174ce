"""How a solve is run: limits, seed, progress, cancellation."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """One report from a running solve."""

    phase: str
    """What is being done: ``building``, the name of a goal, ``verifying``, ..."""
    seconds: float
    """Wall-clock seconds since the solve began."""
    best: float | None = None
    """Value of the best plan so far, for the goal named by `phase`."""
    bound: float | None = None
    """What was proved of that goal so far."""

    @property
    def gap(self) -> float | None:
        """Relative gap between `best` and `bound`; None while one of them is unknown."""
        if self.best is None or self.bound is None:
            return None
        return relative_gap(self.best, self.bound)


class Cancel:
    """A switch that any thread may throw to stop a solve; the best plan so far is returned.

    A switch with a parent is also thrown when its parent is.
    """

    def __init__(self, parent: Cancel | None = None) -> None:
        self._event = threading.Event()
        self._parent = parent

    def set(self) -> None:
        """Ask every solve that has this switch to stop."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set() or (self._parent is not None and self._parent.is_set())


@dataclass(frozen=True, slots=True)
class Options:
    """How to solve. The defaults suit a planner at a terminal."""

    time_limit: float = 20.0
    """Wall-clock seconds for one call, from its beginning; the best plan by then is returned."""
    gap: float = 0.0001
    """Relative gap per goal at which it is good enough to stop; 0: until proved."""
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Threads that CBC may use; default: the cores of this machine."""
    seed: int = 0
    """Random seed of CBC and of the search around it."""
    work_limit: int | None = None
    """Jobs that one allocation may give to CBC, instead of a time limit: the same work gives the same plan on
    the same machine, whatever else it has to do. Whatever else a call does, such as a reallocation, keeps to
    the time limit. A job is a part that decides, a bound for a part, a choice made
    both ways, or cuts and branching on the whole program: from one program to some twenty. What is done
    before the first and after the last is not counted: relaxations, their dives, coming near to another plan.
    None: as many as the time allows."""
    executor: Executor | None = None
    """Where small programs are solved, any ``concurrent.futures.Executor``; default: threads of this
    process."""
    progress: Callable[[Progress], None] | None = None
    """Called in the thread that asked for the solve, whenever there is news. What it raises stops CBC, leaves
    nothing running, and comes back to the caller of the solve."""
    cancel: Cancel = field(default_factory=Cancel)

    def __post_init__(self) -> None:
        """Raise ValueError, with everything that cannot be meant."""
        claims = {
            f"time_limit is {self.time_limit}; give a finite number": math.isfinite(self.time_limit),
            f"gap is {self.gap}; give a share from 0 to below 1": 0 <= self.gap < 1,
            f"threads is {self.threads}; give 1 or more": self.threads >= 1,
            f"seed is {self.seed}; give 0 or more": self.seed >= 0,
            f"work_limit is {self.work_limit}; give 1 or more": self.work_limit is None
            or self.work_limit >= 1,
        }
        if messages := [message for message, holds in claims.items() if not holds]:
            raise ValueError("these options cannot be meant: " + "; ".join(messages))


def relative_gap(value: float, bound: float) -> float:
    """``|bound - value| / max(|bound|, |value|)``; 0 where both are 0.

    >>> relative_gap(99.0, 100.0)
    0.01
    """
    largest = max(abs(value), abs(bound))
    return abs(bound - value) / largest if largest > 0 else 0.0


def share_of(options: Options, begun: float, share: float, least: float = 0.0) -> Options:
    """Options for one of several solves in one call that began at `begun`, by :func:`time.monotonic`.

    It has a share of the time that is left, but at least a share `least` of the whole limit, however long the
    others took; its progress is told in seconds of the whole call.
    """
    spent = time.monotonic() - begun
    seconds = max(0.0, (options.time_limit - spent) * share, options.time_limit * least)
    return dataclasses.replace(options, time_limit=seconds, progress=_later(options.progress, spent))


def _later(report: Callable[[Progress], None] | None, seconds: float) -> Callable[[Progress], None] | None:
    if report is None:
        return None
    return lambda progress: report(dataclasses.replace(progress, seconds=progress.seconds + seconds))
