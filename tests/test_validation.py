"""What cannot be meant is refused, what is unwise is said, all of it at once and each with its remedy."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest

from gpu_opt.errors import InvalidInput, Severity
from gpu_opt.organization import Organization, Project, Team
from gpu_opt.validation import RULES, check, require_valid
from gpu_opt.validation.facts import gather, resolved_budgets
from gpu_opt.validation.wording import listed, number, unknown
from tests.building import TODAY, day, delivery, lab, pool, project, root, team
from tests.faults_in_names_and_budgets import caps, of_no_type


def test_a_sound_lab_has_no_problems() -> None:
    sound = lab(
        [pool("iowa", gpus=64, unit=8), pool("texas", gpus=32, unit=4, gpu_type="gb200")],
        [
            root(guarantee=40),
            team("a", guarantee="25%", cap="50%", limits=caps(gb200="50%")),
            team("b", parent="a"),
        ],
        [project("x", demand=99, team="b", minimum=8, holds={"iowa": 8}, one_pool=True, pinned=True)],
        [delivery("iowa", 8, on=3)],
    )
    assert check(sound) == ()


def test_an_empty_organization_is_valid() -> None:
    assert require_valid(Organization(name="nothing yet", as_of=TODAY)) == ()


def test_a_gpu_type_of_which_there_is_no_pool_is_no_problem() -> None:
    assert check(lab(projects=[project("x", speeds={"h100": 1, "mi355x": 1.9})])) == ()


def test_names_in_chinese_are_names() -> None:
    organization = lab(
        [pool("北京", gpus=8)], projects=[project("猎户座", holds={"北京": 8}), project("天琴", team="研究")]
    )
    assert [(problem.path, problem.message) for problem in check(organization)] == [
        ("projects[1].team", "no team '研究'; there is 'lab': name one of them, or add it")
    ]


def test_a_million_gpus_are_a_pool_like_any_other() -> None:
    organization = lab([pool(gpus=1_000_001, unit=8)], projects=[project("x", demand=1_000_000)])
    assert [problem.message for problem in check(organization)] == [
        "1,000,001 GPUs are not a multiple of 8, the unit of pool 'iowa'; write 1,000,000 or 1,000,008"
    ]


def test_problems_come_in_the_order_of_the_file() -> None:
    organization = lab(
        [pool(gpus=9, unit=8)],
        [root(), team("a", cap="110%"), team("b", guarantee=2, cap=1)],
        [project("x", team="?", demand=0, ends=day(-30), holds={"iowa": 8}), project("x")],
        [delivery("iowa", 8, on=0)],
        value=((0.5, 1.0),),
    )
    assert [problem.path for problem in check(organization)] == [
        "pools[0].gpus",
        "deliveries[0].on",
        "teams[1].cap",
        "teams[2].guarantee",
        "projects[0].team",
        "projects[0].demand",
        "projects[0].ends",
        "projects[1].name",
        "policy.value",
    ]


def test_an_error_refuses_the_organization_and_brings_the_warnings_along() -> None:
    organization = lab(projects=[project("x", demand=0), project("x")])
    with pytest.raises(InvalidInput, match="rename one") as refused:
        require_valid(organization)
    assert {problem.severity for problem in refused.value.problems} == {Severity.ERROR, Severity.WARNING}
    assert refused.value.problems == check(organization)


def test_warnings_alone_are_returned() -> None:
    assert [problem.path for problem in require_valid(lab(projects=[project("x", demand=0)]))] == [
        "projects[0].demand"
    ]


@pytest.mark.parametrize(
    "broken",
    [
        [
            team("a", parent="b", guarantee="50%", cap=9),
            team("b", parent="a", guarantee=2, cap=3, limits=caps(h100="5%")),
        ],
        [root(), team("a", parent="nobody", guarantee="90%", cap="10%"), team("b", parent="a", guarantee=9)],
        [root(), team("a"), team("a", guarantee="90%", cap="100%")],
    ],
    ids=["a cycle", "an unknown parent", "a name given twice"],
)
def test_nothing_is_said_of_budgets_under_a_broken_tree(broken: list[Team]) -> None:
    asks_little = [project("x", demand=1, team="a")]
    names_wrong = {
        problem.path
        for rule in RULES[:8]
        for problem in rule(gather(lab(teams=broken, projects=asks_little)))
    }
    assert names_wrong
    assert {problem.path for problem in check(lab(teams=broken, projects=asks_little))} == names_wrong


def test_a_cap_in_numbers_binds_its_guarantee_even_under_a_broken_tree() -> None:
    paths = [
        problem.path for problem in check(lab(teams=[root(), team("a", parent="?", guarantee=9, cap=8)]))
    ]
    assert paths == ["teams[1].parent", "teams[1].guarantee"]


def test_a_pool_of_an_unknown_type_leaves_the_fleet_unknown() -> None:
    organization = of_no_type("H100").model_copy(
        update={
            "teams": (root(cap=999, guarantee="50%"), team("a", guarantee=999, limits=caps(h100=999))),
            "projects": (
                project(
                    "x",
                    demand=999,
                    team="a",
                    minimum=9,
                    speeds={"h100": 1},
                    holds={"iowa": 8},
                    sites=("iowa",),
                ),
            ),
        }
    )
    assert [problem.path for problem in check(organization)] == ["pools[0].gpu_type"]


def test_a_misspelt_reference_of_a_project_is_all_that_is_said_of_it() -> None:
    crooked: list[Project] = [
        project("x", speeds={"h10": 1}, holds={"iowa": 8}),
        project("y", sites=("iwoa",), holds={"iowa": 8}),
        project("z", minimum=8, holds={"iwoa": 8}),
    ]
    organization = lab().model_copy(update={"projects": tuple(crooked)})
    assert [problem.path for problem in check(organization)] == [
        "projects[0].speeds.h10",
        "projects[1].sites[0]",
        "projects[2].holds.iwoa",
    ]


def test_a_percentage_is_of_the_nearest_cap_above_on_the_day() -> None:
    organization = lab(
        [pool("iowa", gpus=10), pool("texas", gpus=4, gpu_type="gb200")],
        [
            root(guarantee="10%", limits=caps(h100="50%")),
            team("a", cap="50%"),
            team("b", parent="a", guarantee="10%", cap="20%", limits=caps(h100="10%", gb200="50%")),
        ],
        deliveries=[delivery("iowa", 20, on=5)],
    )
    today, later = (
        resolved_budgets(gather(organization), TODAY),
        resolved_budgets(gather(organization), day(5)),
    )
    assert [budget.guarantee for budget in today] == [2, None, 1]
    assert [budget.cap for budget in today] == [None, 10, 2]
    assert [budget.cap for budget in later] == [None, 20, 4]
    assert [budget.limits for budget in today] == [{"h100": 5}, {}, {"h100": Fraction(1, 2), "gb200": 2}]
    assert later[2].limits["h100"] == Fraction(3, 2)


def test_near_matches_are_sought_only_while_they_are_cheap() -> None:
    known = [f"team-{n}" for n in range(10_000)]
    word = unknown("team", known)
    words = [word(f"taem-{n}") for n in range(10)]
    assert words[0] == "no team 'taem-0'; did you mean 'team-0'?"
    assert words[9] == (
        "no team 'taem-9'; there is 'team-0', 'team-1', 'team-2', 'team-3', 'team-4' and 9995 more: "
        "name one of them, or add it"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.333"),
        (1_000_000, "1,000,000"),
        (100.0, "100"),
        (0, "0"),
        (dt.date.max.year + 0.5, "9,999.5"),
    ],
)
def test_numbers_read_easily(value: float | Fraction, text: str) -> None:
    assert number(value) == text


def test_names_are_listed_with_the_number_of_those_left_out() -> None:
    assert listed(["a"]) == "'a'"
    assert listed(["a", "b", "c"], most=2) == "'a', 'b' and 1 more"
