"""What planners may rely on, whatever the organization."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gpu_opt.checker import verify
from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Reallocation
from gpu_opt.reallocation import reallocate
from gpu_opt.reallocation.conditions import Conditions, broken, repaired
from gpu_opt.reallocation.decode import decode, encode
from gpu_opt.reallocation.flow import balance
from gpu_opt.reallocation.instance import Handed, Instance, build_instance, goal_values
from gpu_opt.reallocation.network import build_network
from tests.building import day
from tests.strategies import HORIZON, organizations, requests


@st.composite
def questions(draw: st.DrawFn) -> tuple[Organization, tuple[Request, ...]]:
    """An organization, and requests that fit it."""
    organization = draw(organizations(max_projects=5))
    drawn = draw(requests(organization, most=4, gpus=12))
    asked = tuple(one for one in drawn if one.starts is None or one.starts <= one.by)
    assume(asked)
    return organization, asked


def answer(organization: Organization, asked: Sequence[Request]) -> Reallocation:
    return reallocate(organization, until=day(HORIZON), requests=asked, options=Options(gap=0.0, threads=1))


def values(plan: Reallocation) -> list[float]:
    return [round(goal.value, 6) for goal in plan.goals]


@settings(max_examples=15, deadline=None)
@given(questions())
def test_a_plan_breaks_no_rule_and_is_the_same_every_time(
    question: tuple[Organization, tuple[Request, ...]],
) -> None:
    plan = answer(*question)
    assert verify(question[0], plan) == ()
    assert answer(*question).handovers == plan.handovers


@settings(max_examples=15, deadline=None)
@given(questions(), st.data())
def test_one_more_idle_gpu_never_leaves_more_unmet_in_the_first_tier(
    question: tuple[Organization, tuple[Request, ...]], data: st.DataObject
) -> None:
    organization, asked = question
    teams = tuple(team.model_copy(update={"guarantee": None}) for team in organization.teams)
    organization = organization.model_copy(update={"teams": teams})  # in per cent, they would grow above caps
    before = answer(organization, asked)
    grown = data.draw(st.sampled_from(organization.pools))
    pools = tuple(
        pool.model_copy(update={"gpus": pool.gpus + pool.unit}) if pool == grown else pool
        for pool in organization.pools
    )
    after = answer(organization.model_copy(update={"pools": pools}), asked)
    assert values(after)[0] <= values(before)[0]


@settings(max_examples=15, deadline=None)
@given(questions())
def test_names_do_not_matter(question: tuple[Organization, tuple[Request, ...]]) -> None:
    organization, asked = question
    renamed = Organization.model_validate(
        {
            **organization.model_dump(),
            "teams": [
                {
                    **team.model_dump(),
                    "name": f"{team.name}'",
                    "parent": None if team.parent is None else f"{team.parent}'",
                }
                for team in organization.teams
            ],
            "projects": [
                {**project.model_dump(), "name": f"{project.name}'", "team": f"{project.team}'"}
                for project in organization.projects
            ],
        }
    )
    asked_again = [one.model_copy(update={"name": f"{one.name}'", "team": f"{one.team}'"}) for one in asked]
    assert values(answer(renamed, asked_again)) == values(answer(organization, asked))


def as_soon_as_possible(instance: Instance, data: st.DataObject) -> tuple[Handed, ...]:
    """Any handovers, as a flow may have them, that give no more than there is and no more than is asked."""
    left = [supply.gpus for supply in instance.supplies]
    handed = []
    for r in range(len(instance.requests)):
        missing, step = instance.asked[r], instance.step[r]
        pools = {offer.pool for offer in instance.offers[r]}
        for i, pool in enumerate(instance.pool_of):
            if pool in pools and (most := min(left[i], missing) // step):
                gpus = step * data.draw(st.integers(0, most))
                left[i] -= gpus
                missing -= gpus
                if gpus:
                    handed.append(Handed(i, r, gpus, max(instance.free_on[i], instance.starts[r])))
    return tuple(handed)


@settings(max_examples=60, deadline=None)
@given(questions(), st.data())
def test_handovers_and_the_flow_that_carries_them_are_worth_the_same(
    question: tuple[Organization, tuple[Request, ...]], data: st.DataObject
) -> None:
    instance = build_instance(*question, day(HORIZON))
    handed = repaired(instance, as_soon_as_possible(instance, data))
    everything = Conditions(
        rooms=frozenset(range(len(instance.rooms))), units=frozenset(range(len(instance.requests)))
    )
    network = build_network(instance, everything)
    flow = encode(instance, network, handed)
    assert not balance(network.network, flow).any()
    again, values = goal_values(instance, decode(instance, network, flow)), goal_values(instance, handed)
    assert again[:-1] == values[:-1]
    assert again[-1] <= values[-1]  # where GPUs meet, they are told apart as well as can be


@settings(max_examples=60, deadline=None)
@given(questions(), st.data())
def test_what_is_repaired_breaks_nothing_and_adds_no_more_than_makes_units_whole(
    question: tuple[Organization, tuple[Request, ...]], data: st.DataObject
) -> None:
    instance = build_instance(*question, day(HORIZON))
    handed = as_soon_as_possible(instance, data)
    mended = repaired(instance, handed)
    assert broken(instance, mended) == Conditions()
    before, after = by_pair(handed), by_pair(mended)
    for pair, gpus in after.items():
        unit = instance.unit[instance.pool_of[pair[0]]]
        assert gpus % unit == 0
        assert gpus < before[pair] + unit
    if not broken(instance, handed):
        assert sorted(mended) == sorted(handed)


def by_pair(handed: Sequence[Handed]) -> dict[tuple[int, int], int]:
    """GPUs by supply and request."""
    gpus: dict[tuple[int, int], int] = {}
    for one in handed:
        gpus[one.supply, one.request] = gpus.get((one.supply, one.request), 0) + one.gpus
    return gpus
