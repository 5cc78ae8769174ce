"""The commands that explain and compare: `prices`, `conflicts`, `why`, `what-if` and `sweep`."""

from __future__ import annotations

from pathlib import Path

from gpu_opt.plan import Conflicts, Explanation, Prices, Resource, Sweep, WhatIf
from tests.cli.commanding import ORGANIZATIONS, TWO_TEAMS, Command


def test_prices_say_where_the_next_gpus_should_go(gpu_opt: Command) -> None:
    ended = gpu_opt("prices", TWO_TEAMS, "--top", "1")
    assert ended.code == 0
    assert ended.out.startswith("The next GPUs should go to texas-gb200")
    assert "and 1 other (--top)" in ended.out


def test_prices_as_json_are_what_the_schema_says(gpu_opt: Command) -> None:
    found = Prices.model_validate_json(gpu_opt("prices", TWO_TEAMS, "--json").out)
    assert {each.subject for each in found.prices if each.resource is Resource.POOL_CAPACITY} == {
        "iowa-h100",
        "texas-gb200",
    }


def test_conflicts_name_what_cannot_all_be_had(gpu_opt: Command) -> None:
    ended = gpu_opt("conflicts", str(ORGANIZATIONS / "pinned_conflict.yaml"))
    assert ended.code == 0
    assert "serving pinned with 72 GPUs in iowa-h100 > product.cap 64" in ended.out
    assert "at least 72" in ended.out


def test_a_plan_that_cannot_have_all_points_to_its_conflicts(gpu_opt: Command) -> None:
    assert "gpu-opt conflicts says" in gpu_opt("allocate", str(ORGANIZATIONS / "pinned_conflict.yaml")).out
    assert "gpu-opt conflicts says" in gpu_opt("allocate", str(ORGANIZATIONS / "oversubscribed.yaml")).out


def test_a_lab_without_conflicts_is_told_so(gpu_opt: Command) -> None:
    ended = gpu_opt("conflicts", TWO_TEAMS, "--date", "2027-01-01", "--json")
    assert ended.code == 0
    assert Conflicts.model_validate_json(ended.out).is_complete


def test_what_if_shows_scenarios_beside_the_base(gpu_opt: Command, tmp_path: Path) -> None:
    for name, demand in (("small", 16), ("smaller", 8)):
        changes = f"changes: [{{change: resize_project, project: assistant, demand: {demand}}}]"
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{changes}\n", encoding="utf-8")
    ended = gpu_opt("what-if", TWO_TEAMS, "small.yaml", "smaller.yaml", "--quiet")
    assert ended.code == 0
    assert ended.out.startswith("two-teams: what if, as of 2026-11-23\n")
    assert "small  smaller" in ended.out
    found = WhatIf.model_validate(gpu_opt("what-if", TWO_TEAMS, "small.yaml", "--json", "--quiet").document)
    assert [one.scenario for one in found.scenarios] == ["small"]
    assert found.base.objective == 283.8


def test_what_if_names_file_line_and_change_of_what_does_not_apply(gpu_opt: Command, tmp_path: Path) -> None:
    wrong = "name: x\nchanges:\n  - {change: end_project, project: tutr}\n"
    (tmp_path / "wrong.yaml").write_text(wrong, encoding="utf-8")
    ended = gpu_opt("what-if", TWO_TEAMS, "wrong.yaml", "--quiet")
    assert ended.code == 2
    expected = "wrong.yaml:3: error: changes[0].project: no project 'tutr'; did you mean 'tutor'?"
    assert ended.err.splitlines()[0] == expected
    (tmp_path / "worse.yaml").write_text("name: x\nchanges: 3\n", encoding="utf-8")
    both = gpu_opt("what-if", TWO_TEAMS, "wrong.yaml", "worse.yaml", "--quiet")
    assert both.code == 2
    assert "wrong.yaml:3: changes[0].project: no project 'tutr'" in both.err
    assert "worse.yaml:2: changes: must be a list, not the number 3" in both.err


def test_why_says_so_in_a_sentence_and_what_would_help(gpu_opt: Command) -> None:
    ended = gpu_opt("why", "pretrain", TWO_TEAMS)
    assert ended.code == 0
    assert ended.out.startswith("pretrain has 48 of the 64 that it asked for: ")
    assert "Cheapest change: " in ended.out


def test_why_as_json_is_what_the_schema_says(gpu_opt: Command) -> None:
    found = Explanation.model_validate_json(gpu_opt("why", "research", TWO_TEAMS, "--json").out)
    assert (found.kind, found.projects) == ("team", ("pretrain",))


def test_why_of_an_unknown_name_is_bad_input_before_anything_is_solved(gpu_opt: Command) -> None:
    ended = gpu_opt("why", "pretrian", TWO_TEAMS)
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean 'pretrain'" in ended.err


def grid_file(folder: Path, values: str) -> str:
    changes = f"changes: [{{change: resize_project, project: assistant, demand: {values}}}]"
    (folder / "grid.yaml").write_text(f"name: sizes\n{changes}\n", encoding="utf-8")
    return "grid.yaml"


def test_sweep_shows_every_point_and_what_turns(gpu_opt: Command, tmp_path: Path) -> None:
    grid = grid_file(tmp_path, '"each 8..40 by 16"')
    ended = gpu_opt("sweep", TWO_TEAMS, grid, "--workers", 2)
    assert ended.code == 0
    assert ended.out.startswith("sizes: 3 of 3 scenarios, as of 2026-11-23\n")
    assert "scenario 3 of 3" in ended.err
    found = Sweep.model_validate(gpu_opt("sweep", TWO_TEAMS, grid, "--json", "--quiet").document)
    assert [point.values for point in found.points] == [{"assistant: demand": str(n)} for n in (8, 24, 40)]


def test_sweep_names_the_value_at_which_a_scenario_cannot_be_meant(gpu_opt: Command, tmp_path: Path) -> None:
    change = "{change: set_guarantee, team: research, guarantee: each 100..110 by 10}"
    (tmp_path / "grid.yaml").write_text(f"name: promises\nchanges: [{change}]\n", encoding="utf-8")
    ended = gpu_opt("sweep", TWO_TEAMS, "grid.yaml", "--quiet")
    assert ended.code == 2
    assert "at research: guarantee 110: the guarantee 110 is above" in ended.err


def test_sweep_says_what_is_wrong_with_its_grid_or_its_cluster(gpu_opt: Command, tmp_path: Path) -> None:
    ended = gpu_opt("sweep", TWO_TEAMS, grid_file(tmp_path, "8"), "--quiet")
    assert (ended.code, "grid.yaml:2: error: changes: no value is written as 'each" in ended.err) == (2, True)
    ended = gpu_opt(
        "sweep", TWO_TEAMS, grid_file(tmp_path, '"each 8, 16"'), "--cluster", "nowhere", "--quiet"
    )
    assert ended.code == 2
    assert "--cluster: no scheduler answers at 'nowhere'" in ended.err
    both = gpu_opt("sweep", TWO_TEAMS, "grid.yaml", "--cluster", "tcp://x:1", "--workers", 2)
    assert both.code == 2
