"""How every plot looks: marks that differ in pattern and shape, not in colour alone; names as they are."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gpu_opt.report.text import printable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

INK, GRID = "#1a1a1a", "#dddddd"
BLUE, ORANGE, VERMILION, GREY = "#56b4e9", "#e69f00", "#d55e00", "#cccccc"
"""Of the palette of Okabe and Ito, which people who see few colours can tell apart."""

FONT = "system-ui, 'Helvetica Neue', Arial, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
ROW, AROUND = 24, 90
"""Pixels of a bar, and of all that is above and below the bars."""

HEIGHT = 360
"""Pixels of a plot that does not grow with its rows."""

LONGEST = 40
"""Letters of a name in a plot; the table has all of them."""


class Mark(NamedTuple):
    """How one kind of bar is filled."""

    colour: str
    pattern: str = ""


DARK_BLUE = "#0072b2"
"""For lines on white."""

PLAIN, LIMITED, LACKING, SPARE = Mark(BLUE), Mark(ORANGE, "/"), Mark(VERMILION, "x"), Mark(GREY, ".")


def label(name: str, longest: int = LONGEST) -> str:
    """A name for a plot: shortened, and nothing in it means anything to plotly.

    >>> label("a<b>"), label("x" * 50, longest=5)
    ('a&lt;b&gt;', 'xxxx…')
    """
    text = " ".join(printable(name).split())
    return html.escape(text if len(text) <= longest else f"{text[: longest - 1]}…", quote=False)


def fill(*marks: Mark) -> dict[str, Any]:
    """The `marker` of bars that are filled so, one mark for all or one for each."""
    colours, shapes = [mark.colour for mark in marks], [mark.pattern for mark in marks]
    one = len(marks) == 1
    pattern = {"shape": shapes[0] if one else shapes, "fillmode": "overlay", "fgcolor": "#ffffff", "size": 7}
    return {
        "color": colours[0] if one else colours,
        "line": {"color": INK, "width": 1},
        "pattern": pattern,
    }


def figure(traces: Sequence[Any], height: int, **layout: Any) -> Figure:
    """The traces on white, without plotly's own template."""
    from plotly.graph_objects import Figure

    common = {
        "template": "none",
        "height": height,
        "font": {"family": FONT, "size": 13, "color": INK},
        "margin": {"l": 10, "r": 10, "t": 40, "b": 40},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        "hoverlabel": {"align": "left", "namelength": -1},
    }
    return Figure(data=list(traces), layout=common | layout)


def rows_axis(labels: Sequence[str]) -> dict[str, Any]:
    """A vertical axis with one row for each label, the first one on top. Labels may be alike."""
    return {
        "tickmode": "array",
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "range": [len(labels) - 0.4, -0.6],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
    }


def amounts_axis(title: str, largest: float, smallest: float = 0.0, *, room: float = 0.35) -> dict[str, Any]:
    """A horizontal axis of amounts; to the right of the bars is room for their texts, as a share of them."""
    length = (largest - smallest) or 1.0
    return {
        "title": {"text": title},
        "range": [smallest * 1.05, largest + room * length],
        "gridcolor": GRID,
        "zerolinecolor": INK,
        "tickformat": ",~r",
        "automargin": True,
    }
