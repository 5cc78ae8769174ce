"""How much of its demand a project is granted, decided exactly.

K_jp units of a pool p meet the demand of a project j alone, so that x_jp units are x_jp / K_jp of it. All
these shares together are at most F_j. They are added up as doubles where these can tell, else as integers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpu_opt.instance import Instance, Ints

CLOSE = 1e-9
"""Relative: doubles closer than this do not say which is larger; adding up shares loses far less."""


def keeps_demands(instance: Instance, x: Ints) -> bool:
    """Whether nobody is granted more than its demand allows; `x`, in units per arc, is within its bounds.

    A project that uses one arc only is within its demand if it is within the arc's bound.
    """
    arcs, count = instance.arcs, len(instance.projects.names)
    some = np.flatnonzero(x)
    project = arcs.project[some]
    granted = np.bincount(project, weights=x[some] / arcs.needed[some], minlength=count)
    several = np.flatnonzero(np.bincount(project, minlength=count) > 1)
    most = np.array([float(instance.projects.most_share[j]) for j in several.tolist()])
    doubtful = several[granted[several] > most * (1 - CLOSE)]
    return all(_share_left(instance, x, j)[0] >= 0 for j in doubtful.tolist())


def units_left(instance: Instance, x: Ints, arc: int) -> int:
    """Units more that the demand allows on an arc, beside what `x` grants: ⌊(F_j − Σ_p x_jp / K_jp) K_ja⌋.

    Pools and budgets may leave fewer. Negative where more is granted than the demand allows.
    """
    left, whole = _share_left(instance, x, int(instance.arcs.project[arc]))
    return left * int(instance.arcs.needed[arc]) // whole


def units_left_of(instance: Instance, x: Ints, project: int) -> list[int]:
    """:func:`units_left` of every arc of a project, in their order."""
    own = instance.projects.arcs[project]
    left, whole = _share_left(instance, x, project)
    return [left * needed // whole for needed in instance.arcs.needed[own.start : own.stop].tolist()]


def open_arcs(instance: Instance, x: Ints, projects: Sequence[int]) -> Ints:
    """Arcs of the projects where bounds and demand may leave a unit more; now and then one too many.

    Nobody's :func:`units_left` is above 0 on another arc of theirs.
    """
    own = [instance.projects.arcs[j] for j in projects]
    if not own:
        return np.zeros(0, dtype=np.int64)
    arcs = np.concatenate([np.arange(each.start, each.stop) for each in own])
    place = np.repeat(np.arange(len(own)), [len(each) for each in own])
    granted = np.bincount(place, weights=x[arcs] / instance.arcs.needed[arcs], minlength=len(own))
    most = np.array([float(instance.projects.most_share[j]) for j in projects])
    has_share = granted[place] + 1 / instance.arcs.needed[arcs] <= most[place] * (1 + CLOSE)
    chosen: Ints = arcs[has_share & (x[arcs] < instance.arcs.upper[arcs])]
    return chosen


def _share_left(instance: Instance, x: Ints, project: int) -> tuple[int, int]:
    """Numerator and denominator (above 0, not in lowest terms) of F_j − Σ_p x_jp / K_jp."""
    own = instance.projects.arcs[project]
    units = x[own.start : own.stop]
    left, whole = instance.projects.most_share[project].as_integer_ratio()
    for a in np.flatnonzero(units).tolist():
        needed = int(instance.arcs.needed[own.start + a])
        left, whole = left * needed - int(units[a]) * whole, whole * needed
    return left, whole
