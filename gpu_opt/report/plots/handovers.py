"""Who hands what to whom, and when."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from gpu_opt.plan import Donor, Handover, Reallocation
from gpu_opt.report.plots.matrix import matrix
from gpu_opt.report.plots.style import GREY, HEIGHT, INK, LIMITED, PLAIN, SPARE, figure, fill, label
from gpu_opt.report.sheets.reallocation import DONORS, giver, monday
from gpu_opt.report.text import count, counted

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_NODES = 24
"""Of more donors, pools or teams than these, the smaller ones flow together."""

NODE_COLOURS = ("#e69f00", "#56b4e9", "#009e73")
"""Of donors, pools and teams; their labels say which is which."""


def flow(handovers: Sequence[Handover]) -> Figure:
    """A Sankey diagram: donor team, pool, team that gets the GPUs; widths are GPUs."""
    from plotly.graph_objects import Sankey

    paths = Counter[tuple[str, str, str]]()
    for one in handovers:
        paths[giver(one), one.pool, one.team] += one.gpus
    columns = [_columns(paths, place) for place in range(3)]
    links: Counter[tuple[tuple[int, str], tuple[int, str]]] = Counter()
    totals: Counter[tuple[int, str]] = Counter()
    for path, gpus in paths.items():
        nodes = [(place, columns[place][name]) for place, name in enumerate(path)]
        totals.update(dict.fromkeys(nodes, gpus))
        links[nodes[0], nodes[1]] += gpus
        links[nodes[1], nodes[2]] += gpus
    order = {node: index for index, node in enumerate(totals)}
    tallest = max(sum(node[0] == place for node in order) for place in range(3))
    sankey = Sankey(
        arrangement="snap",
        valueformat=",",
        node={
            "label": [f"{label(name)} {count(totals[place, name])}" for place, name in order],
            "color": [NODE_COLOURS[place] for place, _ in order],
            "line": {"color": INK, "width": 1},
            "pad": 12,
            "thickness": 14,
        },
        link={
            "source": [order[source] for source, _ in links],
            "target": [order[target] for _, target in links],
            "value": list(links.values()),
            "color": "rgba(110, 110, 110, 0.35)",
        },
    )
    heads = [
        {
            "text": text,
            "x": x,
            "y": 1.0,
            "xref": "paper",
            "yref": "paper",
            "yanchor": "bottom",
            "showarrow": False,
        }
        for text, x in (("<b>from</b>", 0.0), ("<b>in pool</b>", 0.5), ("<b>to team</b>", 1.0))
    ]
    return figure([sankey], max(320, 80 + 34 * tallest), annotations=heads)


def _columns(paths: Counter[tuple[str, str, str]], place: int) -> dict[str, str]:
    """How a column of the diagram calls each of its names: the smallest ones flow together."""
    sums: Counter[str] = Counter()
    for path, gpus in paths.items():
        sums[path[place]] += gpus
    kept = {name for name, _ in sums.most_common(MOST_NODES)}
    rest = f"{counted(len(sums) - len(kept), 'other')}"
    return {name: name if name in kept else rest for name in sums}


def _weeks(days: Iterable[dt.date]) -> list[dt.date]:
    """All weeks from the first to the last day, by their Mondays."""
    mondays = {monday(day) for day in days}
    first, last = min(mondays), max(mondays)
    return [first + dt.timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]


def weekly_bars(plan: Reallocation) -> Figure:
    """GPUs handed over in every week, by where they come from."""
    from plotly.graph_objects import Bar, Scatter

    weeks = _weeks(one.on for one in plan.handovers)
    sums: Counter[tuple[Donor, dt.date]] = Counter()
    for one in plan.handovers:
        sums[one.donor, monday(one.on)] += one.gpus
    places = list(range(len(weeks)))
    marks = {Donor.RELEASE: PLAIN, Donor.DELIVERY: LIMITED, Donor.IDLE: SPARE}
    bars = [
        Bar(name=words, x=places, y=[sums[donor, week] for week in weeks], marker=fill(marks[donor]))
        for donor, words in DONORS.items()
    ]
    totals = [sum(sums[donor, week] for donor in DONORS) for week in weeks]
    texts = [count(total) if total else "" for total in totals]
    above = Scatter(
        x=places,
        y=totals,
        mode="text",
        text=texts,
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
    )
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": [f"{week:%d %b}" for week in weeks]}
    return figure(
        [*bars, above],
        HEIGHT,
        barmode="stack",
        xaxis={**ticks, "title": {"text": "week that begins on Monday"}, "automargin": True},
        yaxis={
            "title": {"text": "GPUs"},
            "range": [0, max(totals) * 1.15],
            "gridcolor": GREY,
            "tickformat": ",",
            "automargin": True,
        },
    )


def calendar(plan: Reallocation) -> Figure:
    """GPUs that every team gets in every week; of many teams those that get most, the others in one row."""
    weeks = _weeks(one.on for one in plan.handovers)
    sums: Counter[str] = Counter()
    for one in plan.handovers:
        sums[one.team] += one.gpus
    kept = [team for team, _ in sums.most_common(MOST_NODES)]
    rest = f"{counted(len(sums) - len(kept), 'other team')}"
    rows = [*kept, rest] if len(sums) > len(kept) else kept
    cells: Counter[tuple[str, dt.date]] = Counter()
    for one in plan.handovers:
        cells[one.team if one.team in kept else rest, monday(one.on)] += one.gpus
    amounts = [[cells[row, week] or None for week in weeks] for row in rows]
    texts = [["" if each is None else count(each) for each in row] for row in amounts]
    return matrix([label(row) for row in rows], [f"{week:%d %b}" for week in weeks], amounts, texts)


def arrivals(asked: int, by: dt.date, plans: Sequence[tuple[str, Reallocation]]) -> Figure:
    """How many GPUs a request has on every day, by one plan or several, against what it needs by when."""
    from plotly.graph_objects import Scatter

    traces = []
    styles = (("solid", "circle"), ("dash", "square-open"))
    last = max([by, *(one.on for _, plan in plans for one in plan.handovers)]) + dt.timedelta(days=3)
    for (name, plan), (dash, symbol) in zip(plans, styles, strict=False):
        on_day: Counter[dt.date] = Counter({plan.as_of: 0})
        for one in plan.handovers:
            on_day[one.on] += one.gpus
        days = sorted(on_day)
        so_far = list(accumulate(on_day[day] for day in days))
        line = {"shape": "hv", "dash": dash, "color": INK, "width": 2}
        traces.append(
            Scatter(
                name=name,
                x=[*days, last],
                y=[*so_far, so_far[-1]],
                text=[*map(count, so_far), ""],
                textposition="top left",
                mode="lines+markers+text",
                line=line,
                marker={"symbol": symbol, "size": 9, "color": INK},
            )
        )
    shown = figure(
        traces,
        HEIGHT,
        xaxis={"title": {"text": "day"}, "automargin": True, "gridcolor": GREY, "tickformat": "%d %b"},
        yaxis={"title": {"text": "GPUs so far"}, "gridcolor": GREY, "tickformat": ",", "automargin": True},
    )
    shown.update_yaxes(range=[0, 1.15 * max([asked, *(max(one.y) for one in traces)])])
    shown.add_hline(
        y=asked, line_dash="dot", annotation_text=f"{count(asked)} asked", annotation_position="top left"
    )
    shown.add_shape(type="line", x0=by, x1=by, y0=0, y1=1, yref="paper", line={"dash": "dot"})
    shown.add_annotation(x=by, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"needed by {by}")
    return shown
