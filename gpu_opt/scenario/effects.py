"""What each kind of change does to an organization: one pure function each.

A function may rely on the names in its change: they exist. It returns the changed organization, or
raises :class:`~gpu_opt.scenario.records.Misfit` where the change does not apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from gpu_opt.organization import Limit, Organization, Policy, Project, Team, runs_in
from gpu_opt.scenario import changes
from gpu_opt.scenario.pool_effects import (
    add_delivery,
    add_pool,
    delay_delivery,
    delay_pool,
    delay_site,
    lose_delivery,
    lose_pool,
    lose_site,
)
from gpu_opt.scenario.records import Misfit, plain, require_new, updated


def add_project(organization: Organization, change: changes.AddProject) -> Organization:
    """Append the project."""
    require_new("project", change.name, (project.name for project in organization.projects))
    return updated(organization, projects=(*organization.projects, plain(change, Project)))


def end_project(organization: Organization, change: changes.EndProject) -> Organization:
    """Set its end; its holdings are free if that has come. One that never begins is left out."""
    project, on = _project(organization, change.project), change.on or organization.as_of
    if project.ends is not None and project.ends <= on:
        raise Misfit("on" if change.on else "project", f"{project.name!r} ends on {project.ends} already")
    if project.starts is not None and on <= project.starts and organization.as_of < project.starts:
        rest = tuple(one for one in organization.projects if one is not project)
        return updated(organization, projects=rest)
    if on < organization.as_of:
        raise Misfit("on", f"{on} is before {organization.as_of}, the day that the organization describes")
    holds = {} if on <= organization.as_of else project.holds
    return _replace_project(organization, project, ends=on, holds=holds)


def resize_project(organization: Organization, change: changes.ResizeProject) -> Organization:
    """Set its demand, its minimum, or both."""
    return _update_project(organization, change, ("demand", "minimum"))


def reprioritize_project(organization: Organization, change: changes.ReprioritizeProject) -> Organization:
    """Set its tier, its priority, or both."""
    return _update_project(organization, change, ("tier", "priority"))


def pin_project(organization: Organization, change: changes.PinProject) -> Organization:
    """Pin what it holds, or let it go."""
    project = _project(organization, change.project)
    if change.pinned and not any(project.holds.values()):
        raise Misfit("project", f"{project.name!r} holds nothing that could be pinned")
    return _replace_project(organization, project, pinned=change.pinned)


def allow(organization: Organization, change: changes.Allow) -> Organization:
    """Add the pool, type or site to those that the project names."""
    field, name = _place(change)
    if change.speed is not None and field != "gpu_type":
        raise Misfit("speed", "a speed is that on a GPU type; state gpu_type")
    project = _project(organization, change.project)
    named = {"pool": project.pools, "gpu_type": project.speeds, "site": project.sites}[field]
    if named is None or name in named:
        raise Misfit(field, f"{project.name!r} may run there as it is")
    if isinstance(named, dict):
        speed = change.speed or organization.gpu_types[name].speed
        return _replace_project(organization, project, speeds=named | {name: speed})
    return _replace_project(organization, project, **{f"{field}s": (*named, name)})


def forbid(organization: Organization, change: changes.Forbid) -> Organization:
    """Leave the project the pools that are not forbidden, and what it holds in them."""
    field, name = _place(change)
    project = _project(organization, change.project)
    open_to = [pool for pool in organization.pools if runs_in(project, pool)]
    left = [
        pool.name
        for pool in open_to
        if name != {"pool": pool.name, "gpu_type": pool.gpu_type, "site": pool.site}[field]
    ]
    if len(left) == len(open_to):
        raise Misfit(field, f"{project.name!r} cannot run there as it is")
    holds = {pool: gpus for pool, gpus in project.holds.items() if pool in left}
    return _replace_project(organization, project, pools=tuple(left), holds=holds)


def _place(change: changes.Allow | changes.Forbid) -> tuple[str, str]:
    """The field that says where, and the name in it."""
    places = {"pool": change.pool, "gpu_type": change.gpu_type, "site": change.site}
    stated = [(field, name) for field, name in places.items() if name is not None]
    if len(stated) != 1:
        raise Misfit("", f"states {len(stated)} of pool, gpu_type and site; state one of them")
    return stated[0]


def set_guarantee(organization: Organization, change: changes.SetGuarantee) -> Organization:
    """Set what the team is promised."""
    return _replace_team(organization, change.team, guarantee=change.guarantee)


def set_cap(organization: Organization, change: changes.SetCap) -> Organization:
    """Set what the team may have."""
    return _replace_team(organization, change.team, cap=change.cap)


def set_limit(organization: Organization, change: changes.SetLimit) -> Organization:
    """Set what the team may have of the type, or lift the limit."""
    team = next(team for team in organization.teams if team.name == change.team)
    limits = {name: limit for name, limit in team.limits.items() if name != change.gpu_type}
    if change.cap is not None:
        limits[change.gpu_type] = Limit(cap=change.cap)
    elif change.gpu_type not in team.limits:
        raise Misfit("gpu_type", f"{team.name!r} has no limit on {change.gpu_type!r} that could be lifted")
    return _replace_team(organization, change.team, limits=limits)


def set_policy(organization: Organization, change: changes.SetPolicy) -> Organization:
    """Set the fields that are stated."""
    stated = {field: getattr(change, field) for field in change.model_fields_set - {"change"}}
    if not stated:
        raise Misfit("", f"states nothing; state one of {', '.join(Policy.model_fields)}")
    return updated(organization, policy=updated(organization.policy, **stated))


def move_date(organization: Organization, change: changes.MoveDate) -> Organization:
    """Let the days pass: deliveries are in their pools, and projects that have ended hold nothing."""
    if change.to < organization.as_of:
        raise Misfit("to", f"{change.to} is before {organization.as_of}, the day of the organization")
    come: Counter[str] = Counter()
    for delivery in organization.deliveries:
        if delivery.on <= change.to:
            come[delivery.pool] += delivery.gpus
    return updated(
        organization,
        as_of=change.to,
        pools=tuple(updated(pool, gpus=pool.gpus + come[pool.name]) for pool in organization.pools),
        deliveries=tuple(one for one in organization.deliveries if one.on > change.to),
        projects=tuple(
            updated(one, holds={}) if one.holds and one.ends is not None and one.ends <= change.to else one
            for one in organization.projects
        ),
    )


EFFECTS: dict[str, Callable[[Organization, Any], Organization]] = {
    effect.__name__: effect
    for effect in (
        add_project,
        end_project,
        resize_project,
        reprioritize_project,
        pin_project,
        allow,
        forbid,
        set_guarantee,
        set_cap,
        set_limit,
        add_delivery,
        delay_delivery,
        lose_delivery,
        add_pool,
        delay_pool,
        lose_pool,
        delay_site,
        lose_site,
        set_policy,
        move_date,
    )
}
"""By the name of the change."""


def _project(organization: Organization, name: str) -> Project:
    return next(project for project in organization.projects if project.name == name)


def _replace_project(organization: Organization, project: Project, **fields: Any) -> Organization:
    changed = updated(project, **fields)
    return updated(
        organization, projects=tuple(changed if p is project else p for p in organization.projects)
    )


def _update_project(organization: Organization, change: Any, fields: tuple[str, ...]) -> Organization:
    stated = {field: getattr(change, field) for field in fields if getattr(change, field) is not None}
    if not stated:
        raise Misfit("", f"states nothing; state {' or '.join(fields)}, or both")
    return _replace_project(organization, _project(organization, change.project), **stated)


def _replace_team(organization: Organization, name: str, **fields: Any) -> Organization:
    def changed(team: Team) -> Team:
        return updated(team, **fields) if team.name == name else team

    return updated(organization, teams=tuple(changed(team) for team in organization.teams))
