"""The exact values of the goals of an allocation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gpu_opt.checker.budgets import Totals, thousandths
from gpu_opt.checker.data import AllocationData, Scope, Segments
from gpu_opt.organization import exact
from gpu_opt.plan import Grant


@dataclass(frozen=True, slots=True)
class Line:
    """A capacity, cap or limit, and what was and is granted under it."""

    rule: str
    subject: str
    gpu_type: str | None
    before: Fraction
    """The wanted holdings under it: compute for a cap, else GPUs."""
    after: Fraction
    limit: Fraction
    worth: Fraction
    """Compute of one of the things that it counts."""


def capacity_lines(data: AllocationData, totals: Totals) -> Iterator[Line]:
    """One line for every pool."""
    fleet = data.fleet
    for pool, gpus in fleet.gpus.items():
        before, after = Fraction(data.before.gpus[pool]), Fraction(totals.gpus[pool])
        limit = Fraction(gpus // fleet.unit[pool] * fleet.unit[pool])
        yield Line("pool_capacity", pool, None, before, after, limit, Fraction(fleet.worth[pool], 1000))


def cap_lines(data: AllocationData, totals: Totals) -> Iterator[Line]:
    """One line for every team with a cap."""
    for team, cap in data.budgets.caps.items():
        before, after = Fraction(data.before.compute[team], 1000), Fraction(totals.compute[team], 1000)
        yield Line("team_cap", team, None, before, after, cap, Fraction(1))


def limit_lines(data: AllocationData, totals: Totals) -> Iterator[Line]:
    """One line for every limit of a team on a GPU type."""
    for (team, gpu_type), limit in data.budgets.limits.items():
        before = Fraction(data.before.of_type.get((team, gpu_type), 0))
        after = Fraction(totals.of_type.get((team, gpu_type), 0))
        worth = exact(data.organization.gpu_types[gpu_type].speed)
        yield Line("type_limit", team, gpu_type, before, after, limit, worth)


def lines(data: AllocationData, totals: Totals) -> Iterator[Line]:
    """Every capacity, cap and limit."""
    yield from capacity_lines(data, totals)
    yield from cap_lines(data, totals)
    yield from limit_lines(data, totals)


def moved(scope: Scope, granted: Mapping[str, int]) -> dict[str, int]:
    """GPUs, by pool, that the project wants to keep and does not."""
    taken = {pool: gpus - granted.get(pool, 0) for pool, gpus in scope.wanted.items()}
    return {pool: gpus for pool, gpus in taken.items() if gpus > 0}


def changed(data: AllocationData, granted: Mapping[str, Mapping[str, int]], near: Iterable[Grant]) -> int:
    """GPUs granted otherwise than in `near`, where anything can be granted at all."""
    before = Counter[tuple[str, str]]()
    for grant in near:
        before[grant.project, grant.pool] += grant.gpus
    after = {(name, pool): gpus for name, pools in granted.items() for pool, gpus in pools.items()}
    return sum(
        abs(after.get((name, pool), 0) - before[name, pool])
        for name, pool in after.keys() | before.keys()
        if name in data.scopes and pool in data.scopes[name].speeds
    )


def delivered(scope: Scope, granted: Mapping[str, int]) -> int:
    """Thousandths of compute granted, at the project's own speed."""
    return sum(scope.speeds[pool] * gpus for pool, gpus in granted.items())


def worth_of(scope: Scope, compute: int, segments: Segments) -> int:
    """What thousandths of compute of its own are worth to a project, before its priority.

    In thousandths, over the square of the segments' denominator.
    """
    demand, rest = thousandths(scope.project.demand), compute * segments.denominator
    worth = 0
    for share, value in segments.pieces:
        filled = min(rest, share * demand)
        worth += value * filled
        rest -= filled
    return worth


def tier_values(data: AllocationData, granted: Mapping[str, Mapping[str, int]]) -> dict[int, Fraction]:
    """The value of every tier in which some project can be granted something, the first tier first.

    It is what grants are worth, less the cost of what is taken.
    """
    segments, move_cost = data.segments, exact(data.organization.policy.move_cost)
    worth, taken = Counter[tuple[int, float]](), Counter[int]()
    for name, scope in data.scopes.items():
        if scope.speeds:
            project, gpus = scope.project, granted.get(name, {})
            worth[project.tier, project.priority] += worth_of(scope, delivered(scope, gpus), segments)
            taken[project.tier] += sum(moved(scope, gpus).values())
    values = {tier: -move_cost * taken[tier] for tier in sorted(taken)}
    for (tier, priority), parts in worth.items():
        values[tier] += exact(priority) * Fraction(parts, 1000 * segments.denominator**2)
    return values


def allocation_goals(
    data: AllocationData,
    totals: Totals,
    granted: Mapping[str, Mapping[str, int]],
    near: Iterable[Grant] | None = None,
) -> tuple[tuple[str, Fraction], ...]:
    """Names and exact values of the goals. A goal is there when something in it is to be decided.

    `near` are the grants that the plan was to stay near to; None: there is no goal ``changes``.
    """
    goals: list[tuple[str, Fraction]] = []
    broken = [line for line in lines(data, totals) if line.before > line.limit]
    if broken:
        over = (max(line.after - line.limit, Fraction(0)) * line.worth for line in broken)
        goals.append(("repair", sum(over, Fraction(0))))
    shortfalls: dict[int, Fraction] = {}
    for team, target in data.targets.items():
        if target > 0:
            level = len(data.budgets.paths[team]) - 1
            short = max(target - Fraction(totals.compute[team], 1000), Fraction(0))
            shortfalls[level] = shortfalls.get(level, Fraction(0)) + short
    goals += [(f"guarantee_level_{level}", shortfalls[level]) for level in sorted(shortfalls)]
    goals += [(f"value_tier_{tier}", value) for tier, value in tier_values(data, granted).items()]
    if any(scope.wanted for scope in data.scopes.values()):
        taken = sum(sum(moved(scope, granted.get(name, {})).values()) for name, scope in data.scopes.items())
        goals.append(("moves", Fraction(taken)))
    if near is not None and any(scope.speeds for scope in data.scopes.values()):
        goals.append(("changes", Fraction(changed(data, granted, near))))
    return tuple(goals)


def is_maximized(goal: str) -> bool:
    """Whether more of the goal is better."""
    return goal.startswith("value_tier_")
