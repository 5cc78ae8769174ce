"""What an allocation says of itself: its grants make sense, and every figure follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from gpu_opt.checker.allocation import Granted, projects
from gpu_opt.checker.budgets import thousandths
from gpu_opt.checker.data import AllocationData
from gpu_opt.checker.figures import amounts, close, differences, records, same, written
from gpu_opt.checker.goals import allocation_goals, delivered, is_maximized, lines, moved, tier_values
from gpu_opt.checker.proof import check_goals, check_run
from gpu_opt.checker.reasons import reasons
from gpu_opt.plan import Allocation, Grant, Violation


def grants(data: AllocationData, _: Granted, plan: Allocation) -> Iterator[Violation]:
    """Grants are whole units, each stated once, for active projects in pools where they can get them."""
    seen = set()
    for grant in plan.grants:
        message = misplaced(data, grant) or uncountable(data, grant)
        if (grant.project, grant.pool) in seen:
            message = f"granted twice in {grant.pool}"
        if message:
            yield Violation(rule="grants", subject=grant.project, message=message)
        seen.add((grant.project, grant.pool))


def misplaced(data: AllocationData, grant: Grant) -> str:
    """Why this project can have nothing in this pool; empty if it can."""
    if grant.project not in data.team_of:
        return "there is no such project"
    if grant.pool not in data.fleet.gpus:
        return f"there is no pool {grant.pool!r}"
    if grant.project not in data.scopes:
        return "not active on the date"
    if not data.scopes[grant.project].speeds:
        return "can never run: its minimum is out of reach"
    return "" if grant.pool in data.scopes[grant.project].speeds else f"does not run in {grant.pool}"


def uncountable(data: AllocationData, grant: Grant) -> str:
    """Why this cannot be the number of GPUs; empty if it can."""
    if grant.gpus <= 0 or grant.gpus % data.fleet.unit[grant.pool] != 0:
        return f"{grant.gpus} GPUs are not whole units of {grant.pool}"
    reach = data.scopes[grant.project].reach[grant.pool]
    return f"{grant.gpus} GPUs of {grant.pool}, though it can reach {reach}" if grant.gpus > reach else ""


def team_total(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """Every team's `granted` and `by_type` are the sums of the grants under it."""
    totals = granted.totals
    by_type: dict[str, dict[str, int]] = {team: {} for team in data.budgets.paths}
    for (team, gpu_type), gpus in totals.of_type.items():
        by_type[team][gpu_type] = gpus
    for outcome in plan.teams:
        if outcome.team in totals.compute:
            compute = Fraction(totals.compute[outcome.team], 1000)
            computed = {"granted": compute, "by_type": by_type[outcome.team]}
            yield from differences("team_total", outcome.team, outcome, computed)


def team_guarantee(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """Every team's promise, and its shortfall: nothing, if that is less than one allocation unit."""
    for outcome in plan.teams:
        if outcome.team in data.targets:
            compute = Fraction(granted.totals.compute[outcome.team], 1000)
            promised = data.promised[outcome.team]
            shortfall = promised - compute if compute < data.targets[outcome.team] else Fraction(0)
            computed = {"promised": promised, "shortfall": shortfall}
            yield from differences("team_guarantee", outcome.team, outcome, computed)


def value(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """The objective is the value of the compute granted, less the cost of moves; so is its bound."""
    objective = sum(tier_values(data, granted.gpus).values(), Fraction(0))
    if not same(plan.objective, objective):
        message = f"the objective is stated as {plan.objective}, but is {written(objective)}"
        yield Violation(rule="value", subject="", message=message)
    bound = sum(goal.bound for goal in plan.goals if is_maximized(goal.name))
    if not close(plan.bound, bound):
        message = f"the bound is stated as {plan.bound}, but those of the tiers add up to {bound}"
        yield Violation(rule="value", subject="", message=message)


def moves(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """The moves are the GPUs that are wanted and not kept, pool by pool."""
    computed = {
        (name, pool): taken
        for name, scope, gpus in projects(data, granted)
        for pool, taken in moved(scope, gpus).items()
    }
    stated = [((move.project, move.pool), move.gpus) for move in plan.moves]
    yield from amounts("moves", "move", stated, computed)


def changes(data: AllocationData, _: Granted, plan: Allocation) -> Iterator[Violation]:
    """What the plan was to stay near to can be granted still, each grant stated once."""
    seen = set()
    for grant in plan.near or ():
        scope = data.scopes.get(grant.project)
        key = (grant.project, grant.pool)
        if scope is None or grant.pool not in scope.speeds:
            message = f"is to stay near to a grant in {grant.pool}, where it can have none"
            yield Violation(rule="changes", subject=grant.project, message=message)
        elif grant.gpus <= 0 or key in seen:
            wrong = "stated twice" if key in seen else "of no GPUs"
            message = f"the grant in {grant.pool} to stay near to is {wrong}"
            yield Violation(rule="changes", subject=grant.project, message=message)
        seen.add(key)


def goals(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """The goals are those of the organization, with true values and bounds that can be."""
    yield from check_goals(plan, allocation_goals(data, granted.totals, granted.gpus, plan.near))


def outcomes(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """All else that the plan states of projects, teams, pools and overruns follows from the grants."""
    about = {"organization": data.organization.name, "as_of": data.organization.as_of}
    yield from differences("outcomes", "", plan, about)
    if plan.date < plan.as_of:
        message = f"it is for {plan.date}, before the day that the holdings describe"
        yield Violation(rule="outcomes", subject="", message=message)
    yield from records("outcomes", "project", plan.projects, project_figures(data, granted))
    yield from records("outcomes", "team", plan.teams, team_figures(data))
    yield from records("outcomes", "pool", plan.pools, pool_figures(data, granted))
    yield from overruns(data, granted, plan)


def project_figures(data: AllocationData, granted: Granted) -> dict[str, dict[str, object]]:
    """What must be stated of every project, active or not."""
    figures: dict[str, dict[str, object]] = {}
    for project in data.organization.projects:
        gpus = granted.gpus.get(project.name, {})
        compute = delivered(data.scopes[project.name], gpus) if gpus else 0
        figures[project.name] = {
            "team": project.team,
            "tier": project.tier,
            "priority": project.priority,
            "active": project.name in data.scopes,
            "demand": Fraction(thousandths(project.demand), 1000),
            "minimum": Fraction(thousandths(project.minimum), 1000),
            "granted": Fraction(compute, 1000),
            "gpus": sum(gpus.values()),
            "held": sum(project.holds.values()),
        }
    return figures


def team_figures(data: AllocationData) -> dict[str, dict[str, object]]:
    """What must be stated of every team, but for its grants and promises."""
    return {
        team.name: {
            "parent": team.parent,
            "level": len(data.budgets.paths[team.name]) - 1,
            "owner": team.owner,
            "guarantee": data.budgets.guarantees.get(team.name),
            "cap": data.budgets.caps.get(team.name),
        }
        for team in data.organization.teams
    }


def pool_figures(data: AllocationData, granted: Granted) -> dict[str, dict[str, object]]:
    """What must be stated of every pool. Where more is granted than there is, nothing is idle."""
    return {
        pool.name: {
            "gpu_type": pool.gpu_type,
            "site": pool.site,
            "gpus": data.fleet.gpus[pool.name],
            "granted": granted.totals.gpus[pool.name],
            "idle": max(0, data.fleet.gpus[pool.name] - granted.totals.gpus[pool.name]),
        }
        for pool in data.organization.pools
    }


def overruns(data: AllocationData, granted: Granted, plan: Allocation) -> Iterator[Violation]:
    """The overruns stated are exactly the capacities, caps and limits that are still broken."""
    stated = {(overrun.rule, overrun.subject, overrun.gpu_type): overrun for overrun in plan.overruns}
    over = (line for line in lines(data, granted.totals) if line.after > line.limit)
    broken = {
        (line.rule, line.subject, line.gpu_type): {
            "before": line.before,
            "after": line.after,
            "limit": line.limit,
        }
        for line in over
    }
    if len(stated) < len(plan.overruns):
        yield Violation(rule="outcomes", subject="", message="an overrun is stated twice")
    for rule, subject, _ in (key for key in stated if key not in broken):
        message = f"{rule} is not broken, though stated to be"
        yield Violation(rule="outcomes", subject=subject, message=message)
    for key, computed in broken.items():
        if key in stated:
            yield from differences("outcomes", key[1], stated[key], computed)
        else:
            message = f"{key[0]} is broken, but not stated to be"
            yield Violation(rule="outcomes", subject=key[1], message=message)


def run(data: AllocationData, _: Granted, plan: Allocation) -> Iterator[Violation]:
    """The plan was computed from this organization, with limits and in a time that can be."""
    yield from check_run(data.organization, plan)


STATEMENTS: tuple[Callable[[AllocationData, Granted, Allocation], Iterator[Violation]], ...] = (
    grants,
    team_total,
    team_guarantee,
    value,
    moves,
    changes,
    goals,
    outcomes,
    reasons,
    run,
)
"""The rules that compare what a plan says with its grants."""
