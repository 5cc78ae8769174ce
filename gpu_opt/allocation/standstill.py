"""Why a project is granted nothing whatever the others do: it is not active, or can never run."""

from __future__ import annotations

from fractions import Fraction

from gpu_opt.allocation.sentences import Speech
from gpu_opt.budgets import Budgets
from gpu_opt.instance import Instance
from gpu_opt.organization import Organization, Pool, Project, exact, runs_in
from gpu_opt.plan import Basis, Cause, Reason
from gpu_opt.validation.wording import number


def never_active(instance: Instance, project: Project) -> Reason:
    """Why a project wants nothing on the date."""
    if project.starts is not None and project.starts > instance.date:
        return Reason(cause=Cause.NOT_ACTIVE, text=f"starts only on {project.starts}")
    return Reason(cause=Cause.NOT_ACTIVE, text=f"ended on {project.ends}")


def never_runs(organization: Organization, budgets: Budgets, speech: Speech, project: Project) -> Reason:
    """Why an active project has no arcs: facts first, then the cap or the limit that leaves too little."""
    where = [pool for pool in organization.pools if runs_in(project, pool)]
    if not where:
        return Reason(cause=Cause.NO_POOL, text="no pool has a GPU type and a site where it runs")
    pick = max if project.one_pool else sum
    speeds = {pool.gpu_type: _speed(organization, project, pool) for pool in where}
    whole = [budgets.gpus[pool.name] // pool.unit * pool.unit * speeds[pool.gpu_type] for pool in where]
    reach = pick(whole)
    least = exact(project.minimum)
    if not reach:
        return Reason(cause=Cause.NO_POOL, text="where it runs there are no GPUs")
    if reach < least:
        told = (
            f"its minimum of {number(project.minimum)} is more than the pools where it runs could ever give"
        )
        return Reason(cause=Cause.MINIMUM_UNREACHABLE, text=told)
    counted = least * min(budgets.speed[kind] / own for kind, own in speeds.items())
    for team in budgets.chain(project.team):
        if team in budgets.cap and budgets.cap[team] < counted:
            cap = f"the cap of {team}, {number(float(budgets.cap[team]))},"
            told = f"{cap} is below its minimum of {number(project.minimum)}"
            return _policy(Cause.TEAM_CAP, told, team, speech)
    limits = [
        (budgets.limit[team, kind], team, kind)
        for team in budgets.chain(project.team)
        for kind in speeds
        if (team, kind) in budgets.limit
    ]
    least_limit, team, kind = min(limits)
    wanted = f"its minimum of {number(project.minimum)}" if least else "one unit"
    told = f"limits leave less than {wanted}: {team} may have {int(least_limit):,} {kind}"
    return _policy(Cause.TYPE_LIMIT, told, team, speech)


def _policy(cause: Cause, told: str, team: str, speech: Speech) -> Reason:
    return Reason(cause=cause, text=told, subject=team, basis=Basis.POLICY, owner=speech.owner_above(team))


def _speed(organization: Organization, project: Project, pool: Pool) -> Fraction:
    if project.speeds is None:
        return exact(organization.gpu_types[pool.gpu_type].speed)
    return exact(project.speeds[pool.gpu_type])
