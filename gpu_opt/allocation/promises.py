"""Whom a plan gave up although only that keeps a promise.

What a team's projects can have at most is known of each alone. Where they compete for the same pools, or
for a limit, the team may have less than that: which shows only in a plan.
"""

from __future__ import annotations

import math

import numpy as np

from gpu_opt.allocation.appraisal import own_compute, team_compute
from gpu_opt.instance import MILLI, Instance, Ints, chains_up


def who_would_keep_promises(instance: Instance, x: Ints) -> list[int]:
    """Of every team that misses its target, the project with the least minimum that would make up for it.

    Only of projects with a minimum that have nothing: others get what is missing unit by unit. The lowest
    teams come first, since what these get counts for those above.
    """
    projects, teams, chains = instance.projects, instance.teams, chains_up(instance.teams)
    goals = np.array([math.ceil(target * MILLI) for target in teams.target], dtype=np.int64)
    missing = goals - team_compute(instance, x)
    able = (np.array(projects.minimum) > 0) & (own_compute(instance, x) == 0)
    found: list[int] = []
    for n in sorted(np.flatnonzero(missing > 0).tolist(), key=lambda n: -teams.level[n]):
        under = [j for j in np.flatnonzero(able).tolist() if n in chains[projects.team[j]]]
        enough = [j for j in under if _most(instance, j) >= missing[n] > 0]
        if enough:
            chosen = min(enough, key=lambda j: (projects.minimum[j], j))
            found.append(chosen)
            able[chosen] = False
            missing[list(chains[projects.team[chosen]])] -= _most(instance, chosen)
    return found


def _most(instance: Instance, project: int) -> int:
    """Milli-compute that budgets count of a project at most: of all pools not more than of the best alone."""
    own = instance.projects.arcs[project]
    here = slice(own.start, own.stop)
    each = np.array(instance.pools.unit_compute, dtype=np.int64)[instance.arcs.pool[here]]
    granted = instance.arcs.upper[here] * each
    if instance.projects.one_pool[project] == 1:
        return int(granted.max(initial=0))
    share = float(instance.projects.most_share[project])
    whole = share * float((instance.arcs.needed[here] * each).max(initial=0))
    return int(min(float(granted.sum()), whole))
