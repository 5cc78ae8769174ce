"""How long the questions after a plan take, and how many have an answer: ``python -m benchmarks.questions``.

On an organization (default: ``frontier_lab``) with a plan of 20 seconds: *why* for every project that lacks
something (or every Nth of them, with ``--every N``), *prices*,
a *what-if* for each scenario, and what the base plan gains for a re-solve.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gpu_opt import allocate, explain, load, load_scenario, prices, what_if
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Cause

MODELS = Path(__file__).parents[1] / "models"
LAB = MODELS / "organizations" / "frontier_lab.yaml"
SCENARIOS = ("lost_delivery", "new_flagship", "research_cap", "texas_outage")

PER_SCENARIO = 3.0
"""Seconds for a what-if."""

RESOLVE = (1.0, 3.0)
"""Seconds for a re-solve after one small change."""

CHANGED = (17, 34, 51)
"""Projects whose priority rises by a tenth, one at a time, by their place in the file."""


def timed[T](ask: Callable[[], T]) -> tuple[float, T]:
    """Seconds that a call takes, and its answer."""
    begun = time.monotonic()
    answer = ask()
    return time.monotonic() - begun, answer


def measure_why(organization: Organization, plan: Allocation, every: int, first: int) -> str:
    """How many projects that lack something have a confirmed change, and the seconds for one."""
    lacking = [each for each in plan.projects if each.active and each.reason.cause is not Cause.MET]
    asked = [each.project for each in lacking][first::every]
    answers = [timed(partial(explain, organization, plan, name)) for name in asked]
    confirmed = sum(bool(found.remedies) for _, found in answers)
    seconds = [each for each, _ in answers]
    return (
        f"why: {confirmed} of {len(asked)} projects have a confirmed change; "
        f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s"
    )


def measure_prices(organization: Organization, plan: Allocation) -> str:
    """Seconds for all prices, and how many were solved again."""
    seconds, found = timed(lambda: prices(organization, plan))
    again = sum(each.confirmed is not None for each in found.prices)
    return f"prices: {seconds:.1f} s, {again} of {len(found.prices)} solved again"


def measure_what_ifs(organization: Organization, plan: Allocation) -> list[str]:
    """Seconds for a what-if from the plan, and what came out."""
    told = []
    for name in SCENARIOS:
        scenario = load_scenario(MODELS / "scenarios" / f"{name}.yaml")
        options = Options(time_limit=PER_SCENARIO)
        seconds, found = timed(partial(what_if, organization, scenario, options=options, base=plan))
        (outcome,) = found.scenarios
        changed = len(outcome.comparison.projects)
        told.append(
            f"what-if {name}: {seconds:.1f} s, gap {outcome.plan.gap:.2%}, {changed} projects changed"
        )
    return told


def measure_warm_starts(organization: Organization, plan: Allocation) -> list[str]:
    """What the base plan gains for a re-solve after one small change: median gaps with it, and without."""
    told = []
    for limit in RESOLVE:
        warm, cold = [], []
        for place in CHANGED:
            project = organization.projects[place]
            dearer = project.model_copy(update={"priority": 1.1 * project.priority})
            projects = (*organization.projects[:place], dearer, *organization.projects[place + 1 :])
            again = organization.model_copy(update={"projects": projects})
            options = Options(time_limit=limit)
            warm.append(allocate(again, options=options, near=plan).gap)
            cold.append(allocate(again, options=options).gap)
        near, without = statistics.median(warm), statistics.median(cold)
        told.append(f"re-solve in {limit:g} s: gap {near:.2%} near the base plan, {without:.2%} without it")
    return told


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=str(LAB))
    parser.add_argument("--every", type=int, default=1, help="ask why for every Nth project only")
    parser.add_argument("--first", type=int, default=0, help="and begin with this one")
    parser.add_argument("--only", choices=("why", "prices", "what-if", "warm"))
    asked = parser.parse_args(arguments)
    organization = load(asked.file)
    plan = allocate(organization)
    print(f"plan: gap {plan.gap:.2%}")
    if asked.only in {None, "why"}:
        print(measure_why(organization, plan, asked.every, asked.first))
    if asked.only in {None, "prices"}:
        print(measure_prices(organization, plan))
    if asked.only in {None, "what-if"}:
        print("\n".join(measure_what_ifs(organization, plan)))
    if asked.only in {None, "warm"}:
        print("\n".join(measure_warm_starts(organization, plan)))


if __name__ == "__main__":
    main()
