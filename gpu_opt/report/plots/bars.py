"""Horizontal bars, one row each, with the figures written beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gpu_opt.report.plots.style import (
    AROUND,
    LIMITED,
    PLAIN,
    ROW,
    Mark,
    amounts_axis,
    figure,
    fill,
    rows_axis,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class Series(NamedTuple):
    """One part of every bar."""

    name: str
    values: Sequence[float]
    mark: Mark


def stacked_bars(
    labels: Sequence[str],
    series: Sequence[Series],
    texts: Sequence[str],
    unit: str,
    *,
    ends: Sequence[float] = (),
    room: float = 0.35,
) -> Figure:
    """Bars of several parts; the text of each stands where it ends, or at the place in `ends`.

    `room` is for the texts, as a share of the longest bar.
    """
    from plotly.graph_objects import Bar

    ends = ends or [sum(parts) for parts in zip(*(one.values for one in series), strict=True)]
    places = list(range(len(labels)))
    bars = [
        Bar(
            name=one.name,
            x=list(one.values),
            y=places,
            orientation="h",
            marker=fill(one.mark),
            hovertext=list(labels),
            hovertemplate="%{hovertext}: %{x:,} " + one.name + "<extra></extra>",
        )
        for one in series
    ]
    return figure(
        [*bars, _beside(ends, texts)],
        AROUND + ROW * len(labels),
        barmode="stack",
        bargap=0.25,
        yaxis=rows_axis(labels),
        xaxis=amounts_axis(unit, max(ends, default=0), room=room),
    )


def _beside(ends: Sequence[float], texts: Sequence[str]) -> object:
    """Texts to the right of where bars end."""
    from plotly.graph_objects import Scatter

    return Scatter(
        x=list(ends),
        y=list(range(len(ends))),
        mode="text",
        text=[f" {text} " for text in texts],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def differences(labels: Sequence[str], amounts: Sequence[float], texts: Sequence[str], unit: str) -> Figure:
    """Bars to the right for what is gained, to the left for what is lost; texts to the right of both."""
    from plotly.graph_objects import Bar

    places = list(range(len(labels)))
    halves = (
        ("gains", PLAIN, [max(each, 0) for each in amounts]),
        ("loses", LIMITED, [min(each, 0) for each in amounts]),
    )
    bars = [
        Bar(name=name, x=values, y=places, orientation="h", marker=fill(mark), hoverinfo="skip")
        for name, mark, values in halves
    ]
    axis = amounts_axis(unit, max([0, *amounts]), min([0, *amounts]), room=0.6)
    return figure(
        [*bars, _beside([max(each, 0) for each in amounts], texts)],
        AROUND + ROW * len(labels),
        barmode="overlay",
        bargap=0.25,
        yaxis=rows_axis(labels),
        xaxis=axis,
    )
