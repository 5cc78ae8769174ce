"""What a planner states, as rows of the program that can be held, dropped or measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gpu_opt.allocation.formulation import Formulation
from gpu_opt.allocation.sentences import Speech
from gpu_opt.budgets import Budgets
from gpu_opt.instance import MILLI, Instance
from gpu_opt.organization import Organization
from gpu_opt.plan import Basis, Statement, StatementKind
from gpu_opt.validation.wording import written


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement, and where it is in the program."""

    statement: Statement
    rows: tuple[tuple[str, float], ...]
    """Its rows with their right-hand sides; a guarantee has none, it holds its shortfall at 0."""
    index: int
    """The pool, team, limit or project."""
    scale: float = 1.0
    """GPUs, or reference GPUs, for each of what its row counts: pools' rows count units."""


def list_statements(
    organization: Organization, budgets: Budgets, instance: Instance, speech: Speech
) -> tuple[Stated, ...]:
    """Every statement that has a row, those that are given up last coming last."""
    return (
        *_limits(organization, instance, speech),
        *_pinned(organization, instance, speech),
        *_moves(organization, instance, speech),
        *_pools(budgets, instance),
        *_caps(organization, instance, speech),
        *_guarantees(organization, instance, speech),
    )


def free(instance: Instance, formulation: Formulation) -> None:
    """Take away what repeats statements: the bounds of x, and what today's holdings exceed."""
    variables = formulation.variables
    for over in (variables.over_pool, variables.over_team, variables.over_limit):
        for variable in over.values():
            variable.upBound = 0
    for a, variable in enumerate(variables.x):
        variable.upBound = None
        j = int(instance.arcs.project[a])
        if a in variables.z:
            most = math.floor(instance.projects.most_share[j] * int(instance.arcs.needed[a]))
            name = f"one_pool_{j}_{a}"
            terms = {variable: 1.0, variables.z[a]: -float(most)}
            row = formulation.problem.get_constraint_by_name(name)
            assert row is not None
            for term, coefficient in terms.items():
                row[term] = coefficient


def _policy(
    kind: StatementKind,
    subject: str,
    text: str,
    owner: str | None,
    amount: float,
    gpu_type: str | None = None,
) -> Statement:
    return Statement(
        kind=kind,
        subject=subject,
        gpu_type=gpu_type,
        text=text,
        basis=Basis.POLICY,
        owner=owner,
        amount=amount,
        relaxed=None,
    )


def _limits(organization: Organization, instance: Instance, speech: Speech) -> Iterator[Stated]:
    teams = {team.name: team for team in organization.teams}
    for i, limit in enumerate(instance.limits):
        if len(limit.arcs):
            name, kind = instance.teams.names[limit.team], limit.gpu_type
            text = f"{name}.limits.{kind} {written(teams[name].limits[kind].cap)}"
            owner = speech.owner_above(name)
            told = _policy(StatementKind.LIMIT, name, text, owner, limit.gpus, kind)
            yield Stated(told, ((f"type_limit_{i}", limit.gpus),), i)


def _pinned(organization: Organization, instance: Instance, speech: Speech) -> Iterator[Stated]:
    projects = {project.name: project for project in organization.projects}
    for j, own in enumerate(instance.projects.arcs):
        held = [a for a in own if instance.arcs.wanted[a]]
        if instance.projects.pinned[j] and held:
            name = instance.projects.names[j]
            gpus = {
                instance.pools.names[p]: int(instance.arcs.wanted[a]) * instance.pools.unit[p]
                for a in held
                for p in [int(instance.arcs.pool[a])]
            }
            where = " and ".join(f"{count:,} GPUs in {pool}" for pool, count in gpus.items())
            owner = speech.owner_of(projects[name].team)
            told = _policy(
                StatementKind.PINNED, name, f"{name} pinned with {where}", owner, sum(gpus.values())
            )
            rows = tuple((f"pinned_{a}", float(instance.arcs.wanted[a])) for a in held)
            yield Stated(told, rows, j)


def _moves(organization: Organization, instance: Instance, speech: Speech) -> Iterator[Stated]:
    if instance.max_moves is not None and instance.arcs.wanted.any():
        most, owner = instance.max_moves, speech.owner_of(speech.root)
        told = _policy(StatementKind.MAX_MOVES, organization.name, f"policy.max_moves {most:,}", owner, most)
        yield Stated(told, (("move_budget", most),), 0)


def _pools(budgets: Budgets, instance: Instance) -> Iterator[Stated]:
    pools = instance.pools
    for p in sorted(set(instance.arcs.pool.tolist())):
        gpus = budgets.gpus[pools.names[p]]
        told = Statement(
            kind=StatementKind.POOL,
            subject=pools.names[p],
            gpu_type=None,
            text=f"{pools.names[p]} has {gpus:,} GPUs",
            basis=Basis.FACT,
            owner=None,
            amount=gpus,
            relaxed=None,
        )
        yield Stated(told, ((f"pool_capacity_{p}", pools.units[p]),), p, pools.unit[p])


def _caps(organization: Organization, instance: Instance, speech: Speech) -> Iterator[Stated]:
    teams = {team.name: team for team in organization.teams}
    for n, cap in enumerate(instance.teams.cap):
        if cap is not None:
            name = instance.teams.names[n]
            text = f"{name}.cap {written(teams[name].cap or 0.0)}"
            told = _policy(StatementKind.CAP, name, text, speech.owner_above(name), cap / MILLI)
            yield Stated(told, ((f"team_cap_{n}", cap / MILLI),), n)


def _guarantees(organization: Organization, instance: Instance, speech: Speech) -> Iterator[Stated]:
    teams = {team.name: team for team in organization.teams}
    for n, target in enumerate(instance.teams.target):
        if target:
            name = instance.teams.names[n]
            promised = float(instance.teams.promise[n])
            text = f"{name}.guarantee {written(teams[name].guarantee or 0.0)}"
            told = _policy(StatementKind.GUARANTEE, name, text, speech.owner_above(name), promised)
            yield Stated(told, (), n)
