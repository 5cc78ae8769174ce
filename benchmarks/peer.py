"""What a peer is: a name, what it needs, and a function that makes a plan within a time.

The function runs in a process of its own (:mod:`benchmarks.process`) and tells what it has through its
:class:`Run`: every plan that it tells survives, even if the process must be killed afterwards.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import Literal

from benchmarks import peers
from gpu_opt.instance import Ints
from gpu_opt.organization import Organization
from gpu_opt.plan import Grant

RESERVE = 0.03
"""Share of the time that a peer keeps back to hand in its last plan."""


@dataclass(frozen=True, slots=True)
class Task:
    """What every peer is told."""

    organization: Organization
    limit: float
    """Wall-clock seconds, model building included."""
    threads: int = 2
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """What a peer says that it proved."""

    bound: float | None = None
    """No plan has a higher objective in the penalty form; None: it proved nothing."""
    kind: Literal["penalty", "lexicographic"] = "penalty"
    """``lexicographic``: not of the penalty form, but the weighted sum of what was proved goal by goal, each
    among the plans that do at least as well on the goals before. It measures the plan by its own rules, and
    is never taken for a bound on the others."""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What a peer said on its way."""

    seconds: float
    best: float | None
    """Objective of its best plan so far, in the penalty form; None where it cannot say."""
    bound: float | None
    has_plan: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that was handed in."""

    seconds: float
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Flown:
    """A flow of :mod:`benchmarks.flows`: what every arc carries."""

    values: Ints


class Run:
    """A peer's side of a run: its clock, and what it tells."""

    def __init__(self, channel: Connection, limit: float) -> None:
        self._channel = channel
        self._begun = time.monotonic()
        self.limit = limit

    @property
    def seconds(self) -> float:
        """Since the organization was in memory and the peer's libraries were imported."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float:
        """Seconds until the peer should have handed in its last plan; never negative."""
        return max(0.0, self.limit * (1 - RESERVE) - self.seconds)

    def report(self, best: float | None, bound: float | None, *, has_plan: bool = False) -> None:
        """Tell objective and bound so far; `has_plan` where there is a plan whose objective is not known."""
        self._channel.send(Event(self.seconds, best, bound, has_plan or best is not None))

    def hand_in(self, grants: Sequence[Grant]) -> None:
        """Hand in a plan; the last one that came in time counts."""
        self._channel.send(Plan(self.seconds, tuple(grants)))


@dataclass(frozen=True, slots=True)
class Peer:
    """A competitor."""

    name: str
    about: str
    """One line: what it is, and whether it is given the greedy plan."""
    solve: Callable[[Task, Run], Proof]
    needs: tuple[str, ...] = ()
    """Modules that must be there; they are imported before the clock starts."""
    is_referee: bool = False
    """It only proves a bound to measure the others by, in its own time."""

    def missing(self) -> str:
        """Why it cannot take part; empty if it can."""
        return absent(self.needs)


def absent(needs: Sequence[str]) -> str:
    """Which modules are not there, in a sentence; empty if all are."""
    missing = [name for name in needs if find_spec(name.partition(".")[0]) is None]
    return f"not installed: {', '.join(missing)} (`uv sync --group bench`)" if missing else ""


def all_peers() -> dict[str, Peer]:
    """Every peer of the files in ``benchmarks/peers``, by name; gpu_opt first, referees last."""
    found = [
        peer
        for file in pkgutil.iter_modules(peers.__path__)
        for peer in getattr(importlib.import_module(f"{peers.__name__}.{file.name}"), "PEERS", ())
    ]
    return {peer.name: peer for peer in sorted(found, key=_place)}


def _place(peer: Peer) -> tuple[bool, bool, str]:
    return peer.is_referee, peer.name != "gpu_opt", peer.name
