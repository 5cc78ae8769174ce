"""The commands that plan: `allocate`, `reallocate` and `find`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from gpu_opt.files import dump
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Finding, Reallocation
from tests.building import TODAY, day, lab, pool, project, root, team
from tests.cli.commanding import TWO_TEAMS, Command, growing_lab


def test_allocate_prints_the_plan(gpu_opt: Command) -> None:
    ended = gpu_opt("allocate", TWO_TEAMS)
    assert ended.code == 0
    assert ended.out.startswith("two-teams: allocation for 2026-11-23\noptimal: proved, no plan is better\n")
    assert "objective 283.8" in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_progress_goes_to_stderr_unless_it_is_to_be_quiet(gpu_opt: Command) -> None:
    assert "verifying" in gpu_opt("allocate", TWO_TEAMS).err
    assert gpu_opt("allocate", TWO_TEAMS, "--quiet").err == ""


def test_json_is_the_library_s_result(gpu_opt: Command) -> None:
    ended = gpu_opt("allocate", TWO_TEAMS, "--json", "--quiet")
    plan = Allocation.model_validate_json(ended.out)
    assert plan.objective == pytest.approx(283.8)
    assert {(grant.project, grant.gpus) for grant in plan.grants} == {
        ("pretrain", 24),
        ("evals", 32),
        ("assistant", 32),
        ("tutor", 8),
    }


def test_options_reach_the_solve(gpu_opt: Command) -> None:
    words = ["--time-limit", "5", "--gap", "0.5%", "--threads", "1", "--seed", "7"]
    solve = gpu_opt("allocate", TWO_TEAMS, "--json", *words).document["run"]
    assert (solve["time_limit"], solve["gap"], solve["threads"], solve["seed"]) == (5.0, 0.005, 1, 7)


def test_the_day_can_be_chosen(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    plan = gpu_opt("allocate", file(growing_lab()), "--json", "--date", day(4)).document
    active = {one["project"]: one["active"] for one in plan["projects"]}
    assert plan["date"] == str(day(4))
    assert active == {"orion": False, "vega": True, "probes": True, "lyra": True}


@pytest.mark.parametrize("columns", ["0", "1", "80", "300"])
def test_tables_fit_the_terminal(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch, file: Callable[[Organization], Path], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    path = file(lab(projects=[project("多模态大模型预训练第四阶段实验项目", 8, sites=("iowa",))]))
    widest = max(map(cell_len, gpu_opt("allocate", path).out.splitlines()))
    assert 20 < widest <= {"0": 120, "1": 40}.get(columns, int(columns))


@pytest.mark.parametrize("horizon", ["28d", "4w", day(28)])
def test_a_horizon_is_days_weeks_or_a_date(
    gpu_opt: Command, file: Callable[[Organization], Path], horizon: object
) -> None:
    ended = gpu_opt("reallocate", file(growing_lab()), "--json", "--horizon", horizon)
    plan = Reallocation.model_validate_json(ended.out)
    assert ended.code == 0
    assert plan.until == day(28)


def test_a_horizon_ends_with_the_calendar(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    path = file(growing_lab().model_copy(update={"as_of": dt.date(9999, 12, 1)}))
    ended = gpu_opt("reallocate", path, "--horizon", "12w")
    assert ended.code == 2
    assert "--horizon: no calendar goes that far from 9999-12-01" in ended.err


def test_reallocate_says_who_hands_what_to_whom(
    gpu_opt: Command, file: Callable[[Organization], Path]
) -> None:
    ended = gpu_opt("reallocate", file(growing_lab()))
    assert ended.code == 0
    assert "orion (research), free since 2026-11-26" in ended.out
    assert "1 of 1 request met in time" in ended.out


def test_find_names_the_donors(gpu_opt: Command, file: Callable[[Organization], Path]) -> None:
    ended = gpu_opt("find", 8, "--type", "h100", "--by", day(10), "--team", "safety", file(growing_lab()))
    assert ended.code == 0
    assert "orion (research)" in ended.out
    assert "8 of 8" in ended.out


def test_find_says_by_exit_code_that_it_is_not_complete(
    gpu_opt: Command, file: Callable[[Organization], Path]
) -> None:
    ended = gpu_opt("find", 8, "--by", day(1), "--team", "safety", file(growing_lab()), "--json")
    found = Finding.model_validate_json(ended.out)
    assert ended.code == 3
    assert not found.in_time
    assert found.sentence


def test_find_says_which_cap_is_in_the_way(gpu_opt: Command, tmp_path: Path) -> None:
    organization = lab(
        pools=[pool("iowa", 32)],
        teams=[root(owner="ceo"), team("research", cap=16.0)],
        projects=[project("vega", 16, "research", holds={"iowa": 16})],
    )
    dump(organization, tmp_path / "lab.yaml")
    ended = gpu_opt("find", 8, "--by", day(10), "--team", "research", tmp_path / "lab.yaml")
    caps = ended.out[ended.out.index("Caps in the way") : ended.out.index("If those caps were raised")]
    assert ended.code == 3
    assert ["research", "reference", "GPUs", "16", "24", "Mon", str(TODAY), "ceo"] in map(
        str.split, caps.splitlines()
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--team", "reserach"], "--team: "),
        (["--team", "research", "--type", "h10"], "--type: "),
        (["--team", "research", "--site", "ohio"], "--site: "),
        (["--team", "research", "--priority", 0], "--priority: "),
    ],
)
def test_find_calls_what_does_not_fit_by_its_option(
    gpu_opt: Command, file: Callable[[Organization], Path], arguments: list[object], words: str
) -> None:
    ended = gpu_opt("find", 8, file(growing_lab()), "--quiet", "--by", day(10), *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {words}")


def test_find_tells_everything_that_does_not_fit_at_once(
    gpu_opt: Command, file: Callable[[Organization], Path]
) -> None:
    wrong = ["--team", "reserach", "--type", "h10", "--priority", 0]
    ended = gpu_opt("find", 8, file(growing_lab()), "--quiet", "--by", day(10), *wrong)
    assert ended.code == 2
    told = [line.split()[1] for line in ended.err.splitlines() if line.startswith("error: ")]
    assert told == ["--priority:", "--team:", "--type:"]
    assert "--priority: must be at least 0.001" in ended.err
