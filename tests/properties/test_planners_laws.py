"""What planners may rely on, whatever the organization: more is never worse, and a plan breaks no rule."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.organization import Organization, Pool, Team
from gpu_opt.reallocation import with_grants
from gpu_opt.validation import require_valid
from tests.building import changed
from tests.properties.comparing import (
    absolute,
    assert_no_worse,
    law,
    organizations,
    with_equal_targets,
    without_guarantees,
)
from tests.solving import PROOF, grants, proved
from tests.strategies import SITES, SPEEDS, days
from tests.strategies import organizations as drawn_organizations

# --- More is never worse ------------------------------------------------------------------------------


@law
@given(organizations(), st.data())
def test_more_gpus_in_a_pool_are_never_worse(organization: Organization, data: st.DataObject) -> None:
    before = absolute(organization)
    place = data.draw(st.integers(0, len(before.pools) - 1))
    pools = list(before.pools)
    more = pools[place].unit * data.draw(st.integers(1, 3))
    pools[place] = changed(pools[place], gpus=pools[place].gpus + more)
    before, after = with_equal_targets(before, changed(before, pools=tuple(pools)))
    assert_no_worse(proved(after), proved(before))


@law
@given(organizations(), st.data())
def test_another_pool_is_never_worse(organization: Organization, data: st.DataObject) -> None:
    before = absolute(organization)
    extra = Pool(
        name="another pool",
        gpu_type=data.draw(st.sampled_from(sorted(SPEEDS))),
        site=data.draw(st.sampled_from(SITES)),
        gpus=data.draw(st.integers(1, 4)),
    )
    before, after = with_equal_targets(before, changed(before, pools=(*before.pools, extra)))
    assert_no_worse(proved(after), proved(before))


@law
@given(organizations(), st.data())
def test_a_higher_cap_is_never_worse(organization: Organization, data: st.DataObject) -> None:
    before = absolute(organization)
    raised = data.draw(st.sampled_from(before.teams)).name
    more = data.draw(st.sampled_from((None, 0.5, 1.0, 4.0)))

    def higher(team: Team) -> Team:
        if team.name != raised or not isinstance(team.cap, float):
            return team
        return changed(team, cap=None if more is None else team.cap + more)

    after = changed(before, teams=tuple(higher(team) for team in before.teams))
    before, after = with_equal_targets(before, after)
    assert_no_worse(proved(after), proved(before))


@law
@given(organizations(), st.data())
def test_a_larger_move_budget_is_never_worse(organization: Organization, data: st.DataObject) -> None:
    less, more = data.draw(st.integers(0, 6)), data.draw(st.none() | st.integers(6, 12))

    def with_budget(moves: int | None) -> Organization:
        return changed(organization, policy=changed(organization.policy, max_moves=moves))

    assert_no_worse(proved(with_budget(more)), proved(with_budget(less)))


# --- Plans --------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    drawn_organizations(max_projects=8, max_pools=3, max_teams=6),
    days(),
    st.sampled_from((0.0, 0.001, 0.02, 0.1, 0.4)),
    st.integers(0, 3),
)
def test_a_plan_breaks_no_rule_however_little_time_there_is(
    organization: Organization, date: dt.date, time_limit: float, seed: int
) -> None:
    options = dataclasses.replace(PROOF, time_limit=time_limit, seed=seed)
    plan = allocate(organization, date=date, options=options)
    assert verify(organization, plan) == ()


@law
@given(organizations(), days())
def test_a_demand_is_exceeded_by_less_than_a_unit_of_a_pool_that_serves_it(
    organization: Organization, date: dt.date
) -> None:
    """Of projects that hold nothing: what is held may be kept."""
    plan = proved(organization, date)
    pools = {pool.name: pool for pool in organization.pools}
    for project, outcome in zip(organization.projects, plan.projects, strict=True):
        own = project.speeds or SPEEDS
        units = [
            own[pools[grant.pool].gpu_type] * pools[grant.pool].unit
            for grant in plan.grants
            if grant.project == project.name
        ]
        if units and not outcome.held:
            assert outcome.granted < project.demand + max(units)


@law
@given(organizations())
def test_without_a_price_on_moves_todays_plan_is_tomorrows(organization: Organization) -> None:
    free = changed(organization.policy, max_moves=None, move_cost=0.0)
    today = changed(without_guarantees(organization), policy=free)
    plan = proved(today)
    tomorrow = with_grants(today, plan.grants)
    require_valid(tomorrow)
    again = proved(tomorrow)
    assert again.moves == ()
    assert again.objective == pytest.approx(plan.objective)


@law
@given(organizations())
def test_tomorrow_is_no_worse_than_today(organization: Organization) -> None:
    today = without_guarantees(organization)
    plan = proved(today)
    assert_no_worse(proved(with_grants(today, plan.grants)), plan)


@law
@given(drawn_organizations(max_projects=3, max_pools=4, max_units=3))
def test_a_one_pool_project_stays_where_it_is_or_is_in_one_pool(organization: Organization) -> None:
    granted = grants(proved(organization))
    for project in organization.projects:
        pools = granted.get(project.name, {}).keys()
        held = {pool for pool, gpus in project.holds.items() if gpus}
        assert not project.one_pool or len(pools) <= 1 or pools <= held
