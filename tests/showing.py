"""What the tables print, and a small plan of each kind to print."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType

from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Reallocation
from tests.building import (
    allocation,
    day,
    delivery,
    handover,
    lab,
    pool,
    project,
    reallocation,
    request,
    root,
    team,
)


def shown(what: RenderableType, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def row(printed: str, name: str) -> list[str]:
    """The words of the first line that begins with the name."""
    return next(line.split() for line in printed.splitlines() if line.strip().startswith(name))


def small_lab() -> Organization:
    return lab(
        pools=[pool("iowa", 4096, unit=8), pool("texas", 1024, unit=4, gpu_type="gb200")],
        teams=[
            root(cap=8000.0),
            team("safety", guarantee=500.0),
            team("research", guarantee=3000.0, cap=4000.0),
            team("reasoning", "research", cap=2000.0),
        ],
        projects=[
            project("orion", 4096, "reasoning", holds={"iowa": 2000}),
            project("vega", 2000, "research", priority=9.0, holds={"iowa": 1000}),
            project("guardrails", 1000, "safety", tier=2),
            project("lyra", 10, "safety", starts=day(20)),
        ],
    )


def small_plan() -> Allocation:
    return allocation(small_lab(), {("orion", "iowa"): 2000, ("vega", "iowa"): 992, ("vega", "texas"): 400})


def moving_lab() -> tuple[Organization, Reallocation]:
    organization = lab(
        pools=[pool("iowa", 1024), pool("texas", 512)],
        deliveries=[delivery("texas", 2048, on=9)],
        projects=[project("orion", 1000, holds={"iowa": 1000}, ends=day(3))],
    )
    asked = request("vega", 3000, by=10, starts=day(5))
    plan = reallocation(
        organization,
        [asked],
        [
            handover(organization, asked, "delivery", 1500, "texas", free=9),
            handover(organization, asked, "orion", 1000, free=3, on=5),
            handover(organization, asked, "idle", 24, on=5),
        ],
    )
    return organization, plan
