"""Why a project or a team has what it has, as tables."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import (
    Basis,
    Candidates,
    Explanation,
    Lacks,
    Loss,
    Reason,
    Remedy,
    RemedyKind,
    Resource,
    Touch,
)
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


CHANGES = {
    RemedyKind.CAP: "a higher cap",
    RemedyKind.LIMIT: "a higher limit on a type",
    RemedyKind.ONE_POOL: "several pools",
    RemedyKind.MINIMUM: "a lower minimum",
    RemedyKind.PRIORITY: "a higher priority",
    RemedyKind.TIER: "an earlier tier",
    RemedyKind.RANK: "an earlier tier with a higher priority",
    RemedyKind.MOVES: "more moves",
    RemedyKind.UNPIN: "a pin less",
    RemedyKind.OWN_GUARANTEE: "a higher guarantee of its team",
    RemedyKind.GUARANTEE: "a lower guarantee of another team",
    RemedyKind.POOL: "more GPUs",
}
"""Kinds of changes in words."""


def explanation(found: Explanation) -> RenderableType:
    """The sentence; the cheapest change; the reasons, the constraints that it touches, other changes."""
    sections: list[RenderableType] = [cell(found.sentence, "bold")]
    if told := help_sentence(found):
        sections.append(cell(told))
    sections.append(_reasons(found))
    if found.touches:
        sections.append(_touches(found.touches))
    if found.remedies:
        sections.append(_remedies(found))
    return Group(*sections)


def help_sentence(found: Explanation) -> str:
    """The cheapest change; where there is none, what is known instead; empty where nothing is lacking."""
    if found.remedies:
        return remedy_sentence(found.remedies[0])
    if found.needs_no_change:
        return "Solving again gave it that without any change: a longer --time-limit may find a better plan."
    if found.lacks is None:
        return ""
    told = candidates(found.candidates)
    if not told:
        return f"No single change of a budget, a rank or a pool could {_effect(found)}."
    return f"No single change was confirmed to {_effect(found)}. {told}"


def candidates(found: Candidates) -> str:
    """What became of the changes that are no remedy."""
    parts = (
        ("Not enough, whatever the amount: {}.", found.not_enough),
        ("Not decided in the time (--time-limit): {}.", found.undecided),
        (
            "Not tried, because more than ten other projects would take first what it makes room for: {}.",
            found.crowded,
        ),
    )
    return " ".join(told.format(", ".join(CHANGES[kind] for kind in kinds)) for told, kinds in parts if kinds)


def _effect(found: Explanation) -> str:
    match found.lacks:
        case Lacks.PROMISE:
            return "meet its promise"
        case Lacks.DEMANDS:
            return f"give it the {amount(found.missing)} more that its projects ask for"
        case Lacks.CAP:
            return f"give it the {amount(found.missing)} more that its cap allows"
        case _:
            return "give it all it asked for"


def remedy_sentence(best: Remedy) -> str:
    """The cheapest change, who could decide it, and what it takes from whom."""
    owner = f" ({best.owner})" if best.owner else ""
    smallest = "the smallest such change" if best.is_smallest else "it is enough, and less may be"
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


def _remedies(found: Explanation) -> RenderableType:
    grid = table("single change", "costs", "who may decide", "known", "takes", right=("costs",))
    for each in found.remedies:
        grid.add_row(
            cell(each.text),
            amount(each.cost),
            cell(each.owner or ("a fact" if each.basis is Basis.FACT else "nobody is named")),
            "smallest" if each.is_smallest else "enough",
            cell(_losses(each.takes)),
        )
    note = cell(f"{_confirmation(found)} Costs: compute that others lose, and GPUs that are added.")
    others = [cell(told)] if (told := candidates(found.candidates)) else []
    return titled(f"What would {_effect(found)}", grid, note, *others)


def _confirmation(found: Explanation) -> str:
    """How the changes were confirmed: by the best of all plans, or of those in which some decide again."""
    decided = sorted({each.decided for each in found.remedies})
    if decided[0] == found.active:
        return "Each is confirmed by solving again."
    many = str(decided[0]) if len(decided) == 1 else f"{decided[0]} to {decided[-1]}"
    others = "while the others keep what they have"
    return f"Each is confirmed by solving again: {many} of {found.active:,} projects decide anew, {others}."
