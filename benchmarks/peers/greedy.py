"""The spreadsheet: keep what runs, lift the teams below their guarantees, then serve by tier and priority."""

from __future__ import annotations

from benchmarks.peer import Peer, Proof, Run, Task
from benchmarks.program import grants_of, greedy_units


def solve(task: Task, run: Run) -> Proof:
    """Hand in the plan that the other peers are given as their start."""
    instance, units = greedy_units(task.organization)
    run.hand_in(grants_of(instance, units))
    return Proof()


PEERS = (Peer("greedy", "the spreadsheet's rule; the start of the others", solve, ("benchmarks.program",)),)
