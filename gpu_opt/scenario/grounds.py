"""Because of which change: how the changes of a scenario reach the projects that gain or lose.

A change reaches the projects that it is about, those of the teams and in the pools that it is about, and
from them, pool by pool, those that gain or lose GPUs in the same pool. Which of several changes would have
been enough is another question: leave one out and ask again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpu_opt.organization import Organization
from gpu_opt.plan import Comparison, Ground, Link, ProjectDifference
from gpu_opt.scenario.application import Touched

ORDER = list(Link)
"""The most direct link first: a change is named once for a project, by this one."""


def with_grounds(comparison: Comparison, after: Organization, touched: Sequence[Touched]) -> Comparison:
    """The comparison, its projects with the changes that reach them; `touched`: what each one touched."""
    parents = {team.name: team.parent for team in after.teams}
    reached = {
        one.project: {ground.change: ground for ground in _direct(one, parents, touched)}
        for one in comparison.projects
    }
    _spread(comparison.projects, reached)
    projects = []
    for one in comparison.projects:
        grounds = reached[one.project] or dict(enumerate(_everybodys(touched)))
        ordered = sorted(grounds.values(), key=lambda ground: (ORDER.index(ground.link), ground.change))
        projects.append(one.model_copy(update={"grounds": tuple(ordered)}))
    return comparison.model_copy(update={"projects": tuple(projects)})


def _direct(
    one: ProjectDifference, parents: dict[str, str | None], touched: Sequence[Touched]
) -> Iterator[Ground]:
    """The changes about the project, about its team or one above it, or about a pool where it differs."""
    chain, team = [], one.team if one.team in parents else None
    while team is not None:
        chain.append(team)
        team = parents[team]
    about = [("projects", one.project, Link.PROJECT)]
    about += [("teams", name, Link.TEAM) for name in chain]
    about += [("pools", name, Link.POOL) for name in one.by_pool]
    for place, things in enumerate(touched):
        found = [(link, name) for section, name, link in about if (section, name) in things]
        if found:
            link, subject = found[0]
            yield Ground(change=place, link=link, subject=subject)


def _spread(projects: Sequence[ProjectDifference], reached: dict[str, dict[int, Ground]]) -> None:
    """Pass changes on from project to project, through the pools in which both gain or lose."""
    in_pool: dict[str, list[str]] = {}
    for one in projects:
        for pool in one.by_pool:
            in_pool.setdefault(pool, []).append(one.project)
    pools = {one.project: tuple(one.by_pool) for one in projects}
    waiting = [name for name, changes in reached.items() if changes]
    while waiting:
        name = waiting.pop(0)
        for pool in pools[name]:
            for other in in_pool[pool]:
                new = reached[name].keys() - reached[other].keys()
                for change in new:
                    reached[other][change] = Ground(change=change, link=Link.KNOCK_ON, subject=pool)
                if new:
                    waiting.append(other)


def _everybodys(touched: Sequence[Touched]) -> Iterator[Ground]:
    """The changes that may reach a project that no other link leads to."""
    for place, things in enumerate(touched):
        if ("policy", "") in things:
            yield Ground(change=place, link=Link.POLICY, subject="")
        elif ("as_of", "") in things:
            yield Ground(change=place, link=Link.DATE, subject="")
        elif len(touched) == 1:
            yield Ground(change=place, link=Link.KNOCK_ON, subject="")
