"""From the relaxation's fractional grants to a plan.

Units are rounded down, a one-pool project goes where it had most, what ends below its minimum gives way,
and what is then free is handed out greedily. Every grant is checked against what is left, so the
result keeps every capacity, cap and limit by construction; only moves can exceed their budget.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.appraisal import moved_gpus
from gpu_opt.allocation.greedy import Ledger, grant, open_ledger, room, serve
from gpu_opt.allocation.lifting import lift
from gpu_opt.allocation.shares import units_left
from gpu_opt.instance import Instance, Ints

ROUNDING = 1e-6
"""What an integer may miss in a linear program's solution."""


def round_relaxation(instance: Instance, relaxed: npt.NDArray[np.float64]) -> Ints:
    """Round units per arc; projects whose minimum the relaxation met come first, the surest before."""
    ledger = open_ledger(instance, _kept(instance, relaxed))
    worth = np.zeros(len(instance.projects.names))
    np.add.at(worth, instance.arcs.project, relaxed * instance.arcs.own)
    least = np.array(instance.projects.minimum, dtype=np.float64)
    surety = np.where(least > 0, worth / np.maximum(least, 1.0), 2.0)
    if instance.max_moves is not None:  # who would be moved comes before who would gain
        np.maximum.at(surety, instance.arcs.project[ledger.x > 0], 3.0)
    for j in np.argsort(-surety, kind="stable").tolist():
        if worth[j] > 0:
            _settle(ledger, j, relaxed, float(worth[j]))
    lift(ledger)
    _move_less(ledger)
    return ledger.x


def _kept(instance: Instance, relaxed: npt.NDArray[np.float64]) -> Ints:
    """Holdings that stay from the start: pins, and where moves are few those that the relaxation keeps."""
    arcs, projects = instance.arcs, instance.projects
    pinned = np.array(projects.pinned, dtype=bool)[arcs.project]
    if instance.max_moves is None:
        return np.asarray(np.where(pinned, arcs.wanted, 0))
    kept = np.minimum(arcs.wanted, np.ceil(relaxed - ROUNDING).astype(np.int64))
    for j, own in enumerate(projects.arcs):
        if projects.one_pool[j] and len(own) > 1:
            best = max(own, key=lambda a: relaxed[a] * arcs.own[a])
            kept[own.start : best] = kept[best + 1 : own.stop] = 0
    return np.asarray(np.where(pinned, arcs.wanted, kept))


def _move_less(ledger: Ledger) -> None:
    """Where too much would be moved, let holders keep more of what they have, as far as it fits."""
    instance = ledger.instance
    if instance.max_moves is None:
        return
    excess = int(moved_gpus(instance, ledger.x).sum()) - instance.max_moves
    for a in np.flatnonzero(ledger.x < instance.arcs.wanted).tolist():
        own = instance.projects.arcs[int(instance.arcs.project[a])]
        if excess <= 0:
            return
        is_free = ledger.x[a] or not instance.projects.one_pool[int(instance.arcs.project[a])]
        if not is_free or not _have(ledger, own):
            continue  # another pool was chosen, or it was given up as a whole
        unit = instance.pools.unit[int(instance.arcs.pool[a])]
        left = min(room(ledger, a), units_left(instance, ledger.x, a), -(-excess // unit))
        units = max(0, min(left, int(instance.arcs.wanted[a] - ledger.x[a])))
        grant(ledger, a, units)
        excess -= units * unit


def _settle(ledger: Ledger, project: int, relaxed: npt.NDArray[np.float64], worth: float) -> None:
    """Grant a project its rounded units; bring it up to its minimum, or take back what it got."""
    instance = ledger.instance
    own = instance.projects.arcs[project]
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
    if have < least and (worth >= 0.5 * least or (have and instance.max_moves is not None)):
        serve(ledger, project, least)
    if 0 < _have(ledger, own) < least:
        for a in own:
            pinned = int(instance.arcs.wanted[a]) if instance.projects.pinned[project] else 0
            grant(ledger, a, pinned - int(ledger.x[a]))


def _have(ledger: Ledger, own: range) -> int:
    return int((ledger.x[own.start : own.stop] * ledger.instance.arcs.own[own.start : own.stop]).sum())
