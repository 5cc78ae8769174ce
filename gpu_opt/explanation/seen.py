"""A plan seen against its organization: indexed, with what it leaves of every constraint."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gpu_opt.allocation.barriers import Situation
from gpu_opt.allocation.near import with_near
from gpu_opt.budgets import Budgets, resolve_budgets
from gpu_opt.checker import verify
from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Status

MOST_PROBLEMS = 3
"""Broken rules that are told of a plan that is not one of the organization."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan, indexed."""

    organization: Organization
    instance: Instance
    budgets: Budgets
    x: Ints
    """Units per arc."""
    situation: Situation


def see(organization: Organization, plan: Allocation) -> Seen:
    """Index a plan of the organization.

    Raises InvalidInput if it breaks a rule: it is a plan of another organization.
    """
    broken = verify(organization, plan)
    if broken:
        told = "; ".join(f"{each.rule} of {each.subject}: {each.message}" for each in broken[:MOST_PROBLEMS])
        raise InvalidInput((Problem("plan", f"is not a plan of this organization: {told}"),))
    return look(organization, plan.date, plan)


def look(organization: Organization, date: dt.date, plan: Allocation) -> Seen:
    """Index the grants of a plan that was made for this organization, or for one that allows less."""
    instance = build_instance(organization, date)
    x = units(instance, plan)
    situation = Situation(instance, x, proved=plan.status is Status.OPTIMAL)
    return Seen(organization, instance, resolve_budgets(organization, date), x, situation)


def units(instance: Instance, plan: Allocation) -> Ints:
    """The plan's grants in allocation units, one entry per arc of the instance."""
    near = with_near(instance, plan.grants).arcs.near
    assert near is not None
    unit: Ints = near // [instance.pools.unit[p] for p in instance.arcs.pool.tolist()]
    return unit


def gpus_by_project(instance: Instance, x: Ints) -> dict[str, int]:
    """GPUs granted to every active project."""
    granted = dict.fromkeys(instance.projects.names, 0)
    for j, p, count in zip(
        instance.arcs.project.tolist(), instance.arcs.pool.tolist(), x.tolist(), strict=True
    ):
        granted[instance.projects.names[j]] += count * instance.pools.unit[p]
    return granted
