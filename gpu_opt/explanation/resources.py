"""What a lab could have more of: pools, caps, limits, guarantees and moves, and by how much at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gpu_opt.allocation.barriers import Situation
from gpu_opt.budgets import Budgets
from gpu_opt.instance import MILLI
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Resource


@dataclass(frozen=True, slots=True)
class Counted:
    """A constraint of the program, as something that there could be one allocation unit more of."""

    rule: Resource
    row: str
    """Its row in the program."""
    subject: str
    """The pool or the team; the organization for moves."""
    gpu_type: str | None
    step: float
    """One allocation unit, in the unit of the row: units, reference GPUs or GPUs."""
    amount: float
    """One allocation unit, as a planner states it: GPUs, or reference GPUs for caps and guarantees."""
    limit: float
    """What there is today, in the unit of `amount`."""
    slack: float
    """What of it is left, in the unit of `amount`; of a guarantee, by how much it is exceeded."""


def list_resources(organization: Organization, budgets: Budgets, situation: Situation) -> tuple[Counted, ...]:
    """Everything that has a row in the program, in the order of the file."""
    return (
        *_pools(situation),
        *_caps(situation),
        *_limits(situation),
        *_guarantees(budgets, situation),
        *_moves(organization, situation),
    )


def with_one_more(organization: Organization, resource: Counted) -> Organization:
    """The organization, its budgets in numbers, with one allocation unit more of the resource."""
    more = resource.amount
    if resource.rule is Resource.MOVE_BUDGET:
        policy = organization.policy.model_copy(update={"max_moves": int(resource.limit + more)})
        return organization.model_copy(update={"policy": policy})
    if resource.rule is Resource.POOL_CAPACITY:
        pools = [
            pool.model_copy(update={"gpus": pool.gpus + int(more)}) if pool.name == resource.subject else pool
            for pool in organization.pools
        ]
        return organization.model_copy(update={"pools": tuple(pools)})
    fields: dict[str, Any] = {}
    (team,) = [each for each in organization.teams if each.name == resource.subject]
    raised = round(resource.limit + more, 3)
    if resource.rule is Resource.TYPE_LIMIT:
        assert resource.gpu_type is not None
        fields["limits"] = team.limits | {resource.gpu_type: Limit(cap=raised)}
    else:
        fields["cap" if resource.rule is Resource.TEAM_CAP else "guarantee"] = raised
    changed = team.model_copy(update=fields)
    return organization.model_copy(
        update={"teams": tuple(changed if each is team else each for each in organization.teams)}
    )


def _pools(situation: Situation) -> Iterator[Counted]:
    pools = situation.instance.pools
    used = set(situation.instance.arcs.pool.tolist())
    for p, name in enumerate(pools.names):
        if p in used:
            unit = pools.unit[p]
            limit, slack = pools.units[p] * unit, max(0, situation.pool_room[p]) * unit
            yield Counted(
                Resource.POOL_CAPACITY, f"pool_capacity_{p}", name, pools.types[p], 1, unit, limit, slack
            )


def _caps(situation: Situation) -> Iterator[Counted]:
    teams = situation.instance.teams
    smallest = _smallest_units(situation)
    for n, cap in enumerate(teams.cap):
        if cap is not None and smallest[n]:
            unit, slack = smallest[n] / MILLI, max(0, cap - int(situation.total[n])) / MILLI
            yield Counted(
                Resource.TEAM_CAP, f"team_cap_{n}", teams.names[n], None, unit, unit, cap / MILLI, slack
            )


def _limits(situation: Situation) -> Iterator[Counted]:
    instance = situation.instance
    for i, limit in enumerate(instance.limits):
        if len(limit.arcs):
            unit = min(instance.pools.unit[int(instance.arcs.pool[a])] for a in limit.arcs.tolist())
            slack = max(0, situation.limit_room[i])
            name = instance.teams.names[limit.team]
            yield Counted(
                Resource.TYPE_LIMIT, f"type_limit_{i}", name, limit.gpu_type, unit, unit, limit.gpus, slack
            )


def _guarantees(budgets: Budgets, situation: Situation) -> Iterator[Counted]:
    teams = situation.instance.teams
    smallest = _smallest_units(situation)
    for n, name in enumerate(teams.names):
        if teams.target[n] and smallest[n]:
            unit, granted = smallest[n] / MILLI, int(situation.total[n]) / MILLI
            slack = max(0.0, granted - float(teams.promise[n]))
            limit = float(budgets.guarantee[name])
            yield Counted(
                Resource.TEAM_GUARANTEE, f"team_guarantee_{n}", name, None, unit, unit, limit, slack
            )


def _moves(organization: Organization, situation: Situation) -> Iterator[Counted]:
    instance = situation.instance
    if instance.max_moves is not None and instance.arcs.wanted.any():
        held = instance.arcs.pool[instance.arcs.wanted > 0].tolist()
        unit, left = min(instance.pools.unit[p] for p in held), situation.moves_left or 0
        yield Counted(
            Resource.MOVE_BUDGET, "move_budget", organization.name, None, unit, unit, instance.max_moves, left
        )


def _smallest_units(situation: Situation) -> list[int]:
    """Milli-compute of the smallest unit on an arc under every team; 0: there is no arc."""
    instance = situation.instance
    smallest = [0] * len(instance.teams.names)
    for j, own in enumerate(instance.projects.arcs):
        if own:
            unit = min(instance.pools.unit_compute[int(instance.arcs.pool[a])] for a in own)
            for n in situation.chain(j):
                smallest[n] = min(smallest[n], unit) if smallest[n] else unit
    return smallest
