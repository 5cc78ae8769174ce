"""From the relaxation's fractional grants to a plan.

Units are rounded down, a one-pool project goes where it had most, what ends below its minimum gives way,
and what is then free is handed out greedily. Every grant is checked against what is left, so the
result keeps every capacity, cap and limit by construction; only moves can exceed their budget.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.greedy import Ledger, grant, open_ledger, room, serve
from gpu_opt.allocation.lifting import lift
from gpu_opt.allocation.shares import units_left
from gpu_opt.instance import Instance, Ints

ROUNDING = 1e-6
"""What an integer may miss in a linear program's solution."""


def round_relaxation(instance: Instance, relaxed: npt.NDArray[np.float64]) -> Ints:
    """Round units per arc; projects whose minimum the relaxation met come first, the surest before."""
    pinned = np.array(instance.projects.pinned, dtype=bool)[instance.arcs.project]
    ledger = open_ledger(instance, np.where(pinned, instance.arcs.wanted, 0))
    worth = np.zeros(len(instance.projects.names))
    np.add.at(worth, instance.arcs.project, relaxed * instance.arcs.own)
    least = np.array(instance.projects.minimum, dtype=np.float64)
    surety = np.where(least > 0, worth / np.maximum(least, 1.0), 2.0)
    for j in np.argsort(-surety, kind="stable").tolist():
        if worth[j] > 0:
            _settle(ledger, j, relaxed, float(worth[j]))
    lift(ledger)
    return ledger.x


def _settle(ledger: Ledger, project: int, relaxed: npt.NDArray[np.float64], worth: float) -> None:
    """Grant a project its rounded units; bring it up to its minimum, or take back what it got."""
    instance = ledger.instance
    own = instance.projects.arcs[project]
    before = ledger.x[own.start : own.stop].copy()
    if instance.projects.one_pool[project]:
        held = [a for a in own if ledger.x[a]]
        best = max(held or own, key=lambda a: relaxed[a] * instance.arcs.own[a])
        wish = {best: int(worth / int(instance.arcs.own[best]) + ROUNDING)}
    else:
        wish = {a: int(relaxed[a] + ROUNDING) for a in own if relaxed[a] > ROUNDING}
    for a, units in wish.items():
        left = units_left(instance, ledger.x, a)
        grant(ledger, a, max(0, min(room(ledger, a), left, units - int(ledger.x[a]))))
    least = instance.projects.minimum[project]
    have = _have(ledger, own)
    if have < least and worth >= 0.5 * least:
        serve(ledger, project, least)
    if 0 < _have(ledger, own) < least:
        for a, units in zip(own, before.tolist(), strict=True):
            grant(ledger, a, units - int(ledger.x[a]))


def _have(ledger: Ledger, own: range) -> int:
    return int((ledger.x[own.start : own.stop] * ledger.instance.arcs.own[own.start : own.stop]).sum())
