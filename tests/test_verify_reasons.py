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
