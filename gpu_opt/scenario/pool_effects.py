"""What changes of deliveries, pools and sites do to an organization; the contract is that of `effects`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set as AbstractSet

from gpu_opt.organization import Delivery, Organization, Pool
from gpu_opt.scenario import changes
from gpu_opt.scenario.records import Misfit, plain, require_new, updated


def add_delivery(organization: Organization, change: changes.AddDelivery) -> Organization:
    """Append the delivery."""
    return updated(organization, deliveries=(*organization.deliveries, plain(change, Delivery)))


def delay_delivery(organization: Organization, change: changes.DelayDelivery) -> Organization:
    """Let the delivery come on another day."""
    planned = _delivery(organization, change.pool, change.on)
    moved = updated(planned, on=change.to)
    deliveries = tuple(moved if one is planned else one for one in organization.deliveries)
    return updated(organization, deliveries=deliveries)


def lose_delivery(organization: Organization, change: changes.LoseDelivery) -> Organization:
    """Leave the delivery out."""
    planned = _delivery(organization, change.pool, change.on)
    return updated(
        organization, deliveries=tuple(one for one in organization.deliveries if one is not planned)
    )


def _delivery(organization: Organization, pool: str, on: dt.date | None) -> Delivery:
    """The one delivery that is meant."""
    to_pool = [one for one in organization.deliveries if one.pool == pool]
    meant = [one for one in to_pool if on is None or one.on == on]
    if len(meant) == 1:
        return meant[0]
    planned = ", ".join(str(day) for day in sorted({one.on for one in to_pool}))
    if not to_pool:
        raise Misfit("pool", f"no delivery to {pool!r} is planned")
    if not meant:
        raise Misfit("on", f"no delivery to {pool!r} on {on}; planned: {planned}")
    if on is None:
        raise Misfit("on", f"{len(meant)} deliveries to {pool!r} are planned; say which: {planned}")
    raise Misfit("on", f"{len(meant)} deliveries to {pool!r} are planned on {on}: make them one")


def add_pool(organization: Organization, change: changes.AddPool) -> Organization:
    """Append the pool."""
    require_new("pool", change.name, (pool.name for pool in organization.pools))
    return updated(organization, pools=(*organization.pools, plain(change, Pool)))


def delay_pool(organization: Organization, change: changes.DelayPool) -> Organization:
    """Let the pool's GPUs, and what is delivered before the day, come on the day."""
    return _delay(organization, {change.pool}, change.to)


def delay_site(organization: Organization, change: changes.DelaySite) -> Organization:
    """Delay every pool of the site."""
    return _delay(organization, _pools_at(organization, change.site), change.to)


def _delay(organization: Organization, pools: AbstractSet[str], to: dt.date) -> Organization:
    if to <= organization.as_of:
        raise Misfit("to", f"{to} is not after {organization.as_of}, the day that the organization describes")
    there = [pool for pool in organization.pools if pool.name in pools and pool.gpus]
    later = [
        updated(one, on=max(one.on, to)) if one.pool in pools else one for one in organization.deliveries
    ]
    later += [Delivery(pool=pool.name, gpus=pool.gpus, on=to) for pool in there]
    return updated(_emptied(organization, pools), deliveries=tuple(later))


def lose_pool(organization: Organization, change: changes.LosePool) -> Organization:
    """Empty the pool, for good."""
    return _lose(organization, {change.pool})


def lose_site(organization: Organization, change: changes.LoseSite) -> Organization:
    """Empty every pool of the site, for good."""
    return _lose(organization, _pools_at(organization, change.site))


def _lose(organization: Organization, pools: AbstractSet[str]) -> Organization:
    deliveries = tuple(one for one in organization.deliveries if one.pool not in pools)
    return updated(_emptied(organization, pools), deliveries=deliveries)


def _pools_at(organization: Organization, site: str) -> set[str]:
    return {pool.name for pool in organization.pools if pool.site == site}


def _emptied(organization: Organization, pools: AbstractSet[str]) -> Organization:
    """Without the GPUs of the pools and what is held there; the pools' names stay known."""
    return updated(
        organization,
        pools=tuple(updated(pool, gpus=0) if pool.name in pools else pool for pool in organization.pools),
        projects=tuple(
            updated(project, holds={name: gpus for name, gpus in project.holds.items() if name not in pools})
            if not pools.isdisjoint(project.holds)
            else project
            for project in organization.projects
        ),
    )
