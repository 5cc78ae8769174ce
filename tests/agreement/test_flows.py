"""The flows against networkx, against published optima, and the network against one arc per pair."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.reallocation import direct_arcs, generate
from gpu_opt.checker.reallocation import price, reallocation_goals
from gpu_opt.checker.supplies import ReallocationData, Source, accepts, reallocation_data
from gpu_opt.clock import Clock
from gpu_opt.errors import NoPlan
from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request, Team
from gpu_opt.plan import Handover, Status
from gpu_opt.reallocation import reallocate
from gpu_opt.reallocation.flow import Network, balance, minimum_cost_flow, optimal_face, total
from gpu_opt.reallocation.instance import Measure, build_instance, goal_values
from gpu_opt.reallocation.merging import merged_nodes
from gpu_opt.reallocation.network import build_network
from gpu_opt.reallocation.pure import lexicographic_flow
from tests.agreement.dimacs import published_optima, read_network
from tests.brute_force import handover
from tests.building import changed, day
from tests.strategies import HORIZON, organizations, requests

OPTIMA = published_optima()
NOTHING_ASKED = (("cost", Fraction(0)), ("days", Fraction(0)))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Networks of up to 6 nodes; costs may be negative, lower bounds positive, arcs parallel or loops."""
    size = draw(st.integers(2, 6))
    node = st.integers(0, size - 1)
    arc = st.tuples(node, node, st.integers(0, 2), st.integers(0, 8), st.integers(-9, 9))
    drawn = draw(st.lists(arc, min_size=1, max_size=14))
    sent = draw(st.lists(st.tuples(node, node, st.integers(1, 5)), max_size=3))
    supply = np.zeros(size, dtype=np.int64)
    for tail, head, gpus in sent:
        supply[tail] += gpus
        supply[head] -= gpus
    tail, head, lower, extra, cost = np.array(drawn, dtype=np.int64).T
    return Network(supply, tail, head, lower, lower + extra, cost)


def least_cost(network: Network) -> int:
    """The least cost of a flow, by networkx; it knows no lower bounds, so they are sent in advance."""
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    left = -balance(network, network.lower)
    for node, supply in enumerate(left.tolist()):
        graph.add_node(node, demand=-supply)
    columns = (network.tail, network.head, network.capacity - network.lower, network.cost)
    for tail, head, room, cost in zip(*(column.tolist() for column in columns), strict=True):
        graph.add_edge(tail, head, capacity=room, weight=cost)
    cost, _ = nx.network_simplex(graph)
    return int(cost) + total(network.cost, network.lower)


@settings(max_examples=50, deadline=None)
@given(networks())
def test_a_flow_costs_what_networkx_says_or_there_is_none(network: Network) -> None:
    try:
        expected = least_cost(network)
    except nx.NetworkXUnfeasible:
        with pytest.raises(NoPlan):
            minimum_cost_flow(network, Options())
        return
    flow = minimum_cost_flow(network, Options())
    assert flow.cost == expected == total(network.cost, flow.values)
    assert not balance(network, flow.values).any()
    assert (network.lower <= flow.values).all()
    assert (flow.values <= network.capacity).all()


@settings(max_examples=30, deadline=None)
@given(networks(), st.data())
def test_the_second_goal_on_the_optimal_face_is_the_second_goal_of_a_huge_weight(
    network: Network, data: st.DataObject
) -> None:
    arcs = len(network.cost)
    second = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=arcs, max_size=arcs)), dtype=np.int64)
    huge = 10**6  # more than the second goal can ever make up for
    try:
        expected = least_cost(replace(network, cost=network.cost * huge + second))
    except nx.NetworkXUnfeasible:
        return
    first = minimum_cost_flow(network, Options())
    face = replace(optimal_face(network, first.reduced), cost=second)
    assert first.cost * huge + minimum_cost_flow(face, Options()).cost == expected


@pytest.mark.skipif(
    not OPTIMA, reason="the published instances are not there; GPU_OPT_DATA names their folder"
)
@pytest.mark.parametrize("name", OPTIMA)
def test_published_optima_are_reached(name: str) -> None:
    assert minimum_cost_flow(read_network(name), Options()).cost == OPTIMA[name]


def direct_goals(
    organization: Organization, asked: Sequence[Request], until: int
) -> tuple[tuple[str, Fraction], ...]:
    """The goals that the direct formulation reaches: one arc for each pair, weights beyond any sum.

    All pools have one unit, and the flow is in units.
    """
    data = reallocation_data(organization, asked, day(until))
    pairs = first_handovers(data)
    (unit,) = {pool.unit for pool in organization.pools}
    gpus = sum(data.asked.values())
    late, price_weight, unmet = goal_weights(data, pairs, gpus)
    graph: nx.DiGraph[Hashable] = nx.DiGraph()
    units = {name: -(-asked_for // unit) for name, asked_for in data.asked.items()}
    graph.add_node("source", demand=-sum(units.values()))
    for source, there in data.supplies.items():
        graph.add_edge("source", source, capacity=there // unit, weight=0)
    for one in asked:
        graph.add_node(one.name, demand=units[one.name])
        graph.add_edge("source", one.name, weight=unmet[one.tier] * whole(one.priority))
    for (source, name), each in pairs.items():
        request = data.requests[name]
        days_late = max(0, (each.on - request.by).days)
        weight = late[request.tier] * whole(request.priority) * days_late
        weight += price_weight * int(price(data, each) * 1000) + (each.on - organization.as_of).days + 1
        graph.add_edge(source, name, weight=weight)
    _, flow = nx.network_simplex(graph)
    handed = [
        changed(each, gpus=flow[source][name] * unit)
        for (source, name), each in pairs.items()
        if flow[source][name]
    ]
    return reallocation_goals(data, handed)


def whole(number: float) -> int:
    return int(Fraction(str(number)) * 1000)


def first_handovers(data: ReallocationData) -> dict[tuple[Source, str], Handover]:
    """A GPU that passes as soon as it can, for every supply and request that accepts its pool."""
    return {
        (source, name): handover(data, (source, asked, max(source.on, asked.starts or source.on)), 1)
        for source in data.supplies
        for name, asked in data.requests.items()
        if accepts(asked, data.pools[source.pool])
    }


def goal_weights(
    data: ReallocationData, pairs: dict[tuple[Source, str], Handover], gpus: int
) -> tuple[dict[int, int], int, dict[int, int]]:
    """Weights of lateness by tier, of the price, and of what is unmet by tier: no sum of the goals after a
    goal makes up for it. Those of the days are 1; Python's integers have no end."""
    horizon = 2 + (data.until - data.organization.as_of).days
    dearest = max((int(price(data, each) * 1000) for each in pairs.values()), default=0)
    heaviest = max(whole(one.priority) for one in data.requests.values())
    tiers = sorted({one.tier for one in data.requests.values()}, reverse=True)
    price_weight = 1 + horizon * gpus
    weight = price_weight * (1 + dearest * gpus)
    late, unmet = {}, {}
    for tier in tiers:
        late[tier] = weight
        weight *= 1 + heaviest * horizon * gpus
    for tier in tiers:
        unmet[tier] = weight
        weight *= 1 + heaviest * gpus
    return late, price_weight, unmet


def without_side_conditions(organization: Organization, unit: int) -> Organization:
    """The organization with no caps, and with every GPU a unit of so many."""
    fields = {
        "teams": tuple(Team(name=team.name, parent=team.parent) for team in organization.teams),
        "pools": tuple(changed(each, gpus=each.gpus * unit, unit=unit) for each in organization.pools),
        "deliveries": tuple(changed(each, gpus=each.gpus * unit) for each in organization.deliveries),
        "projects": tuple(
            changed(each, holds={pool: gpus * unit for pool, gpus in each.holds.items()})
            for each in organization.projects
        ),
    }
    return organization.model_copy(update=fields)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_network_reaches_the_goals_of_one_arc_per_pair(data: st.DataObject) -> None:
    drawn_organization = data.draw(organizations(max_projects=6, max_pools=3))
    organization = without_side_conditions(drawn_organization, data.draw(st.sampled_from((1, 3))))
    drawn = data.draw(requests(organization, most=4, gpus=12))
    asked = [
        one.model_copy(update={"all_or_nothing": False})
        for one in drawn
        if one.starts is None or one.starts <= one.by
    ]
    plan = reallocate(organization, until=day(HORIZON), requests=asked)
    expected = direct_goals(organization, asked, HORIZON) if asked else NOTHING_ASKED
    assert [(goal.name, Fraction(str(goal.value))) for goal in plan.goals] == list(expected)
    assert plan.status is Status.OPTIMAL


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_who_waits_and_for_whom_changes_nothing_of_what_is_unmet_or_late(data: st.DataObject) -> None:
    """If the time is over before it is decided, what is free first goes first."""
    organization = without_side_conditions(data.draw(organizations(max_projects=6, max_pools=3)), 1)
    drawn = data.draw(requests(organization, most=4, gpus=12))
    asked = [
        one.model_copy(update={"all_or_nothing": False})
        for one in drawn
        if one.starts is None or one.starts <= one.by
    ]
    instance = build_instance(organization, asked, day(HORIZON))
    network, clock = build_network(instance), Clock(Options())
    goals = [goal for goal in instance.goals if goal.measure in {Measure.UNMET, Measure.LATE}]
    first = lexicographic_flow(
        replace(instance, goals=tuple(goals)), network, clock, merged=merged_nodes(network)
    )
    best = lexicographic_flow(instance, network, clock, merged=merged_nodes(network))
    assert first.values == best.values[: len(goals)] == goal_values(instance, first.handed)[: len(goals)]


def test_the_network_has_a_seventh_of_the_arcs_and_a_tenth_in_time_at_300_releases_and_requests() -> None:
    organization, asked, until = generate(300, sites=2, types=4, dates=6, divisions=3)
    instance = build_instance(organization, asked, until)
    network = build_network(instance)
    assert 7 * len(network.kind) <= direct_arcs(instance)
    assert 10 * (network.late == 0).sum() <= direct_arcs(instance)
    plan = reallocate(organization, until=until, requests=asked)
    expected = direct_goals(organization, asked, (until - organization.as_of).days)
    assert [goal.value for goal in plan.goals] == [float(value) for _, value in expected]
