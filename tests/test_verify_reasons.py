"""The checker on reasons: what is said to be why a project has what it has must hold."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_opt.checker import verify
from gpu_opt.plan import Allocation, Basis, Cause, Reason
from tests.building import allocation, changed, lab, pool, project, refused_by, root, team

LAB = lab(
    [pool("iowa", 16, unit=4), pool("texas", 4, unit=4)],
    teams=[
        root(owner="ceo"),
        team("vision", cap=8, owner="ada"),
        team("speech", guarantee=4, owner="alan"),
    ],
    projects=[
        project("orion", 12, "vision"),
        project("lyra", 6, "speech"),
        project("vega", 12, "speech", pools=("texas",), minimum=8),
        project("rigel", 4, "speech", holds={"iowa": 4}, pinned=True),
    ],
)
"""Orion is stopped by vision's cap; lyra's 8 are its 6 in whole units; vega can never have its minimum."""

PLAN = allocation(
    LAB, {("orion", "iowa"): 8, ("lyra", "texas"): 4, ("lyra", "iowa"): 4, ("rigel", "iowa"): 4}
)


def because(name: str, **reason: Any) -> Allocation:
    """The plan with another reason for what a project has."""
    said = Reason(text="", **reason)
    outcomes = tuple(changed(one, reason=said) if one.project == name else one for one in PLAN.projects)
    return changed(PLAN, projects=outcomes)


POLICY = {"basis": Basis.POLICY}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("orion", {"cause": Cause.TEAM_CAP, "subject": "vision", "owner": "ceo", **POLICY}),
        ("orion", {"cause": Cause.POOLS_FULL}),
        ("orion", {"cause": Cause.POOLS_FULL, "subject": "texas"}),
        ("orion", {"cause": Cause.OUTRANKED, "projects": ("lyra",), "owner": "ceo", **POLICY}),
        ("orion", {"cause": Cause.PINNED, "projects": ("rigel",), "owner": "alan", **POLICY}),
        (
            "orion",
            {"cause": Cause.GUARANTEE, "subject": "speech", "projects": ("lyra",), "owner": "ceo", **POLICY},
        ),
        ("lyra", {"cause": Cause.MET}),
        ("vega", {"cause": Cause.MINIMUM_UNREACHABLE}),
    ],
)
def test_a_reason_that_holds_passes(name: str, reason: dict[str, Any]) -> None:
    assert verify(LAB, because(name, **reason)) == ()


@pytest.mark.parametrize(
    ("name", "reason", "message"),
    [
        ("orion", {"cause": Cause.MET}, "the cause is stated as met, which does not hold"),
        ("orion", {"cause": Cause.NOT_ACTIVE}, "the cause is stated as not_active, which does not hold"),
        ("orion", {"cause": Cause.UNPROVED}, "the cause is stated as unproved, which does not hold"),
        ("orion", {"cause": Cause.TEAM_CAP, "subject": "lab", **POLICY}, "does not hold"),
        ("orion", {"cause": Cause.TYPE_LIMIT, "subject": "vision", **POLICY}, "does not hold"),
        ("orion", {"cause": Cause.ONE_POOL, "subject": "iowa"}, "does not hold"),
        ("orion", {"cause": Cause.OUTRANKED, "projects": ("vega",), **POLICY}, "does not hold"),
        ("orion", {"cause": Cause.PINNED, "projects": ("lyra",), **POLICY}, "does not hold"),
        (
            "orion",
            {"cause": Cause.GUARANTEE, "subject": "vision", "projects": ("lyra",), **POLICY},
            "not hold",
        ),
        ("orion", {"cause": Cause.NO_VALUE, **POLICY}, "does not hold"),
        ("orion", {"cause": Cause.TEAM_CAP, "subject": "vision"}, "a fact, but is a policy"),
        (
            "orion",
            {"cause": Cause.TEAM_CAP, "subject": "vision", "owner": "ada", **POLICY},
            "as ada, but is ceo",
        ),
        ("orion", {"cause": Cause.POOLS_FULL, "projects": ("lyra",)}, "names lyra, which have no part"),
        ("lyra", {"cause": Cause.POOLS_FULL}, "the cause is stated as pools_full, but is met"),
        ("vega", {"cause": Cause.NO_POOL}, "does not hold"),
        ("vega", {"cause": Cause.UNPROVED}, "does not hold"),
        ("rigel", {"cause": Cause.MINIMUM_UNREACHABLE}, "but is met"),
    ],
)
def test_a_reason_that_does_not_hold_is_refused(name: str, reason: dict[str, Any], message: str) -> None:
    plan = because(name, **reason)
    assert refused_by(LAB, plan) == {"reasons"}
    (violation,) = verify(LAB, plan)
    assert violation.subject == name
    assert message in violation.message


SPLIT = lab(
    [pool("iowa", 8), pool("texas", 8)],
    teams=[root(owner="ceo"), team("vision"), team("speech", cap=4)],
    projects=[
        project("orion", 16, "vision", one_pool=True, holds={"iowa": 4}),
        project("lyra", 4, "vision", pools=("iowa",)),
        project("vega", 8, "speech", pools=("texas",)),
        project("rigel", 4, "vision", pools=("texas",)),
        project("deneb", 2, "speech", pools=("iowa",)),
    ],
    value=[[0.5, 1.0], [0.5, 0.0]],
)
"""Iowa is full of orion and lyra. Vega's team is at its cap; in texas 2 GPUs are idle beside rigel's."""

HALVES = allocation(
    SPLIT, {("orion", "iowa"): 4, ("lyra", "iowa"): 4, ("vega", "texas"): 2, ("rigel", "texas"): 4}
)


@pytest.mark.parametrize(
    ("name", "reason", "holds"),
    [
        ("orion", {"cause": Cause.NO_VALUE, "owner": "ceo", **POLICY}, False),  # a quarter of its demand
        ("vega", {"cause": Cause.NO_VALUE, "owner": "ceo", **POLICY}, False),
        ("orion", {"cause": Cause.ONE_POOL, "subject": "iowa"}, True),
        ("orion", {"cause": Cause.OUTRANKED, "projects": ("lyra",), "owner": "ceo", **POLICY}, True),
        # Rigel is in texas, which has room, and under no cap of orion's.
        ("orion", {"cause": Cause.OUTRANKED, "projects": ("rigel",), "owner": "ceo", **POLICY}, False),
        ("orion", {"cause": Cause.OUTRANKED, "projects": ("lyra", "rigel"), "owner": "ceo", **POLICY}, False),
        ("deneb", {"cause": Cause.OUTRANKED, "projects": ("lyra",), "owner": "ceo", **POLICY}, True),
        ("deneb", {"cause": Cause.OUTRANKED, "projects": ("vega",), "owner": "ceo", **POLICY}, False),
    ],
)
def test_who_is_named_has_what_the_project_lacks_and_no_value_means_the_next_unit(
    name: str, reason: dict[str, Any], holds: bool
) -> None:
    said = Reason(text="", **reason)
    outcomes = tuple(changed(one, reason=said) if one.project == name else one for one in HALVES.projects)
    refused = refused_by(SPLIT, changed(HALVES, projects=outcomes))
    assert refused == (set() if holds else {"reasons"})


def test_where_the_policy_values_no_more_than_it_has_a_project_may_be_said_to_lack_nothing_of_value() -> None:
    half = lab([pool("iowa", 16)], projects=[project("orion", 16)], value=[[0.5, 1.0], [0.5, 0.0]])
    plan = allocation(half, {("orion", "iowa"): 8})
    said = Reason(cause=Cause.NO_VALUE, text="", basis=Basis.POLICY)
    assert verify(half, changed(plan, projects=(changed(plan.projects[0], reason=said),))) == ()


def test_one_pool_is_no_reason_where_no_other_pool_is_left() -> None:
    single = lab([pool("iowa", 8)], projects=[project("orion", 16, one_pool=True)])
    plan = allocation(single, {("orion", "iowa"): 8})
    said = Reason(cause=Cause.ONE_POOL, text="", subject="iowa")
    told = changed(plan, projects=(changed(plan.projects[0], reason=said),))
    assert refused_by(single, told) == {"reasons"}
