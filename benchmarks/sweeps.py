"""What a second worker gains in a sweep, and what the base plan gains: ``python -m benchmarks.sweeps``.

Equal work is compared: a generated lab so small that all scenarios are proved, by one worker and by two; and
each of them once from the base plan, whose grants are the first candidate, and once without it.
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
from gpu_opt.plan import Allocation, Status
from gpu_opt.scenario import Grid, make_grid

PROOF = Options(gap=0.0, threads=1, time_limit=60.0)
"""Until every goal is proved, by one thread a scenario."""


def caps(organization: Organization, count: int) -> Grid:
    """The cap of the first division, from its guarantee up, in so many steps of 30 reference GPUs."""
    division = next(team for team in organization.teams if team.guarantee is not None)
    first = round(float(division.guarantee or 0.0)) + 100
    cap = f"each {first}..{first + 30 * (count - 1)} by 30"
    return make_grid({"name": "caps", "changes": [{"change": "set_cap", "team": division.name, "cap": cap}]})


def measure_workers(organization: Organization, grid: Grid, base: Allocation) -> str:
    """Seconds of a sweep by one worker and by two."""
    seconds = []
    for workers in (1, 2):
        begun = time.monotonic()
        found = sweep(organization, grid, workers=workers, options=PROOF, base=base)
        seconds.append(time.monotonic() - begun)
        assert all(point.status is Status.OPTIMAL for point in found.points)
    one, two = seconds
    told = f"{len(grid.points)} scenarios, all proved: one worker {one:.1f} s, two {two:.1f} s"
    return f"{told}: {one / two:.2f} times as fast"


def measure_base(organization: Organization, grid: Grid, base: Allocation) -> str:
    """Seconds until a scenario is proved from the base plan, near to it, and without it."""
    seconds: list[tuple[float, float]] = []
    for point in grid.points:
        changed = apply(organization, point.scenario.changes)
        begun = time.monotonic()
        allocate(changed, options=PROOF, near=base)
        between = time.monotonic()
        allocate(changed, options=PROOF)
        seconds.append((between - begun, time.monotonic() - between))
    near, anew = (sum(each) for each in zip(*seconds, strict=True))
    ratio = statistics.median(each[1] / each[0] for each in seconds)
    told = f"from the base plan {near:.1f} s, without it {anew:.1f} s"
    return f"{told} for all one after the other; median ratio {ratio:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=32)
    parser.add_argument("--projects", type=int, default=12)
    parser.add_argument("--pools", type=int, default=3)
    asked = parser.parse_args(arguments)
    organization = generate(Dials(projects=asked.projects, pools=asked.pools))
    grid, base = caps(organization, asked.scenarios), allocate(organization, options=PROOF)
    print(measure_workers(organization, grid, base))
    print(measure_base(organization, grid, base))


if __name__ == "__main__":
    main()
