"""What planners may rely on when they are told what cannot all be had."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.allocation.sentences import Speech
from gpu_opt.budgets import resolve_budgets
from gpu_opt.clock import Clock
from gpu_opt.explanation import conflicts
from gpu_opt.explanation.paper import Excess, excesses
from gpu_opt.explanation.possible import Program, program_of
from gpu_opt.explanation.statements import Stated, list_statements
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.organization import Organization, Team
from gpu_opt.plan import Conflict, Statement, StatementKind
from gpu_opt.scenario import apply
from gpu_opt.scenario.changes import Change, SetCap, SetGuarantee
from tests.solving import PROOF, goals, proved
from tests.strategies import organizations

ROOM = {StatementKind.CAP, StatementKind.LIMIT, StatementKind.POOL, StatementKind.MAX_MOVES}


def stated(organization: Organization) -> tuple[Instance, tuple[Stated, ...]]:
    instance = build_instance(organization, organization.as_of)
    budgets = resolve_budgets(organization, organization.as_of)
    return instance, list_statements(organization, budgets, instance, Speech(organization, instance))


def program(organization: Organization) -> Program:
    return program_of(*stated(organization), Clock(PROOF))


def on_paper(organization: Organization) -> list[Excess]:
    instance, statements = stated(organization)
    return list(excesses(resolve_budgets(organization, organization.as_of), instance, statements))


def in_program(organization: Organization) -> list[Conflict]:
    """The conflicts that are no mere sums."""
    sums = {each.sentence for each in on_paper(organization)}
    return [one for one in conflicts(organization, options=PROOF).conflicts if one.sentence not in sums]


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
    assert all(one.is_felt is not None for one in found.conflicts)
    assert any(one.is_felt for one in found.conflicts) == any(missed)


@given(organizations())
def test_removing_any_statement_from_a_minimal_conflict_resolves_it(organization: Organization) -> None:
    for one in in_program(organization):
        assert one.is_minimal
        whole = program(organization)
        statements = held(whole, one)
        assert whole.is_possible(statements) is False
        for each in statements:
            assert whole.is_possible([other for other in statements if other is not each]) is True


@given(organizations())
def test_a_relaxation_resolves_its_conflict_and_a_smaller_one_does_not(organization: Organization) -> None:
    for one in in_program(organization):
        for each in one.statements:
            if each.kind in ROOM:
                assert each.relaxed is not None
                assert possible_at(organization, one, each.subject, each.gpu_type, each.relaxed) is True
                step = 0.01 if each.kind is StatementKind.CAP else 1
                assert (
                    possible_at(organization, one, each.subject, each.gpu_type, each.relaxed - step) is False
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


# --- On paper -----------------------------------------------------------------------------------------


@st.composite
def generous(draw: st.DrawFn) -> Organization:
    """Organizations that promise more than most can keep, in amounts and in shares, at several levels."""
    organization = draw(organizations(max_teams=5))
    promises = st.sampled_from((None, 4.0, 9.0, "30%", "55%", "80%"))

    def promised(team: Team) -> Team:
        guarantee = draw(promises)
        above_cap = isinstance(team.cap, float) and isinstance(guarantee, float) and guarantee > team.cap
        cap = None if above_cap or isinstance(team.cap, str) else team.cap
        return team.model_copy(update={"guarantee": guarantee, "cap": cap})

    teams = [promised(team) for team in organization.teams]
    return organization.model_copy(update={"teams": tuple(teams)})


def room_and_promises(each: Excess) -> tuple[float, list[float]]:
    return each.ceiling.amount, [one.statement.amount for one in each.promises]


@given(generous())
def test_promises_on_paper_exceed_what_is_above_them_and_without_any_one_of_them_they_do_not(
    organization: Organization,
) -> None:
    for each in on_paper(organization):
        room, promises = room_and_promises(each)
        assert sum(promises) > room
        assert all(sum(promises) - one <= room + 1e-9 for one in promises)


@given(generous())
def test_a_relaxation_on_paper_is_enough_and_a_smaller_one_is_not(organization: Organization) -> None:
    """With 0.01 less of it, the same statements still add up to too much."""
    for each in on_paper(organization):
        for one in each.statements:
            step = -0.01 if one.kind is StatementKind.GUARANTEE else 0.01
            if one.relaxed is None or one.kind is StatementKind.FLEET:
                continue
            assert not is_there(each, relaxed(organization, one, one.relaxed))
            assert is_there(each, relaxed(organization, one, one.relaxed - step))


def relaxed(organization: Organization, one: Statement, amount: float) -> Organization:
    """The organization with another amount of a statement."""
    change: Change = (
        SetGuarantee(team=one.subject, guarantee=amount)
        if one.kind is StatementKind.GUARANTEE
        else SetCap(team=one.subject, cap=amount)
    )
    return apply(organization, [change])


def is_there(each: Excess, organization: Organization) -> bool:
    """Whether the same promises still add up to more than the same ceiling."""
    statements = stated(organization)[1]
    promises = {one.statement.subject for one in each.promises}
    told = {(one.statement.kind, one.statement.subject): one.statement.amount for one in statements}
    room = (
        float(resolve_budgets(organization, organization.as_of).fleet)
        if each.ceiling.kind is StatementKind.FLEET
        else told[StatementKind.CAP, each.ceiling.subject]
    )
    return sum(told.get((StatementKind.GUARANTEE, name), 0.0) for name in promises) > room + 1e-9
