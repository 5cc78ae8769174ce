"""Scenarios in files: what is read, every fault with its line, and the files that come with gpu_opt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpu_opt.errors import InvalidInput
from gpu_opt.files import load
from gpu_opt.scenario import Scenario, apply, load_scenario
from gpu_opt.validation import check
from tests.changing import changes


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
