"""Where a one-pool project may be: in pools where it is today, or in exactly one other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpu_opt.instance import Instance, Ints


def keeps_to_one_pool(instance: Instance, x: Ints) -> bool:
    """Whether no one-pool project is in another pool beside pools of its own, or in several others."""
    arcs, count = instance.arcs, len(instance.projects.names)
    some = np.flatnonzero(x)
    used = np.bincount(arcs.project[some], minlength=count)
    others = np.bincount(arcs.project[some[arcs.wanted[some] == 0]], minlength=count)
    return not ((np.array(instance.projects.one_pool) > 0) & (others > 0) & (used > 1)).any()


def may_use(instance: Instance, x: Ints, arc: int) -> bool:
    """Whether the project of the arc may use it beside the arcs that it uses in `x`, units per arc."""
    project = int(instance.arcs.project[arc])
    if not instance.projects.one_pool[project]:
        return True
    return may_join(instance, arcs_used(instance, x, project), arc)


def may_join(instance: Instance, used: Sequence[int], arc: int) -> bool:
    """Whether a one-pool project that uses some arcs may use one beside them."""
    wanted = instance.arcs.wanted
    return all(a == arc for a in used) or all(wanted[a] > 0 for a in (*used, arc))


def arcs_used(instance: Instance, x: Ints, project: int) -> list[int]:
    """Arcs on which a project has units."""
    own = instance.projects.arcs[project]
    return [own.start + a for a in np.flatnonzero(x[own.start : own.stop]).tolist()]
