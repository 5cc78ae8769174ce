"""Results as one page of HTML that needs nothing else: no network, no other file."""

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
    Run,
    Sweep,
    WhatIf,
)
from gpu_opt.report.conflicts import sentence as of_conflicts
from gpu_opt.report.page.allocation import allocation_sections, headline, known, proof
from gpu_opt.report.page.answers import (
    conflicts_sections,
    explanation_lead,
    explanation_sections,
    prices_sections,
)
from gpu_opt.report.page.comparison import night_changes, sweep_sections, what_if_sections
from gpu_opt.report.page.frame import document, warning
from gpu_opt.report.page.html import Child, element
from gpu_opt.report.page.reallocation import finding_sections, reallocation_sections
from gpu_opt.report.prices import scope
from gpu_opt.report.prices import sentence as of_prices
from gpu_opt.report.text import count, counted


@singledispatch
def page(result: Result) -> str:
    """The page of a result that has sheets (:func:`gpu_opt.report.sheets.sheets_of`).

    Raises ImportError if plotly, which the extra ``gpu-opt[plots]`` brings, is not installed.
    """
    raise AssertionError(f"{type(result).__name__} has no page")


@page.register
def _(result: Allocation) -> str:
    title = f"{result.organization}: allocation for {result.date}"
    sections = [*allocation_sections(result), proof(result)]
    return document(title, [known(result), headline(result)], sections, _footer(result))


@page.register
def _(result: Reallocation) -> str:
    title = f"{result.organization}: reallocation from {result.as_of} to {result.until}"
    return document(title, known(result), [*reallocation_sections(result), proof(result)], _footer(result))


@page.register
def _(result: NightReport) -> str:
    plan = result.allocation
    title = f"{result.organization}: the night of {result.as_of}"
    lead: list[Child] = [_published(result), known(plan), headline(plan)]
    sections = [*allocation_sections(plan)]
    solved: list[Allocation | Reallocation] = [plan]
    if result.reallocation is None:
        lead.append(warning(element("p", "No reallocation: the night was interrupted before it.")))
    else:
        solved.append(result.reallocation)
        sections += reallocation_sections(result.reallocation)
    return document(title, lead, [*sections, night_changes(result), proof(*solved)], _footer(plan))


@page.register
def _(result: Finding) -> str:
    plan = result.reallocation
    title = f"{plan.organization}: {plan.asked[0].name} GPUs by {plan.asked[0].by}"
    lead = [element("p", element("strong", result.sentence)), known(plan)]
    return document(title, lead, [*finding_sections(result), proof(plan)], _footer(plan))


@page.register
def _(result: WhatIf) -> str:
    base = result.base
    title = f"{base.organization}: what if, as of {base.as_of}"
    lead = [element("p", "The base, the organization as it is:"), known(base)]
    return document(title, lead, what_if_sections(result), _footer(base))


@page.register
def _(result: Sweep) -> str:
    base = result.base
    title = f"{base.organization}: {result.name}"
    told = f"{count(len(result.points))} of {count(result.asked)} scenarios, as of {base.as_of}. The base:"
    return document(title, [element("p", told), known(base)], sweep_sections(result), _footer(base))


@page.register
def _(result: Explanation) -> str:
    title = f"{result.organization}: why {result.subject} has what it has on {result.date}"
    return document(title, explanation_lead(result), explanation_sections(result), _computed_by(result.run))


@page.register
def _(result: Prices) -> str:
    title = f"{result.organization}: what one unit more is worth on {result.date}"
    lead = [element("p", element("strong", of_prices(result))), element("p", scope(result))]
    return document(title, lead, prices_sections(result), _computed_by(result.run))


@page.register
def _(result: Conflicts) -> str:
    title = f"{result.organization}: what cannot all be had on {result.date}"
    lead = element("p", element("strong", of_conflicts(result)))
    return document(title, lead, conflicts_sections(result), _computed_by(result.run))


def _published(report: NightReport) -> Child:
    if report.night is None:
        return warning(element("p", "NOT PUBLISHED: the store is as it was."))
    replaced = "" if report.replaces is None else f"; it replaces night {report.replaces}"
    return element("p", f"Published as night {report.night}{replaced}.")


def _footer(plan: Allocation | Reallocation) -> str:
    return f"{_computed_by(plan.run)} The independent checker has passed every figure."


def _computed_by(run: Run) -> str:
    return (
        f"gpu_opt {run.gpu_opt}, {run.cbc}, seed {run.seed}, on {run.platform}; the organization's SHA-256: "
        f"{run.organization_hash}.{_left_out(run)}"
    )


REMOVED = {
    "arcs": "project-pool pair",
    "projects": "project",
    "caps": "cap",
    "limits": "limit",
    "budgets": "move budget",
}
TOGETHER = {"alike": "project-pool pair", "equals": "project"}
"""What :attr:`Run.removed` counts, in words: what no plan needs, and what was counted with its like."""


def _left_out(run: Run) -> str:
    def told(words: dict[str, str]) -> str:
        some = [counted(run.removed[kind], noun) for kind, noun in words.items() if run.removed.get(kind)]
        return ", ".join(some)

    removed, together = told(REMOVED), told(TOGETHER)
    return (f" Left out of the search, because no plan needs them: {removed}." if removed else "") + (
        f" Counted together with others just like them: {together}." if together else ""
    )
