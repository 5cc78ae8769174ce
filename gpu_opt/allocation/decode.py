"""From the search's answer to the plan that planners read."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gpu_opt.allocation.appraisal import (
    appraise,
    contradicts,
    moved_gpus,
    overruns,
    own_compute,
    pool_units,
    sound,
    team_compute,
    team_gpus,
    trivial_bound,
)
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.proof import Proof
from gpu_opt.allocation.reasons import explain_projects
from gpu_opt.budgets import Budgets, resolve_budgets
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.options import relative_gap
from gpu_opt.organization import Organization
from gpu_opt.plan import (
    Allocation,
    Goal,
    Grant,
    Move,
    Overrun,
    PoolOutcome,
    ProjectOutcome,
    Run,
    Status,
    Stop,
    TeamOutcome,
    weakest,
)


def decode(
    organization: Organization,
    instance: Instance,
    goals: tuple[GoalSpec, ...],
    x: Ints,
    proofs: tuple[Proof, ...],
    run: Run,
) -> Allocation:
    """Turn units per arc, and what was proved of them, into an allocation."""
    reached = _goals(instance, goals, x, proofs, run.gap)
    values = [goal for goal in reached if goal.name.startswith("value_tier_")]
    objective, bound = sum(goal.value for goal in values), sum(goal.bound for goal in values)
    stop = weakest(goal.stop for goal in reached)
    budgets = resolve_budgets(organization, instance.date)
    return Allocation(
        organization=organization.name,
        as_of=organization.as_of,
        date=instance.date,
        status=Status.OPTIMAL if stop is Stop.PROVED else Status.FEASIBLE,
        stop=stop,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        goals=reached,
        grants=grants_of(instance, x),
        near=_near(instance),
        moves=_moves(instance, x),
        projects=_projects(organization, instance, x, proved=stop is Stop.PROVED),
        teams=_teams(budgets, instance, x),
        pools=_pools(organization, budgets, instance, x),
        overruns=_overruns(instance, x),
        run=run,
    )


def _goals(
    instance: Instance, goals: tuple[GoalSpec, ...], x: Ints, proofs: tuple[Proof, ...], enough: float
) -> tuple[Goal, ...]:
    return tuple(
        _goal(instance, goal, value, proof, enough)
        for goal, value, proof in zip(goals, appraise(instance, goals, x), proofs, strict=True)
    )


def _goal(instance: Instance, goal: GoalSpec, value: float, proof: Proof, enough: float) -> Goal:
    """A goal with its proof; a bound that the final plan contradicts gives way to the trivial one.

    A later goal's search may have found a plan that reaches the bound: then that is a proof as well. Or one
    that is better on an earlier goal, and worse on this one: then it ended neither by proof nor within the
    gap that is `enough`.
    """
    bound, stop = proof.bound, proof.stop
    if contradicts(goal, bound, value):
        bound, stop = trivial_bound(instance, goal), Stop.FAILED
    bound = sound(goal, bound, value)
    gap = relative_gap(value, bound)
    if stop is Stop.PROVED or (stop is Stop.GAP and gap > enough):
        stop = Stop.FAILED
    return Goal(
        name=goal.name,
        sense=goal.sense,
        unit=goal.unit,
        value=value,
        bound=bound,
        gap=gap,
        stop=Stop.PROVED if bound == value else stop,
        seconds=proof.seconds,
    )


def grants_of(instance: Instance, x: Ints) -> tuple[Grant, ...]:
    """The grants that units per arc stand for."""
    return tuple(
        Grant(
            project=instance.projects.names[int(instance.arcs.project[a])],
            pool=instance.pools.names[int(instance.arcs.pool[a])],
            gpus=int(x[a]) * instance.pools.unit[int(instance.arcs.pool[a])],
        )
        for a in np.flatnonzero(x)
    )


def _near(instance: Instance) -> tuple[Grant, ...] | None:
    """The grants to stay near to, as far as they can be granted still."""
    near, arcs = instance.arcs.near, instance.arcs
    if near is None:
        return None
    return tuple(
        Grant(
            project=instance.projects.names[int(arcs.project[a])],
            pool=instance.pools.names[int(arcs.pool[a])],
            gpus=int(near[a]),
        )
        for a in np.flatnonzero(near)
    )


def _moves(instance: Instance, x: Ints) -> tuple[Move, ...]:
    moved = moved_gpus(instance, x)
    return tuple(
        Move(
            project=instance.projects.names[int(instance.arcs.project[a])],
            pool=instance.pools.names[int(instance.arcs.pool[a])],
            gpus=int(moved[a]),
        )
        for a in np.flatnonzero(moved)
    )


def _projects(
    organization: Organization, instance: Instance, x: Ints, *, proved: bool
) -> tuple[ProjectOutcome, ...]:
    index = {name: j for j, name in enumerate(instance.projects.names)}
    own = own_compute(instance, x)
    gpus = x * np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool]
    reasons = explain_projects(organization, instance, x, proved=proved)
    outcomes = []
    for project, reason in zip(organization.projects, reasons, strict=True):
        j = index.get(project.name)
        arcs = range(0) if j is None else instance.projects.arcs[j]
        outcomes.append(
            ProjectOutcome(
                project=project.name,
                team=project.team,
                tier=project.tier,
                priority=project.priority,
                active=j is not None,
                demand=project.demand,
                minimum=project.minimum,
                granted=0.0 if j is None else int(own[j]) / MILLI,
                gpus=int(gpus[arcs.start : arcs.stop].sum()),
                held=sum(project.holds.values()),
                reason=reason,
            )
        )
    return tuple(outcomes)


def _teams(budgets: Budgets, instance: Instance, x: Ints) -> tuple[TeamOutcome, ...]:
    total = team_compute(instance, x)
    by_type = _gpus_by_type(instance, x)
    outcomes = []
    for n, team in enumerate(budgets.teams):
        granted = Fraction(int(total[n]), MILLI)
        short = instance.teams.promise[n] - granted if granted < instance.teams.target[n] else Fraction(0)
        outcomes.append(
            TeamOutcome(
                team=team.name,
                parent=team.parent,
                level=instance.teams.level[n],
                owner=team.owner,
                guarantee=_number(budgets.guarantee.get(team.name)),
                promised=float(instance.teams.promise[n]),
                cap=_number(budgets.cap.get(team.name)),
                granted=float(granted),
                shortfall=float(short),
                by_type=by_type[n],
            )
        )
    return tuple(outcomes)


def _number(amount: Fraction | None) -> float | None:
    return None if amount is None else float(amount)


def _gpus_by_type(instance: Instance, x: Ints) -> list[dict[str, int]]:
    """GPUs granted under every team, by GPU type; only types with any."""
    of_type = {kind: gpus.tolist() for kind, gpus in team_gpus(instance, x).items()}
    return [
        {kind: gpus[n] for kind, gpus in of_type.items() if gpus[n]} for n in range(len(instance.teams.names))
    ]


def _pools(
    organization: Organization, budgets: Budgets, instance: Instance, x: Ints
) -> tuple[PoolOutcome, ...]:
    granted = pool_units(instance, x)
    return tuple(
        PoolOutcome(
            pool=pool.name,
            gpu_type=pool.gpu_type,
            site=pool.site,
            gpus=budgets.gpus[pool.name],
            granted=int(granted[p]) * pool.unit,
            idle=max(0, budgets.gpus[pool.name] - int(granted[p]) * pool.unit),
        )
        for p, pool in enumerate(organization.pools)
    )


def _overruns(instance: Instance, x: Ints) -> tuple[Overrun, ...]:
    pools, teams = instance.pools, instance.teams
    over_pool, over_team, over_limit = overruns(instance, x)
    found = [
        Overrun(
            rule="pool_capacity",
            subject=pools.names[p],
            before=(pools.units[p] + pools.over[p]) * pools.unit[p],
            after=(pools.units[p] + int(over_pool[p])) * pools.unit[p],
            limit=pools.units[p] * pools.unit[p],
        )
        for p in np.flatnonzero(over_pool).tolist()
    ]
    found += [
        Overrun(
            rule="team_cap",
            subject=teams.names[n],
            before=(cap + teams.over[n]) / MILLI,
            after=(cap + int(over_team[n])) / MILLI,
            limit=cap / MILLI,
        )
        for n, cap in enumerate(teams.cap)
        if cap is not None and over_team[n]
    ]
    found += [
        Overrun(
            rule="type_limit",
            subject=teams.names[limit.team],
            gpu_type=limit.gpu_type,
            before=limit.gpus + limit.over,
            after=limit.gpus + int(over_limit[i]),
            limit=limit.gpus,
        )
        for i, limit in enumerate(instance.limits)
        if over_limit[i]
    ]
    return tuple(found)
