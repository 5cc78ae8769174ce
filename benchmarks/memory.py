"""Processes and their memory, as Linux tells it; elsewhere nothing is measured."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and all its descendants, whatever session they are in."""
    found = [pid]
    for each in found:
        for task in _children_files(each):
            with contextlib.suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


def _children_files(pid: int) -> list[Path]:
    try:
        return [task / "children" for task in (PROC / str(pid) / "task").iterdir()]
    except OSError:  # it has ended, or there is no such folder on this system
        return []


def resident_mib(pid: int) -> float | None:
    """Memory of the process and its descendants that is resident now, in MiB; None where it is not known.

    Pages that two of them share count twice.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            total += int((PROC / str(each) / "statm").read_text().split()[1]) * page
    return total / 2**20 if total else None


def kill_tree(pid: int) -> None:
    """Kill the process and its descendants."""
    for each in reversed(tree(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
