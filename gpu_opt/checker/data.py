"""The allocation's derived data: what every project may get, and what every team is promised.

It is the section "Data" of ``models/allocation.md``, computed from the organization alone.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from gpu_opt.checker.budgets import Budgets, Fleet, Totals, add_up, budgets_on, fleet_on, thousandths
from gpu_opt.organization import Organization, Project, exact

GRAIN = Fraction(1, 1000)
"""The grain of compute: what is added to "less than one unit short" to make it "a unit or more"."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one active project may get; compute in thousandths."""

    project: Project
    speeds: dict[str, int]
    """Compute per GPU at its own speed, by pool where it may be granted GPUs; empty if it is dead."""
    reach: dict[str, int]
    """The most GPUs that it can get, by the same pools."""
    wanted: dict[str, int]
    """GPUs that it holds and still wants, by pool."""
    enough: dict[str, int]
    """GPUs, in whole units, that meet its demand in one pool alone, by the same pools."""
    allowed: Fraction
    """The most that it may be granted: `enough` GPUs of a pool count 1."""
    minimum: int
    """The compute below which it may only have nothing."""
    usable: Fraction
    """The least compute, as budgets count it, that meets its demand; else all that it can reach."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The concave value, all numbers as integers over one denominator."""

    pieces: tuple[tuple[int, int], ...]
    """(Share of the demand, value per reference GPU)."""
    denominator: int


@dataclass(frozen=True, slots=True)
class AllocationData:
    """Everything that the rules of the allocation need to know beside the grants."""

    organization: Organization
    fleet: Fleet
    budgets: Budgets
    scopes: dict[str, Scope]
    """By project; only projects that are active on the date."""
    team_of: dict[str, str]
    before: Totals
    """Totals of the wanted holdings."""
    promised: dict[str, Fraction]
    """Compute, by team; 0 without a guarantee."""
    targets: dict[str, Fraction]
    """Compute, by team: the promise less what is smaller than one allocation unit."""
    owners: dict[str, str | None]
    """By team."""
    segments: Segments

    def totals(self, holdings: Mapping[str, Mapping[str, int]]) -> Totals:
        """What GPUs by project and pool add up to."""
        return add_up(self.fleet, self.budgets.paths, self.team_of, holdings)


def allocation_data(organization: Organization, date: dt.date) -> AllocationData:
    """Derive the data of a valid organization on a date."""
    fleet = fleet_on(organization, date)
    budgets = budgets_on(organization, fleet)
    asking = dict.fromkeys(project.team for project in organization.projects)
    reach = {team: team_reach(fleet, budgets, team) for team in asking}
    scopes = {
        project.name: scope_of(project, organization, fleet, budgets, reach[project.team])
        for project in organization.projects
        if is_active(project, date)
    }
    team_of = {project.name: project.team for project in organization.projects}
    promised = promises(budgets, scopes)
    return AllocationData(
        organization=organization,
        fleet=fleet,
        budgets=budgets,
        scopes=scopes,
        team_of=team_of,
        before=add_up(fleet, budgets.paths, team_of, {name: scope.wanted for name, scope in scopes.items()}),
        promised=promised,
        targets=targets(fleet, budgets, scopes, promised),
        owners={team.name: team.owner for team in organization.teams},
        segments=segments_of(organization),
    )


def segments_of(organization: Organization) -> Segments:
    """The policy's value in integers."""
    pieces = [(exact(share), exact(value)) for share, value in organization.policy.value]
    whole = math.lcm(*(number.denominator for piece in pieces for number in piece))
    return Segments(tuple((int(share * whole), int(value * whole)) for share, value in pieces), whole)


def is_active(project: Project, date: dt.date) -> bool:
    """Whether the project wants GPUs on the date: it has started and not ended."""
    started = project.starts is None or project.starts <= date
    return started and (project.ends is None or date < project.ends)


def team_reach(fleet: Fleet, budgets: Budgets, team: str) -> dict[str, int]:
    """GPUs of every pool that fit the pool and every limit above, in whole units."""
    least: dict[str, Fraction] = {}
    for name in budgets.paths[team]:
        for gpu_type in set(fleet.gpu_type.values()):
            limit = budgets.limits.get((name, gpu_type))
            if limit is not None and limit < least.get(gpu_type, limit + 1):
                least[gpu_type] = limit
    reach = {}
    for pool, gpus in fleet.gpus.items():
        fitting = min(gpus, int(least.get(fleet.gpu_type[pool], gpus)))
        reach[pool] = fitting // fleet.unit[pool] * fleet.unit[pool]
    return reach


def own_speeds(project: Project, organization: Organization, fleet: Fleet) -> dict[str, int]:
    """Thousandths of compute per GPU, by pool where the project runs: of its types, sites and pools."""
    own = None if project.speeds is None else {name: thousandths(at) for name, at in project.speeds.items()}
    return {
        pool.name: fleet.worth[pool.name] if own is None else own[pool.gpu_type]
        for pool in organization.pools
        if (own is None or pool.gpu_type in own)
        and (project.sites is None or pool.site in project.sites)
        and (project.pools is None or pool.name in project.pools)
    }


def wanted_holdings(project: Project, speeds: Mapping[str, int], fleet: Fleet) -> dict[str, int]:
    """What the project holds, less the units that it gives up because the rest is worth its demand."""
    wanted = {pool: gpus for pool, gpus in project.holds.items() if gpus > 0}
    if project.pinned:
        return wanted
    order = {pool: place for place, pool in enumerate(fleet.gpus)}
    surplus = sum(speeds[pool] * gpus for pool, gpus in wanted.items()) - thousandths(project.demand)
    for pool in sorted(wanted, key=lambda pool: (speeds[pool], -order[pool])):
        step = speeds[pool] * fleet.unit[pool]
        units = max(0, min(wanted[pool] // fleet.unit[pool], surplus // step))
        wanted[pool] -= units * fleet.unit[pool]
        surplus -= units * step
    return {pool: gpus for pool, gpus in wanted.items() if gpus > 0}


def scope_of(
    project: Project, organization: Organization, fleet: Fleet, budgets: Budgets, within: Mapping[str, int]
) -> Scope:
    """What an active project may get; `within` is the reach of its team."""
    speeds = own_speeds(project, organization, fleet)
    wanted = wanted_holdings(project, speeds, fleet)
    held = sum(speeds[pool] * gpus for pool, gpus in wanted.items())
    minimum, demand = thousandths(project.minimum), thousandths(project.demand)
    reach = {pool: within[pool] for pool in speeds}
    for pool, gpus in wanted.items():
        reach[pool] = max(reach[pool], gpus)
    if not wanted and is_dead(project, reach, speeds, fleet, budgets):
        return Scope(project, {}, {}, {}, {}, Fraction(0), minimum, usable=Fraction(0))
    enough = whole_demands(demand, speeds, fleet)
    return Scope(
        project,
        speeds,
        reach,
        wanted,
        enough,
        allowed=max(Fraction(demand > 0), portion(enough, wanted)),
        minimum=min(minimum, held) if wanted else minimum,
        usable=max(least_use(project, reach, speeds, fleet), Fraction(add_worth(fleet, wanted))),
    )


def whole_demands(demand: int, speeds: Mapping[str, int], fleet: Fleet) -> dict[str, int]:
    """GPUs of every pool that are worth the demand, in whole units; at least one unit."""
    steps = {pool: at * fleet.unit[pool] for pool, at in speeds.items()}
    return {pool: fleet.unit[pool] * max(1, -(-demand // step)) for pool, step in steps.items()}


def portion(enough: Mapping[str, int], gpus: Mapping[str, int]) -> Fraction:
    """What GPUs by pool add up to where `enough` of a pool, that is all of a demand, counts 1."""
    return sum((Fraction(count, enough[pool]) for pool, count in gpus.items()), Fraction(0))


def least_ratio(project: Project, speeds: Mapping[str, int], fleet: Fleet) -> Fraction:
    """The least that one unit of the project's own compute counts in budgets, over its pools."""
    if project.speeds is None:
        return Fraction(1)
    pairs = {(fleet.worth[pool], at) for pool, at in speeds.items()}
    return min((Fraction(worth, at) for worth, at in pairs), default=Fraction(1))


def least_use(
    project: Project, reach: Mapping[str, int], speeds: Mapping[str, int], fleet: Fleet
) -> Fraction:
    """The least that its demand counts in budgets; where that is out of reach, what most of it counts."""
    demand = thousandths(project.demand)
    if project.speeds is None:  # it counts what it is worth
        return Fraction(min(demand, reachable(project, reach, speeds)))
    if not project.one_pool:
        return cheapest_mix(demand, reach, speeds, fleet)
    alone = {(fleet.worth[pool], at) for pool, at in speeds.items() if at * reach[pool] >= demand}
    if alone:
        return min(Fraction(worth * demand, at) for worth, at in alone)
    most = max(speeds[pool] * gpus for pool, gpus in reach.items())
    best = [pool for pool, gpus in reach.items() if speeds[pool] * gpus == most]
    return Fraction(min(fleet.worth[pool] * reach[pool] for pool in best))


def cheapest_mix(demand: int, reach: Mapping[str, int], speeds: Mapping[str, int], fleet: Fleet) -> Fraction:
    """What the demand counts in budgets, met from where it counts least, as far as that reaches, first."""
    by_ratio: dict[tuple[int, int], int] = {}
    for pool, gpus in reach.items():
        pair = fleet.worth[pool], speeds[pool]
        by_ratio[pair] = by_ratio.get(pair, 0) + speeds[pool] * gpus
    used, rest = Fraction(0), demand
    for worth, speed in sorted(by_ratio, key=lambda pair: Fraction(*pair)):
        taken = min(rest, by_ratio[worth, speed])
        used += Fraction(worth * taken, speed)
        rest -= taken
    return used


def add_worth(fleet: Fleet, gpus: Mapping[str, int]) -> int:
    """Thousandths of compute of GPUs by pool, as budgets count them."""
    return sum(fleet.worth[pool] * count for pool, count in gpus.items())


def reachable(project: Project, reach: Mapping[str, int], speeds: Mapping[str, int]) -> int:
    """Thousandths of compute that the project can reach, at the given speeds."""
    terms = [speeds[pool] * gpus for pool, gpus in reach.items()]
    return max(terms, default=0) if project.one_pool else sum(terms)


def is_dead(
    project: Project, reach: Mapping[str, int], speeds: Mapping[str, int], fleet: Fleet, budgets: Budgets
) -> bool:
    """Whether a project without wanted holdings can never run: its minimum is out of reach, or over a cap."""
    minimum, caps = thousandths(project.minimum), budgets.caps
    if not any(reach.values()) or reachable(project, reach, speeds) < minimum:
        return True
    least = least_ratio(project, speeds, fleet) * minimum  # as budgets count it
    return any(1000 * caps[team] < least for team in budgets.paths[project.team] if team in caps)


def promises(budgets: Budgets, scopes: Mapping[str, Scope]) -> dict[str, Fraction]:
    """Every team's guarantee, or what serves its projects where that is less; compute."""
    usable = dict.fromkeys(budgets.paths, Fraction(0))
    for scope in scopes.values():
        usable[scope.project.team] += scope.usable / 1000
    for team in sorted(budgets.paths, key=lambda team: -len(budgets.paths[team])):
        usable[team] = min(usable[team], budgets.caps.get(team, usable[team]))
        for parent in budgets.paths[team][1:2]:
            usable[parent] += usable[team]
    return {team: min(budgets.guarantees.get(team, Fraction(0)), usable[team]) for team in budgets.paths}


def targets(
    fleet: Fleet, budgets: Budgets, scopes: Mapping[str, Scope], promised: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """Every promise less all that is smaller than one allocation unit; compute."""
    steps = {pool: fleet.worth[pool] * unit for pool, unit in fleet.unit.items()}
    smallest: dict[str, int] = {}
    for scope in scopes.values():
        up, down = scope.allowed.as_integer_ratio()
        open_to = [
            steps[pool]
            for pool, gpus in scope.enough.items()
            if min(scope.reach[pool], up * gpus // down) >= fleet.unit[pool]
        ]
        for team in budgets.paths[scope.project.team] if open_to else ():
            smallest[team] = min([*open_to, smallest.get(team, open_to[0])])
    aims = {team: promised[team] - Fraction(step, 1000) + GRAIN for team, step in smallest.items()}
    return {team: max(Fraction(0), aims.get(team, Fraction(0))) for team in budgets.paths}
