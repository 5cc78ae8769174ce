"""The closed set of causes, one by one: where it is the only cause, and where it looks like it and is not.

What is stated is not taken for true: the cause is taken away, and the lab is solved again. Where it was the
cause, orion gets more; where it only looked like it, orion gets nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.allocation.reasons import reasons_of
from gpu_opt.indexing import build_instance
from gpu_opt.options import Options
from gpu_opt.organization import Limit, Organization, Policy, Project
from gpu_opt.plan import Allocation, Cause, Reason, Status
from gpu_opt.scenario import Change, apply
from gpu_opt.scenario.changes import (
    AddDelivery,
    Allow,
    MoveDate,
    PinProject,
    ReprioritizeProject,
    ResizeProject,
    SetCap,
    SetGuarantee,
    SetLimit,
    SetPolicy,
)
from tests.building import TODAY, changed, day, lab, pool, project, team
from tests.solving import PROOF, units

AT_ONCE = replace(PROOF, time_limit=0.0)
"""No time at all: the plan is what is held today."""

HALF = ((0.5, 1.0), (0.5, 0.0))
"""Nothing is worth more than half of what a project asks for."""


@dataclass(frozen=True)
class Case:
    """A cause, with what takes it away."""

    only: Organization
    """Orion lacks something because of it, and of nothing else."""
    looks: Organization
    """It looks as if it were the cause, and is not."""
    relief: Callable[[Organization], Organization]
    options: Options = PROOF
    """With which orion's lack is found; with the relief there is always time."""


def by(*changes: Change) -> Callable[[Organization], Organization]:
    return lambda organization: apply(organization, changes)


def in_several_pools(organization: Organization) -> Organization:
    projects = tuple(changed(each, one_pool=False) for each in organization.projects)
    return changed(organization, projects=projects)


def rivals(orion: dict[str, Any], lyra: dict[str, Any], **policy: Any) -> Organization:
    """Orion and lyra, who both want all of one pool."""
    projects = [project("orion", 8, **orion), project("lyra", 8, **lyra)]
    return lab([pool(gpus=8)], projects=projects, **policy)


def promised(guarantee: float, lyra: Project) -> Organization:
    """Orion, and lyra of a team that is promised something."""
    teams = [team("safety", guarantee=guarantee), team("vision")]
    return lab([pool(gpus=8)], teams, [project("orion", 8, "vision"), lyra])


HELD = {"iowa": 8}
TYPES = [pool("iowa", 4), pool("texas", 2, gpu_type="gb200")]
SITES = [pool("iowa", 8), pool("texas", 4, gpu_type="gb200"), pool("ohio", 4, gpu_type="gb200")]
ON_GB200: dict[str, Any] = {"speeds": {"gb200": 2.5}}

CASES = {
    Cause.MET: Case(
        only=lab(projects=[project("orion", 8)]),
        looks=lab([pool(gpus=8)], projects=[project("orion", 8, speeds={"h100": 0.5})]),  # 8 GPUs, worth 4
        relief=by(ResizeProject(project="orion", demand=16)),
    ),
    Cause.NOT_ACTIVE: Case(
        only=lab(projects=[project("orion", 8, starts=day(3))]),
        looks=lab([pool(gpus=4)], projects=[project("orion", 8, starts=TODAY, ends=day(9))]),
        relief=by(MoveDate(to=day(4))),
    ),
    Cause.NO_POOL: Case(
        only=lab(SITES, projects=[project("orion", 10, sites=("iowa",), **ON_GB200)]),
        looks=lab(
            SITES,
            projects=[
                project("orion", 10, sites=("iowa", "ohio"), **ON_GB200),
                project("lyra", 20, priority=9, **ON_GB200),
            ],
        ),
        relief=by(Allow(project="orion", site="texas")),
    ),
    Cause.MINIMUM_UNREACHABLE: Case(
        only=lab([pool(gpus=8)], projects=[project("orion", 8, minimum=6), project("lyra", 4, priority=3)]),
        looks=lab([pool(gpus=8)], projects=[project("orion", 8, minimum=6), project("lyra", 8, priority=3)]),
        relief=by(ResizeProject(project="orion", minimum=0)),
    ),
    Cause.TEAM_CAP: Case(
        only=lab(teams=[team("vision", cap=8)], projects=[project("orion", 16, "vision")]),
        looks=lab(teams=[team("vision", cap=8)], projects=[project("orion", 8, "vision")]),
        relief=by(SetCap(team="vision", cap=None)),
    ),
    Cause.TYPE_LIMIT: Case(
        only=lab(
            teams=[team("vision", limits={"gb200": Limit(cap=3)})],
            pools=[pool("iowa", 4), pool("texas", 8, gpu_type="gb200")],
            projects=[project("orion", 40, "vision")],
        ),
        looks=lab(
            TYPES,
            teams=[team("vision", limits={"gb200": Limit(cap=0)})],
            projects=[project("orion", 8, "vision", speeds={"h100": 1.0})],
        ),
        relief=by(SetLimit(team="vision", gpu_type="gb200", cap=None)),
    ),
    Cause.POOLS_FULL: Case(
        only=lab([pool(gpus=8)], projects=[project("orion", 12)]),
        looks=lab([pool(gpus=8)], projects=[project("orion", 8)]),
        relief=by(AddDelivery(pool="iowa", gpus=4, on=TODAY)),
    ),
    Cause.ONE_POOL: Case(
        only=lab([pool("iowa", 6), pool("texas", 3)], projects=[project("orion", 8, one_pool=True)]),
        looks=lab(
            [pool("iowa", 6), pool("texas", 3)],
            projects=[
                project("orion", 8, one_pool=True, sites=("iowa",)),
                project("lyra", 3, sites=("texas",)),
            ],
        ),
        relief=in_several_pools,
    ),
    Cause.OUTRANKED: Case(
        only=rivals({}, {"priority": 2}),
        looks=lab(
            teams=[team("vision", cap=4)],
            projects=[project("orion", 8, "vision"), project("lyra", 8, priority=2)],
        ),
        relief=by(ReprioritizeProject(project="orion", priority=9)),
    ),
    Cause.GUARANTEE: Case(
        only=promised(8, project("lyra", 8, "safety", tier=2)),
        looks=promised(2, project("lyra", 8, "safety", priority=9)),
        relief=by(SetGuarantee(team="safety", guarantee=None)),
    ),
    Cause.MOVES: Case(
        only=rivals({"priority": 9}, {"holds": HELD}, max_moves=3),
        looks=rivals({}, {"holds": HELD, "priority": 2}, max_moves=3),
        relief=by(SetPolicy(max_moves=None)),
    ),
    Cause.PINNED: Case(
        only=rivals({"priority": 9}, {"holds": HELD, "pinned": True}),
        looks=rivals({}, {"holds": HELD, "priority": 9, "pinned": True}),
        relief=by(PinProject(project="lyra", pinned=False)),
    ),
    Cause.NO_VALUE: Case(
        only=lab(projects=[project("orion", 16), project("lyra", 8, tier=2, holds=HELD)], value=HALF),
        looks=lab([pool(gpus=3)], projects=[project("orion", 8)], value=HALF),
        relief=by(SetPolicy(value=Policy().value)),
    ),
    Cause.UNPROVED: Case(
        only=rivals({"priority": 9}, {"tier": 2, "holds": HELD}),
        looks=lab([pool(gpus=8)], projects=[project("orion", 12, holds=HELD)]),
        relief=lambda organization: organization,
        options=AT_ONCE,
    ),
}


def plan_and_reasons(organization: Organization, options: Options) -> tuple[Allocation, tuple[Reason, ...]]:
    plan = allocate(organization, options=options)
    instance = build_instance(organization, plan.date)
    is_proved = plan.status is Status.OPTIMAL
    explain = reasons_of(organization, instance, units(instance, plan), proved=is_proved)
    return plan, tuple(explain("orion"))


def granted(plan: Allocation) -> float:
    return next(one.granted for one in plan.projects if one.project == "orion")


def relieved(case: Case, organization: Organization) -> float:
    return granted(allocate(case.relief(organization), options=PROOF))


def test_every_cause_has_its_case() -> None:
    assert set(CASES) == set(Cause)


@pytest.mark.parametrize("cause", CASES)
def test_where_it_is_the_only_cause_it_is_named_and_without_it_there_is_more(cause: Cause) -> None:
    """A pool that is full of those who come first is told beside the reason why they do."""
    case = CASES[cause]
    plan, found = plan_and_reasons(case.only, case.options)
    assert found[0].cause is cause
    assert {each.cause for each in found[1:]} <= {Cause.POOLS_FULL}
    assert relieved(case, case.only) > granted(plan)


@pytest.mark.parametrize("cause", CASES)
def test_where_it_only_looks_like_the_cause_it_is_not_named_and_without_it_there_is_no_more(
    cause: Cause,
) -> None:
    case = CASES[cause]
    plan, found = plan_and_reasons(case.looks, case.options)
    assert cause not in {each.cause for each in found}
    assert relieved(case, case.looks) <= granted(plan)
