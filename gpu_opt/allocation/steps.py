"""The steps of an allocation, from an organization to a verified plan.

What they need of this package is imported with this module, before the first of them: the time that is kept
for the last ones is measured by the first, and importing is done once.
"""

from __future__ import annotations

import datetime as dt

from gpu_opt.allocation.decode import decode
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.merging import merge
from gpu_opt.allocation.near import as_far_as_it_fits, stay_near
from gpu_opt.allocation.proof import Proof
from gpu_opt.allocation.reduction import reduce
from gpu_opt.allocation.search import search
from gpu_opt.allocation.uniting import unite
from gpu_opt.checker import require_verified
from gpu_opt.clock import Clock
from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation
from gpu_opt.validation import require_valid

AFTERWARDS, WITH_MOVES, OF_MANY = 6, 12, 9
"""How many times as long as checking and building reasons and verification take: 2 to 6, and 5 to 12 where
moves are limited, since then every holder may be why a project lacks something; in very large labs 5 to 9
(measured from 100 to 50,000 projects)."""

MANY = 1_000_000
"""Arcs of a very large lab."""


def run(
    organization: Organization,
    date: dt.date,
    near: Allocation | None,
    start: Allocation | None,
    clock: Clock,
) -> Allocation:
    """The best plan found by the clock's limit, verified; see :func:`gpu_opt.allocate` for what it raises."""
    begun = clock.seconds
    instance = _check_and_build(organization, date, near, clock)
    goals = list_goals(instance)
    clock.reserve = (clock.seconds - begun) * _times_as_long(instance)
    clock.enter("solving")
    begin_with = None if start is None else as_far_as_it_fits(instance, start)
    x, proofs = _search_what_matters(instance, goals, begin_with, clock)
    clock.enter("verifying")
    plan = decode(organization, instance, goals, x, proofs, clock.run(content_hash(organization)))
    require_verified(organization, plan)
    return plan.model_copy(update={"run": clock.run(plan.run.organization_hash)})


def _times_as_long(instance: Instance) -> int:
    if len(instance.arcs.pool) > MANY:
        return OF_MANY
    return AFTERWARDS if instance.max_moves is None else WITH_MOVES


def _check_and_build(
    organization: Organization, date: dt.date, near: Allocation | None, clock: Clock
) -> Instance:
    """The instance of a valid organization, near to a plan if there is one to stay near to."""
    clock.enter("checking")
    require_valid(organization)
    _require_today_or_later(organization, date)
    clock.enter("building")
    instance = build_instance(organization, date)
    return instance if near is None else stay_near(instance, near)


def _search_what_matters(
    instance: Instance, goals: tuple[GoalSpec, ...], start: Ints | None, clock: Clock
) -> tuple[Ints, tuple[Proof, ...]]:
    """The best plan found, and its proofs; the search is spared what is alike, and what no plan can use."""
    merged = merge(instance)
    reduced = reduce(merged.instance)
    united = unite(reduced.instance)
    alike = len(instance.arcs.pool) - len(merged.instance.arcs.pool)
    equals = len(instance.projects.names) - len(united.instance.projects.names)
    clock.removed = {**reduced.removed, "alike": alike, "equals": equals}
    if start is not None:
        start = united.collapse(reduced.collapse(merged.collapse(start, instance)))
    x, proofs = search(united.instance, goals, clock, start)
    x = united.expand(x, reduced.instance)
    return merged.expand(reduced.expand(x, merged.instance), instance), proofs


def _require_today_or_later(organization: Organization, date: dt.date) -> None:
    if date < organization.as_of:
        told = f"{date} is before {organization.as_of}, the day that the holdings describe; give a later day"
        raise InvalidInput((Problem("date", told),))
