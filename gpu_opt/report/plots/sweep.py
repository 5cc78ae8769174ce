"""A sweep over its axis, with its breakpoints."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

from gpu_opt.plan import Breakpoint, Sweep, SweepPoint
from gpu_opt.plan.comparison import FigureName
from gpu_opt.report.plots.style import DARK_BLUE, GRID, INK, VERMILION, figure, label

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

SHOWN: dict[FigureName, str] = {
    "objective": "objective",
    "granted": "granted",
    "idle": "GPUs idle",
    "projects_met": "projects met",
    "guarantees_short": "teams short",
}
"""The figures that have a plot of their own, one above the other."""

MOST_LINES = 8
"""Lines of a plot; of more, the first ones, and the table has all."""

DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "triangle-down")


def along(found: Sweep) -> str:
    """The axis to plot along: the one with the most values, of equals the first."""
    values: dict[str, set[str]] = defaultdict(set)
    for point in found.points:
        for axis, value in point.values.items():
            values[axis].add(value)
    return max(values, key=lambda axis: len(values[axis]))


def lines(found: Sweep) -> dict[str, list[SweepPoint]]:
    """The points along that axis, by the values of the other axes; one line where there is no other."""
    axis = along(found)
    drawn: dict[str, list[SweepPoint]] = defaultdict(list)
    for point in found.points:
        others = [f"{name} {value}" for name, value in point.values.items() if name != axis]
        drawn[", ".join(others)].append(point)
    return dict(drawn)


def turns(found: Sweep) -> dict[str, list[tuple[int, Breakpoint]]]:
    """Breakpoints along that axis by value, with the numbers under which they are listed."""
    axis = along(found)
    by_value: dict[str, list[tuple[int, Breakpoint]]] = defaultdict(list)
    for number, turn in enumerate(found.breakpoints, start=1):
        if turn.axis == axis:
            by_value[turn.value].append((number, turn))
    return dict(by_value)


def sweep_plot(found: Sweep) -> Figure:
    """One figure above the other along the axis; a line for each combination of the others."""
    axis, varying = along(found), _varying(found)
    values = list(dict.fromkeys(point.values[axis] for point in found.points))
    shown_lines = list(lines(found).items())[:MOST_LINES]
    traces: list[Scatter] = []
    layout: dict[str, object] = {"xaxis": _xaxis(axis, values, len(varying))}
    for row, (name, words) in enumerate(varying.items()):
        suffix = "" if row == 0 else str(row + 1)
        layout[f"yaxis{suffix}"] = _yaxis(words, row, len(varying))
        for number, (others, points) in enumerate(shown_lines):
            places = [values.index(point.values[axis]) for point in points]
            trace = _line(number, others, places, [_after(point, name) for point in points])
            trace.update(yaxis=f"y{suffix}", showlegend=row == 0 and len(shown_lines) > 1)
            traces.append(trace)
    margin = {"l": 10, "r": 10, "t": 80 if len(shown_lines) > 1 else 40, "b": 40}
    shown = figure(traces, 180 + 130 * len(varying), margin=margin, **layout)
    shown.update_layout(legend_y=1.05)  # above the numbers of the breakpoints
    for value, here in turns(found).items():
        _mark(shown, values.index(value), [number for number, _ in here])
    return shown


def _line(number: int, others: str, places: list[int], amounts: list[float]) -> Scatter:
    from plotly.graph_objects import Scatter

    return Scatter(
        name=label(others) or "all points",
        legendgroup=others,
        x=places,
        y=amounts,
        mode="lines+markers",
        line={"dash": DASHES[number % len(DASHES)], "color": INK if number % 2 else DARK_BLUE},
        marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
        hovertemplate="%{y:,}",
    )


def _yaxis(words: str, row: int, rows: int) -> dict[str, object]:
    top = 1 - row / rows
    return {
        "title": {"text": words},
        "domain": [top - 0.82 / rows, top],
        "gridcolor": GRID,
        "tickformat": ",",
        "nticks": 4,
        "automargin": True,
        "zeroline": False,
    }


def _xaxis(axis: str, values: list[str], rows: int) -> dict[str, object]:
    return {
        "title": {"text": label(axis)},
        "tickmode": "array",
        "tickvals": list(range(len(values))),
        "ticktext": [label(value, 20) for value in values],
        "range": [-0.3, len(values) - 0.7],
        "anchor": f"y{rows}" if rows > 1 else "y",
        "zeroline": False,
        "automargin": True,
        "gridcolor": GRID,
    }


def _varying(found: Sweep) -> dict[FigureName, str]:
    """The figures that differ between points; the objective in any case."""
    return {
        name: words
        for name, words in SHOWN.items()
        if name == "objective" or len({_after(point, name) for point in found.points}) > 1
    }


def _after(point: SweepPoint, name: FigureName) -> float:
    return next(figure.after for figure in point.comparison.figures if figure.name == name)


def ranges(numbers: list[int], most: int = 3) -> str:
    """Numbers in rising order, with what lies between two left out.

    >>> ranges([1, 2, 3, 7]), ranges([1, 3, 5, 7])
    ('1–3, 7', '1, 3, 5, ...')
    """
    runs = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        own = [number for _, number in run]
        runs.append(str(own[0]) if len(own) == 1 else f"{own[0]}–{own[-1]}")
    return ", ".join(runs[:most] + ["..."] * (len(runs) > most))


def _mark(shown: Figure, place: int, numbers: list[int]) -> None:
    """A dotted line at a value from which on something binds or no longer does, with the numbers of what."""
    told = ranges(numbers)
    line = {"dash": "dot", "color": VERMILION, "width": 2}
    shown.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, yref="paper", line=line)
    shown.add_annotation(
        x=place,
        y=1,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        text=f"<b>▼ {told}</b>",
        font={"size": 12},
    )
