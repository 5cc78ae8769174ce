"""Rules on single projects: what they ask for, when, and where they can run."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

from gpu_opt.errors import Problem
from gpu_opt.organization import Project, exact, runs_in
from gpu_opt.validation.facts import Facts, active, holdings
from gpu_opt.validation.wording import error, listed, number, warning


def minimum_above_demand(facts: Facts) -> Iterator[Problem]:
    """Error: a project that wants nothing below more than it asks for."""
    for i, project in enumerate(facts.organization.projects):
        if project.minimum > project.demand:
            comparison = f"the minimum {number(project.minimum)} is above the demand {number(project.demand)}"
            yield error(f"projects[{i}].minimum", f"{comparison}; lower it, or raise the demand")


def ends_before_it_starts(facts: Facts) -> Iterator[Problem]:
    """Error: a project whose end is not after its start."""
    for i, project in enumerate(facts.organization.projects):
        if project.starts and project.ends and project.ends <= project.starts:
            comparison = f"the end {project.ends} is not after the start {project.starts}"
            yield error(f"projects[{i}].ends", f"{comparison}; correct one of them")


def demand_of_nothing(facts: Facts) -> Iterator[Problem]:
    """Warning: a project that asks for nothing."""
    for i, project in enumerate(facts.organization.projects):
        if not project.demand:
            yield warning(
                f"projects[{i}].demand", "it asks for nothing; give it a demand or remove the project"
            )


def ended_with_holdings(facts: Facts) -> Iterator[Problem]:
    """Warning: a project that has ended and still holds GPUs."""
    as_of = facts.organization.as_of
    for i, project in enumerate(facts.organization.projects):
        held = sum(project.holds.values())
        if held and project.ends and project.ends <= as_of:
            counted = f"it ended on {project.ends}, and the {number(held)} GPUs that it holds count as free"
            yield warning(f"projects[{i}].ends", f"{counted}; give it a later end if it needs them")


def not_started_with_holdings(facts: Facts) -> Iterator[Problem]:
    """Warning: a project that holds GPUs before it starts; one that is pinned has a warning of its own."""
    as_of = facts.organization.as_of
    for i, project in enumerate(facts.organization.projects):
        held = sum(project.holds.values())
        if held and not project.pinned and project.starts and project.starts > as_of:
            counted = f"it starts on {project.starts}, and until then the {number(held)} GPUs that it holds"
            yield warning(
                f"projects[{i}].starts", f"{counted} count as free; give it an earlier start to keep them"
            )


def pinned_before_it_starts(facts: Facts) -> Iterator[Problem]:
    """Warning: a project whose holdings are pinned before it starts, so that the pin keeps nothing yet."""
    as_of = facts.organization.as_of
    for i, project in enumerate(facts.organization.projects):
        held = sum(project.holds.values())
        if held and project.pinned and project.starts and project.starts > as_of:
            idle = f"until it starts on {project.starts} its pin keeps nothing"
            free = f"the {number(held)} GPUs that it holds count as free"
            remedy = "give it an earlier start to keep them, or write false"
            yield warning(f"projects[{i}].pinned", f"{idle}, and {free}; {remedy}")


def below_minimum(facts: Facts) -> Iterator[Problem]:
    """Warning: a project that runs today on less than its minimum."""
    for i, project in enumerate(facts.organization.projects):
        if project.minimum and project.holds and active(project, facts.organization.as_of):
            held = holdings(facts, project)
            all_known = len(held) == sum(1 for gpus in project.holds.values() if gpus)
            compute = sum((gpus * _speed(facts, project, name) for name, gpus in held.items()), Fraction())
            if held and all_known and compute < exact(project.minimum):
                held_now = f"it holds {number(compute)} reference GPUs"
                comparison = f"{held_now}, less than its minimum {number(project.minimum)}"
                yield warning(
                    f"projects[{i}].minimum", f"{comparison}; lower the minimum if that is enough for it"
                )


def _speed(facts: Facts, project: Project, pool: str) -> Fraction:
    gpu_type = facts.pools[pool].gpu_type
    return exact((project.speeds or {}).get(gpu_type, facts.organization.gpu_types[gpu_type].speed))


def one_pool_in_several(facts: Facts) -> Iterator[Problem]:
    """Warning: a one-pool project that holds GPUs in several pools."""
    for i, project in enumerate(facts.organization.projects):
        held = [name for name, gpus in project.holds.items() if gpus]
        if project.one_pool and len(held) > 1:
            spread = f"it is to run in one pool but holds GPUs in {listed(held)}"
            yield warning(
                f"projects[{i}].one_pool", f"{spread}; it may stay there, but write false if it may spread"
            )


def pinned_without_holdings(facts: Facts) -> Iterator[Problem]:
    """Warning: a pinned project that holds nothing."""
    for i, project in enumerate(facts.organization.projects):
        if project.pinned and not any(project.holds.values()):
            yield warning(
                f"projects[{i}].holds", "it is pinned but holds nothing; add its holdings, or do not pin it"
            )


def can_run_nowhere(facts: Facts) -> Iterator[Problem]:
    """Warning: a project for which there is no pool of its GPU types at its sites, among its pools."""
    if not facts.fleet_known:
        return
    pools = facts.organization.pools
    types = dict.fromkeys(pool.gpu_type for pool in pools)
    sites = dict.fromkeys(pool.site for pool in pools)
    places = {(pool.gpu_type, pool.site) for pool in pools}
    for i, project in enumerate(facts.organization.projects):
        own_types = types if project.speeds is None else project.speeds
        own_sites = sites if project.sites is None else project.sites
        known = facts.organization.gpu_types.keys() >= own_types.keys() and all(
            site in sites for site in own_sites
        )
        if known and not any((gpu_type, site) in places for gpu_type in own_types for site in own_sites):
            yield warning(f"projects[{i}]", _nowhere(own_types, own_sites))
        elif known and project.pools is not None and facts.pools.keys() >= set(project.pools):
            named = [facts.pools[name] for name in project.pools]
            if not any(runs_in(project, pool) for pool in named):
                reason = "none of its pools has a GPU type and a site where it runs"
                yield warning(f"projects[{i}]", f"it can run nowhere: {reason}; extend its pools")


def _nowhere(types: Collection[str], sites: Collection[str]) -> str:
    if not (types and sites):
        return "it can run nowhere: no GPU type, or no site, is left to it; add pools, speeds or sites"
    which = f"no pool has GPUs of type {' or '.join(map(repr, types))} at {' or '.join(map(repr, sites))}"
    return f"it can run nowhere: {which}; add a pool, or extend its speeds or sites"
