"""How far a solve is, while it runs: one live line on a terminal, plain lines in a log."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from gpu_opt.options import Cancel, Progress
from gpu_opt.report.text import amount, goal, percentage

if TYPE_CHECKING:
    from rich.text import Text

PAUSE = 2.0
"""Seconds between two plain lines of one phase, at least."""

Report = Callable[[Progress], None]
"""What :attr:`gpu_opt.options.Options.progress` wants."""


def is_live(stream: TextIO) -> bool:
    """Whether a line on the stream can be written over: a terminal that understands it."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}


def line(progress: Progress) -> str:
    """One report as a line: seconds, phase, best plan, proven bound, gap; what is unknown is left out.

    >>> line(Progress("value_tier_1", 3.25, best=990.0, bound=1000.0))
    '   3.2 s  value, tier 1: best 990, bound 1,000, gap 1.00%'
    """
    known = [
        f"{name} {shown(number)}"
        for name, number, shown in (
            ("best", progress.best, amount),
            ("bound", progress.bound, amount),
            ("gap", progress.gap, percentage),
        )
        if number is not None
    ]
    return f"{progress.seconds:6.1f} s  {goal(progress.phase)}" + (f": {', '.join(known)}" if known else "")


@contextlib.contextmanager
def display(stream: TextIO, cancel: Cancel) -> Iterator[Report]:
    """Show the reports on the stream until the block ends; yields the function to report to."""
    with _live(stream, cancel) if is_live(stream) else contextlib.nullcontext(plain(stream)) as report:
        yield report


def plain(stream: TextIO, clock: Callable[[], float] = time.monotonic) -> Report:
    """Report as plain lines: on every change of phase, otherwise one every two seconds at most.

    A solve does not stop because nobody reads how far it is: a broken stream ends the lines, no more.
    """
    phase = ""
    written = 0.0
    readable = True

    def report(progress: Progress) -> None:
        nonlocal phase, written, readable
        if not readable or (progress.phase == phase and clock() - written < PAUSE):
            return
        phase, written = progress.phase, clock()
        try:
            stream.write(line(progress) + "\n")
            stream.flush()
        except OSError:
            readable = False

    return report


@contextlib.contextmanager
def _live(stream: TextIO, cancel: Cancel) -> Iterator[Report]:
    """Report as one line that is written over, and gone at the end; its clock runs between reports."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    latest = Progress("starting", 0.0), time.monotonic()

    def current() -> Text:
        progress, received = latest
        now = Progress(
            progress.phase,
            progress.seconds + time.monotonic() - received,
            progress.best,
            progress.bound,
        )
        notice = "stopping, Ctrl-C again to abandon  " if cancel.is_set() else ""
        return Text(notice + line(now), no_wrap=True, overflow="ellipsis")

    def report(progress: Progress) -> None:
        nonlocal latest
        latest = progress, time.monotonic()

    with Live(console=console, get_renderable=current, transient=True, redirect_stdout=False):
        yield report
