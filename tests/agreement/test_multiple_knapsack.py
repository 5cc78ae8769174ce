"""Multiple knapsacks with published optima, solved as allocations.

A knapsack is a pool; an item is a project that wants all of its weight in one pool or nothing, and is worth
its profit.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Status
from tests.building import lab, pool, project
from tests.public_data import DATA
from tests.solving import gpus

FOLDER = DATA / "mkp"
FILES = sorted(FOLDER.glob("*.json"))


def read(path: Path) -> tuple[Organization, float]:
    """The instance as an organization, and its optimum."""
    instance = json.loads(path.read_text(encoding="utf-8"))
    return as_organization(
        instance["knapsack_capacities"], [(item["weight"], item["profit"]) for item in instance["items"]]
    ), instance["maximum_profit"]


def as_organization(capacities: list[int], items: list[tuple[int, int]]) -> Organization:
    return lab(
        [pool(f"knapsack-{n}", capacity) for n, capacity in enumerate(capacities)],
        projects=[
            project(f"item-{n}", weight, minimum=float(weight), one_pool=True, priority=profit / weight)
            for n, (weight, profit) in enumerate(items)
        ],
    )


@pytest.mark.skipif(
    not FILES, reason="the published instances are not there; GPU_OPT_DATA names their folder"
)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_published_optima_are_reached_and_proved(path: Path) -> None:
    organization, optimum = read(path)
    plan = allocate(organization, options=Options(gap=0.0, threads=2, time_limit=60.0))
    assert plan.objective == pytest.approx(optimum, rel=1e-6)
    assert plan.status is Status.OPTIMAL


def test_scarce_knapsacks_leave_the_items_that_are_worth_least() -> None:
    capacities, items = [10, 7], [(6, 13), (5, 10), (4, 9), (3, 5), (2, 5), (8, 12)]
    plan = allocate(as_organization(capacities, items), options=Options(gap=0.0, threads=1))
    assert plan.status is Status.OPTIMAL
    assert plan.objective == pytest.approx(37)  # 6 and 4 fill the first, 5 and 2 the second
    assert gpus(plan) == {"item-0": 6, "item-2": 4, "item-1": 5, "item-4": 2}
