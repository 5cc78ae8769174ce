"""Every family of constraints, on a case that exercises it, is the text it was; and none is missing.

``pytest tests/golden --update-golden`` writes what is built today: read the difference before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pulp
import pytest

from gpu_opt.allocation import constraints, formulation
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.near import with_near
from gpu_opt.clock import Clock
from gpu_opt.indexing import build_instance as index_allocation
from gpu_opt.options import Options
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Grant
from gpu_opt.reallocation import program
from gpu_opt.reallocation.conditioned import set_task
from gpu_opt.reallocation.conditions import Conditions
from gpu_opt.reallocation.instance import build_instance as index_reallocation
from gpu_opt.reallocation.network import build_network
from tests import building
from tests.building import TODAY, day, lab, pool, project, root, team

FOLDER = Path(__file__).parent

GB200 = pool("texas", 4, unit=2, gpu_type="gb200")

# --- The allocation: what is indexed, and what the families must say about it -------------------------

ALLOCATION: dict[str, Organization] = {
    # texas is overfull by a unit; iowa has 7 GPUs, 3 whole units
    "pool_capacity": lab(
        [pool("iowa", 7, unit=2), GB200],
        projects=[project("orion", 20, holds={"texas": 6}), project("lyra", 9, sites=("iowa",))],
    ),
    # lab has a project of its own, research and vision below it have one each
    "team_total": lab(
        [pool("iowa", 4), GB200],
        teams=[team("research"), team("vision", "research")],
        projects=[project("orion", 9), project("lyra", 9, "research"), project("vega", 9, "vision")],
    ),
    # vision holds 5 of 3; research could never reach its cap, so that it has no row
    "team_cap": lab(
        teams=[root(cap="50%"), team("research", cap=99), team("vision", "research", cap=3)],
        projects=[project("lyra", 8, "vision", holds={"iowa": 5}), project("orion", 8)],
    ),
    # 4 GPUs of gb200 under vision where 2 are allowed; nobody under speech runs on h100
    "type_limit": lab(
        [pool("iowa", 4), GB200],
        teams=[
            team("vision", limits={"gb200": Limit(cap=2), "h100": Limit(cap="50%")}),
            team("speech", limits={"h100": Limit(cap=1)}),
        ],
        projects=[
            project("lyra", 10, "vision", holds={"texas": 4}),
            project("vega", 10, "speech", speeds={"gb200": 2.0}),
        ],
    ),
    # research is promised 12 and counts as met at 12 less a unit of 5; what vision is promised is one unit
    "team_guarantee": lab(
        [pool("iowa", 8), GB200],
        teams=[team("research", guarantee=12), team("vision", "research", guarantee=1)],
        projects=[
            project("lyra", 20, "research"),
            project("vega", 8, "vision", speeds={"h100": 1.0}),
        ],
    ),
    # 9 GPUs of iowa meet orion's demand, or 2 units of gb200 at its own 3 per GPU; lyra has a minimum, so
    # that it has its demand only where it is granted; vega keeps more than it asks for
    "demand": lab(
        [pool("iowa", 16), GB200],
        projects=[
            project("orion", 9, speeds={"h100": 1.0, "gb200": 3.0}),
            project("lyra", 8, minimum=4, sites=("iowa",)),
            project("vega", 4, holds={"iowa": 6}, pinned=True, speeds={"h100": 1.0}),
        ],
    ),
    # who holds 3, less than its minimum, may stay there; who has no minimum has no row
    "minimum": lab(
        [pool("iowa", 16), GB200],
        projects=[
            project("orion", 9, minimum=6),
            project("lyra", 8, minimum=4, holds={"iowa": 3}),
            project("vega", 8),
        ],
    ),
    # vega is spread over two pools today: it may stay so, or go to the third
    "one_pool": lab(
        [pool("iowa", 16), GB200, pool("ohio", 16, unit=8)],
        projects=[
            project("orion", 9, minimum=6, one_pool=True),
            project("lyra", 8, one_pool=True),
            project("vega", 12, one_pool=True, holds={"iowa": 4, "texas": 2}),
        ],
    ),
    "value": lab(
        [pool("iowa", 16), GB200],
        projects=[project("orion", 9, speeds={"h100": 1.0, "gb200": 3.3}), project("lyra", 7)],
        value=((0.25, 2.0), (0.5, 1.0), (0.25, 0.0)),
    ),
    # lyra needs one of its two gb200 units less: it wants to keep the other, and all in iowa
    "moves": lab(
        [pool("iowa", 16, unit=4), GB200],
        projects=[project("orion", 8, holds={"iowa": 8}), project("lyra", 5, holds={"texas": 4})],
    ),
    "move_budget": lab(
        projects=[project("orion", 8, holds={"iowa": 8}), project("lyra", 5, holds={"iowa": 4})],
        max_moves=3,
    ),
    # orion wants 4, but all 6 that it holds are pinned
    "pinned": lab(
        [pool("iowa", 16, unit=2), GB200],
        projects=[
            project("orion", 4, holds={"iowa": 6}, pinned=True),
            project("lyra", 8, holds={"texas": 2}),
        ],
    ),
    # orion is to stay near to 6 in iowa; lyra is granted nothing that it had before
    "changes": lab(
        [pool("iowa", 16, unit=2), GB200],
        projects=[project("orion", 8), project("lyra", 4, sites=("texas",))],
    ),
    # vision cannot have its 6 of 8 because 4 are pinned: 1.001 short of its target; the value of tier 1 is
    # held when tier 2 has its turn
    "earlier_goals": lab(
        [pool(gpus=8)],
        teams=[team("vision", guarantee=6)],
        projects=[
            project("orion", 4, holds={"iowa": 4}, pinned=True),
            project("lyra", 8, "vision", priority=2),
            project("vega", 2, tier=2, speeds={"h100": 1.5}),
        ],
        move_cost=0.5,
    ),
}


NEAR = (Grant(project="orion", pool="iowa", gpus=6), Grant(project="lyra", pool="ohio", gpus=4))


def build_allocation_family(family: str, monkeypatch: pytest.MonkeyPatch) -> pulp.LpProblem:
    """The program with this family only."""
    instance = index_allocation(ALLOCATION[family], TODAY)
    if family == "changes":
        instance = with_near(instance, NEAR)
    if family == "earlier_goals":
        monkeypatch.setattr(formulation, "FAMILIES", ())
        return hold_all_but_the_last(formulation.formulate(instance))
    monkeypatch.setattr(formulation, "FAMILIES", (getattr(constraints, family),))
    return formulation.formulate(instance).problem


def hold_all_but_the_last(whole: formulation.Formulation) -> pulp.LpProblem:
    """The rows that the last goal is optimized under; without its objective."""
    instance = index_allocation(ALLOCATION["earlier_goals"], TODAY)
    goals = list_goals(instance)[:3]
    incumbent = first_incumbent(instance, goals)
    for goal, value in zip(goals[:-1], incumbent.values, strict=False):
        formulation.hold(whole, instance, goal, value)
    whole.problem.objective = None
    return whole.problem


# --- The reallocation: one case, with every family in it ----------------------------------------------

REALLOCATION = lab(
    [pool("iowa", 4), GB200],
    teams=[team("vision", cap=6, limits={"h100": Limit(cap=3)})],
    projects=[project("orion", 4, "vision", holds={"iowa": 2}, ends=day(2))],
)
REQUESTS = (
    building.request("whole", 4, "vision", by=1, all_or_nothing=True),
    building.request("some", 3, "vision", by=3, tier=2, priority=3.0),
)


def build_reallocation_family(family: str, monkeypatch: pytest.MonkeyPatch) -> pulp.LpProblem:
    """The program with this family only, under all side conditions."""
    monkeypatch.setattr(program, "FAMILIES", (getattr(program, family),))
    instance = index_reallocation(REALLOCATION, REQUESTS, day(5))
    rooms, first_request = frozenset(range(len(instance.rooms))), frozenset({0})
    conditions = Conditions(rooms=rooms, whole=first_request, units=first_request)
    network = build_network(instance, conditions)
    first = set_task(instance, network, conditions, Clock(Options())).goals[0]
    held = (program.Held(first.cost, 1.0),)
    return program.build_program(instance, network, conditions, held).problem


# --- The tests ----------------------------------------------------------------------------------------

Build = Callable[[str, pytest.MonkeyPatch], pulp.LpProblem]

FAMILIES: dict[str, tuple[Build, list[str]]] = {
    "allocation": (
        build_allocation_family,
        [*(family.__name__ for family in constraints.FAMILIES), "earlier_goals"],
    ),
    "reallocation": (build_reallocation_family, [family.__name__ for family in program.FAMILIES]),
}


@pytest.mark.parametrize(
    ("model", "family"), [(model, family) for model, (_, names) in FAMILIES.items() for family in names]
)
def test_a_family_is_the_text_it_was(
    model: str, family: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    problem = FAMILIES[model][0](family, monkeypatch)
    problem.name = family
    problem.writeLP(str(tmp_path / "family.lp"))
    built = (tmp_path / "family.lp").read_text(encoding="ascii")
    golden = FOLDER / model / f"{family}.lp"
    if request.config.getoption("--update-golden"):
        golden.write_text(built, encoding="ascii")
    assert f"\n{family}" in built, "the case does not exercise its family"
    assert built == golden.read_text(encoding="ascii")


@pytest.mark.parametrize("model", FAMILIES)
def test_every_family_has_a_golden_file_and_every_golden_file_a_family(model: str) -> None:
    assert {path.stem for path in (FOLDER / model).glob("*.lp")} == set(FAMILIES[model][1])


def test_every_row_of_a_program_is_named_like_its_family() -> None:
    for family, organization in ALLOCATION.items():
        if family != "earlier_goals":
            whole = formulation.formulate(index_allocation(organization, TODAY))
            names = [family.__name__ for family in constraints.FAMILIES]
            assert all(row.name.startswith(tuple(names)) for row in whole.problem.constraints())
