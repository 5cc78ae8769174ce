"""Why a project or a team has what it has, as tables."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Basis, Explanation, Loss, Reason, Remedy, Resource, Status, Touch
from gpu_opt.report.tables import cell, table, titled
from gpu_opt.report.text import amount, count, counted

MOST_SHOWN = 8
"""Constraints, and losers of a change, that are shown."""

NAMES = {
    Resource.POOL_CAPACITY: "pool {}",
    Resource.TEAM_CAP: "cap of {}",
    Resource.TYPE_LIMIT: "limit of {} on {}",
    Resource.TEAM_GUARANTEE: "guarantee of {}",
    Resource.MOVE_BUDGET: "max_moves",
}


def explanation(found: Explanation) -> RenderableType:
    """The sentence; the cheapest change; the reasons, the constraints that it touches, other changes."""
    sections: list[RenderableType] = [cell(found.sentence, "bold")]
    if found.remedies:
        sections.append(cell(remedy_sentence(found.remedies[0])))
    sections.append(_reasons(found))
    if found.touches:
        sections.append(_touches(found.touches))
    if found.remedies:
        sections.append(_remedies(found.remedies))
    return Group(*sections)


def remedy_sentence(best: Remedy) -> str:
    """The cheapest change, who could decide it, and what it takes from whom."""
    owner = f" ({best.owner})" if best.owner else ""
    smallest = "the smallest such change" if best.is_smallest else "less was not proved too little"
    takes = "It takes nothing from anybody"
    if best.takes:
        takes = f"It takes {_losses(best.takes)}"
    return f"Cheapest change: {best.text}{owner}; {smallest}. {takes}."


def _losses(takes: tuple[Loss, ...]) -> str:
    shown = [f"{amount(each.compute)} from {each.project}" for each in takes[:MOST_SHOWN]]
    more = [f"less from {count(len(takes) - MOST_SHOWN)} others"] if len(takes) > MOST_SHOWN else []
    return ", ".join([*shown, *more])


def _reasons(found: Explanation) -> RenderableType:
    grid = table("cause", "fact or policy", "who may decide", "why")
    for each in found.reasons:
        grid.add_row(
            each.cause.value.replace("_", " "), each.basis.value, cell(_decider(each)), cell(each.text)
        )
    return titled("Reasons, the decisive one first", grid)


def _decider(reason: Reason) -> str:
    return "" if reason.basis is Basis.FACT else reason.owner or "nobody is named"


def _touches(touches: tuple[Touch, ...]) -> RenderableType:
    grid = table("constraint", "limit", "left", right=("limit", "left"))
    for each in touches[:MOST_SHOWN]:
        name = NAMES[each.resource].format(each.subject, each.gpu_type)
        grid.add_row(cell(name), amount(each.limit), amount(each.slack))
    more = [cell(f"and {counted(len(touches) - MOST_SHOWN, 'other')}")] if len(touches) > MOST_SHOWN else []
    return titled("What it touches, the tightest first", grid, *more)


def _remedies(remedies: tuple[Remedy, ...]) -> RenderableType:
    grid = table("single change", "costs", "who may decide", "known", "takes", right=("costs",))
    for each in remedies:
        known = "smallest" if each.is_smallest else "enough"
        if each.status is not Status.OPTIMAL:
            known += ", plan not proved"
        grid.add_row(
            cell(each.text),
            amount(each.cost),
            cell(each.owner or ("a fact" if each.basis is Basis.FACT else "nobody is named")),
            known,
            cell(_losses(each.takes)),
        )
    note = cell(
        "Each is confirmed by solving again. Costs: compute that others lose, and GPUs that are added."
    )
    return titled("What would give it all it asked for", grid, note)
