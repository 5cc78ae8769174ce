"""The rules of a reallocation, one function each, named like the sections of ``models/reallocation.md``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from gpu_opt.checker.budgets import Totals
from gpu_opt.checker.figures import amounts, close, differences, listed, records, same, written
from gpu_opt.checker.proof import check_goals, check_run
from gpu_opt.checker.supplies import (
    ReallocationData,
    Source,
    accepts,
    division,
    handed_by,
    rooms_on,
    steps_down,
)
from gpu_opt.organization import Organization, exact
from gpu_opt.plan import Donor, Handover, Reallocation, Violation


def asked(organization: Organization, plan: Reallocation) -> Iterator[Violation]:
    """Every request has a name of its own and a team that there is; else nothing can be checked."""
    teams = {team.name for team in organization.teams}
    names: set[str] = set()
    for each in plan.asked:
        if each.name in names:
            yield Violation(rule="asked", subject=each.name, message="another request has the same name")
        if each.team not in teams:
            yield Violation(rule="asked", subject=each.name, message=f"there is no team {each.team}")
        names.add(each.name)


def source_of(handover: Handover) -> Source:
    """The supply that a handover draws on."""
    return Source(handover.donor, handover.project, handover.pool, handover.free_on)


def sound(data: ReallocationData, handovers: Iterable[Handover]) -> list[Handover]:
    """The handovers that can be at all; those that cannot are left out, the rule `handovers` reports them."""
    return [handover for handover in handovers if not unknown(data, handover)]


def handed(data: ReallocationData, handovers: Sequence[Handover]) -> dict[str, int]:
    """GPUs handed to every request."""
    gpus = dict.fromkeys(data.requests, 0)
    for handover in handovers:
        gpus[handover.request] += handover.gpus
    return gpus


def supply(data: ReallocationData, handovers: Sequence[Handover]) -> Iterator[Violation]:
    """No supply hands over more than it frees."""
    taken: dict[Source, int] = {}
    for handover in handovers:
        source = source_of(handover)
        taken[source] = taken.get(source, 0) + handover.gpus
    for source, gpus in taken.items():
        if gpus > data.supplies[source]:
            message = f"{gpus} GPUs are handed over, {data.supplies[source]} become free"
            yield Violation(rule="supply", subject=listed(source), message=message)


def request(data: ReallocationData, handovers: Sequence[Handover]) -> Iterator[Violation]:
    """No request is handed an allocation unit that it does not need."""
    units: dict[str, set[int]] = {name: set() for name in data.requests}
    for handover in handovers:
        units[handover.request].add(data.pools[handover.pool].unit)
    for name, gpus in handed(data, handovers).items():
        if units[name] and gpus - min(units[name]) >= data.asked[name]:
            message = f"handed {gpus} GPUs, asked for {data.asked[name]}"
            yield Violation(rule="request", subject=name, message=message)


def all_or_nothing(data: ReallocationData, handovers: Sequence[Handover]) -> Iterator[Violation]:
    """A request that can use only all its GPUs is handed all or none."""
    for name, gpus in handed(data, handovers).items():
        if data.requests[name].all_or_nothing and 0 < gpus < data.asked[name]:
            message = f"handed {gpus} GPUs of {data.asked[name]}, though fewer than all are of no use"
            yield Violation(rule="all_or_nothing", subject=name, message=message)


def team_cap_over_time(data: ReallocationData, handovers: Sequence[Handover]) -> Iterator[Violation]:
    """What is handed over under a team fits, every day, what its cap leaves beside its projects' holdings."""
    for day in sorted({handover.on for handover in handovers}):
        yield from crowded(data, "team_cap_over_time", handed_by(data, handovers, day), day)


def type_limit_over_time(data: ReallocationData, handovers: Sequence[Handover]) -> Iterator[Violation]:
    """The same for every limit on a GPU type, in GPUs."""
    for day in sorted({handover.on for handover in handovers}):
        yield from crowded(data, "type_limit_over_time", handed_by(data, handovers, day), day)


def crowded(data: ReallocationData, rule: str, totals: Totals, day: dt.date) -> Iterator[Violation]:
    """One violation for every team that has been handed more than it has room for.

    Days without a handover need no look: room only grows, because projects end and GPUs are delivered.
    """
    for room in rooms_on(data, day):
        if room.gpu_type is None:
            given, unit = Fraction(totals.compute[room.team], 1000), "compute"
        else:
            given = Fraction(totals.of_type.get((room.team, room.gpu_type), 0))
            unit = f"GPUs of {room.gpu_type}"
        if room.rule == rule and given > room.amount:
            message = f"handed {written(given)} {unit} by {day}, room for {written(room.amount)}"
            yield Violation(rule=rule, subject=room.team, message=message)


# --- What the plan says of itself ---------------------------------------------------------------------


def handovers(data: ReallocationData, plan: Reallocation) -> Iterator[Violation]:
    """Handovers pass whole units of GPUs that are free to requests that accept them, within the horizon."""
    for handover in plan.handovers:
        if message := unknown(data, handover) or untimely(data, handover):
            yield Violation(rule="handovers", subject=handover.request, message=message)


def unknown(data: ReallocationData, handover: Handover) -> str:
    """What in this handover does not exist or does not fit together; empty if all does."""
    asked = data.requests.get(handover.request)
    if asked is None:
        return "there is no such request"
    if handover.pool not in data.pools or not accepts(asked, data.pools[handover.pool]):
        return f"does not accept {handover.pool}"
    if source_of(handover) not in data.supplies:
        return f"nothing like this is free in {handover.pool} on {handover.free_on}"
    donor_team = None if handover.project is None else data.team_of[handover.project]
    if (handover.team, handover.donor_team) != (asked.team, donor_team):
        return f"passes from team {donor_team} to team {asked.team}"
    unit = data.pools[handover.pool].unit
    whole = handover.gpus > 0 and handover.gpus % unit == 0
    return "" if whole else f"{handover.gpus} GPUs are handed over, in units of {unit}"


def untimely(data: ReallocationData, handover: Handover) -> str:
    """Why this handover cannot be on its day; empty if it can."""
    if handover.on > data.until:
        return f"on {handover.on}, after the horizon"
    starts = data.requests[handover.request].starts
    if handover.on < handover.free_on or (starts is not None and handover.on < starts):
        return f"on {handover.on}, before the GPUs are free or can be used"
    return ""


def goals(data: ReallocationData, plan: Reallocation) -> Iterator[Violation]:
    """The goals have true values and bounds that can be, and the cost is the objective."""
    computed = reallocation_goals(data, sound(data, plan.handovers))
    yield from check_goals(plan, computed)
    cost = dict(computed)["cost"]
    if not same(plan.objective, cost):
        message = f"the objective is stated as {plan.objective}, but is {written(cost)}"
        yield Violation(rule="goals", subject="", message=message)
    for goal in plan.goals:
        if goal.name == "cost" and not close(plan.bound, goal.bound):
            message = f"the bound is stated as {plan.bound}, but that of the cost is {goal.bound}"
            yield Violation(rule="goals", subject="", message=message)


def reallocation_goals(
    data: ReallocationData, handovers: Sequence[Handover]
) -> tuple[tuple[str, Fraction], ...]:
    """Names and exact values of the goals: what is unmet and what is late, tier by tier; cost; days."""
    given = handed(data, handovers)
    unmet = dict.fromkeys(sorted({asked.tier for asked in data.requests.values()}), Fraction(0))
    late = dict(unmet)
    for name, asked in data.requests.items():
        unmet[asked.tier] += exact(asked.priority) * max(0, data.asked[name] - given[name])
    for handover in handovers:
        asked = data.requests[handover.request]
        days_late = max(0, (handover.on - asked.by).days)
        late[asked.tier] += exact(asked.priority) * handover.gpus * days_late
    cost = sum((price(data, handover) * handover.gpus for handover in handovers), Fraction(0))
    today = data.organization.as_of
    days = sum(((handover.on - today).days + 1) * handover.gpus for handover in handovers)
    return (
        *((f"unmet_tier_{tier}", value) for tier, value in unmet.items()),
        *((f"late_tier_{tier}", value) for tier, value in late.items()),
        ("cost", cost),
        ("days", Fraction(days)),
    )


def price(data: ReallocationData, handover: Handover) -> Fraction:
    """What one GPU of the handover costs: idling, a less preferred pool, another division."""
    prices, asked = data.organization.policy.reallocation, data.requests[handover.request]
    waited = (handover.on - handover.free_on).days
    steps = steps_down(asked, data.pools[handover.pool])
    crossing = handover.donor is Donor.RELEASE and (
        division(data.paths, data.team_of[str(handover.project)]) != division(data.paths, asked.team)
    )
    return (
        exact(prices.idle) * waited
        + exact(prices.less_preferred) * steps
        + exact(prices.other_division) * crossing
    )


def outcomes(data: ReallocationData, plan: Reallocation) -> Iterator[Violation]:
    """All else that the plan states of requests and supplies follows from the handovers."""
    about = {"organization": data.organization.name, "as_of": data.organization.as_of}
    yield from differences("outcomes", "", plan, about)
    if plan.until < plan.as_of:
        message = f"its horizon ends on {plan.until}, before it begins"
        yield Violation(rule="outcomes", subject="", message=message)
    yield from records("outcomes", "request", plan.requests, request_figures(data, plan))
    yield from stated_supplies(data, plan)


def request_figures(data: ReallocationData, plan: Reallocation) -> dict[str, dict[str, object]]:
    """What must be stated of every request."""
    received: dict[str, list[Handover]] = {name: [] for name in data.requests}
    for handover in sound(data, plan.handovers):
        received[handover.request].append(handover)
    figures: dict[str, dict[str, object]] = {}
    for name, mine in received.items():
        asked, given = data.requests[name], sum(handover.gpus for handover in mine)
        figures[name] = {
            "team": asked.team,
            "gpus": asked.gpus,
            "by": asked.by,
            "handed": given,
            "in_time": sum(handover.gpus for handover in mine if handover.on <= asked.by),
            "complete_on": max(handover.on for handover in mine) if given >= asked.gpus else None,
        }
    return figures


def stated_supplies(data: ReallocationData, plan: Reallocation) -> Iterator[Violation]:
    """The supplies stated are all that becomes free, each with its team."""
    stated = [
        (Source(entry.donor, entry.project, entry.pool, entry.on), entry.gpus) for entry in plan.supplies
    ]
    yield from amounts("outcomes", "supply", stated, data.supplies)
    for entry in plan.supplies:
        team = None if entry.project is None else data.team_of.get(entry.project)
        if entry.team != team:
            message = f"the team of the supply is stated as {entry.team}, but is {team}"
            yield Violation(rule="outcomes", subject=listed((entry.pool, entry.on)), message=message)


def run(data: ReallocationData, plan: Reallocation) -> Iterator[Violation]:
    """The plan was computed from this organization, with limits and in a time that can be."""
    yield from check_run(data.organization, plan)


CONSTRAINTS: tuple[Callable[[ReallocationData, Sequence[Handover]], Iterator[Violation]], ...] = (
    supply,
    request,
    all_or_nothing,
    team_cap_over_time,
    type_limit_over_time,
)
"""The rules that handovers keep, whatever else a plan says."""

STATEMENTS: tuple[Callable[[ReallocationData, Reallocation], Iterator[Violation]], ...] = (
    handovers,
    goals,
    outcomes,
    run,
)
"""The rules that compare what a plan says with its handovers."""
