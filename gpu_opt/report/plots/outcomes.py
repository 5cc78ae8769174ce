"""What projects, pools and requests get of what they want."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpu_opt.plan import (
    Allocation,
    Basis,
    Cause,
    PoolOutcome,
    Price,
    ProjectOutcome,
    Reallocation,
    RequestOutcome,
)
from gpu_opt.report.plots.bars import Series, stacked_bars
from gpu_opt.report.plots.style import LACKING, LIMITED, PLAIN, SPARE, label
from gpu_opt.report.sheets.allocation import lacking
from gpu_opt.report.text import amount, count, counted

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 40
"""Of more things than these a plot shows those that matter most; the table has all."""


FACT, POLICY, UNDECIDED = "fact", "policy that somebody could change", "not proved: more time may find more"
BASES = {POLICY: LIMITED, FACT: PLAIN, UNDECIDED: SPARE}
"""What a cause rests on, and how it is filled."""


def cause_words(cause: Cause) -> str:
    """A cause in a few words."""
    return "not decided in the time" if cause is Cause.UNPROVED else cause.replace("_", " ")


def shortest(plan: Allocation) -> list[ProjectOutcome]:
    """Projects that lack something on the date, those that lack most first."""
    return sorted((one for one in plan.projects if lacking(one) > 0), key=lambda one: -lacking(one))


def project_bars(projects: Sequence[ProjectOutcome]) -> Figure:
    """What these projects are granted and lack of what they ask for."""
    series = (
        Series("granted", [one.granted for one in projects], PLAIN),
        Series("lacking", [lacking(one) for one in projects], LACKING),
    )
    texts = [
        f"{amount(one.granted)} of {amount(one.demand)}: {cause_words(one.reason.cause)}" for one in projects
    ]
    return stacked_bars([label(one.project) for one in projects], series, texts, "reference GPUs", room=0.5)


def cause_bars(projects: Sequence[ProjectOutcome]) -> Figure:
    """What is lacking in all, by cause; facts, policies and what is not decided are filled differently."""
    sums: dict[tuple[Cause, str], float] = defaultdict(float)
    numbers = Counter((one.reason.cause, _basis(one)) for one in projects)
    for one in projects:
        sums[one.reason.cause, _basis(one)] += lacking(one)
    ordered = sorted(sums, key=lambda each: -sums[each])
    series = [
        Series(basis, [sums[each] if each[1] == basis else 0 for each in ordered], mark)
        for basis, mark in BASES.items()
    ]
    texts = [f"{amount(sums[each])} in {counted(numbers[each], 'project')}" for each in ordered]
    labels = [cause_words(cause) for cause, _ in ordered]
    return stacked_bars(labels, series, texts, "reference GPUs lacking")


def _basis(one: ProjectOutcome) -> str:
    if one.reason.cause is Cause.UNPROVED:
        return UNDECIDED
    return POLICY if one.reason.basis is Basis.POLICY else FACT


def pool_bars(pools: Sequence[PoolOutcome]) -> Figure:
    """What of every pool is granted, and what is idle."""
    series = (
        Series("granted", [one.granted for one in pools], PLAIN),
        Series("idle", [one.idle for one in pools], SPARE),
    )
    texts = [f"{count(one.granted)} of {count(one.gpus)}, {count(one.idle)} idle" for one in pools]
    return stacked_bars([label(one.pool) for one in pools], series, texts, "GPUs", room=0.45)


def waiting(plan: Reallocation) -> list[RequestOutcome]:
    """Requests, those that miss most first, then those that get most late, then the largest."""
    return sorted(plan.requests, key=lambda one: (one.handed - one.gpus, one.in_time - one.handed, -one.gpus))


def request_bars(requests: Sequence[RequestOutcome]) -> Figure:
    """What requests get in time, late, and not within the horizon."""
    series = (
        Series("in time", [one.in_time for one in requests], PLAIN),
        Series("late", [one.handed - one.in_time for one in requests], LIMITED),
        Series("missing", [max(0, one.gpus - one.handed) for one in requests], LACKING),
    )
    texts = [f"{count(one.handed)} of {count(one.gpus)} by {one.by}" + _when(one) for one in requests]
    return stacked_bars([label(one.request) for one in requests], series, texts, "GPUs", room=0.85)


def _when(one: RequestOutcome) -> str:
    return ", not complete" if one.complete_on is None else f", complete {one.complete_on}"


def price_bars(pools: Sequence[Price]) -> Figure:
    """What one GPU more in each pool is worth, over all tiers; where it was solved again, that stands."""
    worths = [(one.worth if one.confirmed is None else one.confirmed) / one.amount for one in pools]
    known = ["linear program" if one.confirmed is None else "solved again" for one in pools]
    texts = [f"{amount(worth)} ({how})" for worth, how in zip(worths, known, strict=True)]
    series = (Series("worth of one GPU more", [max(0.0, worth) for worth in worths], PLAIN),)
    return stacked_bars([label(one.subject) for one in pools], series, texts, "weighted value")
