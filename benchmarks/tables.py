"""Tables of outcomes: per peer the median and the worst over the seeds.

A run without a plan counts as the worst there can be. So a median is shown as a dash if half of the runs
had none, and a worst case if any had none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median_high, median_low

from benchmarks.results import BOUND, INFEASIBLE, PLAN, SKIPPED, Outcome
from gpu_opt.options import relative_gap

CONTRADICTED = 1e-7
"""A bound is false if a plan that the checker accepts is better by more than this share of it."""

COLUMNS = (
    "peer",
    "plans",
    "objective",
    "bound",
    "to best bound",
    "worst",
    "own gap",
    "worst",
    "shortfall",
    "worst",
    "first plan",
    "worst",
    "seconds",
    "memory",
    "worst",
)


def best_bounds(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """The least bound on the penalty form by lab, of whoever proved it; lexicographic ones are none.

    A bound that a plan contradicts is nobody's bound.
    """
    known = list(outcomes)
    bounds: dict[str, float] = {}
    for each in known:
        if each.bound is not None and not each.is_lexicographic and not is_contradicted(each, known):
            bounds[each.where.lab] = min(bounds.get(each.where.lab, math.inf), each.bound)
    return bounds


def is_contradicted(claim: Outcome, outcomes: Iterable[Outcome]) -> bool:
    """Whether somebody has a plan that is better than the claim says any can be."""
    if claim.bound is None or claim.is_lexicographic:
        return False
    allowed = claim.bound + CONTRADICTED * max(1.0, abs(claim.bound))
    return any(
        each.objective > allowed
        for each in outcomes
        if each.where.lab == claim.where.lab and each.objective is not None
    )


def distance(each: Outcome, bounds: Mapping[str, float]) -> float:
    """Relative distance of its plan to the best known bound; infinite without a plan or a bound."""
    bound = bounds.get(each.where.lab)
    if each.objective is None or bound is None:
        return math.inf
    return relative_gap(each.objective, max(bound, each.objective))


def table(outcomes: Sequence[Outcome], bounds: Mapping[str, float]) -> str:
    """A Markdown table of one family at one limit, a line for each peer."""
    peers = list(dict.fromkeys(each.peer for each in outcomes))
    lines = [_line(COLUMNS), _line(["---"] + ["---:"] * (len(COLUMNS) - 1))]
    for peer in peers:
        runs = [each for each in outcomes if each.peer == peer]
        if all(each.status == SKIPPED for each in runs):
            lines.append(_line([peer, f"skipped: {runs[0].remark}", *[""] * (len(COLUMNS) - 2)]))
        else:
            lines.append(_line(_row(peer, runs, bounds)))
    return "\n".join(lines)


def _row(peer: str, runs: Sequence[Outcome], bounds: Mapping[str, float]) -> list[str]:
    plans = sum(each.status == PLAN for each in runs)
    gaps = [math.inf if each.gap is None else each.gap for each in runs]
    lexicographic = "*" if any(each.is_lexicographic for each in runs) else ""
    return [
        peer,
        f"{plans} of {len(runs)}" + _refused(runs),
        _shown(
            median_low([-math.inf if each.objective is None else each.objective for each in runs]), _amount
        ),
        _median([_known(each.bound) for each in runs], _amount) + lexicographic,
        *_both([distance(each, bounds) for each in runs], _percentage),
        *(text + lexicographic * (text != DASH) for text in _both(gaps, _percentage)),
        *_both([_known(each.shortfall) for each in runs], _amount),
        *_both([_known(each.first_plan) for each in runs], _seconds),
        _median([_known(each.seconds) for each in runs], _seconds),
        *_both([_known(each.memory) for each in runs], _mebibytes),
    ]


def _refused(runs: Sequence[Outcome]) -> str:
    count = sum(each.status == INFEASIBLE for each in runs)
    return f", {count} infeasible" if count else ""


DASH = "–"


def _known(value: float | None) -> float:
    return math.inf if value is None else value


def _both(values: Sequence[float], shown: Callable[[float], str]) -> list[str]:
    """Median and worst of what is better the less it is; the worse of two middle values is the median."""
    return [_median(values, shown), _shown(max(values), shown)]


def _median(values: Sequence[float], shown: Callable[[float], str]) -> str:
    return _shown(median_high(values), shown)


def _shown(value: float, shown: Callable[[float], str]) -> str:
    return shown(value) if math.isfinite(value) else DASH


def _percentage(value: float) -> str:
    return f"{value:.3%}"


def _amount(value: float) -> str:
    return f"{value:,.0f}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _mebibytes(value: float) -> str:
    return f"{value:,.0f} MiB"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def remarks(outcomes: Iterable[Outcome]) -> list[str]:
    """What needs saying beyond the figures: failures, plans that were refused, false bounds."""
    known = list(outcomes)
    told = [
        f"{each.where.lab}, {each.where.limit:g} s, {each.peer}: {each.status}: {each.remark}"
        for each in known
        if each.status not in {PLAN, SKIPPED, BOUND} and each.remark
    ]
    told += [
        f"{each.where.lab}, {each.where.limit:g} s, {each.peer}: a plan beats its bound {each.bound:,.1f}"
        for each in known
        if is_contradicted(each, known)
    ]
    return told
