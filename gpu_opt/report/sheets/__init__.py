"""Every result as sheets: pure functions from a result to what its tables say."""

from __future__ import annotations

from functools import singledispatch

from gpu_opt.plan import (
    Allocation,
    Conflicts,
    Explanation,
    Finding,
    NightReport,
    Prices,
    Reallocation,
    Result,
    Sweep,
    WhatIf,
)
from gpu_opt.report.sheet import Column, Kind, Sheet, sheet
from gpu_opt.report.sheets.allocation import allocation_sheets
from gpu_opt.report.sheets.answers import conflicts_sheets, explanation_sheets, prices_sheets
from gpu_opt.report.sheets.common import goals, plans
from gpu_opt.report.sheets.comparison import comparison_sheets
from gpu_opt.report.sheets.reallocation import finding_sheets, reallocation_sheets
from gpu_opt.report.sheets.scenarios import sweep_sheets, what_if_sheets


@singledispatch
def sheets_of(result: Result) -> tuple[Sheet, ...]:
    """All sheets of a result, empty ones among them; `plans` is the first.

    Allocation, Reallocation, NightReport, Finding, WhatIf, Sweep, Explanation, Prices and Conflicts have
    sheets.
    """
    raise AssertionError(f"{type(result).__name__} has no sheets")


@sheets_of.register
def _(result: Allocation) -> tuple[Sheet, ...]:
    return plans([("allocation", result)]), goals(result), *allocation_sheets(result)


@sheets_of.register
def _(result: Reallocation) -> tuple[Sheet, ...]:
    return plans([("reallocation", result)]), goals(result), *reallocation_sheets(result)


@sheets_of.register
def _(result: NightReport) -> tuple[Sheet, ...]:
    solved: list[tuple[str, Allocation | Reallocation]] = [("allocation", result.allocation)]
    sheets = [night(result), goals(result.allocation), *allocation_sheets(result.allocation)]
    if result.reallocation is not None:
        solved.append(("reallocation", result.reallocation))
        sheets += [goals(result.reallocation), *reallocation_sheets(result.reallocation)]
    if result.comparison is not None:
        sheets += comparison_sheets(result.comparison)
    return plans(solved), *sheets


@sheets_of.register
def _(result: Finding) -> tuple[Sheet, ...]:
    solved = [("reallocation", result.reallocation)]
    if result.if_raised is not None:
        solved.append(("if raised", result.if_raised))
    return plans(solved), *finding_sheets(result)


@sheets_of.register
def _(result: WhatIf) -> tuple[Sheet, ...]:
    solved = [("base", result.base), *((one.scenario, one.plan) for one in result.scenarios)]
    return plans(solved), *what_if_sheets(result)


@sheets_of.register
def _(result: Sweep) -> tuple[Sheet, ...]:
    return plans([("base", result.base)]), *sweep_sheets(result)


@sheets_of.register
def _(result: Explanation) -> tuple[Sheet, ...]:
    return explanation_sheets(result)


@sheets_of.register
def _(result: Prices) -> tuple[Sheet, ...]:
    return prices_sheets(result)


@sheets_of.register
def _(result: Conflicts) -> tuple[Sheet, ...]:
    return conflicts_sheets(result)


def night(report: NightReport) -> Sheet:
    """The night in a row: its number, what it replaces, what it is compared with, and when it ran."""
    columns = (
        Column("night", "night", Kind.COUNT),
        Column("replaces", "replaces", Kind.COUNT),
        Column("previous", "compared with", Kind.COUNT),
        Column("as_of", "as of", Kind.DAY),
        Column("until", "until", Kind.DAY),
        Column("started", "started"),
        Column("finished", "finished"),
    )
    row = (report.night, report.replaces, report.previous, report.as_of, report.until)
    return sheet("night", "Night", columns, [(*row, report.started.isoformat(), report.finished.isoformat())])
