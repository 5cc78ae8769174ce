"""A matrix of amounts, every one written in its cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpu_opt.report.plots.style import AROUND, GRID, figure, rows_axis

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LIGHT, DARK = "#e8f1f8", "#5fa5d4"
"""Of the smallest and the largest amount: black text is legible on both."""


def matrix(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
) -> Figure:
    """Rows by columns; None is an empty cell, and the darker a cell, the larger its amount (or loss)."""
    from plotly.graph_objects import Heatmap

    sizes = [[None if each is None else abs(each) for each in row] for row in cells]
    map_ = Heatmap(
        z=sizes,
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        text=[list(row) for row in texts],
        texttemplate="%{text}",
        colorscale=[[0, LIGHT], [1, DARK]],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
        textfont={"color": "#1a1a1a", "size": 12},
    )
    axis = {
        "tickmode": "array",
        "tickvals": list(range(len(columns))),
        "ticktext": list(columns),
        "side": "top",
        "automargin": True,
        "gridcolor": GRID,
        "showgrid": False,
        "zeroline": False,
        "range": [-0.5, len(columns) - 0.5],
    }
    shapes = [_line(place) for place in range(len(rows) + 1)]
    return figure([map_], AROUND + 26 * len(rows), yaxis=rows_axis(rows), xaxis=axis, shapes=shapes)


def _line(place: int) -> dict[str, object]:
    line = {"color": GRID, "width": 1}
    y = place - 0.5
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}
