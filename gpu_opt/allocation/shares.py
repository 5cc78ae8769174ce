"""How much of its demand a project is granted, decided exactly.

K_jp units of a pool p meet the demand of a project j alone, so that x_jp units are x_jp / K_jp of it. All
these shares together are at most F_j. They are added up as doubles where these can tell, else as fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from gpu_opt.instance import Instance, Ints

CLOSE = 1e-9
"""Relative: doubles closer than this do not say which is larger; adding up shares loses far less."""


def keeps_demands(instance: Instance, x: Ints) -> bool:
    """Whether nobody is granted more than its demand allows; `x`, in units per arc, is within its bounds.

    A project that uses one arc only is within its demand if it is within the arc's bound.
    """
    arcs, projects = instance.arcs, instance.projects
    count = len(projects.names)
    granted = np.bincount(arcs.project, weights=x / arcs.needed, minlength=count)
    most = np.array([float(share) for share in projects.most_share])
    if (granted > most * (1 + CLOSE)).any():
        return False
    several = np.bincount(arcs.project[x > 0], minlength=count) > 1
    doubtful = np.flatnonzero(several & (granted > most * (1 - CLOSE)))
    return all(_share_left(instance, x, j) >= 0 for j in doubtful.tolist())


def units_left(instance: Instance, x: Ints, arc: int) -> int:
    """Units more that the demand allows on an arc, beside what `x` grants: ⌊(F_j − Σ_p x_jp / K_jp) K_ja⌋.

    Pools and budgets may leave fewer. Negative where more is granted than the demand allows.
    """
    left = _share_left(instance, x, int(instance.arcs.project[arc]))
    return math.floor(left * int(instance.arcs.needed[arc]))


def _share_left(instance: Instance, x: Ints, project: int) -> Fraction:
    own = instance.projects.arcs[project]
    units, needed = x[own.start : own.stop].tolist(), instance.arcs.needed[own.start : own.stop].tolist()
    granted = (Fraction(u, n) for u, n in zip(units, needed, strict=True) if u)
    return instance.projects.most_share[project] - sum(granted, Fraction(0))
