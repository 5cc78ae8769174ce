"""What is said of a plan's proof, where the search ended otherwise than each goal's own part of it."""

from __future__ import annotations

import pytest

from gpu_opt.allocation.decode import decode
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.proof import Proof
from gpu_opt.checker import verify
from gpu_opt.indexing import build_instance
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Status, Stop
from tests.building import TODAY, lab, pool, project, run_for

TIERS = lab([pool("iowa", 8)], projects=[project("orion", 8), project("lyra", 8, tier=2)])
"""Whatever orion is granted of the 8 GPUs, lyra cannot have."""


def decoded(organization: Organization, units: list[int], proofs: list[Proof]) -> Allocation:
    """The plan that grants these units, as if the search had ended so."""
    instance = build_instance(organization, TODAY)
    x = instance.arcs.upper.copy()
    x[:] = units
    return decode(organization, instance, list_goals(instance), x, tuple(proofs), run_for(organization))


@pytest.mark.parametrize("ended", [Stop.PROVED, Stop.GAP])
def test_a_goal_that_lost_to_an_earlier_one_at_the_end_is_not_said_to_be_as_good_as_it_was(
    ended: Stop,
) -> None:
    """Lyra's tier was done at 2 of 2 when orion's was found to have room for 7 after all."""
    plan = decoded(TIERS, [7, 1], [Proof(8.0, Stop.TIME, 0.0), Proof(2.0, ended, 0.0)])
    assert [goal.stop for goal in plan.goals] == [Stop.TIME, Stop.FAILED]
    assert plan.status is Status.FEASIBLE
    assert verify(TIERS, plan) == ()


def test_a_goal_that_reaches_its_bound_in_the_end_is_proved() -> None:
    plan = decoded(TIERS, [8, 0], [Proof(8.0, Stop.TIME, 0.0), Proof(0.0, Stop.FAILED, 0.0)])
    assert (plan.status, plan.stop) == (Status.OPTIMAL, Stop.PROVED)
    assert verify(TIERS, plan) == ()


def test_a_proof_survives_that_values_are_added_up_in_another_order() -> None:
    """The search may have had pools merged: its sum, here a hair above, is another float."""
    plan = decoded(TIERS, [8, 0], [Proof(8.000000000000002, Stop.PROVED, 0.0), Proof(0.0, Stop.PROVED, 0.0)])
    assert (plan.status, plan.stop) == (Status.OPTIMAL, Stop.PROVED)
    assert plan.goals[0].bound == plan.goals[0].value
