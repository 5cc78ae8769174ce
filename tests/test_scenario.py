"""Scenarios: what each change does and nothing else, one change or several, in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.organization import Limit, Organization
from gpu_opt.scenario import CHANGES, Change, apply
from gpu_opt.scenario.changes import ReprioritizeProject, SetCap
from gpu_opt.scenario.effects import EFFECTS
from gpu_opt.scenario.solving import describe
from gpu_opt.validation import check
from tests.building import TODAY, day
from tests.changing import BASE, changes, parts
from tests.strategies import organizations


def after(kind: str, **fields: Any) -> Organization:
    """The base after one change."""
    return apply(BASE, changes({"change": kind, **fields}))


def difference(organization: Organization) -> dict[Any, Any]:
    """What is not as in the base: its fields that differ, or "new"; "gone" for what is left out."""
    old, new = parts(BASE), parts(organization)
    told: dict[Any, Any] = dict.fromkeys(old.keys() - new.keys(), "gone")
    for name, record in new.items():
        if name not in old:
            told[name] = "new"
        elif name == "as_of":
            told |= {} if record == old[name] else {name: record}
        elif record != old[name]:
            fields = type(record).model_fields
            told[name] = {
                f: getattr(record, f) for f in fields if getattr(record, f) != getattr(old[name], f)
            }
    return told


EFFECTS_OF_ONE: list[tuple[dict[str, Any], dict[Any, Any]]] = [
    ({"change": "add_project", "name": "nova", "team": "lab", "demand": 4}, {"nova": "new"}),
    ({"change": "end_project", "project": "orion"}, {"orion": {"ends": TODAY, "holds": {}}}),
    ({"change": "end_project", "project": "orion", "on": day(3)}, {"orion": {"ends": day(3)}}),
    ({"change": "end_project", "project": "vega"}, {"vega": "gone"}),
    ({"change": "resize_project", "project": "orion", "demand": 20}, {"orion": {"demand": 20}}),
    ({"change": "resize_project", "project": "orion", "minimum": 0}, {"orion": {"minimum": 0}}),
    ({"change": "reprioritize_project", "project": "lyra", "tier": 2}, {"lyra": {"tier": 2}}),
    ({"change": "reprioritize_project", "project": "lyra", "priority": 3}, {"lyra": {"priority": 3}}),
    ({"change": "pin_project", "project": "lyra"}, {"lyra": {"pinned": True}}),
    (
        {"change": "forbid", "project": "orion", "pool": "iowa-h100"},
        {"orion": {"pools": ("iowa-gb200", "texas"), "holds": {"texas": 2}}},
    ),
    ({"change": "forbid", "project": "vega", "gpu_type": "h100"}, {"vega": {"pools": ("iowa-gb200",)}}),
    ({"change": "forbid", "project": "vega", "site": "iowa"}, {"vega": {"pools": ("texas",)}}),
    (
        {"change": "allow", "project": "mira", "gpu_type": "gb200"},
        {"mira": {"speeds": {"h100": 0.9, "gb200": 2.5}}},
    ),
    (
        {"change": "allow", "project": "mira", "gpu_type": "gb200", "speed": 1.8},
        {"mira": {"speeds": {"h100": 0.9, "gb200": 1.8}}},
    ),
    ({"change": "allow", "project": "deneb", "site": "texas"}, {"deneb": {"sites": ("iowa", "texas")}}),
    (
        {"change": "allow", "project": "rigel", "pool": "iowa-h100"},
        {"rigel": {"pools": ("texas", "iowa-h100")}},
    ),
    ({"change": "set_guarantee", "team": "research", "guarantee": "25%"}, {"research": {"guarantee": "25%"}}),
    ({"change": "set_cap", "team": "research", "cap": None}, {"research": {"cap": None}}),
    (
        {"change": "set_limit", "team": "research", "gpu_type": "h100", "cap": 8},
        {"research": {"limits": {"gb200": Limit(cap=4), "h100": Limit(cap=8)}}},
    ),
    (
        {"change": "set_limit", "team": "research", "gpu_type": "gb200", "cap": None},
        {"research": {"limits": {}}},
    ),
    ({"change": "add_delivery", "pool": "texas", "gpus": 3, "on": day(1)}, {("texas", day(1), 3): "new"}),
    (
        {"change": "delay_delivery", "pool": "texas", "to": day(15)},
        {("texas", day(5), 8): "gone", ("texas", day(15), 8): "new"},
    ),
    ({"change": "lose_delivery", "pool": "iowa-h100", "on": day(9)}, {("iowa-h100", day(9), 8): "gone"}),
    (
        {"change": "add_pool", "name": "ohio", "gpu_type": "h100", "site": "ohio", "gpus": 4},
        {"ohio": "new"},
    ),
    (
        {"change": "delay_pool", "pool": "iowa-h100", "to": day(7)},
        {
            "iowa-h100": {"gpus": 0},
            "orion": {"holds": {"texas": 2}},
            ("iowa-h100", day(5), 4): "gone",
            ("iowa-h100", day(7), 4): "new",
            ("iowa-h100", day(7), 16): "new",
        },
    ),
    (
        {"change": "lose_pool", "pool": "texas"},
        {"texas": {"gpus": 0}, "orion": {"holds": {"iowa-h100": 8}}, ("texas", day(5), 8): "gone"},
    ),
    (
        {"change": "delay_site", "site": "texas", "to": day(4)},
        {"texas": {"gpus": 0}, "orion": {"holds": {"iowa-h100": 8}}, ("texas", day(4), 16): "new"},
    ),
    (
        {"change": "lose_site", "site": "iowa"},
        {
            "iowa-h100": {"gpus": 0},
            "iowa-gb200": {"gpus": 0},
            "orion": {"holds": {"texas": 2}},
            "lyra": {"holds": {}},
            ("iowa-h100", day(5), 4): "gone",
            ("iowa-h100", day(9), 8): "gone",
        },
    ),
    ({"change": "set_policy", "max_moves": 3}, {"policy": {"max_moves": 3}}),
    (
        {"change": "move_date", "to": day(5)},
        {
            "as_of": day(5),
            "texas": {"gpus": 24},
            "iowa-h100": {"gpus": 20},
            ("texas", day(5), 8): "gone",
            ("iowa-h100", day(5), 4): "gone",
        },
    ),
    (
        {"change": "move_date", "to": day(20)},
        {
            "as_of": day(20),
            "texas": {"gpus": 24},
            "iowa-h100": {"gpus": 28},
            "lyra": {"holds": {}},
            ("texas", day(5), 8): "gone",
            ("iowa-h100", day(5), 4): "gone",
            ("iowa-h100", day(9), 8): "gone",
        },
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"),
    EFFECTS_OF_ONE,
    ids=[f"{c['change']}-{n}" for n, (c, _) in enumerate(EFFECTS_OF_ONE)],
)
def test_a_change_does_this_and_nothing_else(change: dict[str, Any], expected: dict[Any, Any]) -> None:
    assert difference(apply(BASE, changes(change))) == expected


def test_every_change_has_its_effect_and_its_example() -> None:
    assert set(CHANGES) == set(EFFECTS) == {change["change"] for change, _ in EFFECTS_OF_ONE}


def test_no_change_changes_nothing_and_the_organization_stays_as_it_is() -> None:
    before = BASE.model_copy(deep=True)
    assert apply(BASE, ()) is BASE
    after("lose_site", site="iowa")
    assert before == BASE


def test_what_is_added_can_be_changed_whatever_the_order() -> None:
    add = {"change": "add_pool", "name": "ohio", "gpu_type": "h100", "site": "ohio", "gpus": 4}
    lose = {"change": "lose_site", "site": "ohio"}
    assert apply(BASE, changes(lose, add)) == apply(BASE, changes(add, lose))
    assert apply(BASE, changes(lose, add)).pools[-1].gpus == 0


def test_of_two_changes_of_the_same_the_later_one_stands() -> None:
    caps = [{"change": "set_cap", "team": "research", "cap": cap} for cap in (15, 12)]
    assert parts(apply(BASE, changes(*caps)))["research"].cap == 12


# --- Laws ---------------------------------------------------------------------------------------------


@st.composite
def different_changes(draw: st.DrawFn) -> tuple[Organization, tuple[Change, ...]]:
    """An organization, and changes no two of which touch the same."""
    organization = draw(organizations())
    described: list[dict[str, Any]] = [
        {"change": "set_policy", "move_cost": draw(st.sampled_from((0.0, 2.0)))}
    ]
    for one in organization.projects:
        kinds = (
            {"change": "resize_project", "demand": one.demand + 1},
            {"change": "reprioritize_project", "priority": 4.5},
            {"change": "end_project", "on": day(90)},
        )
        described.append({"project": one.name, **draw(st.sampled_from(kinds))})
    described += [
        {"change": "set_guarantee", "team": one.name, "guarantee": None} for one in organization.teams
    ]
    described += [
        {"change": "add_delivery", "pool": one.name, "gpus": one.unit, "on": day(2)}
        for one in organization.pools
    ]
    chosen = [one for one in changes(*described) if not _ends_before(organization, one)]
    return organization, tuple(draw(st.permutations(chosen))[:4])


def _ends_before(organization: Organization, change: Change) -> bool:
    ends = {one.name: one.ends for one in organization.projects}
    return change.change == "end_project" and (ends[change.project] or day(91)) <= day(90)


def same(one: Organization, other: Organization) -> bool:
    """Whether two organizations say the same; deliveries have no order."""

    def told(organization: Organization) -> object:
        planned = sorted((each.on, each.pool, each.gpus) for each in organization.deliveries)
        return organization.model_copy(update={"deliveries": ()}), planned

    return told(one) == told(other)


@given(different_changes())
def test_order_does_not_matter_where_changes_touch_different_things(
    drawn: tuple[Organization, tuple[Change, ...]],
) -> None:
    organization, made = drawn
    results = [apply(organization, order) for order in itertools.permutations(made[:3])]
    assert all(same(result, results[0]) for result in results)


@given(different_changes())
def test_changes_at_once_are_the_same_as_one_after_the_other(
    drawn: tuple[Organization, tuple[Change, ...]],
) -> None:
    organization, made = drawn
    stepwise = organization
    for change in made:
        stepwise = apply(stepwise, (change,))
    assert same(apply(organization, made), stepwise)


@given(organizations(), st.integers(0, 40))
def test_to_move_the_date_leaves_a_valid_organization(organization: Organization, days: int) -> None:
    teams = tuple(one.model_copy(update={"guarantee": None}) for one in organization.teams)
    modest = organization.model_copy(update={"teams": teams})  # a delivery may raise a promise above a cap
    moved = apply(modest, changes({"change": "move_date", "to": day(days)}))
    assert {problem.severity for problem in check(moved)} <= {"warning"}


def test_a_change_is_described_with_all_digits_of_its_amounts() -> None:
    assert describe(SetCap(team="research", cap=1_236_655.4)) == "set cap: team research, cap 1,236,655.4"
    changed = ReprioritizeProject(project="orion", priority=0.00105)
    assert describe(changed) == "reprioritize project: project orion, priority 0.00105"
