"""Organizations with faults in pools, projects and the policy, and what the rule for each says of them."""

from __future__ import annotations

from gpu_opt.organization import Organization
from gpu_opt.validation import budgets, pools, projects, weights
from tests.building import TODAY, day, delivery, lab, pool, project
from tests.faults_in_names_and_budgets import TWO_TYPES, Rule, Says

YESTERDAY, TOMORROW, NEXT_MONTH = day(-1), day(1), day(30)

POOLS_AND_PROJECTS: list[tuple[Rule, Organization, Says]] = [
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
