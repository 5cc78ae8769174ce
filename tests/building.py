"""Tiny organizations and plans, in few words.

A lab has one team above all others, `lab`, which is added where it is not given. A plan built here
states of itself what is true: break it with `model_copy` to see the checker refuse it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel

from gpu_opt.checker import reasons, statements, verify
from gpu_opt.checker.allocation import Granted, granted_of
from gpu_opt.checker.data import AllocationData, allocation_data
from gpu_opt.checker.goals import allocation_goals, lines, moved
from gpu_opt.checker.proof import UNITS
from gpu_opt.checker.reallocation import reallocation_goals, request_figures
from gpu_opt.checker.supplies import ReallocationData, reallocation_data
from gpu_opt.organization import (
    Delivery,
    GpuType,
    Organization,
    Policy,
    Pool,
    Project,
    Request,
    Team,
    content_hash,
)
from gpu_opt.plan import (
    Allocation,
    Basis,
    Cause,
    Donor,
    Goal,
    Grant,
    Handover,
    Move,
    Overrun,
    PoolOutcome,
    ProjectOutcome,
    Reallocation,
    Reason,
    RequestOutcome,
    Run,
    Status,
    Stop,
    Supply,
    TeamOutcome,
)

TODAY = dt.date(2026, 11, 23)
SPEEDS = {"h100": 1.0, "h200": 1.5, "gb200": 2.5, "mi355x": 1.9}
RUN = Run(
    organization_hash="",
    gpu_opt="0",
    pulp="0",
    cbc="0",
    numpy="0",
    python="0",
    platform="",
    time_limit=1,
    gap=0,
    threads=1,
    seed=0,
    seconds={"total": 0},
)
"""Nobody's run; a plan that is built says for which organization it is."""


def day(n: int) -> dt.date:
    """The day n days from today."""
    return TODAY + dt.timedelta(days=n)


def pool(name: str = "iowa", gpus: int = 16, unit: int = 1, gpu_type: str = "h100", site: str = "") -> Pool:
    return Pool(name=name, gpu_type=gpu_type, site=site or name, gpus=gpus, unit=unit)


def team(name: str, parent: str | None = "lab", **fields: Any) -> Team:
    return Team(name=name, parent=parent, **fields)


def root(**fields: Any) -> Team:
    return team("lab", parent=None, **fields)


def project(name: str, demand: float = 8, team: str = "lab", **fields: Any) -> Project:
    return Project(name=name, team=team, demand=demand, **fields)


def delivery(pool: str, gpus: int, on: int) -> Delivery:
    return Delivery(pool=pool, gpus=gpus, on=day(on))


def request(name: str, gpus: int = 4, team: str = "lab", by: int = 10, **fields: Any) -> Request:
    return Request(name=name, team=team, gpus=gpus, by=day(by), **fields)


def lab(
    pools: Sequence[Pool] = (pool(),),
    teams: Sequence[Team] = (),
    projects: Sequence[Project] = (),
    deliveries: Sequence[Delivery] = (),
    **policy: Any,
) -> Organization:
    """An organization as of `TODAY`; its GPU types are those of its pools and projects, at `SPEEDS`."""
    types = [pool.gpu_type for pool in pools] + [name for one in projects for name in one.speeds or ()]
    types += [name for one in teams for name in one.limits]
    has_root = any(one.parent is None for one in teams)
    return Organization(
        name="lab",
        as_of=TODAY,
        gpu_types={name: GpuType(vendor="some", speed=SPEEDS[name]) for name in types},
        pools=tuple(pools),
        deliveries=tuple(deliveries),
        teams=tuple(teams) if has_root else (root(), *teams),
        projects=tuple(projects),
        policy=Policy(**policy),
    )


def allocation(
    organization: Organization,
    gpus: Mapping[tuple[str, str], int],
    date: dt.date = TODAY,
    near: Sequence[Grant] | None = None,
) -> Allocation:
    """The plan that grants these GPUs, by project and pool; its goals are said to be proved."""
    data = allocation_data(organization, date)
    grants = tuple(Grant(project=name, pool=at, gpus=count) for (name, at), count in gpus.items())
    granted = granted_of(data, grants)
    goals = goals_stated(allocation_goals(data, granted.totals, granted.gpus, near))
    objective = sum(goal.value for goal in goals if goal.sense == "maximize")
    return Allocation(
        organization=organization.name,
        as_of=organization.as_of,
        date=date,
        status=Status.OPTIMAL,
        stop=Stop.PROVED,
        objective=objective,
        bound=objective,
        gap=0,
        goals=goals,
        grants=grants,
        near=None if near is None else tuple(near),
        moves=moves_of(data, granted),
        projects=project_outcomes(data, granted),
        teams=team_outcomes(data, granted),
        pools=pool_outcomes(data, granted),
        overruns=overruns_of(data, granted),
        run=run_for(organization),
    )


def run_for(organization: Organization) -> Run:
    return RUN.model_copy(update={"organization_hash": content_hash(organization)})


def goals_stated(values: Sequence[tuple[str, Fraction]]) -> tuple[Goal, ...]:
    def goal(name: str, value: float) -> Goal:
        sense: Literal["minimize", "maximize"] = "maximize" if name.startswith("value") else "minimize"
        return Goal(
            name=name,
            sense=sense,
            unit=UNITS[name.rstrip("0123456789").rstrip("_")],
            value=value,
            bound=value,
            gap=0,
            stop=Stop.PROVED,
            seconds=0,
        )

    return tuple(goal(name, float(value)) for name, value in values)


def moves_of(data: AllocationData, granted: Granted) -> tuple[Move, ...]:
    return tuple(
        Move(project=name, pool=at, gpus=gpus)
        for name, scope in data.scopes.items()
        for at, gpus in moved(scope, granted.gpus.get(name, {})).items()
    )


def project_outcomes(data: AllocationData, granted: Granted) -> tuple[ProjectOutcome, ...]:
    projects = {one.name: one for one in data.organization.projects}
    figures = statements.project_figures(data, granted)
    return tuple(
        ProjectOutcome(project=name, reason=reason_for(data, granted, projects[name]), **stated(fields))
        for name, fields in figures.items()
    )


def reason_for(data: AllocationData, granted: Granted, one: Project) -> Reason:
    """The first reason that can be the reason."""
    facts = [Cause.NOT_ACTIVE, Cause.NO_POOL, Cause.MET, Cause.MINIMUM_UNREACHABLE, Cause.POOLS_FULL]
    possible = [Reason(cause=cause, text="") for cause in facts]
    for name in data.budgets.paths[one.team]:
        decides = reasons.Case(data, granted, one, possible[0], proved=True).owner_above(name)
        possible += [
            Reason(cause=cause, text="", subject=name, basis=Basis.POLICY, owner=decides)
            for cause in (Cause.TEAM_CAP, Cause.TYPE_LIMIT)
        ]
    possible += [Reason(cause=Cause.ONE_POOL, text="", subject=at) for at in granted.gpus.get(one.name, {})]
    undecided = Reason(cause=Cause.UNPROVED, text="")
    return next(
        (each for each in possible if not reasons.wrong(reasons.Case(data, granted, one, each, proved=True))),
        undecided,
    )


def team_outcomes(data: AllocationData, granted: Granted) -> tuple[TeamOutcome, ...]:
    totals = granted.totals
    return tuple(
        TeamOutcome(
            team=name,
            **stated(fields),
            promised=float(data.promised[name]),
            granted=totals.compute[name] / 1000,
            shortfall=float(
                data.promised[name] - Fraction(totals.compute[name], 1000)
                if Fraction(totals.compute[name], 1000) < data.targets[name]
                else 0
            ),
            by_type={of: gpus for (at, of), gpus in totals.of_type.items() if at == name},
        )
        for name, fields in statements.team_figures(data).items()
    )


def pool_outcomes(data: AllocationData, granted: Granted) -> tuple[PoolOutcome, ...]:
    figures = statements.pool_figures(data, granted)
    return tuple(PoolOutcome(pool=name, **stated(fields)) for name, fields in figures.items())


def overruns_of(data: AllocationData, granted: Granted) -> tuple[Overrun, ...]:
    over = [line for line in lines(data, granted.totals) if line.after > line.limit]
    return tuple(
        Overrun.model_validate(
            {
                "rule": line.rule,
                "subject": line.subject,
                "gpu_type": line.gpu_type,
                "before": float(line.before),
                "after": float(line.after),
                "limit": float(line.limit),
            }
        )
        for line in over
    )


def stated(fields: Mapping[str, object]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, Fraction) else value for name, value in fields.items()}


def handover(
    organization: Organization,
    request: Request,
    donor: str,
    gpus: int,
    pool: str = "iowa",
    free: int = 0,
    on: int | None = None,
) -> Handover:
    """GPUs from a project that ends, or from "idle" or "delivery", handed over when free unless `on` says."""
    donors = {one.name: one for one in organization.projects}
    return Handover(
        request=request.name,
        team=request.team,
        donor=Donor.RELEASE if donor in donors else Donor(donor),
        project=donor if donor in donors else None,
        donor_team=donors[donor].team if donor in donors else None,
        pool=pool,
        gpus=gpus,
        free_on=day(free),
        on=day(free if on is None else on),
    )


def reallocation(
    organization: Organization, requests: Sequence[Request], handovers: Sequence[Handover], until: int = 30
) -> Reallocation:
    """The plan with these handovers; its goals are said to be proved."""
    data = reallocation_data(organization, requests, day(until))
    goals = goals_stated(reallocation_goals(data, handovers))
    cost = next(goal.value for goal in goals if goal.name == "cost")
    plan = Reallocation(
        organization=organization.name,
        as_of=organization.as_of,
        until=day(until),
        status=Status.OPTIMAL,
        stop=Stop.PROVED,
        goals=goals,
        objective=cost,
        bound=cost,
        gap=0,
        asked=tuple(requests),
        supplies=supplies_of(data),
        handovers=tuple(handovers),
        requests=(),
        run=run_for(organization),
    )
    figures = request_figures(data, plan)
    outcomes = tuple(
        RequestOutcome(request=name, text="", **stated(fields)) for name, fields in figures.items()
    )
    return plan.model_copy(update={"requests": outcomes})


def supplies_of(data: ReallocationData) -> tuple[Supply, ...]:
    return tuple(
        Supply(
            donor=source.donor,
            project=source.project,
            team=None if source.project is None else data.team_of[source.project],
            pool=source.pool,
            gpus=gpus,
            on=source.on,
        )
        for source, gpus in data.supplies.items()
    )


def changed[R: BaseModel](record: R, **fields: Any) -> R:
    """The same record but for these fields; it need no longer be true."""
    return record.model_copy(update=fields)


def refused_by(organization: Organization, plan: Allocation | Reallocation) -> set[str]:
    """The rules that the plan breaks, by name."""
    return {violation.rule for violation in verify(organization, plan)}


def refusals(organization: Organization, asked: Sequence[Request], *handovers: Handover) -> set[str]:
    """The rules that a reallocation with these handovers breaks, by name."""
    return refused_by(organization, reallocation(organization, asked, handovers))
