"""A peer in a process of its own: a hard limit of time, its memory, and no library beside another.

A process is started afresh for every run, because ortools and highspy cannot live in one, and because
memory is only comparable from the same start.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from benchmarks.memory import kill_tree, resident_mib
from benchmarks.peer import Event, Flown, Peer, Plan, Proof, Run, Task
from gpu_opt.instance import Ints

START = 300.0
"""Seconds in which a process must have started, read its task and imported its libraries."""

SAMPLING = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The clock has started."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer raised an exception."""

    told: str


@dataclass(slots=True)
class Record:
    """What came out of a process."""

    plans: list[Plan] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    proof: Proof | None = None
    """None if the peer did not come to its end."""
    flow: Ints | None = None
    failure: str = ""
    seconds: float = 0.0
    """From the start of the clock to the end of the peer's work, or until it was killed."""
    memory: float | None = None
    """Peak of the resident memory of the process and its descendants, in MiB."""


def tolerance(limit: float) -> float:
    """Seconds by which a plan may be late and still count."""
    return 0.5 + 0.1 * limit


def run(peer: Peer, task: Task) -> Record:
    """Run the peer on the task; it is killed when a plan would be too late to count."""
    return run_in_process(_solve, (peer, task), task.limit + 1.5 * tolerance(task.limit))


def run_in_process(target: Callable[..., None], arguments: tuple[Any, ...], limit: float) -> Record:
    """Call ``target(channel, *arguments)`` in a new process, and collect what it sends.

    `limit` counts from its :class:`Ready`, in seconds.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(theirs, *arguments), daemon=False)
    process.start()
    theirs.close()
    try:
        return _follow(process, ours, limit)
    finally:
        if process.pid is not None:
            kill_tree(process.pid)
        process.join()
        ours.close()


def _follow(process: BaseProcess, channel: Connection, limit: float) -> Record:
    record = Record()
    assert process.pid is not None
    begun = time.monotonic()
    deadline, is_ready = begun + START, False
    while time.monotonic() < deadline:
        now = resident_mib(process.pid)
        record.memory = max(record.memory or 0.0, now) if now is not None else record.memory
        if not channel.poll(SAMPLING):
            continue
        try:
            message = channel.recv()
        except EOFError:
            process.join()
            record.failure = f"the process ended with exit code {process.exitcode}"
            break
        match message:
            case Ready():
                begun, is_ready = time.monotonic(), True
                deadline = begun + limit
            case Plan():
                record.plans.append(message)
            case Event():
                record.events.append(message)
            case Failed():
                record.failure = message.told
                break
            case Proof():
                record.proof = message
                break
            case Flown():
                record.flow = message.values
                break
    else:
        record.failure = "killed: it did not stop in time" if is_ready else "killed: it never started"
    record.seconds = time.monotonic() - begun
    return record


def _solve(channel: Connection, peer: Peer, task: Task) -> None:
    """The peer's process: import, start the clock, solve."""
    reporting(channel, peer.needs, lambda: peer.solve(task, Run(channel, task.limit)))


def reporting(channel: Connection, needs: tuple[str, ...], work: Callable[[], Any]) -> None:
    """Import, say that the clock starts, do the work, and send what it returns, or why it failed.

    What a solver prints of itself is not shown.
    """
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        for name in needs:
            importlib.import_module(name)
        channel.send(Ready())
        channel.send(work())
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a peer belongs in the table
        place = traceback.extract_tb(error.__traceback__)[-1]
        channel.send(Failed(f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})"))
    finally:
        channel.close()
