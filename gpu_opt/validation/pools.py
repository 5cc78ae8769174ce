"""Rules on what there is: pools, deliveries, and what is held of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gpu_opt.errors import Problem
from gpu_opt.validation.facts import Facts, active, holdings
from gpu_opt.validation.wording import error, number, warning


def units_do_not_divide(facts: Facts) -> Iterator[Problem]:
    """Error: GPUs of a pool, of a delivery or of a holding that are not whole allocation units."""
    for i, pool in enumerate(facts.organization.pools):
        if pool.gpus % pool.unit:
            yield error(f"pools[{i}].gpus", _not_whole(pool.gpus, pool.unit, pool.name))
    for i, delivery in enumerate(facts.organization.deliveries):
        target = facts.pools.get(delivery.pool)
        if target and delivery.gpus % target.unit:
            yield error(f"deliveries[{i}].gpus", _not_whole(delivery.gpus, target.unit, target.name))
    for i, project in enumerate(facts.organization.projects):
        for name, gpus in project.holds.items():
            held = facts.pools.get(name)
            if held and gpus % held.unit:
                yield error(f"projects[{i}].holds.{name}", _not_whole(gpus, held.unit, name))


def _not_whole(gpus: int, unit: int, pool: str) -> str:
    below = gpus // unit * unit
    nearest = f"{number(below)} or {number(below + unit)}" if below else number(unit)
    wrong = f"{number(gpus)} GPUs are not a multiple of {number(unit)}, the unit of pool {pool!r}"
    return f"{wrong}; write {nearest}"


def empty_pools(facts: Facts) -> Iterator[Problem]:
    """Warning: a pool that has no GPUs and gets none."""
    delivered = {delivery.pool for delivery in facts.organization.deliveries}
    for i, pool in enumerate(facts.organization.pools):
        if not pool.gpus and pool.name not in delivered:
            yield warning(
                f"pools[{i}].gpus", "has no GPUs, and none are delivered; add a delivery or remove the pool"
            )


def past_deliveries(facts: Facts) -> Iterator[Problem]:
    """Warning: a delivery on or before the organization's date, which may have been counted already."""
    as_of = facts.organization.as_of
    for i, delivery in enumerate(facts.organization.deliveries):
        if delivery.on <= as_of:
            added = (
                f"{delivery.on} is not after {as_of}: its GPUs are added to those of pool {delivery.pool!r}"
            )
            yield warning(f"deliveries[{i}].on", f"{added}; remove it if they are counted there already")


def holdings_above_pool(facts: Facts) -> Iterator[Problem]:
    """Warning: more held of a pool, by projects that run today, than it has."""
    organization = facts.organization
    held: Counter[str] = Counter()
    for project in organization.projects:
        if active(project, organization.as_of):
            held.update(project.holds)
    has: Counter[str] = Counter()
    for delivery in organization.deliveries:
        if delivery.on <= organization.as_of:
            has[delivery.pool] += delivery.gpus
    for i, pool in enumerate(organization.pools):
        excess = held[pool.name] - pool.gpus - has[pool.name]
        if excess > 0 and facts.pools[pool.name] is pool:
            too_many = (
                f"projects hold {number(held[pool.name])} GPUs, {number(excess)} more than the pool has"
            )
            mend = "the plan brings them back as far as pins and max_moves allow; correct what is wrong"
            yield warning(f"pools[{i}].gpus", f"{too_many}: {mend}")


def impossible_holdings(facts: Facts) -> Iterator[Problem]:
    """Error: a holding in a pool where the project says that it cannot run."""
    known_sites = {pool.site for pool in facts.organization.pools}
    for i, project in enumerate(facts.organization.projects):
        types_known = (
            project.speeds is not None and project.speeds.keys() <= facts.organization.gpu_types.keys()
        )
        sites_known = project.sites is not None and known_sites.issuperset(project.sites)
        pools_known = project.pools is not None and facts.pools.keys() >= set(project.pools)
        for name in holdings(facts, project):
            pool = facts.pools[name]
            if types_known and pool.gpu_type not in (project.speeds or ()):
                yield error(f"projects[{i}].holds.{name}", _impossible("of type", pool.gpu_type, "speeds"))
            if sites_known and pool.site not in (project.sites or ()):
                yield error(f"projects[{i}].holds.{name}", _impossible("at", pool.site, "sites"))
            if pools_known and name not in (project.pools or ()):
                yield error(f"projects[{i}].holds.{name}", _impossible("in pool", name, "pools"))


def _impossible(which: str, name: str, field: str) -> str:
    wrong = f"it holds GPUs {which} {name!r}, which its {field} do not name"
    return f"{wrong}; add {name!r} to them, or remove the holding"
