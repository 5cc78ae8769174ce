"""Scenarios: what each change does, what does not apply, and the files that they are in."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.errors import InvalidInput
from gpu_opt.files import load
from gpu_opt.organization import Limit, Organization
from gpu_opt.scenario import CHANGES, Change, Scenario, apply, load_scenario
from gpu_opt.scenario.effects import EFFECTS
from gpu_opt.validation import check
from tests.building import TODAY, day, delivery, lab, pool, project, root, team
from tests.strategies import organizations

BASE = lab(
    [
        pool("iowa-h100", 16, unit=4, site="iowa"),
        pool("iowa-gb200", 8, unit=4, gpu_type="gb200", site="iowa"),
        pool("texas", 16),
    ],
    teams=[root(cap="90%"), team("research", guarantee=10, cap=20, limits={"gb200": Limit(cap=4)})],
    projects=[
        project("orion", 16, "research", minimum=4, holds={"iowa-h100": 8, "texas": 2}),
        project("lyra", 8, holds={"iowa-gb200": 4}, ends=day(20)),
        project("vega", 8, starts=day(10)),
        project("mira", 4, speeds={"h100": 0.9}),
        project("deneb", 4, sites=("iowa",)),
        project("rigel", 4, pools=("texas",)),
    ],
    deliveries=[delivery("texas", 8, on=5), delivery("iowa-h100", 4, on=5), delivery("iowa-h100", 8, on=9)],
)


def changes(*described: dict[str, Any]) -> tuple[Change, ...]:
    return Scenario.model_validate({"name": "test", "changes": described}).changes


def after(kind: str, **fields: Any) -> Organization:
    """The base after one change."""
    return apply(BASE, changes({"change": kind, **fields}))


def parts(organization: Organization) -> dict[Any, Any]:
    """Everything in an organization by its name; deliveries as (pool, day, GPUs)."""
    found: dict[Any, Any] = {one.name: one for one in organization.projects}
    found |= {one.name: one for one in organization.teams}
    found |= {one.name: one for one in organization.pools}
    found |= {(one.pool, one.on, one.gpus): one for one in organization.deliveries}
    return found | {"policy": organization.policy, "as_of": organization.as_of}


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


# --- What does not apply ------------------------------------------------------------------------------


def misfits(*described: dict[str, Any], organization: Organization = BASE) -> dict[str, str]:
    """The problems of changes, by path."""
    with pytest.raises(InvalidInput) as refused:
        apply(organization, changes(*described))
    return {problem.path: problem.message for problem in refused.value.problems}


def test_every_change_that_does_not_apply_says_so_at_once() -> None:
    found = misfits(
        {"change": "set_cap", "team": "research", "cap": 15},
        {"change": "end_project", "project": "orio"},
        {"change": "set_limit", "team": "reserach", "gpu_type": "gb20", "cap": 4},
        {"change": "add_project", "name": "nova", "team": "labs", "demand": 4},
        {"change": "add_delivery", "pool": "txas", "gpus": 1, "on": "2026-12-01"},
    )
    assert found == {
        "changes[1].project": "no project 'orio'; did you mean 'orion'?",
        "changes[2].team": "no team 'reserach'; did you mean 'research'?",
        "changes[2].gpu_type": "no GPU type 'gb20'; did you mean 'gb200'?",
        "changes[3].team": "no team 'labs'; did you mean 'lab'?",
        "changes[4].pool": "no pool 'txas'; did you mean 'texas'?",
    }


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"change": "add_project", "name": "orion", "team": "lab", "demand": 1},
            ".name",
            "a project 'orion' al",
        ),
        (
            {"change": "add_pool", "name": "texas", "gpu_type": "h100", "site": "x", "gpus": 1},
            ".name",
            "there is a pool 'texas' already",
        ),
        (
            {"change": "end_project", "project": "lyra", "on": day(30)},
            ".on",
            "'lyra' ends on 2026-12-13 already",
        ),
        ({"change": "end_project", "project": "orion", "on": day(-1)}, ".on", "is before 2026-11-23"),
        ({"change": "resize_project", "project": "orion"}, "", "states nothing; state demand or minimum"),
        (
            {"change": "reprioritize_project", "project": "orion"},
            "",
            "states nothing; state tier or priority",
        ),
        ({"change": "pin_project", "project": "vega"}, ".project", "'vega' holds nothing"),
        ({"change": "forbid", "project": "vega"}, "", "states 0 of pool, gpu_type and site; state one"),
        ({"change": "forbid", "project": "vega", "pool": "texas", "site": "texas"}, "", "states 2 of pool"),
        ({"change": "allow", "project": "mira"}, "", "states 0 of pool, gpu_type and site; state one"),
        ({"change": "allow", "project": "mira", "gpu_type": "h100"}, ".gpu_type", "'mira' may run there"),
        ({"change": "allow", "project": "vega", "site": "iowa"}, ".site", "'vega' may run there"),
        (
            {"change": "allow", "project": "deneb", "site": "texas", "speed": 2},
            ".speed",
            "a speed is that on a GPU type",
        ),
        (
            {"change": "set_limit", "team": "lab", "gpu_type": "h100", "cap": None},
            ".gpu_type",
            "has no limit on",
        ),
        (
            {"change": "lose_delivery", "pool": "iowa-gb200"},
            ".pool",
            "no delivery to 'iowa-gb200' is planned",
        ),
        ({"change": "lose_delivery", "pool": "iowa-h100"}, ".on", "say which: 2026-11-28, 2026-12-02"),
        ({"change": "lose_delivery", "pool": "texas", "on": TODAY}, ".on", "planned: 2026-11-28"),
        ({"change": "delay_pool", "pool": "texas", "to": TODAY}, ".to", "is not after 2026-11-23"),
        ({"change": "move_date", "to": day(-1)}, ".to", "is before 2026-11-23"),
        ({"change": "set_policy"}, "", "states nothing; state one of value, move_cost"),
    ],
)
def test_a_change_says_why_it_does_not_apply(change: dict[str, Any], path: str, message: str) -> None:
    ((where, said),) = misfits(change).items()
    assert where == f"changes[0]{path}"
    assert message in said


def test_a_place_where_a_project_does_not_run_cannot_be_forbidden_again() -> None:
    twice = [{"change": "forbid", "project": "vega", "site": "texas"}] * 2
    assert misfits(*twice) == {"changes[1].site": "'vega' cannot run there as it is"}


def test_what_is_allowed_and_forbidden_in_one_scenario_is_forbidden() -> None:
    allow = {"change": "allow", "project": "mira", "gpu_type": "gb200"}
    forbid = {"change": "forbid", "project": "mira", "pool": "iowa-gb200"}
    assert apply(BASE, changes(forbid, allow)) == apply(BASE, changes(allow, forbid))
    assert parts(apply(BASE, changes(forbid, allow)))["mira"].pools == ("iowa-h100", "texas")


def test_two_deliveries_that_nothing_tells_apart_cannot_be_changed() -> None:
    twins = lab([pool()], deliveries=[delivery("iowa", 4, on=3), delivery("iowa", 4, on=3)])
    lose = {"change": "lose_delivery", "pool": "iowa", "on": day(3)}
    assert "make them one" in misfits(lose, organization=twins)["changes[0].on"]


def test_what_a_change_leads_to_is_said_where_it_was_changed() -> None:
    found = misfits(
        {"change": "resize_project", "project": "orion", "demand": 2},
        {"change": "set_guarantee", "team": "research", "guarantee": 21},
        {
            "change": "add_project",
            "name": "nova",
            "team": "lab",
            "demand": 1,
            "starts": day(2),
            "ends": day(1),
        },
        {"change": "set_policy", "value": [[0.5, 1.0]]},
        {"change": "add_delivery", "pool": "iowa-h100", "gpus": 3, "on": day(2)},
    )
    assert found == {
        "changes[0].minimum": "the minimum 4 is above the demand 2; lower it, or raise the demand",
        "changes[1].guarantee": "the guarantee 21 is above the team's own cap 20; lower the guarantee "
        "to 20, or raise the cap to 21",
        "changes[2].ends": "the end 2026-11-24 is not after the start 2026-11-25; correct one of them",
        "changes[3].value": "the shares add up to 0.5, 0.5 too little; they must add up to 1",
        "changes[4].gpus": "3 GPUs are not a multiple of 4, the unit of pool 'iowa-h100'; write 4",
    }


def test_an_error_that_no_change_is_about_names_what_it_is_about() -> None:
    base = lab([pool(gpus=100)], teams=[team("research", guarantee="50%", cap=60)])
    cap = {"change": "add_pool", "name": "ohio", "gpu_type": "h100", "site": "ohio", "gpus": 100}
    ((path, said),) = misfits(cap, organization=base).items()
    assert path == "changes"
    assert said.startswith("they lead to an error in teams 'research', guarantee: the guarantee 100 is above")


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


# --- Files --------------------------------------------------------------------------------------------


def refused(folder: Path, text: str, name: str = "scenario.yaml") -> list[str]:
    """All that is wrong with a scenario file of this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as failure:
        load_scenario(path)
    assert failure.value.source == str(path)
    return [str(problem) for problem in failure.value.problems]


def test_a_file_gives_the_scenario_that_it_describes(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        "name: less\nchanges:\n  - {change: set_cap, team: research, cap: 65%}\n", encoding="utf-8"
    )
    made = changes({"change": "set_cap", "team": "research", "cap": "65%"})
    assert load_scenario(file) == Scenario(name="less", changes=made)


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = """\
name: less
chnages: []
changes:
  - {change: set_cpa, team: research, cap: 65%}
  - {change: set_cap, teem: research, cap: much}
  - {team: research}
  - cap
  - {change: resize_project, project: orion, demand: -1}
"""
    assert refused(tmp_path, text) == [
        "line 2: chnages: unknown field 'chnages'; did you mean 'changes'?",
        "line 4: changes[0].change: no change 'set_cpa'; did you mean 'set_cap'?",
        "line 5: changes[1].teem: unknown field 'teem'; did you mean 'team'?",
        "line 5: changes[1].cap: 'much' is neither a number of reference GPUs nor a percentage like '55%'",
        "line 6: changes[2].change: is missing; it says what changes: 'set_cap', 'add_project', ...",
        "line 7: changes[3]: a change is a mapping of names to values, not the text 'cap'",
        "line 8: changes[4].demand: must be at least 0",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the input: the file is empty; it has at least a 'name'"),
        ("- a\n", "line 1: the input: a scenario is a mapping of names to values, not a list; it has"),
        ("changes: {}\nname: x\n", "line 1: changes: must be a list, not a mapping of names to values"),
        ("changes: []\n", "line 1: name: is missing; it must be text"),
    ],
)
def test_a_file_that_is_no_scenario_says_what_one_is(tmp_path: Path, text: str, said: str) -> None:
    (fault,) = refused(tmp_path, text)
    assert fault.startswith(said)


MODELS = Path(__file__).parent.parent / "models"
SCENARIOS = sorted(file for file in (MODELS / "scenarios").glob("*.yaml") if ".grid" not in file.name)


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_the_scenarios_of_the_frontier_lab_apply_to_it(file: Path) -> None:
    before = load(MODELS / "organizations" / "frontier_lab.yaml")
    scenario = load_scenario(file)
    assert scenario.name.replace("-", "_") == file.stem
    assert scenario.description
    after = apply(before, scenario.changes)
    assert after != before
    assert not [problem for problem in check(after) if "not after" in problem.message]


def test_the_example_on_the_page_applies_to_the_frontier_lab(tmp_path: Path) -> None:
    page = (MODELS.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "scenario.yaml"
    file.write_text(example, encoding="utf-8")
    before = load(MODELS / "organizations" / "frontier_lab.yaml")
    assert apply(before, load_scenario(file).changes) != before
