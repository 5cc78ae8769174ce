"""Reallocations in few words: who hands over, who asks, and what comes out."""

from __future__ import annotations

from typing import Any

from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Reallocation
from gpu_opt.reallocation import reallocate
from tests.building import day, lab, pool, project, team

DIVISIONS = (team("research"), team("product"), team("vision", "research"), team("speech", "research"))
TYPES = (
    pool("iowa", 4, gpu_type="h100"),
    pool("texas", 4, gpu_type="h200"),
    pool("ohio", 4, gpu_type="h200"),
)


def plan(organization: Organization, *asked: Request, until: int = 30, **options: Any) -> Reallocation:
    return reallocate(organization, until=day(until), requests=asked, options=Options(threads=1, **options))


def handed(plan: Reallocation) -> list[tuple[str, str, int, int]]:
    """(donor, request, GPUs, day) of every handover."""
    return [
        (one.project or one.donor.value, one.request, one.gpus, (one.on - plan.as_of).days)
        for one in plan.handovers
    ]


def values(plan: Reallocation) -> dict[str, float]:
    return {goal.name: goal.value for goal in plan.goals}


def ending(name: str, team: str, gpus: int = 4, on: int = 5, at: str = "iowa") -> Any:
    return project(name, team=team, holds={at: gpus}, ends=day(on))


def full(*projects: Any, gpus: int = 0, **fields: Any) -> Organization:
    """A lab whose pool `iowa` is held by these projects, but for `gpus`."""
    held = sum(sum(one.holds.values()) for one in projects)
    return lab([pool("iowa", held + gpus)], teams=DIVISIONS, projects=projects, **fields)
