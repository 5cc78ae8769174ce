"""Organizations with faults in names and budgets, and what the rule for each says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpu_opt.errors import Problem
from gpu_opt.organization import Limit, Organization
from gpu_opt.validation import budgets, names
from gpu_opt.validation.facts import Facts
from tests.building import TODAY, day, delivery, lab, pool, project, root, team

type Rule = Callable[[Facts], Iterator[Problem]]
type Says = dict[str, str]
"""Where a rule finds a problem, and words of its message."""

LONG_AGO = day(-30)
CYCLE_OF_15 = [team(f"t{n}", parent=f"t{(n + 1) % 15}") for n in range(15)]
TWO_TYPES = (pool("iowa"), pool("texas", gpu_type="gb200"))


def caps(**by_type: float | str) -> dict[str, Limit]:
    return {name: Limit(cap=cap) for name, cap in by_type.items()}


def of_no_type(gpu_type: str) -> Organization:
    """A lab whose first pool is of a type that is not described."""
    sound = lab()
    return sound.model_copy(update={"pools": (pool(gpu_type=gpu_type),)})


NAMES_AND_BUDGETS: list[tuple[Rule, Organization, Says]] = [
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
]
