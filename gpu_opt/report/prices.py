"""What one unit more of everything is worth, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from gpu_opt.plan import Price, Prices, Resource, Status
from gpu_opt.report.tables import cell, table, titled
from gpu_opt.report.text import amount, counted

MOST_ALIKE = 3
"""Pools worth the same that are all named."""

NAMES = {
    Resource.TEAM_CAP: "cap of {}",
    Resource.TYPE_LIMIT: "limit of {} on {}",
    Resource.TEAM_GUARANTEE: "guarantee of {}",
    Resource.MOVE_BUDGET: "max_moves",
}


def prices(found: Prices, *, top: int) -> RenderableType:
    """The sentence; the dearest pools; the budgets that are felt most. At most `top` of each."""
    pools, budgets = parted(found)
    return Group(
        cell(sentence(found), "bold"),
        cell(f"{found.organization}, {found.date}: {scope(found)}"),
        *_section("Where the next GPUs should go", "pool", pools, top),
        *_section("Which budget hurts most", "budget", budgets, top),
    )


def scope(found: Prices) -> str:
    """At which plan the prices are, and what decides again where one is confirmed."""
    known = "the proved best plan" if found.status is Status.OPTIMAL else "a plan that is not proved the best"
    again = "everything decides again in a confirming solve"
    if found.projects > found.frame:
        again = f"in a confirming solve {found.frame} projects decide again, the others keep what they have"
    return f"at {known}; {again}"


def sentence(found: Prices) -> str:
    """Where the next GPUs should go, and which budget hurts most."""
    pools, budgets = parted(found)
    if not pools and not budgets:
        return "Nothing is worth having more of: nobody lacks what it could get."
    first = "No pool is worth enlarging"
    if pools:
        alike = [pool.subject for pool in pools if _does(pool) == _does(pools[0])]
        names = " or ".join(alike) if len(alike) <= MOST_ALIKE else f"{alike[0]} or {len(alike) - 1} others"
        first = f"The next GPUs should go to {names}, where each {_does(pools[0])}"
    if not budgets:
        return f"{first}; no budget is in the way."
    worst = budgets[0]
    owner = f" ({worst.owner})" if worst.owner else ""
    others = sum(_hurts(each) == _hurts(worst) for each in budgets) - 1
    as_much = f", and {counted(others, 'other')} as much" if others else ""
    named = name(worst) if worst.resource is Resource.MOVE_BUDGET else f"the {name(worst)}"
    return f"{first}. What hurts most is {named}{owner}{as_much}: {_hurts(worst)}."


def _hurts(price: Price) -> str:
    unit = "move" if price.resource is Resource.MOVE_BUDGET else "GPU" if price.gpu_type else "reference GPU"
    return f"each {unit} more {_does(price)}"


def _does(price: Price) -> str:
    if price.shortfall > 0:
        return f"brings guarantees nearer by {amount(price.shortfall / price.amount)} reference GPUs"
    by_tier = _by_tier(price)
    first = next((tier for tier in sorted(by_tier) if by_tier[tier]), 1)
    head = by_tier.get(first, 0.0) / price.amount
    rest = sum(by_tier.values()) / price.amount - head
    if head * rest < 0:
        if head > 0:
            return f"is worth {amount(head)} to tier {first}, and costs later tiers {amount(-rest)}"
        return f"costs tier {first} {amount(-head)}, and is worth {amount(rest)} to later tiers"
    rate = head + rest
    return f"is worth {amount(rate)}" if rate >= 0 else f"costs {amount(-rate)}"


def _by_tier(price: Price) -> dict[int, float]:
    """Worth by tier; what solving again said stands."""
    return price.worth_by_tier if price.confirmed_by_tier is None else price.confirmed_by_tier


def parted(found: Prices) -> tuple[list[Price], list[Price]]:
    """Pools and budgets that are felt at all, what is felt most first."""
    felt = [each for each in found.prices if each.shortfall or any(each.worth_by_tier.values())]
    pools = [each for each in felt if each.resource is Resource.POOL_CAPACITY]
    return pools, [each for each in felt if each.resource is not Resource.POOL_CAPACITY]


def name(price: Price) -> str:
    """The resource in a planner's words."""
    if price.resource is Resource.POOL_CAPACITY:
        return price.subject
    return NAMES[price.resource].format(price.subject, price.gpu_type)


def _tiers(price: Price) -> str:
    """What one GPU, reference GPU or move is worth to each tier that feels it."""
    felt = {tier: worth / price.amount for tier, worth in _by_tier(price).items() if worth}
    return ", ".join(f"{amount(rate)} to tier {tier}" for tier, rate in sorted(felt.items()))


def _section(title: str, head: str, listed: Sequence[Price], top: int) -> list[RenderableType]:
    figures = ("left", "unit", "shortfalls", "worth", "solved again")
    grid: Table = table(head, *figures, "each", "who may decide; who gains", right=figures)
    for each in listed[:top]:
        gain = "gain: " + ", ".join(each.gainers) if each.gainers else ""
        grid.add_row(
            cell(name(each)),
            amount(each.slack),
            amount(each.amount),
            amount(-each.shortfall) if each.shortfall else "",
            amount(each.worth),
            "" if each.confirmed is None else amount(each.confirmed),
            cell(_tiers(each)),
            cell("; ".join(part for part in (each.owner or "", gain) if part)),
        )
    if not listed:
        return [titled(title, cell("nothing is in the way"))]
    more = [cell(f"and {counted(len(listed) - top, 'other')} (--top)")] if len(listed) > top else []
    return [titled(title, grid, *more)]
