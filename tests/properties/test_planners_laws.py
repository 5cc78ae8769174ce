"""What planners may rely on, whatever the organization: the laws of the allocation."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt.allocation import allocate
from gpu_opt.budgets import resolve_budgets
from gpu_opt.checker import verify
from gpu_opt.checker.data import allocation_data
from gpu_opt.organization import Delivery, Limit, Organization, Pool, Project, Record, Team
from gpu_opt.plan import Allocation
from gpu_opt.reallocation import with_grants
from gpu_opt.validation import require_valid
from tests.building import day
from tests.solving import PROOF, goals, grants, proved
from tests.strategies import SITES, SPEEDS, days
from tests.strategies import organizations as drawn_organizations

law = settings(max_examples=settings().max_examples // 2)
"""Every example is solved to proof twice."""

ORDER = ("repair", "guarantee", "value", "moves")


def organizations() -> st.SearchStrategy[Organization]:
    return drawn_organizations(max_projects=4, max_pools=2, max_units=4)


def changed[R: Record](record: R, **fields: object) -> R:
    return record.model_copy(update=fields)


def absolute(organization: Organization) -> Organization:
    """The same budgets as numbers, so that a larger fleet, or a higher cap, leaves the others as they are."""
    budgets = resolve_budgets(organization, organization.as_of)

    def stated(team: Team) -> Team:
        guarantee = budgets.guarantee.get(team.name)
        return changed(
            team,
            cap=float(budgets.cap[team.name]) if team.name in budgets.cap else None,
            guarantee=None if guarantee is None else int(guarantee * 1000) / 1000,
            limits={kind: Limit(cap=int(budgets.limit[team.name, kind])) for kind in team.limits},
        )

    return changed(organization, teams=tuple(stated(team) for team in organization.teams))


def without_guarantees(organization: Organization) -> Organization:
    return changed(organization, teams=tuple(changed(team, guarantee=None) for team in organization.teams))


def with_equal_targets(before: Organization, after: Organization) -> tuple[Organization, Organization]:
    """Both as they are if they promise the same, else both without guarantees.

    A guarantee promises no more than what could be used; where more could be used, more is promised, and
    missing it is no worse a plan.
    """
    targets = [allocation_data(each, each.as_of).targets for each in (before, after)]
    if targets[0] == targets[1]:
        return before, after
    return without_guarantees(before), without_guarantees(after)


def ranked(plan: Allocation, other: Allocation) -> list[tuple[str, float]]:
    """What is higher the better, goal by goal, for every goal that either plan has."""
    own, sense = goals(plan), {goal.name: goal.sense for goal in (*plan.goals, *other.goals)}

    def place(name: str) -> tuple[int, int]:
        kind, *index = name.split("_")
        return ORDER.index(kind), int(index[-1]) if index else 0

    return [
        (name, own.get(name, 0.0) * (1 if sense[name] == "maximize" else -1))
        for name in sorted(sense, key=place)
    ]


def assert_no_worse(after: Allocation, before: Allocation) -> None:
    """`after` is lexicographically at least as good as `before`."""
    for (name, new), (_, old) in zip(ranked(after, before), ranked(before, after), strict=True):
        tolerance = 1e-6 * (1 + abs(old))
        assert new >= old - tolerance, name
        if new > old + tolerance:
            return


def assert_same(after: Allocation, before: Allocation) -> None:
    assert_no_worse(after, before)
    assert_no_worse(before, after)


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


# --- What makes no difference -------------------------------------------------------------------------


@law
@given(organizations())
def test_names_make_no_difference(organization: Organization) -> None:
    assert_same(proved(renamed(organization)), proved(organization))


def renamed(organization: Organization) -> Organization:
    """Every name replaced by another, in an order of its own."""

    def new(kind: str, names: Iterable[str]) -> dict[str, str]:
        return {name: f"{kind} {100 - n}" for n, name in enumerate(names)}

    kinds = new("type", organization.gpu_types)
    sites = new("site", dict.fromkeys(pool.site for pool in organization.pools))
    pools = new("pool", (pool.name for pool in organization.pools))
    teams = new("team", (team.name for team in organization.teams))
    return changed(
        organization,
        gpu_types={kinds[name]: kind for name, kind in organization.gpu_types.items()},
        pools=tuple(
            changed(pool, name=pools[pool.name], gpu_type=kinds[pool.gpu_type], site=sites[pool.site])
            for pool in organization.pools
        ),
        deliveries=tuple(changed(each, pool=pools[each.pool]) for each in organization.deliveries),
        teams=tuple(
            changed(
                team,
                name=teams[team.name],
                parent=None if team.parent is None else teams[team.parent],
                limits={kinds[kind]: limit for kind, limit in team.limits.items()},
            )
            for team in organization.teams
        ),
        projects=tuple(
            changed(
                project,
                name=f"project {n}",
                team=teams[project.team],
                speeds=None if project.speeds is None else {kinds[k]: s for k, s in project.speeds.items()},
                sites=None if project.sites is None else tuple(sites[site] for site in project.sites),
                pools=None if project.pools is None else tuple(pools[name] for name in project.pools),
                holds={pools[name]: gpus for name, gpus in project.holds.items()},
            )
            for n, project in enumerate(organization.projects)
        ),
    )


@law
@given(organizations(), st.data())
def test_the_order_of_projects_teams_and_deliveries_makes_no_difference(
    organization: Organization, data: st.DataObject
) -> None:
    shuffled = changed(
        organization,
        projects=tuple(data.draw(st.permutations(organization.projects))),
        teams=tuple(data.draw(st.permutations(organization.teams))),
        deliveries=tuple(data.draw(st.permutations(organization.deliveries))),
    )
    assert_same(proved(shuffled), proved(organization))


@law
@given(organizations(), st.data(), st.sampled_from(((-9, -1), (-9, 0), (1, 9))))
def test_a_project_that_has_ended_or_not_begun_makes_no_difference(
    organization: Organization, data: st.DataObject, life: tuple[int, int]
) -> None:
    other = Project(
        name="not now",
        team=data.draw(st.sampled_from(organization.teams)).name,
        demand=9,
        priority=99,
        starts=day(life[0]),
        ends=day(life[1]),
    )
    after = changed(organization, projects=(*organization.projects, other))
    assert_same(proved(after), proved(organization))


@law
@given(organizations(), st.data())
def test_a_project_of_a_later_tier_takes_nothing_from_the_tiers_before_it(
    organization: Organization, data: st.DataObject
) -> None:
    """Moves are counted last and over all tiers; and what it gets counts for its team's guarantee."""
    late = Project(
        name="late", team=data.draw(st.sampled_from(organization.teams)).name, demand=9, tier=3, priority=99
    )
    before = without_guarantees(organization)
    after = changed(before, projects=(*before.projects, late))
    old, new = goals(proved(before)), goals(proved(after))
    old.pop("moves", None)
    assert {name: new[name] for name in old} == pytest.approx(old)


@law
@given(organizations(), st.sampled_from(sorted(SPEEDS)), st.sampled_from(SITES), st.integers(1, 9))
def test_a_pool_that_nobody_can_use_changes_nothing(
    organization: Organization, gpu_type: str, site: str, gpus: int
) -> None:
    here = tuple(pool.name for pool in organization.pools)
    before = changed(
        absolute(organization),
        projects=tuple(changed(project, pools=here) for project in organization.projects),
    )
    useless = Pool(name="of no use", gpu_type=gpu_type, site=site, gpus=gpus)
    plan, after = proved(before), proved(changed(before, pools=(*before.pools, useless)))
    assert_same(after, plan)
    assert {one.pool: one.idle for one in after.pools}["of no use"] == gpus


@law
@given(organizations(), st.data(), st.sampled_from(("100%", "60%", "33.3%", "50%", "12.5%")))
def test_a_cap_in_percent_is_that_share_of_the_fleet(
    organization: Organization, data: st.DataObject, share: str
) -> None:
    capped = data.draw(st.sampled_from(organization.teams)).name
    fleet = sum(Fraction(str(SPEEDS[pool.gpu_type])) * pool.gpus for pool in organization.pools)
    types = {pool.name: pool.gpu_type for pool in organization.pools}
    for each in organization.deliveries:
        if each.on <= organization.as_of:
            fleet += Fraction(str(SPEEDS[types[each.pool]])) * each.gpus
    number = int(1000 * fleet * Fraction(share.removesuffix("%")) / 100) / 1000

    def with_cap(cap: str | float) -> Organization:
        teams = (
            changed(team, guarantee=None, cap=cap if team.name == capped else None)
            for team in organization.teams
        )
        return changed(organization, teams=tuple(teams))

    assert_same(proved(with_cap(share)), proved(with_cap(number)))


@law
@given(organizations(), st.data(), st.integers(1, 3), st.integers(1, 3))
def test_a_delivery_in_two_parts_is_one_delivery(
    organization: Organization, data: st.DataObject, first: int, second: int
) -> None:
    pool = data.draw(st.sampled_from(organization.pools))

    def delivered(*units: int) -> Organization:
        parts = (Delivery(pool=pool.name, gpus=pool.unit * each, on=day(2)) for each in units)
        return changed(organization, deliveries=(*parts, *organization.deliveries))

    whole, parts = delivered(first + second), delivered(first, second)
    assert_same(proved(parts, day(2)), proved(whole, day(2)))


# --- Scales -------------------------------------------------------------------------------------------


@law
@given(organizations(), st.sampled_from((0.5, 3.0)))
def test_values_scale_with_priorities_and_the_cost_of_moves(organization: Organization, by: float) -> None:
    scaled = changed(
        organization,
        projects=tuple(changed(each, priority=each.priority * by) for each in organization.projects),
        policy=changed(organization.policy, move_cost=organization.policy.move_cost * by),
    )
    old, new = goals(proved(organization)), goals(proved(scaled))
    assert new.keys() == old.keys()
    for name, value in old.items():
        factor = by if name.startswith("value") else 1
        assert abs(new[name] - value * factor) <= 1e-5 * (1 + abs(value)), name


@law
@given(organizations())
def test_in_a_world_three_times_as_large_everything_is_three_times_as_large(
    organization: Organization,
) -> None:
    small = without_guarantees(absolute(organization))
    old, new = goals(proved(small)), goals(proved(tripled(small)))
    assert new.keys() == old.keys()
    for name, value in old.items():
        assert abs(new[name] - 3 * value) <= 1e-5 * (1 + abs(value)), name


def tripled(organization: Organization) -> Organization:
    def budgets(team: Team) -> Team:
        return changed(
            team,
            cap=None if team.cap is None else float(3 * Fraction(str(team.cap))),
            limits={kind: Limit(cap=3 * float(limit.cap)) for kind, limit in team.limits.items()},
        )

    def wishes(project: Project) -> Project:
        return changed(
            project,
            demand=float(3 * Fraction(str(project.demand))),
            minimum=float(3 * Fraction(str(project.minimum))),
            holds={pool: 3 * gpus for pool, gpus in project.holds.items()},
        )

    moves = organization.policy.max_moves
    return changed(
        organization,
        pools=tuple(changed(p, gpus=3 * p.gpus, unit=3 * p.unit) for p in organization.pools),
        deliveries=tuple(changed(each, gpus=3 * each.gpus) for each in organization.deliveries),
        teams=tuple(budgets(team) for team in organization.teams),
        projects=tuple(wishes(project) for project in organization.projects),
        policy=changed(organization.policy, max_moves=None if moves is None else 3 * moves),
    )


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
