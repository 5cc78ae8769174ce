"""What the second core gains an allocation, and what it costs to use it through a cluster.

    uv run python -m benchmarks.cores --sizes 500x20 2000x40 --time 10 --seeds 3

The same organizations with one thread, with two, and with two whose small programs a cluster of Dask on this
machine solves, in two processes of one thread. Parts are the small programs that were solved. Medians over
the seeds; run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

from benchmarks.ablation import BINDING
from benchmarks.generator import Binding, Dials, generate
from benchmarks.harness import size_of
from gpu_opt.allocation import allocate
from gpu_opt.allocation.strategy.crew import Crew, Job
from gpu_opt.options import Options
from gpu_opt.organization import Organization


@dataclass(frozen=True, slots=True)
class Reached:
    """How good the plan is after the time, and the work that it took."""

    gap: float
    parts: int


@contextmanager
def counted() -> Iterator[list[Job]]:
    """Collect the small programs that any crew has solved meanwhile."""
    given: list[Job] = []
    give = Crew.give

    def noted(crew: Crew, job: Job) -> None:
        def done(answer: object) -> None:
            given.append(job)
            job.done(answer)

        give(crew, job if job.is_long or job.is_here else replace(job, done=done))

    with patch.object(Crew, "give", noted):
        yield given


def run(organization: Organization, seconds: float, threads: int, executor: Executor | None) -> Reached:
    """Allocate within the seconds."""
    options = Options(time_limit=seconds, gap=0.0, threads=threads, executor=executor)
    with counted() as given:
        plan = allocate(organization, options=options)
    return Reached(plan.gap, len(given))


def measure(size: str, binding: Binding, seconds: float, seeds: int, cluster: Executor) -> str:
    """A line of the table, as Markdown."""
    variants: tuple[tuple[int, Executor | None], ...] = ((1, None), (2, None), (2, cluster))
    labs = [generate(Dials(*size_of(size), seed=seed, binding=binding)) for seed in range(1, seeds + 1)]
    cells = []
    for threads, executor in variants:
        reached = [run(lab, seconds, threads, executor) for lab in labs]
        gap = statistics.median(each.gap for each in reached)
        cells.append(f"{100 * gap:.3f} ({statistics.median(each.parts for each in reached):g})")
    return f"| {size} | {binding} | {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table: the gap in per cent, and in brackets the parts solved."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser("benchmarks.cores", description="What the second core gains.")
    parser.add_argument("--sizes", nargs="+", default=["500x20", "2000x40"])
    parser.add_argument("--binding", nargs="+", default=list(BINDING), choices=BINDING)
    parser.add_argument("--time", type=float, default=10.0, help="seconds for each; default: %(default)s")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args(arguments)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as started,
        Client(started) as client,
    ):
        cluster = client.get_executor(pure=False)
        print("| size | binding | one thread | two threads | two workers of Dask |\n|---|---|---:|---:|---:|")
        for size in asked.sizes:
            for binding in asked.binding:
                print(measure(size, binding, asked.time, asked.seeds, cluster), flush=True)


if __name__ == "__main__":
    main()
