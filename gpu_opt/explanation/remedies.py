"""The smallest change of a kind that is enough, found and confirmed by solving again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from gpu_opt.allocation import allocate
from gpu_opt.clock import Clock
from gpu_opt.errors import InvalidInput
from gpu_opt.explanation.levers import Lever
from gpu_opt.options import Options
from gpu_opt.plan import Allocation, Basis, Cause, Loss, Remedy, RemedyKind, Status
from gpu_opt.scenario import compare

FACTS = {RemedyKind.POOL, RemedyKind.ONE_POOL, RemedyKind.MINIMUM}
"""Changes that nobody decides from above: hardware, and the project's own terms."""

SHARE = 0.25
"""Of the time for all changes, for one solve at most."""


def find_remedies(
    levers: Sequence[Lever], plan: Allocation, project: str, options: Options
) -> tuple[Remedy, ...]:
    """The smallest change of each lever that gives the project all it asks for, the cheapest first.

    Each is confirmed by solving again, from the plan. Levers for which no change was found within
    ``options.time_limit`` seconds, or only one of more than twice what is not enough, are left out.
    """
    clock = Clock(options)
    one_thread = dataclasses.replace(options, threads=1, progress=None)

    def solved(lever: Lever, grains: int) -> Allocation | None:
        limit = min(options.time_limit * SHARE, clock.left)
        if clock.is_over:
            return None
        how = dataclasses.replace(one_thread, time_limit=limit)
        try:
            return allocate(lever.made(grains), date=plan.date, options=how, near=plan)
        except InvalidInput:  # a guarantee above a cap, for one: no change that could be made alone
            return None

    def remedy(lever: Lever) -> Remedy | None:
        return _smallest(lever, plan, project, lambda grains: solved(lever, grains))

    with ThreadPoolExecutor(max_workers=max(1, options.threads)) as executor:
        found = [each for each in executor.map(remedy, levers) if each is not None]
    return tuple(sorted(found, key=lambda each: each.cost))


def _smallest(
    lever: Lever, plan: Allocation, project: str, solved: Callable[[int], Allocation | None]
) -> Remedy | None:
    """Try the guess, then the most; then halve the way between what is enough and what is not.

    So the last amount is enough, and one grain less is not, whether or not more always helps.
    """
    enough: Allocation | None = None
    low, high, is_proved, grains = 0, lever.most + 1, True, min(lever.guess, lever.most)
    while high - low > 1 and (found := solved(grains)) is not None:
        if has_all(found, project):
            enough, high = found, grains
        else:
            low, is_proved = grains, found.status is Status.OPTIMAL
        grains = lever.most if enough is None else _between(low, high)
    if enough is None or high > 2 * max(low, lever.guess):
        return None  # nothing, or far more than what was not enough: no answer
    return _remedy(lever, high, plan, enough, project, is_smallest=high - low <= 1 and is_proved)


def _between(low: int, high: int) -> int:
    """Half of the way; where the orders of magnitude differ, half of the way between these."""
    return math.isqrt(low * high) if high > 4 * low > 0 else (low + high) // 2


def has_all(plan: Allocation, project: str) -> bool:
    """Whether a project has all it asked for, to within a unit."""
    return any(each.project == project and each.reason.cause is Cause.MET for each in plan.projects)


def _remedy(
    lever: Lever, grains: int, before: Allocation, after: Allocation, project: str, *, is_smallest: bool
) -> Remedy:
    takes = [
        Loss(
            project=each.project,
            team=each.team,
            gpus=each.before - each.after,
            compute=each.compute_before - each.compute_after,
        )
        for each in compare(before, after).projects
        if each.compute_after < each.compute_before and each.project != project
    ]
    is_fact = lever.kind in FACTS
    lost = sum(each.compute for each in takes)
    return Remedy(
        kind=lever.kind,
        text=lever.text(grains),
        basis=Basis.FACT if is_fact else Basis.POLICY,
        owner=None if is_fact else lever.owner,
        change=lever.written(grains),
        amount=round(grains * lever.grain, 6),
        grain=lever.grain,
        is_smallest=is_smallest,
        status=after.status,
        takes=tuple(sorted(takes, key=lambda each: -each.compute)),
        cost=lost + _added(before, after),
    )


def _added(before: Allocation, after: Allocation) -> float:
    """GPUs that the pools have more."""
    return sum(each.gpus for each in after.pools) - sum(each.gpus for each in before.pools)
