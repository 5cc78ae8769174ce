"""What follows from one project and the budgets alone: the section "Data" of ``models/allocation.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gpu_opt.budgets import Budgets
from gpu_opt.instance import MILLI
from gpu_opt.organization import Organization, Pool, Project, exact, runs_in


@lru_cache(maxsize=1 << 16)
def milli(compute: float) -> int:
    """Compute with at most three decimals, in milli-compute; exact."""
    return int(exact(compute) * MILLI)


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from one project and the budgets alone; the words of models/allocation.md."""

    pools: tuple[int, ...]
    own: tuple[int, ...]
    upper: tuple[int, ...]
    wanted: tuple[int, ...]
    needed: tuple[int, ...]
    demand: int
    most_share: Fraction
    minimum: int
    usable: Fraction
    """Milli-compute at the speeds of the types."""
    smallest_unit: int
    """Milli-compute of the smallest allocation unit that it could get; 0: none."""
    wanted_compute: int
    """Milli-compute, at the speeds of the types, of its wanted holdings."""


class _Offer(NamedTuple):
    """What a project can reach in a pool, in milli-compute."""

    gpu_type: str
    own: int
    """At the project's own speed."""
    counted: int
    """At the speed of the type, which budgets count."""


def derive(organization: Organization, budgets: Budgets, project: Project) -> Derived:
    """Derive what an active project may get; without pools if it is dead."""
    where = _runs_on(organization, project)
    pools = [organization.pools[p] for p in where]
    own = [milli(_own_speed(organization, project, pool)) * pool.unit for pool in pools]
    counts = {kind: int(budgets.speed[kind] * MILLI) for kind in {pool.gpu_type for pool in pools}}
    counted = [counts[pool.gpu_type] * pool.unit for pool in pools]
    demand = milli(project.demand)
    held = [project.holds.get(pool.name, 0) // pool.unit for pool in pools]
    wanted = held if project.pinned else _wanted(demand, held, own, [pool.unit for pool in pools])
    worth = _dot(wanted, own)
    minimum = min(milli(project.minimum), worth) if worth else milli(project.minimum)
    reach = _reach(budgets, project, pools, wanted)
    offers = [
        _Offer(pool.gpu_type, units * o, units * c)
        for pool, units, o, c in zip(pools, reach, own, counted, strict=True)
    ]
    pick = max if project.one_pool else sum
    reached = pick([offer.own for offer in offers] or [0])
    if not worth and (reached < max(minimum, 1) or _capped(budgets, project, minimum, counted, own)):
        return Derived((), (), (), (), (), demand, Fraction(0), minimum, Fraction(0), 0, 0)
    needed = [max(1, -(-demand // each)) for each in own]
    most_share = _most_share(demand, wanted, needed)
    up, down = most_share.as_integer_ratio()
    upper = tuple(min(r, up * n // down) for r, n in zip(reach, needed, strict=True))
    wanted_compute = _dot(wanted, counted)
    return Derived(
        pools=tuple(where),
        own=tuple(own),
        upper=upper,
        wanted=tuple(wanted),
        needed=tuple(needed),
        demand=demand,
        most_share=most_share,
        minimum=minimum,
        usable=max(_least_compute(demand, offers, one_pool=project.one_pool), Fraction(wanted_compute)),
        smallest_unit=min((c for c, most_units in zip(counted, upper, strict=True) if most_units), default=0),
        wanted_compute=wanted_compute,
    )


def _dot(left: Iterable[int], right: Iterable[int]) -> int:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _runs_on(organization: Organization, project: Project) -> list[int]:
    return [index for index, pool in enumerate(organization.pools) if runs_in(project, pool)]


def _own_speed(organization: Organization, project: Project, pool: Pool) -> float:
    if project.speeds is None:
        return organization.gpu_types[pool.gpu_type].speed
    return project.speeds[pool.gpu_type]


def _wanted(demand: int, held: list[int], own: list[int], unit: list[int]) -> list[int]:
    """Units held, less those that the demand does not need, given up from the slowest pool first."""
    wanted = list(held)
    spare = _dot(held, own) - demand
    if spare <= 0:
        return wanted
    some = [arc for arc, units in enumerate(held) if units]
    for arc in sorted(some, key=lambda a: (Fraction(own[a], unit[a]), -a)):  # the slowest first
        given_up = min(wanted[arc], max(spare, 0) // own[arc])
        wanted[arc] -= given_up
        spare -= given_up * own[arc]
    return wanted


def _most_share(demand: int, wanted: list[int], needed: list[int]) -> Fraction:
    """F_j: the whole demand, or its wanted holdings where they are more."""
    held = sum((Fraction(w, n) for w, n in zip(wanted, needed, strict=True) if w), Fraction(0))
    return max(Fraction(1 if demand else 0), held)


def _reach(budgets: Budgets, project: Project, pools: list[Pool], wanted: list[int]) -> list[int]:
    """r_jp in units: what the pool, and the limits above the project on its type, let it have."""
    chain = tuple(budgets.chain(project.team))
    limits: dict[str, int] = {}
    for kind in {pool.gpu_type for pool in pools}:
        above = [int(budgets.limit[team, kind]) for team in chain if (team, kind) in budgets.limit]
        if above:
            limits[kind] = min(above)
    reach = []
    for pool, units in zip(pools, wanted, strict=True):
        owned = budgets.gpus[pool.name]
        reach.append(max(units, min(owned, limits.get(pool.gpu_type, owned)) // pool.unit))
    return reach


def _least_compute(demand: int, offers: Sequence[_Offer], *, one_pool: bool) -> Fraction:
    """The least compute, as budgets count it, that meets the demand; all in reach where that is too little.

    In a single pool: of those that meet it alone; where none does, in the one that does most.
    """
    if one_pool:
        by_type = {offer.gpu_type: offer for offer in offers if offer.own >= max(demand, 1)}
        whole = [Fraction(offer.counted, offer.own) for offer in by_type.values()]  # alike within a type
        most = max(offers, key=lambda offer: (offer.own, -offer.counted))
        return min(whole) * demand if whole else Fraction(most.counted)
    own: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for offer in offers:
        own[offer.gpu_type] += offer.own
        counted[offer.gpu_type] += offer.counted
    ratios = {kind: Fraction(counted[kind], reached) for kind, reached in own.items() if reached}
    compute, missing = Fraction(0), demand
    for kind, ratio in sorted(ratios.items(), key=lambda item: item[1]):
        given = min(missing, own[kind])
        compute += ratio * given
        missing -= given
    return compute


def _capped(
    budgets: Budgets, project: Project, minimum: int, counted: Sequence[int], own: Sequence[int]
) -> bool:
    """Whether some cap above the project is below the least that its minimum counts for, in milli-compute."""
    caps = [budgets.cap[team] * MILLI for team in budgets.chain(project.team) if team in budgets.cap]
    if not caps or not own:
        return False
    return min(caps) < minimum * min(Fraction(c, o) for c, o in set(zip(counted, own, strict=True)))
