"""What no grants may break: one function per constraint family of ``models/allocation.md``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from gpu_opt.checker.budgets import Totals
from gpu_opt.checker.data import AllocationData, Scope, portion
from gpu_opt.checker.figures import written
from gpu_opt.checker.goals import Line, cap_lines, capacity_lines, delivered, limit_lines, moved
from gpu_opt.plan import Grant, Violation


@dataclass(frozen=True, slots=True)
class Granted:
    """GPUs granted where they can be granted at all."""

    gpus: dict[str, dict[str, int]]
    """By project and pool."""
    totals: Totals


def granted_of(data: AllocationData, grants: Iterable[Grant]) -> Granted:
    """Add up the grants; those that no plan could hold are left out, the rule `grants` reports them."""
    gpus: dict[str, dict[str, int]] = {}
    for grant in grants:
        scope = data.scopes.get(grant.project)
        if scope is not None and grant.pool in scope.speeds and grant.gpus > 0:
            pools = gpus.setdefault(grant.project, {})
            pools[grant.pool] = pools.get(grant.pool, 0) + grant.gpus
    return Granted(gpus, data.totals(gpus))


def projects(data: AllocationData, granted: Granted) -> Iterator[tuple[str, Scope, dict[str, int]]]:
    """Every active project, what it may get, and its grants by pool."""
    for name, scope in data.scopes.items():
        yield name, scope, granted.gpus.get(name, {})


def pool_capacity(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """GPUs granted in a pool fit the pool, or are no more than is held there today."""
    yield from no_worse(capacity_lines(data, granted.totals), "GPUs")


def team_cap(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """Compute granted under a team fits its cap, or is no more than is held there today."""
    yield from no_worse(cap_lines(data, granted.totals), "compute")


def type_limit(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """GPUs of a type granted under a team fit its limit, or are no more than are held there today."""
    yield from no_worse(limit_lines(data, granted.totals), "GPUs")


def no_worse(lines: Iterable[Line], unit: str) -> Iterator[Violation]:
    """What is granted fits the limit or, where today's wanted holdings break it, these."""
    for line in lines:
        if line.after > line.limit and line.after > line.before:
            kind = unit if line.gpu_type is None else f"{unit} of {line.gpu_type}"
            allowed = max(line.limit, line.before)
            message = f"{written(line.after)} {kind} granted, {written(allowed)} allowed"
            yield Violation(rule=line.rule, subject=line.subject, message=message)


def beyond_demand(scope: Scope, gpus: dict[str, int]) -> bool:
    """Whether GPUs by pool are more than the project asked for, in whole units, and than it wants to keep."""
    return portion(scope.enough, gpus) > scope.allowed


def demand(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """Nobody gets more than it asked for, in whole units of every pool, or than it wants to keep."""
    for name, scope, gpus in projects(data, granted):
        if beyond_demand(scope, gpus):
            asked = f"whole units for the {scope.project.demand:g} that it asks for"
            message = f"granted {delivered(scope, gpus) / 1000:g} reference GPUs, more than {asked}"
            yield Violation(rule="demand", subject=name, message=message)


def too_spread(scope: Scope, gpus: Collection[str]) -> bool:
    """Whether a one-pool project must not be in all of these pools."""
    return scope.project.one_pool and len(gpus) > 1 and any(pool not in scope.wanted for pool in gpus)


def minimum(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """A project gets nothing or at least its minimum."""
    for name, scope, gpus in projects(data, granted):
        if gpus and (compute := delivered(scope, gpus)) < scope.minimum:
            message = f"granted {compute / 1000:g} reference GPUs, its minimum is {scope.minimum / 1000:g}"
            yield Violation(rule="minimum", subject=name, message=message)


def one_pool(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """A one-pool project uses pools where it has wanted holdings, or a single other."""
    for name, scope, gpus in projects(data, granted):
        if too_spread(scope, gpus):
            message = f"granted GPUs in {len(gpus)} pools, and not in all of them does it hold any"
            yield Violation(rule="one_pool", subject=name, message=message)


def move_budget(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """No more GPUs are taken from those who want to keep them than the policy allows."""
    most = data.organization.policy.max_moves
    taken = sum(sum(moved(scope, gpus).values()) for _, scope, gpus in projects(data, granted))
    if most is not None and taken > most:
        yield Violation(rule="move_budget", subject="", message=f"{taken} GPUs are moved, {most} allowed")


def pinned(data: AllocationData, granted: Granted) -> Iterator[Violation]:
    """A pinned project keeps all that it holds."""
    for name, scope, gpus in projects(data, granted):
        if scope.project.pinned:
            for pool, taken in moved(scope, gpus).items():
                message = f"pinned, but {taken} of its GPUs in {pool} are taken"
                yield Violation(rule="pinned", subject=name, message=message)


CONSTRAINTS: tuple[Callable[[AllocationData, Granted], Iterator[Violation]], ...] = (
    pool_capacity,
    team_cap,
    type_limit,
    demand,
    minimum,
    one_pool,
    move_budget,
    pinned,
)
"""The rules that grants keep, whatever else a plan says."""
