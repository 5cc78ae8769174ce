"""The independent checker: what the solver says is not believed.

It trusts nothing in a plan but the grants (of an allocation) or the handovers (of a reallocation), and
recomputes everything else from the organization in exact arithmetic: every constraint family of
``models/allocation.md`` and ``models/reallocation.md``, and every figure that the plan states. It knows
nothing of how plans are made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from fractions import Fraction

from gpu_opt.checker import allocation, reallocation, statements
from gpu_opt.checker.allocation import granted_of
from gpu_opt.checker.data import allocation_data
from gpu_opt.checker.goals import allocation_goals
from gpu_opt.checker.supplies import reallocation_data
from gpu_opt.errors import VerificationFailure
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Grant, Reallocation, Violation

ALLOCATION_RULES = (*allocation.CONSTRAINTS, *statements.STATEMENTS)
"""The rules of an allocation: one function each, whose name is the rule's."""

REALLOCATION_RULES = (*reallocation.CONSTRAINTS, *reallocation.STATEMENTS)
"""The rules of a reallocation: one function each, whose name is the rule's."""


def verify(organization: Organization, plan: Allocation | Reallocation) -> tuple[Violation, ...]:
    """Check a plan against the organization that it is for; empty: the plan is good.

    `organization` must be valid (as :mod:`gpu_opt.validation` has it); the plan may be anything. A
    reallocation is checked against the requests that it says were asked. The organization of a night's
    reallocation holds what the night's allocation grants (:func:`gpu_opt.reallocation.with_grants`).

    Raises nothing: whatever is wrong with a plan is a violation.
    """
    if isinstance(plan, Allocation):
        return tuple(broken_by_allocation(organization, plan))
    return tuple(broken_by_reallocation(organization, plan))


def require_verified(organization: Organization, plan: Allocation | Reallocation) -> None:
    """Raise VerificationFailure, with every violation in its message, unless :func:`verify` finds none."""
    if violations := verify(organization, plan):
        found = [f"{each.rule}: {each.subject or 'the plan'}: {each.message}" for each in violations]
        raise VerificationFailure("\n".join(("the checker refuses the plan:", *found)))


def require_kept(organization: Organization, grants: Iterable[Grant], date: dt.date) -> None:
    """Raise VerificationFailure unless the grants keep every constraint on the date."""
    data = allocation_data(organization, date)
    granted = granted_of(data, grants)
    broken = [each for constraint in allocation.CONSTRAINTS for each in constraint(data, granted)]
    if broken:
        found = [f"{each.rule}: {each.subject}: {each.message}" for each in broken]
        raise VerificationFailure("\n".join(("the checker refuses the grants:", *found)))


def lexicographic_value(
    organization: Organization,
    grants: Iterable[Grant],
    date: dt.date,
    near: Iterable[Grant] | None = None,
) -> tuple[tuple[str, Fraction], ...]:
    """Names and exact values of all goals that these grants reach on the date, the first goal first.

    ``value_tier_<n>`` is better the higher it is, every other goal the lower. A goal is there when
    something in it is to be decided: ``repair`` where today's wanted holdings break a capacity, a cap or a
    limit, ``guarantee_level_<n>`` where a team of the level has a target above 0, ``value_tier_<n>`` where
    a project of the tier can be granted something, ``moves`` where there are wanted holdings, ``changes``
    where grants to stay `near` to are given. Grants that no plan could hold (to unknown projects, where they
    do not run) count for nothing.
    """
    data = allocation_data(organization, date)
    granted = granted_of(data, grants)
    return allocation_goals(data, granted.totals, granted.gpus, near)


def broken_by_allocation(organization: Organization, plan: Allocation) -> Iterator[Violation]:
    """What an allocation breaks, rule by rule."""
    data = allocation_data(organization, plan.date)
    granted = granted_of(data, plan.grants)
    for constraint in allocation.CONSTRAINTS:
        yield from constraint(data, granted)
    for statement in statements.STATEMENTS:
        yield from statement(data, granted, plan)


def broken_by_reallocation(organization: Organization, plan: Reallocation) -> Iterator[Violation]:
    """What a reallocation breaks, rule by rule; only `asked`, where the requests cannot be meant."""
    if senseless := tuple(reallocation.asked(organization, plan)):
        yield from senseless
        return
    data = reallocation_data(organization, plan.asked, plan.until)
    handovers = reallocation.sound(data, plan.handovers)
    for constraint in reallocation.CONSTRAINTS:
        yield from constraint(data, handovers)
    for statement in reallocation.STATEMENTS:
        yield from statement(data, plan)
