"""What cannot all be had, as tables."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Basis, Conflict, Conflicts, Statement, StatementKind
from gpu_opt.report.tables import cell, table, titled
from gpu_opt.report.text import amount, counted


def conflicts(found: Conflicts) -> RenderableType:
    """Each conflict, with the smallest relaxation of each of its statements."""
    head = f"{found.organization}, {found.date}: {sentence(found)}"
    return Group(cell(head, "bold"), *(_section(one) for one in found.conflicts))


def sentence(found: Conflicts) -> str:
    """How much cannot all be had, and whether that is all of it."""
    if not found.conflicts:
        return (
            "everything that is stated can be had together"
            if found.is_complete
            else "not decided in the time"
        )
    rest = "the rest can be had" if found.is_complete else "more may be hidden behind them"
    return f"{counted(len(found.conflicts), 'conflict')}; once one statement of each gives way, {rest}"


def _section(one: Conflict) -> RenderableType:
    grid = table("statement", "says", "resolved by", "who may decide", right=("says", "resolved by"))
    for each in one.statements:
        who = decider(each.basis, each.owner)
        grid.add_row(cell(each.text), amount(each.amount), relaxed(each), cell(who))
    return titled(one.sentence, grid, *map(cell, notes(one)))


def decider(basis: Basis, owner: str | None) -> str:
    """Who may decide otherwise."""
    return "a fact" if basis is Basis.FACT else owner or "nobody is named"


def notes(one: Conflict) -> list[str]:
    """What else is to be known of a conflict."""
    told = [] if one.is_minimal else ["not proved to be minimal in the time"]
    if one.is_felt is False:
        told.append("on paper only: every one of them can be met to within a unit, which counts as met")
    elif one.is_felt is None:
        told.append("not decided in the time whether a plan could meet them to within a unit")
    return told


def relaxed(statement: Statement) -> str:
    """The nearest amount that would resolve the conflict, in words."""
    if statement.is_base:
        return "no amount: they are shares of it"
    if statement.relaxed is None:
        return "not found"
    less = statement.kind in {StatementKind.GUARANTEE, StatementKind.PINNED}
    return f"at {'most' if less else 'least'} {amount(statement.relaxed)}"
