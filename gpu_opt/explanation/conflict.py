"""Conflicts: minimal sets of statements that exclude one another, by deletion filtering.

A statement is left out; if the rest still cannot all hold, it stays out, else it is needed. What is left
at the end is minimal: without any one of its statements the others can all hold (Chinneck and Dravnieks,
"Locating minimal infeasible constraint sets in linear programs", ORSA Journal on Computing 3, 1991;
Chinneck, "Feasibility and Infeasibility in Optimization", Springer 2008, chapter 6).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from itertools import groupby

from gpu_opt.allocation import allocate
from gpu_opt.allocation.sentences import Speech, listed
from gpu_opt.budgets import resolve_budgets
from gpu_opt.clock import Clock
from gpu_opt.explanation.paper import Excess, excesses
from gpu_opt.explanation.possible import Program, program_of
from gpu_opt.explanation.statements import Stated, list_statements
from gpu_opt.indexing import build_instance
from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation, Conflict, Conflicts, StatementKind

SHARE_OF_PLAN = 0.25
"""Of the time, for a plan that meets everything, if there is one: then there is no conflict."""

MOST = 10
"""Conflicts that are looked for."""

DEMANDS = {StatementKind.GUARANTEE, StatementKind.PINNED}
"""Statements that want GPUs; the others allow so many."""

GIVEN_UP_FIRST = (
    StatementKind.GUARANTEE,
    StatementKind.CAP,
    StatementKind.LIMIT,
    StatementKind.POOL,
    StatementKind.MAX_MOVES,
    StatementKind.PINNED,
)
"""Which statement of a conflict is dropped to look for the next one."""


def conflicts(
    organization: Organization, *, date: dt.date | None = None, options: Options | None = None
) -> Conflicts:
    """What an organization states that cannot all be had on a date (default: its `as_of`).

    Statements are guarantees, caps, limits, the pools' sizes, pins and the most moves. First come promises
    that add up to more than what is above them, even where no plan feels it. Each conflict is a
    minimal set of them, each with the smallest relaxation that would resolve it; one statement of it
    is then given up, and the next conflict is looked for among the others. See ``models/explanation.md``.

    Raises
    ------
    InvalidInput
        The organization cannot be meant; or `date` is before the day that it describes.
    SolverFailure
        CBC could not be started.
    """
    options = options or Options()
    clock = Clock(options)
    clock.enter("plan")
    limit = dataclasses.replace(options, time_limit=options.time_limit * SHARE_OF_PLAN)
    plan = allocate(organization, date=date, options=limit)
    clock.enter("conflicts")
    found, complete = _look_for(organization, plan, clock)
    return Conflicts(
        organization=organization.name,
        date=plan.date,
        conflicts=found,
        is_complete=complete,
        run=clock.run(content_hash(organization)),
    )


def _has_all(plan: Allocation) -> bool:
    """Whether a plan breaks nothing and keeps every guarantee: then there is no conflict."""
    return all(goal.value == 0 for goal in plan.goals if goal.name.startswith(("repair", "guarantee")))


def _look_for(
    organization: Organization, plan: Allocation, clock: Clock
) -> tuple[tuple[Conflict, ...], bool]:
    """The conflicts, and whether it is proved that there are no others beside them.

    First what promises add up to on paper, then what the program says of all that is left.
    """
    instance = build_instance(organization, plan.date)
    speech, budgets = Speech(organization, instance), resolve_budgets(organization, plan.date)
    statements = list_statements(organization, budgets, instance, speech)
    on_paper = tuple(excesses(budgets, instance, statements))
    if _has_all(plan):
        return tuple(_written(each, is_felt=False) for each in on_paper), True
    program = program_of(instance, statements, clock)
    left, found = list(statements), list[Conflict]()
    for each in on_paper:
        possible = program.is_possible([*each.promises, *each.held])
        found.append(_written(each, is_felt=None if possible is None else not possible))
        if not possible:
            left.remove(each.promises[-1])
    return _in_program(program, left, found)


def _written(excess: Excess, *, is_felt: bool | None) -> Conflict:
    """An excess of promises as a conflict: minimal, as it is sums."""
    return Conflict(sentence=excess.sentence, statements=excess.statements, is_minimal=True, is_felt=is_felt)


def _in_program(
    program: Program, left: list[Stated], found: list[Conflict]
) -> tuple[tuple[Conflict, ...], bool]:
    """Those found, and after them the conflicts among what is left, one statement of each given up."""
    while len(found) < MOST:
        possible = program.is_possible(left)
        if possible is not False:
            return tuple(found), possible is True
        minimal, is_proved = _minimal(program, left)
        found.append(_conflict(program, minimal, is_proved))
        given_up = min(minimal, key=lambda one: GIVEN_UP_FIRST.index(one.statement.kind))
        left = [one for one in left if one is not given_up]
    return tuple(found), False


def _minimal(program: Program, statements: Sequence[Stated]) -> tuple[list[Stated], bool]:
    """The deletion filter: first whole kinds, then one by one; False: the time was too short to prove it."""
    left, proved = list(statements), True
    for _, kind in groupby(statements, key=lambda one: one.statement.kind):
        together = list(kind)
        rest = [one for one in left if one not in together]
        if program.is_possible(rest) is False:
            left = rest
            continue
        for one in together:
            rest = [each for each in left if each is not one]
            possible = program.is_possible(rest)
            proved = proved and possible is not None
            if possible is False:
                left = rest
    return left, proved


def _conflict(program: Program, held: Sequence[Stated], is_proved: bool) -> Conflict:
    statements = [
        one.statement.model_copy(update={"relaxed": program.relaxed(held, one)}) for one in reversed(held)
    ]
    wants = [one.text for one in statements if one.kind in DEMANDS]
    allows = [one.text for one in statements if one.kind not in DEMANDS]
    if wants and len(allows) == 1:
        sentence = f"{' + '.join(wants)} > {allows[0]}"
    else:
        sentence = f"{listed([*wants, *allows])} cannot all hold"
    return Conflict(sentence=sentence, statements=tuple(statements), is_minimal=is_proved)
