"""The allocation: who holds how many GPUs of which pool, under a tree of budgets, by priority.

The mathematics is in ``models/allocation.md``; the way is instance -> formulation -> search -> plan.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation

if TYPE_CHECKING:
    from gpu_opt.allocation.goals import GoalSpec
    from gpu_opt.allocation.proof import Proof
    from gpu_opt.clock import Clock
    from gpu_opt.instance import Instance, Ints

__all__ = ["allocate"]

AFTERWARDS, WITH_MOVES = 8, 14
"""How many times as long as checking and building reasons and verification take: 4 to 6, 10 where thousands
of small projects are each other's rivals, and 8 to 14 where moves are limited (measured), since then every
holder may be why a project lacks something."""


def allocate(
    organization: Organization,
    *,
    date: dt.date | None = None,
    options: Options | None = None,
    near: Allocation | None = None,
) -> Allocation:
    """Decide who holds how many GPUs of which pool on a date (default: the organization's `as_of`).

    The plan is the best one found within ``options.time_limit`` seconds, with a proven bound for every
    goal; it was verified by :func:`gpu_opt.verify`, which knows nothing of the solver. A plan always
    exists: at worst it is today's holdings.

    With `near`, a plan of this organization as it was before, the result stays near to it: it is the first
    candidate as far as it still fits, and of equally good plans the one that grants fewest GPUs otherwise
    is chosen (the last goal, ``changes``).

    Raises
    ------
    InvalidInput
        The organization cannot be meant, with every problem; or `date` is before the day that it describes.
    SolverFailure
        CBC could not be started, or its files could not be written, before it had run once.
    VerificationFailure
        The checker refused the plan: a defect of gpu_opt.
    """
    from gpu_opt.allocation.decode import decode
    from gpu_opt.allocation.goals import list_goals
    from gpu_opt.checker import require_verified
    from gpu_opt.clock import Clock

    clock = Clock(options or Options())
    instance = _check_and_build(organization, date or organization.as_of, near, clock)
    goals = list_goals(instance)
    clock.reserve = clock.seconds * (AFTERWARDS if instance.max_moves is None else WITH_MOVES)
    clock.enter("solving")
    x, proofs = _search_what_matters(instance, goals, clock)
    clock.enter("verifying")
    plan = decode(organization, instance, goals, x, proofs, clock.run(content_hash(organization)))
    require_verified(organization, plan)
    return plan.model_copy(update={"run": clock.run(plan.run.organization_hash)})


def _check_and_build(
    organization: Organization, date: dt.date, near: Allocation | None, clock: Clock
) -> Instance:
    """The instance of a valid organization, near to a plan if there is one to stay near to."""
    from gpu_opt.allocation.near import stay_near
    from gpu_opt.indexing import build_instance
    from gpu_opt.validation import require_valid

    clock.enter("checking")
    require_valid(organization)
    _require_today_or_later(organization, date)
    clock.enter("building")
    instance = build_instance(organization, date)
    return instance if near is None else stay_near(instance, near)


def _search_what_matters(
    instance: Instance, goals: tuple[GoalSpec, ...], clock: Clock
) -> tuple[Ints, tuple[Proof, ...]]:
    """The best plan found, and its proofs; the search is spared what is alike, and what no plan can use."""
    from gpu_opt.allocation.merging import merge
    from gpu_opt.allocation.reduction import reduce
    from gpu_opt.allocation.search import search

    merged = merge(instance)
    reduced = reduce(merged.instance)
    alike = len(instance.arcs.pool) - len(merged.instance.arcs.pool)
    clock.removed = {**reduced.removed, "alike": alike}
    x, proofs = search(reduced.instance, goals, clock)
    return merged.expand(reduced.expand(x, merged.instance), instance), proofs


def _require_today_or_later(organization: Organization, date: dt.date) -> None:
    if date < organization.as_of:
        told = f"{date} is before {organization.as_of}, the day that the holdings describe; give a later day"
        raise InvalidInput((Problem("date", told),))
