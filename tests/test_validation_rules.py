"""Each rule finds what it is for, says it with its remedy, and finds nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gpu_opt.errors import Problem
from gpu_opt.organization import Limit, Organization
from gpu_opt.validation import RULES, budgets, check, names, pools, projects, weights
from gpu_opt.validation.facts import Facts, gather
from tests.building import TODAY, day, delivery, lab, pool, project, root, team

type Rule = Callable[[Facts], Iterator[Problem]]
type Says = dict[str, str]
"""Where a rule finds a problem, and words of its message."""

LONG_AGO, YESTERDAY, TOMORROW, NEXT_MONTH = day(-30), day(-1), day(1), day(30)
CYCLE_OF_15 = [team(f"t{n}", parent=f"t{(n + 1) % 15}") for n in range(15)]
TWO_TYPES = (pool("iowa"), pool("texas", gpu_type="gb200"))


def caps(**by_type: float | str) -> dict[str, Limit]:
    return {name: Limit(cap=cap) for name, cap in by_type.items()}


def of_no_type(gpu_type: str) -> Organization:
    """A lab whose first pool is of a type that is not described."""
    sound = lab()
    return sound.model_copy(update={"pools": (pool(gpu_type=gpu_type),)})


CASES: list[tuple[Rule, Organization, Says]] = [
    (
        names.duplicate_names,
        lab(
            [pool("iowa"), pool("iowa")],
            [root(), team("a"), team("a")],
            [project("x"), project("x"), project("x")],
        ),
        {
            "pools[1].name": "'iowa' is the name of pools[0] already; rename one",
            "teams[2].name": "'a' is the name of teams[1] already",
            "projects[1].name": "projects[0]",
            "projects[2].name": "projects[0]",
        },
    ),
    (
        names.unknown_gpu_types,
        of_no_type("H100"),
        {"pools[0].gpu_type": "no GPU type 'H100'; did you mean 'h100'?"},
    ),
    (
        names.unknown_gpu_types,
        lab().model_copy(
            update={
                "teams": (root(limits=caps(b200=8)),),
                "projects": (project("x", speeds={"h10": 1}),),
            }
        ),
        {
            "teams[0].limits.b200": "no GPU type 'b200'; there is 'h100': name one of them, or add it",
            "projects[0].speeds.h10": "did you mean 'h100'?",
        },
    ),
    (
        names.unknown_pools,
        lab(
            [pool("iowa")],
            projects=[project("x", holds={"texas": 8})],
            deliveries=[delivery("iwoa", 8, on=3)],
        ),
        {
            "deliveries[0].pool": "no pool 'iwoa'; did you mean 'iowa'?",
            "projects[0].holds.texas": "there is 'iowa'",
        },
    ),
    (
        names.unknown_pools,
        lab([pool("iowa")], projects=[project("x", pools=("iowa", "iwoa"))]),
        {"projects[0].pools[1]": "no pool 'iwoa'; did you mean 'iowa'?"},
    ),
    (
        names.unknown_pools,
        lab([], projects=[project("x", holds={"texas": 8})]),
        {"projects[0].holds.texas": "no pool 'texas'; there is no pool at all: add it"},
    ),
    (
        names.unknown_teams,
        lab(
            teams=[root(), team("research"), team("a", parent="lbb")],
            projects=[project("x", team="reserach"), project("y", team="reserach")],
        ),
        {
            "teams[2].parent": "no team 'lbb'; did you mean 'lab'?",
            "projects[0].team": "no team 'reserach'; did you mean 'research'?",
            "projects[1].team": "did you mean 'research'?",
        },
    ),
    (
        names.unknown_sites,
        lab([pool(site="iowa")], projects=[project("x", sites=("iowa", "iwoa"))]),
        {"projects[0].sites[1]": "no site 'iwoa'; did you mean 'iowa'?"},
    ),
    (
        names.no_team,
        lab(projects=[project("x")]).model_copy(update={"teams": ()}),
        {"teams": "there are projects but no teams; add the teams"},
    ),
    (
        names.several_roots,
        lab(teams=[root(), team("a"), team("b", parent=None), team("c", parent=None)]),
        {"teams[2].parent": "3 teams have no parent: 'lab', 'b' and 'c'; give all but one a parent"},
    ),
    (
        names.team_cycles,
        lab(
            teams=[
                root(),
                team("d", parent="b"),
                team("a", parent="b"),
                team("b", parent="c"),
                team("c", parent="a"),
            ]
        ),
        {"teams[2].parent": "a -> b -> c -> a is a cycle; give one of these teams another parent"},
    ),
    (names.team_cycles, lab(teams=[root(), team("a", parent="a")]), {"teams[1].parent": "a -> a is a cycle"}),
    (
        names.team_cycles,
        lab(teams=[root(), *CYCLE_OF_15]),
        {"teams[1].parent": "t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> ... -> t11 -> t12 -> t13 -> t14 -> t0 is"},
    ),
    (
        budgets.percentages_above_100,
        lab(
            teams=[
                root(guarantee="100%"),
                team("a", guarantee="101%", cap="120%", limits=caps(h100="100.5%")),
            ]
        ),
        {
            "teams[1].guarantee": "101% is more than all that there is above the team; write 100% or less",
            "teams[1].cap": "120%",
            "teams[1].limits.h100.cap": "100.5%",
        },
    ),
    (
        budgets.percentages_above_100,
        lab(teams=[root(cap="120%", limits=caps(h100="101%"))]),
        {
            "teams[0].cap": "120% is more than the fleet; write 100% or less, or a number of reference GPUs",
            "teams[0].limits.h100.cap": "101% is more than the fleet; write 100% or less",
        },
    ),
    (
        budgets.guarantee_above_own_cap,
        lab(
            [pool(gpus=200)],
            [root(cap="50%"), team("a", guarantee="60%", cap=59.999), team("b", guarantee=9, cap=9)],
        ),
        {"teams[1].guarantee": "own cap 59.999; lower the guarantee to 59.999"},
    ),
    (
        budgets.guarantee_above_cap_above,
        lab([pool(gpus=20)], [root(cap=10), team("a"), team("b", parent="a", guarantee=11)]),
        {"teams[2].guarantee": "the guarantee 11 is above the cap of 'lab', 10"},
    ),
    (
        budgets.guarantee_above_cap_above,
        lab(
            [pool(gpus=20)],
            [root(guarantee=21), team("a", guarantee=30, cap=30), team("b", guarantee=30, cap=29)],
        ),
        {"teams[0].guarantee": "above the fleet, 20", "teams[1].guarantee": "above the fleet, 20"},
    ),
    (
        budgets.guarantees_of_children,
        lab(
            [pool(gpus=20)], [root(guarantee=10, cap=15), team("a", guarantee=6), team("b", guarantee="40%")]
        ),
        {"teams[0].guarantee": "promised 12 together, 2 above its own guarantee 10; raise it, or"},
    ),
    (
        budgets.guarantees_of_children,
        lab([pool(gpus=20)], [root(guarantee=10, cap=11), team("a", guarantee=6), team("b", guarantee=6.5)]),
        {"teams[0].guarantee": "1.5 above its cap, 11: a.guarantee 6 + b.guarantee 6.5 > 11: these promises"},
    ),
    (
        budgets.guarantees_of_children,
        lab([pool(gpus=20)], [root(), team("a", guarantee="60%"), team("b", guarantee="60%")]),
        {"teams[0].cap": "promised 24 together, 4 above the fleet, 20"},
    ),
    (
        budgets.unreachable_caps,
        lab(
            [pool(gpus=10)],
            [
                root(cap=30),
                team("a", cap=31, limits=caps(h100=21)),
                team("b", parent="a", limits=caps(h100=22)),
            ],
            deliveries=[delivery("iowa", 10, on=5)],
        ),
        {
            "teams[0].cap": "30 is above the fleet, 20, and can never be reached; lower it, or leave it out",
            "teams[1].cap": "31 is above the cap of 'lab', 30",
            "teams[1].limits.h100.cap": "21 is above the fleet, 20",
            "teams[2].limits.h100.cap": "22 is above the limit of 'a', 21",
        },
    ),
    (
        budgets.guarantee_above_demand,
        lab(
            TWO_TYPES,
            [root(guarantee=29), team("a", guarantee=13)],
            [
                project("slow", demand=12, team="a", speeds={"h100": 1, "gb200": 3}),
                project("quick", demand=6),
                project("holder", demand=6, holds={"texas": 4}),  # these count 10
                project("over", demand=99, starts=LONG_AGO, ends=TODAY),
            ],
        ),
        {
            "teams[0].guarantee": "the guarantee 29 is above what its projects need, at most 28: no more",
            "teams[1].guarantee": "need, at most 12:",
        },
    ),
    (
        budgets.holdings_above_caps,
        lab(
            TWO_TYPES,
            [root(cap=24), team("a", limits=caps(gb200=3, h100=8)), team("b", cap="50%", parent="a")],
            [
                project("x", team="b", holds={"texas": 4}),
                project("y", holds={"iowa": 15}),
                project("over", team="b", ends=TODAY, holds={"texas": 16}),
            ],
        ),
        {
            "teams[0].cap": "projects under 'lab' hold 25 reference GPUs, 1 above the cap 24: the plan",
            "teams[1].limits.gb200.cap": "hold 4 GPUs of type 'gb200', 1 above the cap 3",
        },
    ),
    (
        pools.units_do_not_divide,
        lab(
            [pool("iowa", gpus=100, unit=8), pool("texas", gpus=8, unit=4)],
            projects=[project("x", holds={"iowa": 5, "texas": 4})],
            deliveries=[delivery("texas", 6, on=3), delivery("iowa", 16, on=3)],
        ),
        {
            "pools[0].gpus": "100 GPUs are not a multiple of 8, the unit of pool 'iowa'; write 96 or 104",
            "deliveries[0].gpus": "write 4 or 8",
            "projects[0].holds.iowa": "5 GPUs are not a multiple of 8, the unit of pool 'iowa'; write 8",
        },
    ),
    (
        pools.empty_pools,
        lab([pool("iowa", gpus=0), pool("texas", gpus=0)], deliveries=[delivery("texas", 8, on=3)]),
        {"pools[0].gpus": "has no GPUs, and none are delivered; add a delivery or remove the pool"},
    ),
    (
        pools.past_deliveries,
        lab(deliveries=[delivery("iowa", 8, on=0), delivery("iowa", 8, on=1)]),
        {"deliveries[0].on": "2026-11-23 is not after 2026-11-23: its GPUs are added to those of pool"},
    ),
    (
        pools.holdings_above_pool,
        lab(
            [pool("iowa", gpus=16), pool("texas", gpus=16)],
            projects=[
                project("x", holds={"iowa": 16, "texas": 16}),
                project("y", holds={"iowa": 8, "texas": 8}),
                project("over", ends=TODAY, holds={"iowa": 8}),
                project("later", starts=TOMORROW, holds={"iowa": 8}),
            ],
            deliveries=[delivery("texas", 8, on=0), delivery("iowa", 8, on=1)],
        ),
        {"pools[0].gpus": "projects hold 24 GPUs, 8 more than the pool has"},
    ),
    (
        pools.impossible_holdings,
        lab(
            TWO_TYPES,
            projects=[
                project("x", speeds={"gb200": 2}, holds={"iowa": 8, "texas": 4}),
                project("y", sites=("iowa",), holds={"iowa": 8, "texas": 4}),
                project("z", sites=("iowa",), holds={"texas": 0}),
                project("u", pools=("iowa",), holds={"iowa": 8, "texas": 4}),
            ],
        ),
        {
            "projects[0].holds.iowa": "it holds GPUs of type 'h100', which its speeds do not name; add",
            "projects[1].holds.texas": "it holds GPUs at 'texas', which its sites do not name",
            "projects[3].holds.texas": "it holds GPUs in pool 'texas', which its pools do not name",
        },
    ),
    (
        projects.minimum_above_demand,
        lab(projects=[project("x", demand=8, minimum=8.001), project("y", demand=8, minimum=8)]),
        {"projects[0].minimum": "the minimum 8.001 is above the demand 8; lower it, or raise the demand"},
    ),
    (
        projects.ends_before_it_starts,
        lab(
            projects=[project("x", starts=TOMORROW, ends=TOMORROW), project("y", starts=TODAY, ends=TOMORROW)]
        ),
        {"projects[0].ends": "the end 2026-11-24 is not after the start 2026-11-24; correct one of them"},
    ),
    (
        projects.demand_of_nothing,
        lab(projects=[project("x", demand=0)]),
        {"projects[0].demand": "asks for nothing"},
    ),
    (
        projects.ended_with_holdings,
        lab(projects=[project("x", ends=TODAY, holds={"iowa": 8}), project("y", ends=YESTERDAY)]),
        {"projects[0].ends": "it ended on 2026-11-23, and the 8 GPUs that it holds count as free; give"},
    ),
    (
        projects.not_started_with_holdings,
        lab(
            projects=[
                project("x", starts=TOMORROW, holds={"iowa": 8}),
                project("y", starts=NEXT_MONTH),
                project("pinned", starts=TOMORROW, holds={"iowa": 8}, pinned=True),
            ]
        ),
        {"projects[0].starts": "it starts on 2026-11-24, and until then the 8 GPUs that it holds count"},
    ),
    (
        weights.values_too_far_apart,
        lab(
            projects=[
                project("a", priority=0.5),
                project("b", priority=25_000),
                project("c", priority=25_001),
                project("over", priority=0.001, ends=TODAY),
                project("d", tier=2, priority=0.001),
                project("e", tier=2, priority=50),
            ],
            value=((0.5, 2), (0.25, 1), (0.25, 0)),
        ),
        {"projects[0].priority": "a reference GPU can be worth 100,004 times as much to 'c' of"},
    ),
    (
        weights.values_too_far_apart,
        lab(projects=[project("a"), project("b", priority=2)], value=((0.5, 200.5), (0.5, 0.002))),
        {"policy.value": "the largest value is 100,250 times the smallest, more than 100,000 times"},
    ),
    (
        weights.move_cost_too_high,
        lab(
            projects=[
                project("a", priority=0.5),
                project("b", tier=2),
                project("c", priority=0.1, ends=TODAY),
            ],
            value=((0.5, 2), (0.5, 0.1)),
            move_cost=5_001,
        ),
        {"policy.move_cost": "a move costs 100,020 times what a reference GPU can be worth to 'a'"},
    ),
    (
        projects.pinned_before_it_starts,
        lab(
            projects=[
                project("x", starts=TOMORROW, holds={"iowa": 8}, pinned=True),
                project("now", starts=TODAY, holds={"iowa": 8}, pinned=True),
                project("unpinned", starts=TOMORROW, holds={"iowa": 8}),
                project("empty", starts=TOMORROW, pinned=True),
            ]
        ),
        {"projects[0].pinned": "until it starts on 2026-11-24 its pin keeps nothing, and the 8 GPUs that it"},
    ),
    (
        projects.below_minimum,
        lab(
            TWO_TYPES,
            projects=[
                project(
                    "x",
                    demand=99,
                    minimum=11,
                    holds={"iowa": 2, "texas": 3},
                    speeds={"gb200": 2.9, "h100": 1},
                ),
                project("y", demand=99, minimum=9.5, holds={"iowa": 2, "texas": 3}),
                project("waits", demand=99, minimum=9),
                project("over", demand=99, minimum=9, ends=TODAY, holds={"iowa": 2}),
            ],
        ),
        {"projects[0].minimum": "it holds 10.7 reference GPUs, less than its minimum 11; lower the minimum"},
    ),
    (
        projects.one_pool_in_several,
        lab(
            TWO_TYPES,
            projects=[
                project("x", one_pool=True, holds={"iowa": 8, "texas": 8}),
                project("y", one_pool=True, holds={"iowa": 8, "texas": 0}),
                project("z", holds={"iowa": 8, "texas": 8}),
            ],
        ),
        {"projects[0].one_pool": "it is to run in one pool but holds GPUs in 'iowa' and 'texas'"},
    ),
    (
        projects.pinned_without_holdings,
        lab(
            projects=[
                project("x", pinned=True, holds={"iowa": 0}),
                project("y", pinned=True, holds={"iowa": 8}),
            ]
        ),
        {"projects[0].holds": "it is pinned but holds nothing; add its holdings, or do not pin it"},
    ),
    (
        projects.can_run_nowhere,
        lab(
            TWO_TYPES,
            projects=[
                project("x", speeds={"gb200": 2.5}, sites=("iowa",)),
                project("y", sites=()),
                project("z", speeds={"gb200": 2.5, "h100": 1}, sites=("iowa",)),
                project("free"),
                project("u", sites=("iowa",), pools=("texas",)),
            ],
        ),
        {
            "projects[0]": "it can run nowhere: no pool has GPUs of type 'gb200' at 'iowa'; add a pool",
            "projects[1]": "it can run nowhere: no GPU type, or no site, is left to it",
            "projects[4]": "it can run nowhere: none of its pools has a GPU type and a site where it runs",
        },
    ),
    (
        budgets.value_shares,
        lab(value=((0.5, 1.0), (0.4, 0.6))),
        {"policy.value": "the shares add up to 0.9, 0.1 too little; they must add up to 1"},
    ),
    (
        budgets.value_shares,
        lab(value=((0.7, 1.0), (0.4, 0.6))),
        {"policy.value": "add up to 1.1, 0.1 too much"},
    ),
    (budgets.value_shares, lab(value=((0.1, 1.0), (0.2, 1.0), (0.7, 1.0))), {}),
    (
        budgets.value_not_concave,
        lab(value=((0.2, 1.0), (0.3, 1.0), (0.5, 1.2))),
        {"policy.value[2]": "the value 1.2 is above 1, that of the share before it"},
    ),
]


@pytest.mark.parametrize(("rule", "organization", "says"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_rule_finds_its_problems_and_no_others(rule: Rule, organization: Organization, says: Says) -> None:
    problems = list(rule(gather(organization)))
    assert [problem.path for problem in problems] == list(says)
    for problem in problems:
        assert says[problem.path] in problem.message
        assert (rule.__doc__ or "").startswith(f"{problem.severity.value.title()}: ")
    assert set(problems) <= set(check(organization))


def test_every_rule_has_a_case_in_which_it_finds_something() -> None:
    assert {case[0] for case in CASES if case[2]} == set(RULES)
