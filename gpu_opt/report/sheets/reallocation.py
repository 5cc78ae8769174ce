"""The reallocation as sheets: who hands what to whom, what comes free, what every request gets."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from gpu_opt.plan import CapRaise, Donor, Finding, Handover, Reallocation
from gpu_opt.report.sheet import Column, Kind, Sheet, Value, sheet

DONORS = {Donor.RELEASE: "project that ends", Donor.DELIVERY: "delivery", Donor.IDLE: "idle"}
"""Where GPUs come from, in words."""


def met_in_time(plan: Reallocation) -> int:
    """How many requests have all they ask for by their day; a last unit may be more than that."""
    return sum(one.in_time >= one.gpus for one in plan.requests)


def reallocation_sheets(plan: Reallocation) -> list[Sheet]:
    """All that a reallocation says."""
    return [handovers(plan), weeks(plan), team_weeks(plan), requests(plan), supplies(plan)]


def handovers(plan: Reallocation) -> Sheet:
    """GPUs that change hands, in the order of their dates."""
    columns = (
        Column("on", "on", Kind.DAY),
        Column("free_on", "free since", Kind.DAY),
        Column("from", "from"),
        Column("donor", "donor"),
        Column("project", "project"),
        Column("donor_team", "its team"),
        Column("pool", "pool"),
        Column("gpus", "GPUs", Kind.COUNT),
        Column("request", "to"),
        Column("team", "team"),
    )
    rows = (
        (
            one.on,
            one.free_on,
            one.project or DONORS[one.donor],
            one.donor.value,
            one.project,
            one.donor_team,
            one.pool,
            one.gpus,
            one.request,
            one.team,
        )
        for one in sorted(plan.handovers, key=lambda one: one.on)
    )
    return sheet("handovers", "Handovers, in GPUs", columns, rows)


def monday(day: dt.date) -> dt.date:
    """The Monday of its week."""
    return day - dt.timedelta(days=day.weekday())


def weeks(plan: Reallocation) -> Sheet:
    """GPUs handed over in every week in which any are, by where they come from."""
    sums: Counter[tuple[dt.date, Donor]] = Counter()
    for one in plan.handovers:
        sums[monday(one.on), one.donor] += one.gpus
    columns = (
        Column("week", "week that begins on", Kind.DAY),
        *(Column(donor.value, words, Kind.COUNT) for donor, words in DONORS.items()),
        Column("gpus", "GPUs in all", Kind.COUNT),
    )
    rows: list[tuple[Value, ...]] = []
    for week in sorted({week for week, _ in sums}):
        gpus = [sums[week, donor] for donor in DONORS]
        rows.append((week, *gpus, sum(gpus)))
    return sheet("weeks", "What comes when, in GPUs", columns, rows)


def team_weeks(plan: Reallocation) -> Sheet:
    """GPUs that every team gets in every week in which it gets any."""
    sums: Counter[tuple[dt.date, str]] = Counter()
    for one in plan.handovers:
        sums[monday(one.on), one.team] += one.gpus
    columns = (
        Column("week", "week that begins on", Kind.DAY),
        Column("team", "team"),
        Column("gpus", "GPUs", Kind.COUNT),
    )
    rows = ((week, team, gpus) for (week, team), gpus in sorted(sums.items()))
    return sheet("team_weeks", "What teams get when, in GPUs", columns, rows)


def giver(one: Handover) -> str:
    """The team that hands over, or that the GPUs are delivered or idle."""
    return one.donor_team or DONORS[one.donor]


def requests(plan: Reallocation) -> Sheet:
    """What every request gets, and by when."""
    columns = (
        Column("request", "request"),
        Column("team", "team"),
        Column("by", "by", Kind.DAY),
        Column("asked", "asked", Kind.COUNT),
        Column("in_time", "in time", Kind.COUNT),
        Column("late", "late", Kind.COUNT),
        Column("missing", "missing", Kind.COUNT),
        Column("handed", "handed", Kind.COUNT),
        Column("complete_on", "complete on", Kind.DAY),
        Column("note", "note", Kind.SENTENCE),
    )
    rows = (
        (
            one.request,
            one.team,
            one.by,
            one.gpus,
            one.in_time,
            one.handed - one.in_time,
            max(0, one.gpus - one.handed),
            one.handed,
            one.complete_on,
            one.text,
        )
        for one in plan.requests
    )
    return sheet("requests", "Requests, in GPUs", columns, rows)


def supplies(plan: Reallocation) -> Sheet:
    """GPUs that become free, in the order of their dates."""
    columns = (
        Column("on", "on", Kind.DAY),
        Column("donor", "donor"),
        Column("project", "project"),
        Column("team", "team"),
        Column("pool", "pool"),
        Column("gpus", "GPUs", Kind.COUNT),
    )
    ordered = sorted(plan.supplies, key=lambda one: one.on)
    rows = ((one.on, one.donor.value, one.project, one.team, one.pool, one.gpus) for one in ordered)
    return sheet("supplies", "What comes free, in GPUs", columns, rows)


def finding_sheets(found: Finding) -> list[Sheet]:
    """All that the answer to a request says; what would come if caps were raised has names of its own."""
    sheets = [answer(found), *reallocation_sheets(found.reallocation), raises(found.raises)]
    if found.if_raised is not None:
        sheets += [
            one._replace(name=f"{one.name}_if_raised", title=f"{one.title}, if those caps were raised")
            for one in reallocation_sheets(found.if_raised)
        ]
    return sheets


def answer(found: Finding) -> Sheet:
    """The answer in a row."""
    columns = (
        Column("in_time", "in time"),
        Column("complete", "complete"),
        Column("allowed", "allowed by all caps"),
        Column("sentence", "answer", Kind.SENTENCE),
    )
    told = ("yes" if is_so else "no" for is_so in (found.in_time, found.complete, found.allowed))
    return sheet("answer", "Answer", columns, [(*told, found.sentence)])


def raises(found: tuple[CapRaise, ...]) -> Sheet:
    """Caps that would have to be higher."""
    columns = (
        Column("team", "team"),
        Column("unit", "counted in"),
        Column("cap", "cap", Kind.AMOUNT),
        Column("needed", "needed", Kind.AMOUNT),
        Column("on", "from", Kind.DAY),
        Column("owner", "who may raise it"),
    )
    rows = (
        (
            one.team,
            "reference GPUs" if one.gpu_type is None else f"GPUs of {one.gpu_type}",
            one.cap,
            one.needed,
            one.on,
            one.owner or "nobody is named",
        )
        for one in found
    )
    return sheet("raises", "Caps in the way", columns, rows)
