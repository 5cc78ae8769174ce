"""Shadow prices: the linear program's, and those that solving again confirms."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gpu_opt.allocation import allocate
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.rivals import Contest
from gpu_opt.allocation.sentences import Speech
from gpu_opt.clock import Clock
from gpu_opt.explanation.frame import LARGEST, Framed, best_in_frame, choose_frame
from gpu_opt.explanation.marginal import Marginal, marginal_worth
from gpu_opt.explanation.resources import Counted, list_resources, with_one_more
from gpu_opt.explanation.seen import Seen, gpus_by_project, look, see, units
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation, Basis, Price, Prices, Resource

TOP = 3
"""Pools, and budgets, that are solved again."""

SHARE_OF_PLAN = 0.25
"""Of the time, for a plan where none is given; the rest is for the prices."""

NOTHING = 1e-6
"""A worth below it is the linear program's rounding."""

DIGITS = 1e-4
"""Share of the worth to one tier below which that to another is rounding: duals have eight digits, and
those of later tiers are differences of large ones."""

MOST_GAINERS = 5

MOVES = frozenset({"moves"})
"""Goals that are no part of a price: moves are charged to the values."""


def prices(
    organization: Organization,
    plan: Allocation | None = None,
    *,
    date: dt.date | None = None,
    top: int = TOP,
    options: Options | None = None,
) -> Prices:
    """What one allocation unit more of every pool, cap, limit, guarantee and move is worth.

    Each has the price that the linear program gives at the plan (computed first if None, for `date`); the
    `top` dearest pools and the `top` dearest budgets are solved again, in whole units. Budgets in per cent
    stay at what they are worth on the plan's date: a larger fleet does not raise them. See
    ``models/explanation.md``.

    Raises
    ------
    InvalidInput
        The organization cannot be meant, or the plan is not one of it.
    NoPlanInTime
        The linear program was not solved within ``options.time_limit`` seconds.
    SolverFailure
        CBC could not be started.
    """
    options = options or Options()
    clock = Clock(options)
    if plan is None:
        clock.enter("plan")
        limit = options.time_limit * SHARE_OF_PLAN
        plan = allocate(organization, date=date, options=dataclasses.replace(options, time_limit=limit))
    clock.enter("linear program")
    see(organization, plan)
    seen = look(in_numbers(organization, plan.date), plan.date, plan)
    resources = list_resources(seen.organization, seen.budgets, seen.situation)
    marginal = _relaxed(seen, resources, options, clock)
    stated = [_price(each, marginal, Speech(organization, seen.instance)) for each in resources]
    clock.enter("solving again")
    found = _with_confirmed(stated, resources, seen, plan, top, options, clock)
    return Prices(
        organization=organization.name,
        date=plan.date,
        status=plan.status,
        objective=plan.objective,
        relaxed=sum(each for name, each in marginal.values.items() if name.startswith("value")),
        frame=LARGEST,
        projects=len(seen.instance.projects.names),
        prices=found,
        run=clock.run(content_hash(organization)),
    )


def _with_confirmed(
    stated: Sequence[Price],
    resources: Sequence[Counted],
    seen: Seen,
    plan: Allocation,
    top: int,
    options: Options,
    clock: Clock,
) -> tuple[Price, ...]:
    """The prices, the dearest with what solving again says of them; the dearest by then first."""
    order = sorted(range(len(stated)), key=lambda i: dearness(stated[i]), reverse=True)
    chosen = _dearest(stated, order, top)
    again = _solve_again(seen, plan, [resources[i] for i in chosen], options, clock)
    known = dict(zip(chosen, again, strict=True))
    confirmed = [each.model_copy(update=known.get(i, {})) for i, each in enumerate(stated)]
    return tuple(sorted(confirmed, key=dearness, reverse=True))


def _relaxed(seen: Seen, resources: Sequence[Counted], options: Options, clock: Clock) -> Marginal:
    rest = dataclasses.replace(options, time_limit=max(0.1, clock.left))
    rows = [each.row for each in resources]
    return marginal_worth(seen.instance, list_goals(seen.instance), seen.x, rows, rest)


def _dearest(stated: Sequence[Price], order: Sequence[int], top: int) -> list[int]:
    """The dearest pools and the dearest budgets, as far as they are worth anything."""
    pools = [i for i in order if stated[i].resource is Resource.POOL_CAPACITY]
    budgets = [i for i in order if stated[i].resource is not Resource.POOL_CAPACITY]
    return [i for i in (*pools[:top], *budgets[:top]) if any(dearness(stated[i]))]


def dearness(price: Price) -> tuple[float, ...]:
    """How much a change of one GPU, reference GPU or move is felt: shortfalls first, then tier by tier.

    What solving again said stands. A guarantee costs: its price counts without its sign.
    """
    by_tier = price.worth_by_tier if price.confirmed_by_tier is None else price.confirmed_by_tier
    felt = (price.shortfall, *(by_tier[tier] for tier in sorted(by_tier)))
    return tuple(round(abs(each) / price.amount, 6) for each in felt)


def _price(resource: Counted, marginal: Marginal, speech: Speech) -> Price:
    worth = {name: each[resource.row] * resource.step for name, each in marginal.worth.items()}
    by_tier = _by_tier(worth)
    shortfall = sum(each for name, each in worth.items() if not name.startswith("value"))
    is_pool = resource.rule is Resource.POOL_CAPACITY
    return Price(
        resource=resource.rule,
        subject=resource.subject,
        gpu_type=resource.gpu_type,
        basis=Basis.FACT if is_pool else Basis.POLICY,
        owner=None if is_pool else _owner(resource, speech),
        amount=resource.amount,
        limit=resource.limit,
        slack=resource.slack,
        worth=sum(by_tier.values()),
        worth_by_tier=by_tier,
        shortfall=0.0 if abs(shortfall) < NOTHING else shortfall,
        confirmed=None,
        confirmed_by_tier=None,
        gainers=(),
    )


def _owner(resource: Counted, speech: Speech) -> str | None:
    if resource.rule is Resource.MOVE_BUDGET:
        return speech.owner_of(speech.root)
    return speech.owner_above(resource.subject)


def _solve_again(
    seen: Seen, plan: Allocation, resources: Sequence[Counted], options: Options, clock: Clock
) -> list[dict[str, Any]]:
    """What each price learns from solving again: nothing where that was not proved in the time."""
    if not resources:
        return []
    contest = Contest(seen.situation)
    workers = max(1, options.threads)
    seconds = max(0.1, clock.left) * workers / len(resources) / 2

    def solved(instance: Instance, x: Ints, frame: Collection[str]) -> Framed:
        return best_in_frame(instance, x, frame, options, seconds, leave_out=MOVES)

    def again(resource: Counted) -> dict[str, Any]:
        frame = choose_frame(seen.situation, contest, resource)
        before = solved(seen.instance, seen.x, frame)
        changed = build_instance(with_one_more(seen.organization, resource), plan.date)
        after = solved(changed, units(changed, plan), frame)
        if not (before.is_proved and after.is_proved):
            return {}
        granted = gpus_by_project(seen.instance, before.x)
        regranted = gpus_by_project(changed, after.x)
        gained = _by_tier(
            {name: value - before.values.get(name, 0.0) for name, value in after.values.items()}
        )
        return {
            "confirmed": sum(gained.values()),
            "confirmed_by_tier": gained,
            "gainers": _gainers(granted, regranted),
        }

    with ThreadPoolExecutor(max_workers=workers) as executor:
        return list(executor.map(again, resources))


def _gainers(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[str, ...]:
    gained = {name: gpus - before.get(name, 0) for name, gpus in after.items()}
    largest = sorted((name for name in gained if gained[name] > 0), key=lambda name: -gained[name])
    return tuple(largest[:MOST_GAINERS])


def _by_tier(gained: Mapping[str, float]) -> dict[int, float]:
    """The values' gains by tier; what may be rounding is 0."""
    values = {int(name.rpartition("_")[2]): gain for name, gain in gained.items() if name.startswith("value")}
    least = max((NOTHING, *(DIGITS * abs(gain) for gain in values.values())))
    return {tier: 0.0 if abs(gain) < least else gain for tier, gain in values.items()}
