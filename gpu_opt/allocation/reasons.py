"""Why a project has what it has: typed causes, as facts about one plan, the decisive one first.

What stands in the way of the project's next unit is looked up on every arc on which it wants one
(`barriers`), then who has what it lacks (`rivals`) and why it stays there (`weighing`). A cap or limit that
is in the way everywhere, or where a pool has room, comes first: nothing is to be taken from anybody there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpu_opt.allocation import sentences
from gpu_opt.allocation.barriers import Barrier, Situation, barriers, wanted_units
from gpu_opt.allocation.rivals import Contest, gain, gains, helps_guarantee
from gpu_opt.allocation.standing import Standing
from gpu_opt.allocation.standstill import never_active, never_runs
from gpu_opt.allocation.weighing import Scales, Weighed
from gpu_opt.budgets import resolve_budgets
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization
from gpu_opt.plan import Cause, Reason

MOST_NAMED = 5
"""Projects that a reason names."""

BUDGETS = {"team_cap", "type_limit"}
"""Barriers that somebody decided."""


def explain_projects(
    organization: Organization, instance: Instance, x: Ints, *, proved: bool
) -> tuple[Reason, ...]:
    """Give the decisive reason for what every project of the organization is granted, in its order.

    `proved` says whether the plan is proved to be the best one.
    """
    explain = reasons_of(organization, instance, x, proved=proved)
    by_team = sorted(organization.projects, key=lambda one: (one.team, one.tier))  # see VIEWS_IN_MIND
    reasons = {project.name: next(explain(project.name)) for project in by_team}
    return tuple(reasons[project.name] for project in organization.projects)


def reasons_of(
    organization: Organization, instance: Instance, x: Ints, *, proved: bool
) -> Callable[[str], Iterator[Reason]]:
    """Look at a plan once; return what gives the reasons of a project by its name, the decisive one first."""
    situation = Situation(instance, x, proved=proved)
    scales = Scales(Contest(situation))
    speech = sentences.Speech(organization, instance)
    budgets = resolve_budgets(organization, instance.date)
    index = {name: j for j, name in enumerate(instance.projects.names)}
    projects = {project.name: project for project in organization.projects}

    def explain(name: str) -> Iterator[Reason]:
        j = index.get(name)
        if j is None:
            yield never_active(instance, projects[name])
        elif not instance.projects.arcs[j]:
            yield never_runs(organization, budgets, speech, projects[name])
        elif situation.own[j] >= instance.projects.demand[j]:
            yield Reason(cause=Cause.MET, text="gets all it asked for")
        else:
            yield from _lacking(situation, scales, speech, j)

    return explain


def _lacking(situation: Situation, scales: Scales, speech: sentences.Speech, j: int) -> Iterator[Reason]:
    steps = wanted_units(situation, j)
    if not steps:
        yield speech.met_within_a_unit(situation, j)
        return
    if not helps_guarantee(situation, j) and _gains_nothing(situation, steps):
        yield speech.no_value(situation, j)
        return
    blocked = barriers(situation, j, steps)
    if not all(blocked.values()):
        yield speech.unproved("not decided: there is room for more")
        return
    if _only_the_minimum(situation, j, steps):
        yield speech.minimum(j)
        return

    yield from _ordered(situation, speech, j, blocked, lambda: scales.weigh(blocked, steps))


def _gains_nothing(situation: Situation, steps: dict[int, int]) -> bool:
    """Whether the next step is worth nothing on any arc; the first one mostly tells."""
    arc, units = next(iter(steps.items()))
    return gain(situation, arc, units) == 0 and not gains(situation, [*steps], [*steps.values()]).any()


def _only_the_minimum(situation: Situation, j: int, steps: dict[int, int]) -> bool:
    """Whether a single unit has room though the minimum has not."""
    has_minimum = not situation.own[j] and any(units > 1 for units in steps.values())
    return has_minimum and not all(barriers(situation, j, dict.fromkeys(steps, 1)).values())


def _ordered(
    situation: Situation,
    speech: sentences.Speech,
    j: int,
    blocked: dict[int, tuple[Barrier, ...]],
    weigh: Callable[[], Weighed],
) -> Iterator[Reason]:
    """The budgets that decide, a single pool, who has what it lacks, full pools, other budgets."""
    found = (each for barred in blocked.values() for each in barred)
    budgets = list(dict.fromkeys(each for each in found if each.family in BUDGETS))
    first = [each for each in budgets if _decides(each, blocked)]
    for each in first:
        yield speech.budget(situation, each, blocked)
    if any(each.family == "one_pool" for barred in blocked.values() for each in barred):
        yield speech.one_pool(situation, j, blocked)
    yield from _held_by_others(situation, speech, j, weigh())
    full = [a for a, barred in blocked.items() if any(each.family == "pool_capacity" for each in barred)]
    if full:
        yield speech.pools_full(full, all_of_them=len(full) == len(blocked))
    for each in budgets:
        if each not in first:
            yield speech.budget(situation, each, blocked)


def _decides(budget: Barrier, blocked: dict[int, tuple[Barrier, ...]]) -> bool:
    """Whether a cap or limit is in the way on every arc, or on one where only budgets are."""
    where = [barred for barred in blocked.values() if budget in barred]
    return len(where) == len(blocked) or any({each.family for each in barred} <= BUDGETS for barred in where)


def _held_by_others(
    situation: Situation, speech: sentences.Speech, j: int, rivals: Weighed
) -> Iterator[Reason]:
    """Why nobody gives up what the project lacks: what could be changed before what could not."""
    if not situation.proved and rivals.has(Standing.BEHIND):
        told = "others that come after it have what it lacks: more time may find a better plan"
        yield speech.unproved(told)
    spent = rivals.has(Standing.MOVES_SPENT)
    if spent or rivals.has(Standing.MOVE_COST):
        stuck = rivals.largest(Standing.MOVES_SPENT if spent else Standing.MOVE_COST, MOST_NAMED)
        yield speech.moves(situation, stuck, spent=spent)
    if rivals.has(Standing.GUARANTEED):
        guaranteed = rivals.largest(Standing.GUARANTEED, MOST_NAMED)
        yield speech.guarantee(guaranteed, rivals.highest_promise())
    if rivals.has(Standing.PINNED):
        yield speech.pinned(rivals.largest(Standing.PINNED, MOST_NAMED))
    if rivals.has(Standing.AHEAD):
        ahead = rivals.largest(Standing.AHEAD, MOST_NAMED)
        yield speech.outranked(situation, j, ahead, higher_tier=rivals.has_higher_tier())
