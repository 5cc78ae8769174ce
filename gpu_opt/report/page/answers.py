"""Why, prices and conflicts, as sections of a page."""

from __future__ import annotations

from gpu_opt.plan import Conflict, Conflicts, Explanation, Prices
from gpu_opt.report import prices as words
from gpu_opt.report.conflicts import decider, notes, relaxed
from gpu_opt.report.explanation import candidates, help_sentence
from gpu_opt.report.page.frame import Section, plot, section
from gpu_opt.report.page.html import Child, element, table
from gpu_opt.report.plots.outcomes import price_bars
from gpu_opt.report.sheet import Column, Kind, Sheet, sheet
from gpu_opt.report.sheets import answers as sheets
from gpu_opt.report.text import count

MOST_BARS = 40
"""Of more pools than these the plot shows the dearest; the table has all."""


def explanation_lead(found: Explanation) -> list[Child]:
    """The sentence, and the cheapest change."""
    told = help_sentence(found)
    return [element("p", element("strong", found.sentence)), element("p", told) if told else None]


def explanation_sections(found: Explanation) -> list[Section]:
    """Reasons, changes, and what it touches."""
    sections = [section("Reasons", table(sheets.reasons(found)))]
    if found.remedies:
        others = candidates(found.candidates)
        sections.append(
            section(
                "What would help",
                table(sheets.remedies(found)),
                table(sheets.losses(found)),
                element("p", others) if others else None,
            )
        )
    return [*sections, section("What it touches", table(sheets.touches(found)))]


def prices_sections(found: Prices) -> list[Section]:
    """Where the next GPUs should go, with a plot; which budget hurts most."""
    pools, budgets = words.parted(found)
    shown = pools[:MOST_BARS]
    which = "" if len(shown) == len(pools) else f" The {len(shown)} dearest of {count(len(pools))}."
    summary = f"What one GPU more in a pool is worth, over all tiers.{which}"
    pooled: Child = element("p", "No pool is worth enlarging.")
    if pools:
        pooled = plot("prices", price_bars(shown), summary, table(sheets.prices(tuple(pools))))
    return [
        section("Where the next GPUs should go", pooled),
        section("Which budget hurts most", table(sheets.prices(tuple(budgets)), caption=BUDGETS)),
    ]


BUDGETS = "What one unit more of a budget is worth; a guarantee's price is what a higher one costs"


def conflicts_sections(found: Conflicts) -> list[Section]:
    """Each conflict with its statements."""
    return [
        section(
            f"Conflict {place}",
            table(_statements(one)),
            *(element("p", note) for note in notes(one)),
        )
        for place, one in enumerate(found.conflicts, start=1)
    ]


def _statements(one: Conflict) -> Sheet:
    columns = (
        Column("statement", "statement"),
        Column("amount", "says", Kind.AMOUNT),
        Column("relaxed", "resolved by"),
        Column("owner", "who may decide"),
    )
    rows = (
        (each.text, each.amount, relaxed(each), decider(each.basis, each.owner)) for each in one.statements
    )
    return sheet("statements", one.sentence, columns, rows)
