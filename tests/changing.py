"""An organization for every change there is, and changes in few words."""

from __future__ import annotations

from typing import Any

from gpu_opt.organization import Limit, Organization
from gpu_opt.scenario import Change, Scenario
from tests.building import day, delivery, lab, pool, project, root, team

BASE = lab(
    [
        pool("iowa-h100", 16, unit=4, site="iowa"),
        pool("iowa-gb200", 8, unit=4, gpu_type="gb200", site="iowa"),
        pool("texas", 16),
    ],
    teams=[root(cap="90%"), team("research", guarantee=10, cap=20, limits={"gb200": Limit(cap=4)})],
    projects=[
        project("orion", 16, "research", minimum=4, holds={"iowa-h100": 8, "texas": 2}),
        project("lyra", 8, holds={"iowa-gb200": 4}, ends=day(20)),
        project("vega", 8, starts=day(10)),
        project("mira", 4, speeds={"h100": 0.9}),
        project("deneb", 4, sites=("iowa",)),
        project("rigel", 4, pools=("texas",)),
    ],
    deliveries=[delivery("texas", 8, on=5), delivery("iowa-h100", 4, on=5), delivery("iowa-h100", 8, on=9)],
)


def changes(*described: dict[str, Any]) -> tuple[Change, ...]:
    return Scenario.model_validate({"name": "test", "changes": described}).changes


def parts(organization: Organization) -> dict[Any, Any]:
    """Everything in an organization by its name; deliveries as (pool, day, GPUs)."""
    found: dict[Any, Any] = {one.name: one for one in organization.projects}
    found |= {one.name: one for one in organization.teams}
    found |= {one.name: one for one in organization.pools}
    found |= {(one.pool, one.on, one.gpus): one for one in organization.deliveries}
    return found | {"policy": organization.policy, "as_of": organization.as_of}
