"""Whether the reason stated for what a project has can be the reason: it fits the grants and the input.

Several causes can hold at once, and which of them decides is not recomputed. What is: that the cause named
holds at all, and that what goes with it (team or pool, basis, owner, other projects) goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from gpu_opt.checker.allocation import Granted, too_spread
from gpu_opt.checker.budgets import thousandths
from gpu_opt.checker.data import AllocationData, Scope, portion
from gpu_opt.checker.figures import TOLERANCE
from gpu_opt.checker.goals import delivered, worth_of
from gpu_opt.organization import Project, runs_in
from gpu_opt.plan import POLICIES, Allocation, Basis, Cause, Reason, Stop, Violation

MOST_NAMED = 5
"""Projects that a reason names, at most."""


@dataclass(frozen=True)
class Case:
    """One project of a plan, and what is said of it."""

    data: AllocationData
    granted: Granted
    project: Project
    reason: Reason
    proved: bool

    @property
    def scope(self) -> Scope | None:
        """What it may get; None if it is not active."""
        return self.data.scopes.get(self.project.name)

    @property
    def gpus(self) -> dict[str, int]:
        """Its grants, by pool."""
        return self.granted.gpus.get(self.project.name, {})

    @property
    def path(self) -> tuple[str, ...]:
        """Its team, and all teams above, from the lowest up."""
        return self.data.budgets.paths[self.project.team]

    @cached_property
    def steps(self) -> dict[str, int]:
        """GPUs that would be its next step, by pool where its demand allows another unit.

        A unit, or as many as its minimum takes.
        """
        scope, found = self.scope, {}
        if scope is None:
            return {}
        missing = scope.minimum - delivered(scope, self.gpus)
        left, whole = (scope.allowed - portion(scope.enough, self.gpus)).as_integer_ratio()
        for pool, at in scope.speeds.items():
            unit = self.data.fleet.unit[pool]
            if unit * whole <= left * scope.enough[pool]:
                found[pool] = unit * max(1, -(-missing // (at * unit)))
        return found

    def over_cap(self, team: str, pool: str) -> bool:
        """Whether its next step in the pool would break the cap of the team, if there is one."""
        cap = self.data.budgets.caps.get(team)
        worth = self.steps[pool] * self.data.fleet.worth[pool]
        return cap is not None and self.granted.totals.compute[team] + worth > 1000 * cap

    def over_limit(self, team: str, pool: str) -> bool:
        """Whether its next step in the pool would break the limit of the team on its type, if any."""
        key = team, self.data.fleet.gpu_type[pool]
        limit = self.data.budgets.limits.get(key)
        return limit is not None and self.granted.totals.of_type.get(key, 0) + self.steps[pool] > limit

    def over_full(self, pool: str) -> bool:
        """Whether the pool has no room for its next step."""
        return self.granted.totals.gpus[pool] + self.steps[pool] > self.data.fleet.gpus[pool]

    def crowds(self, name: str) -> bool:
        """Whether the project has GPUs in a full pool, or under a full budget, where this one wants more."""
        above = set(self.path) & set(self.data.budgets.paths[self.data.team_of[name]])
        return any(
            (self.over_full(pool) and pool in self.granted.gpus[name])
            or any(self.over_cap(team, pool) or self.over_limit(team, pool) for team in above)
            for pool in self.steps
        )

    def over_spread(self, pool: str) -> bool:
        """Whether it must not be in the pool beside those in which it is."""
        return self.scope is not None and too_spread(self.scope, self.gpus.keys() | {pool})

    def owner_of(self, team: str) -> str | None:
        """Who decides what the team's projects get: its owner, or the nearest one above."""
        owners = self.data.owners
        return next((owners[name] for name in self.data.budgets.paths[team] if owners[name]), None)

    def owner_above(self, team: str) -> str | None:
        """Who decides the team's budgets: the owner above it; for the root, its own."""
        return self.owner_of(self.data.budgets.paths[team][:2][-1])


def never_runs(case: Case) -> bool:
    """Whether it is active but can be granted nothing, whatever the others get."""
    return case.scope is not None and not case.scope.speeds


def is_met(case: Case) -> bool:
    """Whether it has its demand, or another unit in any of its pools would be more than that."""
    if case.scope is None or never_runs(case):
        return False
    return delivered(case.scope, case.gpus) >= thousandths(case.project.demand) or not case.steps


def has_no_pool(case: Case) -> bool:
    """Whether there is no whole unit where it runs."""
    gpus, pools = case.data.fleet.gpus, case.data.organization.pools
    return never_runs(case) and not any(
        gpus[pool.name] >= pool.unit for pool in pools if runs_in(case.project, pool)
    )


def lacks_its_minimum(case: Case) -> bool:
    """Whether it has a minimum, and nothing."""
    return case.project.minimum > 0 and not case.gpus


def is_capped(case: Case) -> bool:
    """Whether the team named has a cap that leaves less than a next step."""
    team = case.reason.subject
    if team not in case.path or team not in case.data.budgets.caps:
        return False
    return never_runs(case) or any(case.over_cap(team, pool) for pool in case.steps)


def is_limited(case: Case) -> bool:
    """Whether the team named has a limit on a GPU type that leaves less than a next step."""
    team = case.reason.subject
    if team not in case.path or not any(name == team for name, _ in case.data.budgets.limits):
        return False
    return never_runs(case) or any(case.over_limit(team, pool) for pool in case.steps)


def is_crowded_out(case: Case) -> bool:
    """Whether the pool named, or some pool, has less left than a next step."""
    return any(case.over_full(pool) for pool in case.steps if case.reason.subject in {None, pool})


def is_undecided(case: Case) -> bool:
    """Whether it can run, and the plan is not proved or has room for more."""
    if never_runs(case):
        return False
    return not case.proved or any(
        not (case.over_full(pool) or case.over_spread(pool))
        and not any(case.over_cap(team, pool) or case.over_limit(team, pool) for team in case.path)
        for pool in case.steps
    )


def is_in_its_pool(case: Case) -> bool:
    """Whether it must stay in one pool, is in the pool named, and wants more in another one."""
    return case.reason.subject in case.gpus and any(case.over_spread(pool) for pool in case.steps)


def others_have_it(case: Case) -> bool:
    """Whether the projects named are others, each once, that are granted something where it wants more."""
    named = case.reason.projects
    return (
        0 < len(named) <= MOST_NAMED
        and len(set(named)) == len(named)
        and all(name in case.granted.gpus and name != case.project.name for name in named)
        and all(case.crowds(name) for name in named)
    )


def keeps_a_guarantee(case: Case) -> bool:
    """Whether the team named is not one of its own and has a guarantee, which other projects keep."""
    team = case.reason.subject
    return team in case.data.budgets.guarantees and team not in case.path and others_have_it(case)


def may_not_be_moved(case: Case) -> bool:
    """Whether moves have a price or a limit, and others have what it lacks."""
    policy = case.data.organization.policy
    return (policy.max_moves is not None or policy.move_cost > 0) and others_have_it(case)


def is_pinned_down(case: Case) -> bool:
    """Whether the projects named, which have what it lacks, are pinned."""
    named, scopes = case.reason.projects, case.data.scopes
    return others_have_it(case) and all(scopes[name].project.pinned for name in named)


def is_worth_nothing(case: Case) -> bool:
    """Whether the policy values its next step, in whatever pool, at nothing."""
    scope, segments = case.scope, case.data.segments
    if scope is None:
        return False
    have = delivered(scope, case.gpus)
    worth = worth_of(scope, have, segments)
    more = (worth_of(scope, have + scope.speeds[pool] * gpus, segments) for pool, gpus in case.steps.items())
    return all(each - worth <= TOLERANCE * worth for each in more)  # a plan's reasons are found in doubles


HOLDS: dict[Cause, Callable[[Case], bool]] = {
    Cause.MET: is_met,
    Cause.NOT_ACTIVE: lambda case: case.scope is None,
    Cause.NO_POOL: has_no_pool,
    Cause.MINIMUM_UNREACHABLE: lacks_its_minimum,
    Cause.TEAM_CAP: is_capped,
    Cause.TYPE_LIMIT: is_limited,
    Cause.POOLS_FULL: is_crowded_out,
    Cause.ONE_POOL: is_in_its_pool,
    Cause.OUTRANKED: others_have_it,
    Cause.GUARANTEE: keeps_a_guarantee,
    Cause.MOVES: may_not_be_moved,
    Cause.PINNED: is_pinned_down,
    Cause.NO_VALUE: is_worth_nothing,
    Cause.UNPROVED: is_undecided,
}
"""When a cause can be why a project has what it has."""

ALWAYS = (Cause.MET, Cause.NOT_ACTIVE, Cause.NO_POOL)
"""Causes that are named wherever they hold."""

WITH_SUBJECT = {Cause.TEAM_CAP, Cause.TYPE_LIMIT, Cause.GUARANTEE, Cause.ONE_POOL, Cause.POOLS_FULL}
WITH_PROJECTS = {Cause.OUTRANKED, Cause.GUARANTEE, Cause.MOVES, Cause.PINNED}


def owner(case: Case) -> str | None:
    """Who could decide otherwise, where the cause can be the cause."""
    cause, subject, named = case.reason.cause, case.reason.subject, case.reason.projects
    if cause not in POLICIES:
        return None
    if subject is not None:
        return case.owner_above(subject)
    if cause is Cause.PINNED:
        return case.owner_of(case.data.team_of[named[0]])
    if cause is Cause.OUTRANKED:
        others = case.data.budgets.paths[case.data.team_of[named[0]]]
        return case.owner_of(next(team for team in case.path if team in others))
    return case.owner_of(case.path[-1])


def reasons(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """The reason stated for what a project has can be the reason."""
    projects = {project.name: project for project in data.organization.projects}
    for outcome in plan.projects:
        if outcome.project in projects:
            project, proved = projects[outcome.project], plan.stop is Stop.PROVED
            if message := wrong(Case(data, granted, project, outcome.reason, proved)):
                yield Violation(rule="reasons", subject=outcome.project, message=message)


def wrong(case: Case) -> str:
    """Why this reason cannot be the reason; empty if it can."""
    reason, cause = case.reason, case.reason.cause
    basis = Basis.POLICY if cause in POLICIES else Basis.FACT
    if missed := [each for each in ALWAYS if each is not cause and HOLDS[each](case)]:
        return f"the cause is stated as {cause}, but is {missed[0]}"
    if not HOLDS[cause](case):
        return f"the cause is stated as {cause}, which does not hold"
    named = reason.subject is not None
    if (named and cause not in WITH_SUBJECT) or (reason.projects and cause not in WITH_PROJECTS):
        told = reason.subject or ", ".join(reason.projects) or "the empty name"
        return f"names {told}, which have no part in {cause}"
    if reason.basis is not basis:
        return f"{cause} is stated as a {reason.basis}, but is a {basis}"
    if reason.owner != (decides := owner(case)):
        return f"the owner is stated as {reason.owner}, but is {decides}"
    return ""
