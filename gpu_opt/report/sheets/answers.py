"""Why, prices and conflicts as sheets."""

from __future__ import annotations

import datetime as dt

from gpu_opt.plan import Candidates, Conflicts, Explanation, Price, Prices, Run, Status
from gpu_opt.report.sheet import Column, Kind, Sheet, sheet
from gpu_opt.report.sheets.common import PLAN_COLUMNS, PLANS
from gpu_opt.report.text import yes_or_no


def explanation_sheets(found: Explanation) -> tuple[Sheet, ...]:
    """All that is said of one project or team."""
    return (
        _asked("explanation", found.organization, found.date, found.run),
        subject(found),
        reasons(found),
        touches(found),
        remedies(found),
        losses(found),
        other_changes(found.candidates),
    )


def prices_sheets(found: Prices) -> tuple[Sheet, ...]:
    """What one unit more of everything is worth, in all and by tier."""
    plan = _asked("prices", found.organization, found.date, found.run, found.status, found.objective)
    return plan, prices(found.prices), tier_prices(found.prices)


def conflicts_sheets(found: Conflicts) -> tuple[Sheet, ...]:
    """The conflicts, and the statements of each."""
    return _asked("conflicts", found.organization, found.date, found.run), conflicts(found), statements(found)


def _asked(
    name: str,
    organization: str,
    date: dt.date,
    run: Run,
    status: Status | None = None,
    objective: float | None = None,
) -> Sheet:
    """The sheet that all have: what was asked about, and what computed the answer."""
    known = (None if status is None else status.value, None, objective, None, None)
    seconds = run.seconds.get("total", sum(run.seconds.values()))
    what = (run.gpu_opt, run.cbc, run.seed, run.organization_hash)
    return sheet(PLANS, "Plans", PLAN_COLUMNS, [(name, organization, None, date, *known, seconds, *what)])


def subject(found: Explanation) -> Sheet:
    """What it has, and what it lacks."""
    columns = (
        Column("subject", "project or team"),
        Column("kind", "is a"),
        Column("sentence", "why", Kind.SENTENCE),
        Column("granted", "granted", Kind.AMOUNT),
        Column("wanted", "asked for, or promised", Kind.AMOUNT),
        Column("lacks", "lacks of its"),
        Column("missing", "lacking", Kind.AMOUNT),
    )
    lacks = None if found.lacks is None else found.lacks.value
    row = (found.subject, found.kind, found.sentence, found.granted, found.wanted, lacks, found.missing)
    return sheet("subject", "What it has", columns, [row])


def reasons(found: Explanation) -> Sheet:
    """Why, the decisive reason first."""
    columns = (
        Column("cause", "cause"),
        Column("basis", "fact or policy"),
        Column("owner", "who may decide"),
        Column("subject", "about"),
        Column("reason", "why", Kind.SENTENCE),
    )
    rows = (
        (each.cause.value, each.basis.value, each.owner, each.subject, each.text) for each in found.reasons
    )
    return sheet("reasons", "Reasons, the decisive one first", columns, rows)


def touches(found: Explanation) -> Sheet:
    """The constraints that count its GPUs."""
    columns = (
        Column("constraint", "constraint"),
        Column("subject", "of"),
        Column("gpu_type", "GPU type"),
        Column("unit", "unit", Kind.AMOUNT),
        Column("limit", "limit", Kind.AMOUNT),
        Column("left", "left", Kind.AMOUNT),
    )
    rows = (
        (each.resource.value, each.subject, each.gpu_type, each.unit, each.limit, each.slack)
        for each in found.touches
    )
    return sheet("touches", "What it touches, the tightest first", columns, rows)


def remedies(found: Explanation) -> Sheet:
    """The single changes that would help, the cheapest first."""
    columns = (
        Column("place", "", Kind.COUNT),
        Column("change", "single change", Kind.SENTENCE),
        Column("kind", "kind"),
        Column("basis", "fact or policy"),
        Column("owner", "who may decide"),
        Column("amount", "by how much", Kind.AMOUNT),
        Column("grain", "in steps of", Kind.AMOUNT),
        Column("smallest", "the smallest"),
        Column("decided", "decide again", Kind.COUNT),
        Column("cost", "costs", Kind.AMOUNT),
    )
    rows = (
        (
            place,
            each.text,
            each.kind.value,
            each.basis.value,
            each.owner,
            each.amount,
            each.grain,
            yes_or_no(each.is_smallest),
            each.decided,
            each.cost,
        )
        for place, each in enumerate(found.remedies, start=1)
    )
    return sheet("remedies", "Single changes that would help, the cheapest first", columns, rows)


def losses(found: Explanation) -> Sheet:
    """What every change takes from whom."""
    columns = (
        Column("place", "change", Kind.COUNT),
        Column("project", "project"),
        Column("team", "team"),
        Column("gpus", "GPUs lost", Kind.COUNT),
        Column("compute", "compute lost", Kind.AMOUNT),
    )
    rows = (
        (place, loss.project, loss.team, loss.gpus, loss.compute)
        for place, each in enumerate(found.remedies, start=1)
        for loss in each.takes
    )
    return sheet("losses", "What each change takes from whom", columns, rows)


def other_changes(found: Candidates) -> Sheet:
    """The kinds of changes that are no remedy, and why."""
    columns = (Column("kind", "kind of change"), Column("fate", "is no answer"))
    fates = {"not_enough": found.not_enough, "undecided": found.undecided, "crowded": found.crowded}
    rows = ((kind.value, fate) for fate, kinds in fates.items() for kind in kinds)
    return sheet("other_changes", "Changes that are no answer", columns, rows)


def prices(found: tuple[Price, ...]) -> Sheet:
    """What one unit more is worth, what is felt most first."""
    columns = (
        Column("constraint", "constraint"),
        Column("subject", "of"),
        Column("gpu_type", "GPU type"),
        Column("basis", "fact or policy"),
        Column("owner", "who may decide"),
        Column("unit", "unit", Kind.AMOUNT),
        Column("limit", "limit", Kind.AMOUNT),
        Column("left", "left", Kind.AMOUNT),
        Column("shortfall", "shortfalls less", Kind.AMOUNT),
        Column("worth", "worth of a unit", Kind.AMOUNT),
        Column("confirmed", "solved again", Kind.AMOUNT),
        Column("gainers", "who gains", Kind.SENTENCE),
    )
    rows = (
        (
            each.resource.value,
            each.subject,
            each.gpu_type,
            each.basis.value,
            each.owner,
            each.amount,
            each.limit,
            each.slack,
            each.shortfall,
            each.worth,
            each.confirmed,
            ", ".join(each.gainers),
        )
        for each in found
    )
    return sheet("prices", "What one unit more is worth", columns, rows)


def tier_prices(found: tuple[Price, ...]) -> Sheet:
    """The same by tier, where it is worth anything."""
    columns = (
        Column("constraint", "constraint"),
        Column("subject", "of"),
        Column("gpu_type", "GPU type"),
        Column("tier", "tier", Kind.COUNT),
        Column("worth", "worth of a unit", Kind.AMOUNT),
        Column("confirmed", "solved again", Kind.AMOUNT),
    )
    rows = (
        (
            each.resource.value,
            each.subject,
            each.gpu_type,
            tier,
            each.worth_by_tier.get(tier, 0.0),
            None if each.confirmed_by_tier is None else each.confirmed_by_tier.get(tier, 0.0),
        )
        for each in found
        for tier in sorted({*each.worth_by_tier, *(each.confirmed_by_tier or {})})
    )
    return sheet("tier_prices", "What one unit more is worth, by tier", columns, rows)


def conflicts(found: Conflicts) -> Sheet:
    """What cannot all be had."""
    columns = (
        Column("conflict", "", Kind.COUNT),
        Column("sentence", "what cannot all be had", Kind.SENTENCE),
        Column("minimal", "proved minimal"),
        Column("felt", "felt by every plan"),
    )
    rows = (
        (
            place,
            each.sentence,
            yes_or_no(each.is_minimal),
            None if each.is_felt is None else yes_or_no(each.is_felt),
        )
        for place, each in enumerate(found.conflicts, start=1)
    )
    return sheet("conflicts", "Conflicts", columns, rows)


def statements(found: Conflicts) -> Sheet:
    """The statements of every conflict, with the smallest relaxation of each."""
    columns = (
        Column("conflict", "conflict", Kind.COUNT),
        Column("statement", "statement", Kind.SENTENCE),
        Column("kind", "kind"),
        Column("subject", "of"),
        Column("gpu_type", "GPU type"),
        Column("basis", "fact or policy"),
        Column("owner", "who may decide"),
        Column("amount", "says", Kind.AMOUNT),
        Column("relaxed", "resolved at", Kind.AMOUNT),
    )
    rows = (
        (
            place,
            each.text,
            each.kind.value,
            each.subject,
            each.gpu_type,
            each.basis.value,
            each.owner,
            each.amount,
            each.relaxed,
        )
        for place, one in enumerate(found.conflicts, start=1)
        for each in one.statements
    )
    return sheet("statements", "Their statements", columns, rows)
