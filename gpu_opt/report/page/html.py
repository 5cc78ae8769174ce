"""HTML that is escaped unless it says that it is HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable

from gpu_opt.report.sheet import Kind, Sheet, shown
from gpu_opt.report.text import count, printable

VOID = {"meta", "input", "br"}
"""Elements without an end."""

MANY_ROWS = 15
"""A table with more rows than these can be filtered."""


LONG = {Kind.SENTENCE: "sentence"}
"""Columns that get more room."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


type Child = str | Markup | Iterable[Child] | None


def escaped(child: Child) -> Markup:
    """HTML that shows the text as it is, whatever is in it.

    >>> escaped("<b> & co."), escaped(Markup("<b>"))
    ('&lt;b&gt; &amp; co.', '<b>')
    """
    if child is None:
        return Markup()
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return Markup(html.escape(printable(child)))
    return Markup("".join(map(escaped, child)))


def element(tag: str, /, *children: Child, **attributes: str | None) -> Markup:
    """An element; an attribute that is None is left out, and ``for_`` and ``aria_label`` lose their lines.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{tag}{told}>"
    return Markup(start if tag in VOID else f"{start}{escaped(children)}</{tag}>")


def table(sheet: Sheet, *, caption: str | None = None) -> Markup:
    """A sheet as a table with its caption; figures stand to the right, and long tables can be filtered."""
    if not sheet.rows:
        return element("p", f"{caption or sheet.title}: none.")
    title = caption or sheet.title
    if len(sheet.rows) > MANY_ROWS:
        title += f" ({count(len(sheet.rows))} rows)"
    kinds = [column.kind for column in sheet.columns]
    classes = ["figure" if column.is_figure else LONG.get(column.kind) for column in sheet.columns]
    head = element(
        "tr",
        (
            element("th", column.heading, scope="col", class_=of)
            for column, of in zip(sheet.columns, classes, strict=True)
        ),
    )
    body = (
        element(
            "tr",
            (
                element("td", shown(value, kind), class_=of)
                for value, kind, of in zip(row, kinds, classes, strict=True)
            ),
        )
        for row in sheet.rows
    )
    grid = element(
        "table", element("caption", title), element("thead", head), element("tbody", body), class_="sheet"
    )
    if len(sheet.rows) <= MANY_ROWS:
        return grid
    find = element("input", type="search", class_="filter", aria_label=f"Show only rows of: {title}")
    return escaped([element("label", "show only rows with ", find, class_="filtering"), grid])


def listed(items: Iterable[Child], *, numbered: bool = False) -> Markup:
    """A list."""
    return element("ol" if numbered else "ul", (element("li", item) for item in items))


def folded(summary: str, *children: Child, is_open: bool = False) -> Markup:
    """What is opened by a click, and on paper."""
    return element("details", element("summary", summary), *children, open="" if is_open else None)
