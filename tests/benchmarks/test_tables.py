"""What a table says: medians, worst cases, distances to the best bound that anybody proved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import INFEASIBLE, NONE, PLAN, SKIPPED, Outcome, Where, read, write
from benchmarks.tables import COLUMNS, best_bounds, distance, remarks, table


def ran(peer: str, lab: str = "a", objective: float | None = None, **fields: Any) -> Outcome:
    status = fields.pop("status", NONE if objective is None else PLAN)
    where = Where(lab=lab, family="all", projects=10, limit=1.0)
    return Outcome(peer=peer, where=where, status=status, objective=objective, **fields)


def cells(outcomes: Sequence[Outcome], peer: str) -> list[str]:
    lines = table(outcomes, best_bounds(outcomes)).splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return next(row for row in found if row[0] == peer)


def test_the_best_bound_is_the_least_that_anybody_proved_of_the_penalty_form() -> None:
    outcomes = [
        ran("x", objective=90.0, bound=110.0),
        ran("y", bound=100.0),
        ran("ours", objective=95.0, bound=96.0, is_lexicographic=True),
    ]
    assert best_bounds(outcomes) == {"a": 100.0}
    assert distance(outcomes[0], best_bounds(outcomes)) == pytest.approx(0.1)


def test_a_bound_that_a_plan_beats_is_nobodys_bound_and_is_named() -> None:
    outcomes = [ran("x", objective=99.0, bound=101.0), ran("liar", bound=98.0)]
    assert best_bounds(outcomes) == {"a": 101.0}
    assert any("liar" in told for told in remarks(outcomes))


def test_median_and_worst_are_over_the_seeds() -> None:
    outcomes = [
        ran("x", lab=str(seed), objective=objective, bound=100.0, shortfall=0.0, first_plan=1.0, memory=50.0)
        for seed, objective in enumerate([99.0, 90.0, 98.0])
    ]
    row = dict(zip(COLUMNS, cells(outcomes, "x"), strict=False))
    assert row["plans"] == "3 of 3"
    assert row["objective"] == "98"
    assert cells(outcomes, "x")[4:6] == ["2.000%", "10.000%"]


def test_a_run_without_a_plan_is_the_worst_there_can_be() -> None:
    good = [ran("x", lab=str(seed), objective=99.0, bound=100.0) for seed in range(2)]
    assert cells([*good, ran("x", lab="2")], "x")[1:6] == ["2 of 3", "99", "100", "1.000%", "–"]
    assert cells([good[0], ran("x", lab="1"), ran("x", lab="2")], "x")[1:6] == ["1 of 3", *["–"] * 4]


def test_a_refused_plan_counts_for_nothing_and_is_told() -> None:
    outcomes = [ran("x", status=INFEASIBLE, remark="pool_capacity: iowa: 8 GPUs granted, 4 allowed")]
    assert cells(outcomes, "x")[1:4] == ["0 of 1, 1 infeasible", "–", "–"]
    assert "pool_capacity" in remarks(outcomes)[0]


def test_a_peer_that_is_not_installed_is_skipped_with_the_reason() -> None:
    assert cells([ran("x", status=SKIPPED, remark="not installed: solverpy")], "x")[1] == (
        "skipped: not installed: solverpy"
    )


def test_a_gap_of_other_goals_is_marked() -> None:
    outcomes = [ran("ours", objective=99.0, bound=100.0, is_lexicographic=True)]
    assert cells(outcomes, "ours")[3:7] == ["100*", "–", "–", "1.000%*"]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    outcomes = [ran("x", objective=90.0, bound=110.0, trace=((0.5, 80.0), (1.0, 90.0))), ran("y")]
    write(outcomes, tmp_path, "latest", {"machine": "a small one"})
    assert read([tmp_path / "latest.json"]) == outcomes
    assert (tmp_path / "latest.csv").read_text(encoding="utf-8").count("\n") == 3
