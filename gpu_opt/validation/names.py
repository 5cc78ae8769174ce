"""Rules on names: every one is given once, and every reference has its target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpu_opt.errors import Problem
from gpu_opt.organization import Pool, Project, Team
from gpu_opt.validation.facts import Facts
from gpu_opt.validation.wording import error, listed, unknown


def duplicate_names(facts: Facts) -> Iterator[Problem]:
    """Error: two pools, two teams or two projects of one name."""
    organization = facts.organization
    sections: tuple[tuple[str, Sequence[Pool | Team | Project]], ...] = (
        ("pools", organization.pools),
        ("teams", organization.teams),
        ("projects", organization.projects),
    )
    for section, records in sections:
        first: dict[str, int] = {}
        for i, record in enumerate(records):
            if first.setdefault(record.name, i) != i:
                bearer = f"{section}[{first[record.name]}]"
                yield error(
                    f"{section}[{i}].name", f"{record.name!r} is the name of {bearer} already; rename one"
                )


def unknown_gpu_types(facts: Facts) -> Iterator[Problem]:
    """Error: a pool, a limit or a project's speed of a GPU type that is not described."""
    organization = facts.organization
    word = unknown("GPU type", organization.gpu_types)
    for i, pool in enumerate(organization.pools):
        if pool.gpu_type not in organization.gpu_types:
            yield error(f"pools[{i}].gpu_type", word(pool.gpu_type))
    for i, team in enumerate(organization.teams):
        for name in team.limits:
            if name not in organization.gpu_types:
                yield error(f"teams[{i}].limits.{name}", word(name))
    for i, project in enumerate(organization.projects):
        for name in project.speeds or ():
            if name not in organization.gpu_types:
                yield error(f"projects[{i}].speeds.{name}", word(name))


def unknown_pools(facts: Facts) -> Iterator[Problem]:
    """Error: a delivery to, a holding in, or a project's pool that does not exist."""
    word = unknown("pool", facts.pools)
    for i, delivery in enumerate(facts.organization.deliveries):
        if delivery.pool not in facts.pools:
            yield error(f"deliveries[{i}].pool", word(delivery.pool))
    for i, project in enumerate(facts.organization.projects):
        for name in project.holds:
            if name not in facts.pools:
                yield error(f"projects[{i}].holds.{name}", word(name))
        for k, name in enumerate(project.pools or ()):
            if name not in facts.pools:
                yield error(f"projects[{i}].pools[{k}]", word(name))


def unknown_teams(facts: Facts) -> Iterator[Problem]:
    """Error: a parent, or a project's team, that does not exist. Without any team see `no_team`."""
    word = unknown("team", facts.teams)
    for i, team in enumerate(facts.organization.teams):
        if team.parent is not None and team.parent not in facts.teams:
            yield error(f"teams[{i}].parent", word(team.parent))
    if facts.teams:
        for i, project in enumerate(facts.organization.projects):
            if project.team not in facts.teams:
                yield error(f"projects[{i}].team", word(project.team))


def unknown_sites(facts: Facts) -> Iterator[Problem]:
    """Error: a project's site at which there is no pool."""
    known = dict.fromkeys(pool.site for pool in facts.organization.pools)
    word = unknown("site", known)
    for i, project in enumerate(facts.organization.projects):
        for k, site in enumerate(project.sites or ()):
            if site not in known:
                yield error(f"projects[{i}].sites[{k}]", word(site))


def no_team(facts: Facts) -> Iterator[Problem]:
    """Error: projects, but no team that they could belong to."""
    if facts.organization.projects and not facts.teams:
        yield error("teams", "there are projects but no teams; add the teams that they belong to")


def several_roots(facts: Facts) -> Iterator[Problem]:
    """Error: more than one team without a parent."""
    roots = [i for i in facts.teams.values() if facts.organization.teams[i].parent is None]
    if len(roots) > 1:
        names = [facts.organization.teams[i].name for i in roots]
        message = f"{len(roots)} teams have no parent: {listed(names)}; give all but one a parent"
        yield error(f"teams[{roots[1]}].parent", message)


def team_cycles(facts: Facts) -> Iterator[Problem]:
    """Error: a team that is above itself."""
    seen = set(facts.sound)
    for start in facts.teams.values():
        path: list[int] = []
        at: int | None = start
        while at is not None and at not in seen:
            seen.add(at)
            path.append(at)
            at = facts.parents[at]
        if at in path:
            cycle = path[path.index(at) :]
            first = cycle.index(min(cycle))
            names = [facts.organization.teams[i].name for i in (*cycle[first:], *cycle[: first + 1])]
            way = " -> ".join(names if len(names) <= 12 else [*names[:6], "...", *names[-5:]])
            yield error(
                f"teams[{min(cycle)}].parent", f"{way} is a cycle; give one of these teams another parent"
            )
