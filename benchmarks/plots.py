"""Gap over time, one plot for each family: ``python -m benchmarks.plots results/0.2.json``, next to the file.

The line of a peer is the median over the seeds of the distance between the plan that it said it had and the
best bound that anybody proved (its own, where nobody proved one of the penalty form), in the run with most
time. Where half of the seeds have no plan there is no line.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_high

from benchmarks.results import PLAN, Outcome, read
from benchmarks.tables import best_bounds

LEAST = 1e-5
"""A distance below it is drawn as this one: the axis is logarithmic."""

type Steps = list[tuple[float, float]]


def gap_at(each: Outcome, bound: float | None, seconds: float) -> float:
    """Distance to the bound of the best plan by then; infinite without one."""
    told = [best for moment, best in each.trace if moment <= seconds]
    if bound is None or not told:
        return math.inf
    return max(0.0, bound - max(told)) / max(abs(bound), 1e-9)


def median_steps(runs: Sequence[Outcome], bounds: Mapping[str, float]) -> Steps:
    """(seconds, median distance) at every moment at which some run improved, and at the end."""
    moments = sorted({moment for each in runs for moment, _ in each.trace})
    if moments:
        moments.append(max([*moments, *(each.where.limit for each in runs)]))
    steps = [
        (moment, median_high([gap_at(each, bounds.get(each.where.lab, each.bound), moment) for each in runs]))
        for moment in moments
    ]
    return [(moment, gap) for moment, gap in steps if math.isfinite(gap)]


def draw(outcomes: Sequence[Outcome], folder: Path, name: str) -> list[Path]:
    """Write ``<name>-<family>.svg`` for each family; return the files.

    Raises ModuleNotFoundError without matplotlib.
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = name  # the same figures make the same file
    from matplotlib import pyplot

    bounds, files = best_bounds(outcomes), []
    for family in dict.fromkeys(each.where.family for each in outcomes):
        runs = [each for each in outcomes if each.where.family == family]
        longest = max(each.where.limit for each in runs)
        figure, axes = pyplot.subplots(figsize=(7, 4.5))
        for number, peer in enumerate(dict.fromkeys(each.peer for each in runs)):
            own = [each for each in runs if each.peer == peer and each.where.limit == longest]
            steps = median_steps(own, bounds) if any(each.status == PLAN for each in own) else []
            if steps:
                seconds, gaps = zip(*((moment, max(gap, LEAST)) for moment, gap in steps), strict=True)
                style = ("-", "--", ":", "-.")[number % 4]
                axes.step(seconds, gaps, where="post", label=peer, linestyle=style)
        axes.set(
            xscale="log", yscale="log", xlabel="seconds", ylabel="distance to the best bound", title=family
        )
        axes.grid(visible=True, alpha=0.3)
        if axes.get_lines():
            axes.legend(fontsize="small")
        file = folder / f"{name}-{re.sub(r'[^0-9a-z]+', '-', family.lower()).strip('-')}.svg"
        figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")
        pyplot.close(figure)
        files.append(file)
    return files


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the files on the command line; print the names of what was written."""
    parser = argparse.ArgumentParser("benchmarks.plots", description="Gap over time.")
    parser.add_argument("files", nargs="+", type=Path, help="results in JSON")
    given = parser.parse_args(arguments)
    try:
        for file in given.files:
            for drawn in draw(read([file]), file.parent, file.stem):
                print(drawn)
    except ModuleNotFoundError as problem:
        parser.error(f"{problem}: `uv sync --group bench`")
    except (OSError, json.JSONDecodeError, KeyError) as problem:
        parser.error(f"these are no results: {problem}")


if __name__ == "__main__":
    main()
