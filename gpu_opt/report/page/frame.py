"""The page around the sections: one file, in which nothing is fetched from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from gpu_opt.report.page.html import Child, Markup, element, folded

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
"""What the browser is told to allow: nothing that comes from elsewhere."""


PLOT = '<div class="plot"'
"""How every plot begins."""


class Section(NamedTuple):
    """A part of the page with its heading, by which the contents name it."""

    title: str
    body: tuple[Child, ...]


def section(title: str, *body: Child) -> Section:
    """A section."""
    return Section(title, body)


def document(title: str, lead: Child, sections: Sequence[Section], footer: str) -> str:
    """The whole page."""
    from plotly.offline import get_plotlyjs

    anchors = [f"part-{place}" for place in range(1, len(sections) + 1)]
    links = (
        element("li", element("a", one.title, href=f"#{anchor}"))
        for one, anchor in zip(sections, anchors, strict=True)
    )
    parts = (
        element("section", element("h2", one.title, id=anchor), *one.body, aria_labelledby=anchor)
        for one, anchor in zip(sections, anchors, strict=True)
    )
    plots = "this page draws its plots by a script; every plot has a table with the same figures"
    main = element("main", parts)
    drawing = Markup(get_plotlyjs()) if PLOT in main else None
    body = element(
        "body",
        element("header", element("h1", title), lead),
        element("noscript", element("p", plots)) if drawing else None,
        element("nav", element("ul", links), aria_label="Contents"),
        main,
        element("footer", element("p", footer)),
        element("script", drawing) if drawing else None,
        element("script", Markup(_own("page.js"))),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(_own("page.css"))),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _own(name: str) -> str:
    return files("gpu_opt.report.page").joinpath(name).read_text(encoding="utf-8")


def plot(name: str, figure: Figure, summary: str, *instead: Child) -> Markup:
    """A plot with a sentence that says what is in it, and below it a table that says the same.

    `name` is the plot's own on the page; ``instead`` are the tables.
    """
    anchor = f"plot-{re.sub('[^a-z0-9]+', '-', name.lower())}"
    data = figure.to_json().replace("<", "\\u003c")  # a name may say </script>
    return element(
        "figure",
        element("div", class_="plot", id=anchor, role="img", aria_label=summary, style=_height(figure)),
        element("script", Markup(data), type="application/json", id=f"{anchor}-data"),
        element("figcaption", summary),
        folded("The same as a table", *instead) if instead else None,
    )


def _height(figure: Figure) -> str:
    return f"min-height: {figure.layout.height}px"


def tiles(figures: Iterable[tuple[str, str]]) -> Markup:
    """Headline figures: what it is, and how much."""
    return element(
        "dl",
        (element("div", element("dt", what), element("dd", amount)) for what, amount in figures),
        class_="tiles",
    )


def warning(*children: Child) -> Markup:
    """What nobody must overlook."""
    return element("div", *children, class_="warning", role="alert")
