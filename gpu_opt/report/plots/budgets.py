"""The budget tree: what every team is granted, against its guarantee and its cap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpu_opt.plan import Allocation, TeamOutcome
from gpu_opt.report.plots.bars import Series, stacked_bars
from gpu_opt.report.plots.style import INK, LACKING, LIMITED, PLAIN, Mark, figure, label
from gpu_opt.report.sheets.allocation import in_tree_order, team_notes
from gpu_opt.report.text import amount

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

STANDS = {"within its budget": PLAIN, "at or over its cap": LIMITED, "short of its guarantee": LACKING}
PALE = {PLAIN: "#d6e8f4", LIMITED: "#fbe6bd", LACKING: "#f8d3bf"}
"""Fills on which text is legible."""

LARGE = 0.1
"""Share of all that is granted from which on a box has room for more than a line."""

FEW = 14
"""Of no more teams than these there is one plot of bars; of more, one of the top two levels and one of each
division's teams."""


def _stands(one: TeamOutcome, note: str) -> str:
    if one.shortfall > 0:
        return "short of its guarantee"
    return "at or over its cap" if "its cap" in note else "within its budget"


def tree(plan: Allocation) -> Figure | None:
    """An icicle: a team's size is what it is granted; its children stand to its right. None: nothing is."""
    from plotly.graph_objects import Icicle

    if not any(one.granted for one in plan.teams):
        return None
    notes = team_notes(plan)
    below: dict[str | None, float] = defaultdict(float)
    for one in plan.teams:
        below[one.parent] += one.granted
    marks = [STANDS[_stands(one, notes[one.team])] for one in plan.teams]
    icicle = Icicle(
        ids=[f"team {place}" for place in _places(plan).values()],
        parents=["" if one.parent is None else f"team {_places(plan)[one.parent]}" for one in plan.teams],
        labels=[label(one.team) for one in plan.teams],
        values=[max(0.0, one.granted - below[one.team]) for one in plan.teams],
        branchvalues="remainder",
        text=[_inside(one, notes[one.team], below[None]) for one in plan.teams],
        textinfo="text",
        hovertext=[f"{label(one.team)}: {_against(one)}" for one in plan.teams],
        hoverinfo="text",
        tiling={"orientation": "h", "pad": 2},
        leaf={"opacity": 1},
        sort=False,
        pathbar={"visible": False},
        marker={
            "colors": [PALE[mark] for mark in marks],
            "line": {"color": INK, "width": 1},
            "pattern": {
                "shape": [mark.pattern for mark in marks],
                "fillmode": "replace",  # with "overlay" plotly.js warns of the list of colours
                "bgcolor": [PALE[mark] for mark in marks],
                "fgcolor": [mark.colour for mark in marks],
                "fgopacity": 0.4,
                "size": 9,
            },
        },
    )
    leaves = len(plan.teams) - len({one.parent for one in plan.teams if one.parent is not None})
    return figure(
        [icicle],
        min(1400, max(320, 24 * leaves)),
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        uniformtext={"minsize": 10, "mode": "hide"},
    )


def _places(plan: Allocation) -> dict[str, int]:
    return {one.team: place for place, one in enumerate(plan.teams)}


def _inside(one: TeamOutcome, note: str, all_granted: float) -> str:
    """What is written into a team's box: guarantee and cap where the box is large enough."""
    told = [part for part in note.split(", ") if part in {"short", "at its cap", "over its cap"}]
    name = f"<b>{label(one.team)}</b> {amount(one.granted)}{f' ({", ".join(told)})' if told else ''}"
    if one.granted < LARGE * all_granted:
        return name
    budget = [
        f"{what} {amount(of)}"
        for what, of in (("guarantee", one.guarantee), ("cap", one.cap))
        if of is not None
    ]
    return "<br>".join([name, *budget])


def _against(one: TeamOutcome) -> str:
    guarantee = "no guarantee" if one.guarantee is None else f"guarantee {amount(one.guarantee)}"
    if one.guarantee is not None and one.promised < one.guarantee:
        guarantee += f", of which it can use {amount(one.promised)}"
    cap = "no cap" if one.cap is None else f"cap {amount(one.cap)}"
    return f"{amount(one.granted)} ({guarantee}, {cap})"


def budget_bars(plan: Allocation) -> list[tuple[str, Figure]]:
    """Granted as a bar, guarantee and cap as marks, each with its title; teams in the order of the tree."""
    ordered = in_tree_order(plan.teams)
    if len(ordered) <= FEW:
        return [("All teams", _bars(plan, ordered))] if ordered else []
    top = [one for one in ordered if one.level <= 1]
    below: dict[str, list[TeamOutcome]] = defaultdict(list)
    division = ""
    for one in ordered:
        if one.level <= 1:
            division = one.team
        else:
            below[division].append(one)
    plots = [("The lab and its divisions", _bars(plan, top))]
    return plots + [(f"Teams of {name}", _bars(plan, own)) for name, own in below.items()]


def _bars(plan: Allocation, teams: Sequence[TeamOutcome]) -> Figure:
    from plotly.graph_objects import Scatter

    notes = team_notes(plan)
    first = min(one.level for one in teams)
    labels = ["↳ " * (one.level - first) + label(one.team) for one in teams]
    stands = [_stands(one, notes[one.team]) for one in teams]
    series = [_granted(name, mark, teams, stands) for name, mark in STANDS.items() if name in stands]
    ends = [max(one.granted, one.guarantee or 0, one.cap or 0) for one in teams]
    texts = [f"\u00a0{_against(one)}" for one in teams]
    shown = stacked_bars(labels, series, texts, "reference GPUs", ends=ends, room=0.8)
    for name, symbol in (("guarantee", "line-ns"), ("cap", "triangle-left-open")):
        marked = [
            (place, getattr(one, name)) for place, one in enumerate(teams) if getattr(one, name) is not None
        ]
        dots = {"symbol": symbol, "size": 13, "color": INK, "line": {"color": INK, "width": 2.5}}
        places, values = [place for place, _ in marked], [value for _, value in marked]
        shown.add_trace(
            Scatter(name=name, x=values, y=places, mode="markers", marker=dots, hovertemplate="%{x:,}")
        )
    return shown


def _granted(name: str, mark: Mark, teams: Sequence[TeamOutcome], stands: Sequence[str]) -> Series:
    values = [one.granted if each == name else 0.0 for one, each in zip(teams, stands, strict=True)]
    return Series(f"granted, {name}", values, mark)
