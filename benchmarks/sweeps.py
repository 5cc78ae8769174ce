"""What a second worker gains in a sweep, and what the base plan gains: ``python -m benchmarks.sweeps``.

Equal work is compared: every scenario of a generated lab may have the same number of programs solved, so that
one worker and two find the same. And each of them once from the base plan, whose grants are the first
candidate, and once without it: what differs is how good the plans are, and the seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

from benchmarks.generator import Dials, generate
from gpu_opt import allocate, apply, sweep
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation
from gpu_opt.scenario import Grid, make_grid


def caps(organization: Organization, count: int) -> Grid:
    """The cap of the first division, from its guarantee up, in so many steps of 30 reference GPUs."""
    division = next(team for team in organization.teams if team.guarantee is not None)
    first = round(float(division.guarantee or 0.0)) + 100
    cap = f"each {first}..{first + 30 * (count - 1)} by 30"
    return make_grid({"name": "caps", "changes": [{"change": "set_cap", "team": division.name, "cap": cap}]})


def measure_workers(organization: Organization, grid: Grid, base: Allocation, options: Options) -> str:
    """Seconds of a sweep by one worker and by two."""
    seconds, figures = [], []
    for workers in (1, 2):
        begun = time.monotonic()
        found = sweep(organization, grid, workers=workers, options=options, base=base)
        seconds.append(time.monotonic() - begun)
        figures.append([point.comparison.figures for point in found.points])
    one, two = seconds
    same = sum(each == other for each, other in zip(*figures, strict=True))
    told = f"{len(grid.points)} scenarios, {same} the same by both: one worker {one:.1f} s, two {two:.1f} s"
    return f"{told}: {one / two:.2f} times as fast"


def measure_base(organization: Organization, grid: Grid, base: Allocation, options: Options) -> str:
    """How good plans are, and in how many seconds, from the base plan, near to it, and without it."""
    values: list[tuple[float, float]] = []
    seconds: list[tuple[float, float]] = []
    for point in grid.points:
        changed = apply(organization, point.scenario.changes)
        begun = time.monotonic()
        near = allocate(changed, options=options, near=base)
        between = time.monotonic()
        anew = allocate(changed, options=options)
        values.append((near.objective, anew.objective))
        seconds.append((between - begun, time.monotonic() - between))
    told = []
    for i, name in enumerate(("from the base plan", "without it")):
        below = statistics.median(1 - pair[i] / max(pair) for pair in values)
        told.append(f"{name} {below:.2%} in {statistics.median(pair[i] for pair in seconds):.1f} s")
    return f"{len(values)} scenarios, below the better of both plans by (medians): {', '.join(told)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=32)
    parser.add_argument("--projects", type=int, default=24)
    parser.add_argument("--pools", type=int, default=6)
    parser.add_argument("--work-limit", type=int, default=4, help="programs for each scenario")
    parser.add_argument("--only", choices=("workers", "base"))
    asked = parser.parse_args(arguments)
    organization = generate(Dials(projects=asked.projects, pools=asked.pools, seed=2))
    base = allocate(organization, options=Options(time_limit=5))
    grid, options = caps(organization, asked.scenarios), Options(threads=1, work_limit=asked.work_limit)
    if asked.only != "base":
        print(measure_workers(organization, grid, base, options))
    if asked.only != "workers":
        print(measure_base(organization, grid, base, options))


if __name__ == "__main__":
    main()
