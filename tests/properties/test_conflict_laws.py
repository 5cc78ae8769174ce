"""What planners may rely on when they are told what cannot all be had."""

from __future__ import annotations

import dataclasses

from hypothesis import given

from gpu_opt.allocation.sentences import Speech
from gpu_opt.budgets import resolve_budgets
from gpu_opt.clock import Clock
from gpu_opt.explanation import conflicts
from gpu_opt.explanation.possible import Program, program_of
from gpu_opt.explanation.statements import Stated, list_statements
from gpu_opt.indexing import build_instance
from gpu_opt.organization import Organization
from gpu_opt.plan import Conflict, StatementKind
from tests.solving import PROOF, goals, proved
from tests.strategies import organizations

ROOM = {StatementKind.CAP, StatementKind.LIMIT, StatementKind.POOL, StatementKind.MAX_MOVES}


def program(organization: Organization) -> Program:
    instance = build_instance(organization, organization.as_of)
    budgets = resolve_budgets(organization, organization.as_of)
    speech = Speech(organization, instance)
    return program_of(instance, list_statements(organization, budgets, instance, speech), Clock(PROOF))


def held(whole: Program, one: Conflict) -> list[Stated]:
    names = {(each.kind, each.subject, each.gpu_type) for each in one.statements}
    return [
        each
        for each in whole.statements
        if (each.statement.kind, each.statement.subject, each.statement.gpu_type) in names
    ]


@given(organizations())
def test_there_is_a_conflict_just_where_the_best_plan_breaks_or_misses_something(
    organization: Organization,
) -> None:
    missed = [
        value
        for name, value in goals(proved(organization)).items()
        if name.startswith(("repair", "guarantee"))
    ]
    found = conflicts(organization, options=PROOF)
    assert found.is_complete
    assert bool(found.conflicts) == any(missed)


@given(organizations())
def test_removing_any_statement_from_a_minimal_conflict_resolves_it(organization: Organization) -> None:
    for one in conflicts(organization, options=PROOF).conflicts:
        assert one.is_minimal
        whole = program(organization)
        statements = held(whole, one)
        assert whole.is_possible(statements) is False
        for each in statements:
            assert whole.is_possible([other for other in statements if other is not each]) is True


@given(organizations())
def test_a_relaxation_resolves_its_conflict_and_a_smaller_one_does_not(organization: Organization) -> None:
    for one in conflicts(organization, options=PROOF).conflicts:
        for stated in one.statements:
            if stated.kind in ROOM:
                assert stated.relaxed is not None
                assert possible_at(organization, one, stated.subject, stated.gpu_type, stated.relaxed) is True
                step = 0.01 if stated.kind is StatementKind.CAP else 1
                assert (
                    possible_at(organization, one, stated.subject, stated.gpu_type, stated.relaxed - step)
                    is False
                )


def possible_at(
    organization: Organization, one: Conflict, subject: str, gpu_type: str | None, amount: float
) -> bool | None:
    """Whether the conflict can be had with another amount of the statement on room about the subject."""
    whole = program(organization)
    changed = tuple(
        dataclasses.replace(each, rows=((each.rows[0][0], amount / each.scale),))
        if each.statement.kind in ROOM
        and (each.statement.subject, each.statement.gpu_type) == (subject, gpu_type)
        else each
        for each in whole.statements
    )
    whole = dataclasses.replace(whole, statements=changed)
    return whole.is_possible(held(whole, one))
