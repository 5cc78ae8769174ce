"""From the relaxation's fractional grants to a plan.

Units are rounded down, a one-pool project goes where it had most, what ends below its minimum gives way,
and what is then free is handed out greedily. Every grant is checked against what is left, so the
result keeps every capacity, cap and limit by construction; only moves can exceed their budget.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.greedy import serve
from gpu_opt.allocation.ledger import Ledger, grant, open_ledger, room
from gpu_opt.allocation.lifting import lift
from gpu_opt.allocation.shares import units_left
from gpu_opt.instance import Instance, Ints

ROUNDING = 1e-6
"""What an integer may miss in a linear program's solution."""


def round_relaxation(instance: Instance, relaxed: npt.NDArray[np.float64]) -> Ints:
    """Round units per arc; projects whose minimum the relaxation met come first, the largest before."""
    ledger = open_ledger(instance, _kept(instance, relaxed))
    per_arc = relaxed * instance.arcs.own
    worth = np.bincount(instance.arcs.project, weights=per_arc, minlength=len(instance.projects.names))
    least = np.array(instance.projects.minimum, dtype=np.float64)
    surety = np.where(least > 0, worth / np.maximum(least, 1.0), 1.0)
    met = (least > 0) & (surety > 1.0 - ROUNDING)
    surety = np.where(met, 2.0 + least / max(1.0, float(least.max(initial=0.0))), np.minimum(surety, 1.0))
    if instance.max_moves is not None:  # who would be moved comes before who would gain
        np.maximum.at(surety, instance.arcs.project[ledger.x > 0], 4.0)
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
    for j in np.flatnonzero(projects.one_pool).tolist():
        own = projects.arcs[j]
        if len(own) > 1:
            here = slice(own.start, own.stop)
            best = own.start + int(np.argmax(relaxed[here] * arcs.own[here]))
            kept[own.start : best] = kept[best + 1 : own.stop] = 0
    return np.asarray(np.where(pinned, arcs.wanted, kept))


def _move_less(ledger: Ledger) -> None:
    """Where too much would be moved, let holders keep more of what they have, as far as it fits."""
    instance = ledger.instance
    for a in np.flatnonzero(ledger.x < instance.arcs.wanted).tolist():
        if ledger.moves_free is None or ledger.moves_free >= 0:
            return
        project = int(instance.arcs.project[a])
        is_free = ledger.x[a] or not instance.projects.one_pool[project]
        if not is_free or not ledger.own[project]:
            continue  # another pool was chosen, or it was given up as a whole
        unit = instance.pools.unit[int(instance.arcs.pool[a])]
        left = min(room(ledger, a), units_left(instance, ledger.x, a), -(ledger.moves_free // unit))
        grant(ledger, a, max(0, min(left, int(instance.arcs.wanted[a] - ledger.x[a]))))


def _settle(ledger: Ledger, project: int, relaxed: npt.NDArray[np.float64], worth: float) -> None:
    """Grant a project its rounded units; bring it up to its minimum, or take back what it got."""
    instance = ledger.instance
    own = instance.projects.arcs[project]
    here = slice(own.start, own.stop)
    if instance.projects.one_pool[project]:
        held = np.flatnonzero(ledger.x[here])
        among = held if len(held) else np.arange(len(own))
        best = int(among[np.argmax((relaxed[here] * instance.arcs.own[here])[among])])
        wish = {own.start + best: int(worth / int(instance.arcs.own[own.start + best]) + ROUNDING)}
    else:
        some = (own.start + np.flatnonzero(relaxed[here] > ROUNDING)).tolist()
        wish = {a: int(relaxed[a] + ROUNDING) for a in some}
    for a, units in wish.items():
        more = min(room(ledger, a), units - int(ledger.x[a]))
        if more > 0:
            grant(ledger, a, max(0, min(more, units_left(instance, ledger.x, a))))
    least, have = instance.projects.minimum[project], ledger.own[project]
    if have < least and (worth >= 0.5 * least or (have and instance.max_moves is not None)):
        serve(ledger, project, least)
    if ledger.own[project] < least <= (1.0 + ROUNDING) * worth:
        _make_room(ledger, project, list(wish), relaxed)
    if 0 < ledger.own[project] < least:
        for a in own:
            pinned = int(instance.arcs.wanted[a]) if instance.projects.pinned[project] else 0
            grant(ledger, a, pinned - int(ledger.x[a]))


def _make_room(ledger: Ledger, project: int, wish: list[int], relaxed: npt.NDArray[np.float64]) -> None:
    """Bring a project up to its minimum with units that rounding up left to holders, or change nothing."""
    instance = ledger.instance
    rounded_up = np.flatnonzero(ledger.x > relaxed + ROUNDING)
    passed_on: list[tuple[int, int]] = []
    for a in wish:
        in_pool = instance.arcs.pool[rounded_up] == instance.arcs.pool[a]
        for b in rounded_up[in_pool].tolist():
            if ledger.own[project] >= instance.projects.minimum[project]:
                return
            if _can_spare(ledger, b):
                grant(ledger, b, -1)
                if room(ledger, a) and units_left(instance, ledger.x, a) > 0:
                    grant(ledger, a, 1)
                    passed_on.append((a, b))
                else:
                    grant(ledger, b, 1)
    if ledger.own[project] < instance.projects.minimum[project]:
        for a, b in passed_on:
            grant(ledger, a, -1)
            grant(ledger, b, 1)


def _can_spare(ledger: Ledger, arc: int) -> bool:
    """Whether a unit can be taken from an arc: its project keeps its minimum, and there are moves for it."""
    instance = ledger.instance
    project, unit = int(instance.arcs.project[arc]), instance.pools.unit[int(instance.arcs.pool[arc])]
    has_moves = ledger.moves_free is None or ledger.moves_free >= unit
    left = ledger.own[project] - int(instance.arcs.own[arc])
    return has_moves and left >= instance.projects.minimum[project] and not instance.projects.pinned[project]
