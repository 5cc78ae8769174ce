"""What follows from the projects and the budgets alone: the section "Data" of ``models/allocation.md``.

All projects are derived at once, in arrays of integers with one entry per arc, project by project. Fractions
appear where a project's share of its demand, or what it could use, is no whole number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gpu_opt.budgets import Budgets
from gpu_opt.instance import MILLI, Arcs, Ints, add_up
from gpu_opt.offers import NO_LIMIT, Offers, milli, offer
from gpu_opt.organization import Organization, Project

Flags = npt.NDArray[np.bool_]

CLOSE = 1e-9
"""Doubles closer to 1 than this do not say on which side of it a sum of shares is."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from active projects and the budgets alone; the words of models/allocation.md.

    By project, but for `arcs`, in the order of the projects; compute in milli-compute. Dead projects have
    no arcs, and nothing that they could use.
    """

    arcs: Arcs
    demand: list[int]
    most_share: list[Fraction]
    minimum: list[int]
    usable: list[Fraction]
    """At the speeds of the types."""
    smallest_unit: list[int]
    """The smallest allocation unit that it could get; 0: none."""
    wanted_compute: list[int]
    """At the speeds of the types, of its wanted holdings."""


def derive(organization: Organization, budgets: Budgets, projects: Sequence[Project]) -> Derived:
    """Derive what active projects of a valid organization may get."""
    count = len(projects)
    offers = offer(organization, budgets, projects)
    worth = add_up(offers.project, offers.wanted * offers.own, count)
    stated = np.array([milli(project.minimum) for project in projects], dtype=np.int64)
    minimum = np.where(worth > 0, np.minimum(stated, worth), stated)
    is_hopeless = _is_out_of_reach(offers, minimum) | _capped(budgets, projects, offers, minimum)
    is_dead = (worth == 0) & is_hopeless
    needed = np.maximum(1, -(-offers.demand[offers.project] // offers.own))
    most_share = _most_share(offers, needed)
    upper = np.minimum(offers.reach, _most_units(offers, needed, most_share))
    alive = ~is_dead[offers.project]
    smallest = np.full(count, NO_LIMIT)
    open_to = alive & (upper > 0)
    np.minimum.at(smallest, offers.project[open_to], offers.counted[open_to])
    wanted_compute = add_up(offers.project, offers.wanted * offers.counted, count).tolist()
    usable = _least_compute(offers)
    return Derived(
        arcs=Arcs(
            project=offers.project[alive],
            pool=offers.pool[alive],
            own=offers.own[alive],
            needed=needed[alive],
            upper=upper[alive],
            wanted=offers.wanted[alive],
        ),
        demand=offers.demand.tolist(),
        most_share=[Fraction(0) if dead else most for dead, most in zip(is_dead, most_share, strict=True)],
        minimum=minimum.tolist(),
        usable=[
            Fraction(0) if dead else max(least, Fraction(held))
            for dead, least, held in zip(is_dead, usable, wanted_compute, strict=True)
        ],
        smallest_unit=np.where(smallest < NO_LIMIT, smallest, 0).tolist(),
        wanted_compute=wanted_compute,
    )


def _is_out_of_reach(offers: Offers, minimum: Ints) -> Flags:
    """Whether all that a project can reach, in a single pool if it must, is below its minimum, or nothing."""
    offered = offers.reach * offers.own
    largest = np.zeros(len(minimum), dtype=np.int64)
    np.maximum.at(largest, offers.project, offered)
    together = add_up(offers.project, offered, len(minimum))
    return np.asarray(np.where(offers.one_pool, largest, together) < np.maximum(minimum, 1))


def _capped(budgets: Budgets, projects: Sequence[Project], offers: Offers, minimum: Ints) -> Flags:
    """Whether some cap above a project is below the least that its minimum counts for."""
    cap: dict[str, int] = {}
    for team in budgets.teams:  # parents come first; caps are whole in milli-compute
        above = NO_LIMIT if team.parent is None else cap[team.parent]
        own = budgets.cap.get(team.name)
        cap[team.name] = above if own is None else min(above, int(own * MILLI))
    runs = np.zeros(offers.own_speed.shape, dtype=bool)
    runs[offers.project, offers.kind] = True
    is_capped = np.zeros(len(projects), dtype=bool)
    for j in np.flatnonzero((minimum > 0) & runs.any(axis=1)).tolist():
        most, least = cap[projects[j].team], int(minimum[j])
        speeds = zip(offers.own_speed[j].tolist(), offers.type_speed.tolist(), runs[j].tolist(), strict=True)
        is_capped[j] = most < NO_LIMIT and all(most * own < least * kind for own, kind, run in speeds if run)
    return is_capped


def _most_share(offers: Offers, needed: Ints) -> list[Fraction]:
    """F_j: the whole demand, or its wanted holdings where they are more."""
    none, whole = Fraction(0), Fraction(1)
    most = [whole if demand else none for demand in offers.demand.tolist()]
    held = np.flatnonzero(offers.wanted)
    project, units = offers.project[held], offers.wanted[held]
    share = np.bincount(project, weights=units / needed[held], minlength=len(most))
    exact_share: dict[int, Fraction] = {}
    is_doubtful = (share > 1 - CLOSE)[project] | (offers.demand[project] == 0)
    for j, a in zip(project[is_doubtful].tolist(), held[is_doubtful].tolist(), strict=True):
        exact_share[j] = exact_share.get(j, none) + Fraction(int(offers.wanted[a]), int(needed[a]))
    for j, each in exact_share.items():
        most[j] = max(most[j], each)
    return most


def _most_units(offers: Offers, needed: Ints, most_share: Sequence[Fraction]) -> Ints:
    """⌊F_j K_jp⌋ by arc."""
    is_whole = np.array([share == 1 for share in most_share], dtype=bool)[offers.project]
    units = needed.copy()
    for a in np.flatnonzero(~is_whole).tolist():
        up, down = most_share[int(offers.project[a])].as_integer_ratio()
        units[a] = up * int(needed[a]) // down
    return units


def _least_compute(offers: Offers) -> list[Fraction]:
    """The least compute, as budgets count it, that meets the demand; all in reach where that is too little.

    In a single pool: of those that meet it alone; where none does, in the one that does most.
    """
    if not len(offers.project):
        return [Fraction(0)] * len(offers.demand)
    shape = offers.own_speed.shape
    cell = offers.project * shape[1] + offers.kind
    offered, used = offers.reach * offers.own, offers.reach * offers.counted
    by_type = add_up(cell, offered, shape[0] * shape[1]).reshape(shape)
    used_by_type = add_up(cell, used, shape[0] * shape[1]).reshape(shape)
    meets = np.zeros(shape, dtype=bool)
    alone = offered >= np.maximum(offers.demand, 1)[offers.project]
    meets[offers.project[alone], offers.kind[alone]] = True
    ratio = np.full(shape, np.inf)  # of integers below 2^20, so that doubles compare as fractions do
    np.divide(offers.type_speed[None, :], offers.own_speed, out=ratio, where=offers.own_speed > 0)
    in_one = np.where(meets, ratio, np.inf).argmin(axis=1)
    largest = np.zeros(shape[0], dtype=np.int64)
    np.maximum.at(largest, offers.project, offered)
    is_largest = offered == largest[offers.project]
    least_used = np.full(shape[0], NO_LIMIT)
    np.minimum.at(least_used, offers.project[is_largest], used[is_largest])
    mixed = _cheapest_mix(offers, ratio, by_type, used_by_type)
    least = []
    for j, demand in enumerate(offers.demand.tolist()):
        if not offers.one_pool[j]:
            least.append(mixed[j])
        elif meets[j].any():
            k = int(in_one[j])
            least.append(Fraction(int(offers.type_speed[k]) * demand, int(offers.own_speed[j, k])))
        else:
            least.append(Fraction(int(least_used[j]) if least_used[j] < NO_LIMIT else 0))
    return least


def _cheapest_mix(
    offers: Offers, ratio: npt.NDArray[np.float64], by_type: Ints, used_by_type: Ints
) -> list[Fraction]:
    """What the demand counts, met from the types where it counts least, as far as they reach, first."""
    order = np.argsort(ratio, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(by_type, order, axis=1), axis=1)
    whole = reached <= offers.demand[:, None]
    used = np.where(whole, np.take_along_axis(used_by_type, order, axis=1), 0).sum(axis=1)
    rest = offers.demand - np.where(whole, reached, 0).max(axis=1, initial=0)
    found = []
    for j, (base, missing) in enumerate(zip(used.tolist(), rest.tolist(), strict=True)):
        place = int(whole[j].sum())  # the first type of which only a part is used
        if place == len(offers.type_speed) or not missing:
            found.append(Fraction(base))
        else:
            k = int(order[j, place])
            part = Fraction(int(offers.type_speed[k]) * missing, int(offers.own_speed[j, k]))
            found.append(base + part)
    return found
