"""Two allocations side by side: what a what-if shows, and what a night tells of the night before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gpu_opt.plan import (
    Allocation,
    Comparison,
    Difference,
    GuaranteeDifference,
    PoolDifference,
    PoolOutcome,
    ProjectDifference,
    ProjectOutcome,
    Reason,
    Side,
    TeamDifference,
    TeamOutcome,
)
from gpu_opt.plan.comparison import Verdict
from gpu_opt.scenario.figures import figures
from gpu_opt.scenario.proof import goal_differences

Grants = dict[str, dict[str, int]]
"""GPUs by project and pool."""


def compare(before: Allocation, after: Allocation) -> Comparison:
    """How `after` differs from `before`: figures, goals, who gains and who loses, teams, pools, guarantees.

    What the solves leave open is said of every goal and figure: a difference within it may be chance.

    The two may be plans of different organizations, or for different days. ``compare(b, a)`` is the mirror
    image of ``compare(a, b)``, and ``compare(a, a)`` is empty. Raises nothing.
    """
    projects = project_differences(before, after)
    by_pool = [gpus for one in projects for gpus in one.by_pool.values()]
    goals = goal_differences(before, after)
    return Comparison(
        before=_side(before),
        after=_side(after),
        figures=figures(before, after, goals),
        goals=goals,
        gained=sum(gpus for gpus in by_pool if gpus > 0),
        lost=-sum(gpus for gpus in by_pool if gpus < 0),
        projects=projects,
        teams=team_differences(before, after),
        pools=pool_differences(before, after),
        guarantees=tuple(_guarantees(before, after)),
    )


def _side(plan: Allocation) -> Side:
    return Side(
        organization=plan.organization,
        as_of=plan.as_of,
        date=plan.date,
        status=plan.status,
        gap=plan.gap,
    )


def project_differences(before: Allocation, after: Allocation) -> tuple[ProjectDifference, ...]:
    """The projects that are granted something else in `after` than in `before`, by team and name."""
    old, new = ({one.project: one for one in plan.projects} for plan in (before, after))
    old_grants, new_grants = _grants(before), _grants(after)
    found = []
    for name, outcome in (old | new).items():
        had, has = old_grants.get(name, {}), new_grants.get(name, {})
        by_pool = {pool: has.get(pool, 0) - had.get(pool, 0) for pool in sorted(had.keys() | has.keys())}
        by_pool = {pool: gpus for pool, gpus in by_pool.items() if gpus}
        if by_pool:
            found.append(
                ProjectDifference(
                    project=name,
                    team=outcome.team,
                    difference=_difference(name in old, name in new),
                    before=sum(had.values()),
                    after=sum(has.values()),
                    compute_before=old[name].granted if name in old else 0.0,
                    compute_after=new[name].granted if name in new else 0.0,
                    by_pool=by_pool,
                    reason=_reason(old.get(name), new.get(name)),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.team, one.project)))


def _reason(before: ProjectOutcome | None, after: ProjectOutcome | None) -> Reason | None:
    """What kept the project from more in the plan in which it has less."""
    if before is None or after is None or before.granted == after.granted:
        return None
    return before.reason if before.granted < after.granted else after.reason


def team_differences(before: Allocation, after: Allocation) -> tuple[TeamDifference, ...]:
    """The teams whose budget, grants or shortfall differ, in the order of `after`, those gone last."""
    old = {outcome.team: outcome for outcome in before.teams}
    new = {outcome.team: outcome for outcome in after.teams}
    return tuple(
        TeamDifference(
            team=team,
            difference=_difference(team in old, team in new),
            before=old.get(team),
            after=new.get(team),
        )
        for team in new | old
        if _told_of_team(old.get(team)) != _told_of_team(new.get(team))
    )


def _told_of_team(outcome: TeamOutcome | None) -> tuple[float | None, ...]:
    """What a difference of a team is about; () where there is none, which equals no team's."""
    if outcome is None:
        return ()
    return outcome.guarantee, outcome.cap, outcome.granted, outcome.shortfall


def pool_differences(before: Allocation, after: Allocation) -> tuple[PoolDifference, ...]:
    """The pools whose size or idle GPUs differ, in the order of `after`, those gone last."""
    old = {outcome.pool: outcome for outcome in before.pools}
    new = {outcome.pool: outcome for outcome in after.pools}
    return tuple(
        PoolDifference(
            pool=pool,
            difference=_difference(pool in old, pool in new),
            before=old.get(pool),
            after=new.get(pool),
        )
        for pool in new | old
        if _told_of_pool(old.get(pool)) != _told_of_pool(new.get(pool))
    )


def _told_of_pool(outcome: PoolOutcome | None) -> tuple[int, ...]:
    return () if outcome is None else (outcome.gpus, outcome.idle)


def _guarantees(before: Allocation, after: Allocation) -> Iterator[GuaranteeDifference]:
    """Guarantees that are kept better or worse, in the order of the tree."""
    was_short = {outcome.team: outcome.shortfall for outcome in before.teams}
    for outcome in after.teams:
        old, new = was_short.get(outcome.team), outcome.shortfall
        if old is None or old == new:
            continue
        worse = old < new
        verdict: Verdict = (
            ("broken" if worse else "met") if min(old, new) == 0 else ("further" if worse else "closer")
        )
        yield GuaranteeDifference(team=outcome.team, verdict=verdict, before=old, after=new)


def _difference(was_known: bool, is_known: bool) -> Difference:
    if was_known and is_known:
        return Difference.CHANGED
    return Difference.NEW if is_known else Difference.GONE


def _grants(plan: Allocation) -> Grants:
    granted: Grants = defaultdict(dict)
    for grant in plan.grants:
        pools = granted[grant.project]
        pools[grant.pool] = pools.get(grant.pool, 0) + grant.gpus
    return granted
