"""A small sweep, and all of its points but what hangs on the clock."""

from __future__ import annotations

from typing import Any

from gpu_opt.options import Options
from gpu_opt.plan import SweepPoint
from gpu_opt.scenario import Grid, make_grid
from tests.building import lab, pool, project, team

BASE = lab(
    [pool("iowa", 16), pool("texas", 16)],
    teams=[team("research", cap=16), team("product", guarantee=12)],
    projects=[
        project("orion", 24, "research", priority=2),
        project("lyra", 12, "product"),
        project("vega", 8, "product", tier=2),
    ],
)


def grid(*changes: dict[str, Any], name: str = "grid") -> Grid:
    return make_grid({"name": name, "changes": list(changes)})


CAPS = grid({"change": "set_cap", "team": "research", "cap": "each 4..28 by 4"})


def options(**fields: Any) -> Options:
    return Options(**{"threads": 2, "gap": 0.0, "time_limit": 30.0, **fields})


def told(points: tuple[SweepPoint, ...]) -> list[tuple[object, ...]]:
    """All of the points but what hangs on the clock."""
    return [(one.values, one.status, one.bindings, one.comparison) for one in points]
