"""The constraints that a project or a team touches, and what each leaves."""

from __future__ import annotations

from gpu_opt.explanation.resources import Counted
from gpu_opt.explanation.seen import Seen
from gpu_opt.plan import Resource, Touch


def touches(seen: Seen, resources: tuple[Counted, ...], team: str, project: str | None) -> tuple[Touch, ...]:
    """The constraints that count what the subject has or could have, the tightest first."""
    chain = set(seen.budgets.chain(team))
    instance = seen.instance
    if project is None:
        mine = [
            j for j in range(len(instance.projects.names)) if team in _names(seen, seen.situation.chain(j))
        ]
        arcs = [a for j in mine for a in instance.projects.arcs[j]]
    elif project in instance.projects.names:
        arcs = list(instance.projects.arcs[instance.projects.names.index(project)])
    else:
        arcs = []
    pools = {instance.pools.names[int(instance.arcs.pool[a])] for a in arcs}
    kinds = {instance.pools.types[int(instance.arcs.pool[a])] for a in arcs}
    found = [
        Touch(
            resource=each.rule,
            subject=each.subject,
            gpu_type=each.gpu_type,
            unit=each.amount,
            limit=each.limit,
            slack=each.slack,
        )
        for each in resources
        if _concerns(each, chain, pools, kinds)
    ]
    return tuple(sorted(found, key=lambda one: one.slack / one.unit))


def _names(seen: Seen, teams: tuple[int, ...]) -> set[str]:
    return {seen.instance.teams.names[n] for n in teams}


def _concerns(resource: Counted, chain: set[str], pools: set[str], kinds: set[str]) -> bool:
    if resource.rule is Resource.MOVE_BUDGET:
        return bool(pools)
    if resource.rule is Resource.POOL_CAPACITY:
        return resource.subject in pools
    return resource.subject in chain and (resource.gpu_type is None or resource.gpu_type in kinds)
