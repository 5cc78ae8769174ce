"""Allocating tiny organizations to proof, and reading the plan in few words."""

from __future__ import annotations

import datetime as dt

import numpy as np

from gpu_opt.allocation import allocate
from gpu_opt.allocation.reasons import reasons_of
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Reason, Status
from tests.building import lab, pool, project

PROOF = Options(gap=0.0, threads=1, time_limit=60.0)
"""Until every goal is proved; nothing here takes a second."""


def proved(organization: Organization, date: dt.date | None = None) -> Allocation:
    """The best plan, proved to be it."""
    plan = allocate(organization, date=date, options=PROOF)
    assert plan.status is Status.OPTIMAL
    return plan


def grants(plan: Allocation) -> dict[str, dict[str, int]]:
    """GPUs by project and pool."""
    granted: dict[str, dict[str, int]] = {}
    for grant in plan.grants:
        granted.setdefault(grant.project, {})[grant.pool] = grant.gpus
    return granted


def gpus(plan: Allocation) -> dict[str, int]:
    """GPUs by project; only projects that have any."""
    return {name: sum(pools.values()) for name, pools in grants(plan).items()}


def goals(plan: Allocation) -> dict[str, float]:
    """The value reached on every goal, in their order."""
    return {goal.name: round(goal.value, 6) for goal in plan.goals}


def moves(plan: Allocation) -> dict[tuple[str, str], int]:
    """GPUs taken, by project and pool."""
    return {(move.project, move.pool): move.gpus for move in plan.moves}


def shortfalls(plan: Allocation) -> dict[str, float]:
    """Compute that is promised and not granted, by team; only teams that lack a unit or more."""
    return {team.team: round(team.shortfall, 6) for team in plan.teams if team.shortfall}


def reason(plan: Allocation, project: str) -> Reason:
    """Why a project has what it has."""
    return next(outcome.reason for outcome in plan.projects if outcome.project == project)


def units(instance: Instance, plan: Allocation) -> Ints:
    """The plan's grants as units, one entry per arc."""
    granted = {(each.project, each.pool): each.gpus for each in plan.grants}
    arcs = zip(instance.arcs.project.tolist(), instance.arcs.pool.tolist(), strict=True)
    names, pools = instance.projects.names, instance.pools
    return np.array(
        [granted.get((names[j], pools.names[p]), 0) // pools.unit[p] for j, p in arcs], dtype=np.int64
    )


def reasons(organization: Organization, project: str) -> tuple[Reason, ...]:
    """Every reason why a project has what it has in the best plan, the decisive one first."""
    plan = proved(organization)
    instance = build_instance(organization, plan.date)
    return tuple(reasons_of(organization, instance, units(instance, plan), proved=True)(project))


def exchange() -> Organization:
    """Today's holder must give way to a newcomer of a higher tier: not found by handing out what is free."""
    return lab(
        [pool("iowa", 8), pool("texas", 8)],
        projects=[project("orion", 8), project("lyra", 12, tier=2, holds={"iowa": 8, "texas": 4})],
    )


TODAY_AND_WHAT_IS_FREE = {"orion": 4, "lyra": 12}
BEST = {"orion": 8, "lyra": 8}
