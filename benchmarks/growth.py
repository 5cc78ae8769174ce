"""How time and memory grow with the number of projects: ``python -m benchmarks.growth results/0.2.json``.

The exponent is the slope of the least-squares line through the medians of the sizes, both axes logarithmic:
2 means that twice the projects take four times as much. Time is the seconds until the plan is within 1 % of
the best bound that anybody proved of the penalty form; where nobody did, of the peer's own bound.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median_high

from benchmarks.results import PLAN, Outcome, read
from benchmarks.tables import best_bounds

CLOSE = 0.01


def time_to(each: Outcome, bounds: Mapping[str, float], close: float = CLOSE) -> float:
    """Seconds until the plan was so close to the best bound, or its own; infinite if it never was."""
    bound = bounds.get(each.where.lab, each.bound)
    if bound is None or each.status != PLAN:
        return math.inf
    near = (seconds for seconds, best in each.trace if bound - best <= close * abs(bound))
    return next(near, math.inf)


def exponent(points: Mapping[int, float]) -> float | None:
    """Slope of log y over log x; None for fewer than two sizes with a finite, positive y."""
    known = [(math.log(x), math.log(y)) for x, y in points.items() if 0 < y < math.inf]
    if len(known) < 2:
        return None
    mean_x, mean_y = (sum(column) / len(known) for column in zip(*known, strict=True))
    square = sum((x - mean_x) * (x - mean_x) for x, _ in known)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in known)
    return float(covariance / square)


def medians(outcomes: Sequence[Outcome], measured: Callable[[Outcome], float]) -> dict[int, float]:
    """Median by number of projects, of the runs with the most time on each organization."""
    longest: dict[str, Outcome] = {}
    for each in outcomes:
        other = longest.get(each.where.lab)
        if other is None or each.where.limit > other.where.limit:
            longest[each.where.lab] = each
    sizes = sorted({each.where.projects for each in longest.values()})
    return {
        size: median_high([measured(each) for each in longest.values() if each.where.projects == size])
        for size in sizes
    }


def report(outcomes: Sequence[Outcome]) -> str:
    """A Markdown table: peers, and the exponents of time and memory, with the medians that they are from."""
    bounds = best_bounds(outcomes)
    lines = ["| peer | seconds to 1 % | exponent | MiB | exponent |", "|---|---|---:|---|---:|"]
    for peer in dict.fromkeys(each.peer for each in outcomes if each.status == PLAN):
        runs = [each for each in outcomes if each.peer == peer]
        seconds = medians(runs, lambda each: time_to(each, bounds))
        memory = medians(runs, lambda each: math.inf if each.memory is None else each.memory)
        cells = [peer, _shown(seconds, ".1f"), _slope(seconds), _shown(memory, ",.0f"), _slope(memory)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(points: Mapping[int, float], form: str) -> str:
    known = {size: format(y, form) if math.isfinite(y) else "never" for size, y in points.items()}
    return ", ".join(f"{size:,}: {y}" for size, y in known.items())


def _slope(points: Mapping[int, float]) -> str:
    slope = exponent(points)
    return "–" if slope is None else f"{slope:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of the files on the command line."""
    parser = argparse.ArgumentParser("benchmarks.growth", description="Exponents of time and memory.")
    parser.add_argument("files", nargs="+", type=Path, help="results in JSON")
    try:
        outcomes = read(parser.parse_args(arguments).files)
    except (OSError, json.JSONDecodeError, KeyError) as problem:
        parser.error(f"these are no results: {problem}")
    print(report(outcomes))


if __name__ == "__main__":
    main()
