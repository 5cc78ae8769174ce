"""What is made of the figures: exponents, and distances over time."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.growth import exponent, medians, report, time_to
from benchmarks.plots import gap_at, median_steps
from benchmarks.results import PLAN, Outcome, Where


def ran(projects: int, seed: int, limit: float, trace: tuple[tuple[float, float], ...]) -> Outcome:
    where = Where(lab=f"{projects} {seed}", family=str(projects), projects=projects, limit=limit)
    best = trace[-1][1]
    return Outcome(
        peer="ours", where=where, status=PLAN, objective=best, bound=100.0, trace=trace, memory=projects / 2
    )


def test_the_exponent_is_the_slope_where_both_axes_are_logarithmic() -> None:
    assert exponent({10: 3.0, 100: 300.0, 1000: 30_000.0}) == pytest.approx(2)
    assert exponent({10: 7.0, 1000: 7.0}) == pytest.approx(0)


def test_a_size_that_never_got_there_is_left_out_and_one_size_has_no_slope() -> None:
    assert exponent({10: 1.0, 100: 10.0, 1000: math.inf}) == pytest.approx(1)
    assert exponent({10: 1.0, 100: math.inf}) is None


def test_the_time_to_one_percent_is_when_the_plan_came_that_close_to_the_bound() -> None:
    run = ran(10, 1, 5.0, ((0.5, 90.0), (1.5, 98.9), (2.5, 99.0), (4.0, 99.9)))
    assert time_to(run, {"10 1": 100.0}) == 2.5
    assert time_to(run, {"10 1": 120.0}) == math.inf
    assert time_to(replace(run, bound=None), {}) == math.inf
    assert time_to(replace(run, bound=100.0), {}) == 2.5


def test_growth_is_from_the_run_with_the_most_time() -> None:
    runs = [
        ran(10, 1, 1.0, ((1.0, 50.0),)),
        ran(10, 1, 5.0, ((4.0, 99.5),)),
        ran(100, 1, 5.0, ((5.0, 99.5),)),
    ]
    assert medians(runs, lambda each: each.where.limit) == {10: 5.0, 100: 5.0}
    assert "| ours | 10: 4.0, 100: 5.0 | 0.10 | 10: 5, 100: 50 | 1.00 |" in report(runs)


def test_the_distance_over_time_is_that_of_the_best_plan_so_far() -> None:
    run = ran(10, 1, 5.0, ((1.0, 90.0), (2.0, 99.0)))
    assert gap_at(run, 100.0, 0.5) == math.inf
    assert gap_at(run, 100.0, 1.5) == pytest.approx(0.1)
    assert gap_at(run, 100.0, 2.0) == pytest.approx(0.01)


def test_the_median_has_no_line_while_half_of_the_seeds_have_no_plan() -> None:
    runs = [ran(10, seed, 5.0, ((float(seed), 90.0),)) for seed in (1, 2, 3)]
    bounds = {f"10 {seed}": 100.0 for seed in (1, 2, 3)}
    assert [moment for moment, _ in median_steps(runs, bounds)] == [2.0, 3.0, 5.0]


def test_where_nobody_proved_a_bound_of_the_penalty_form_a_line_is_drawn_by_the_own_one() -> None:
    run = ran(10, 1, 5.0, ((1.0, 90.0), (2.0, 99.0)))
    moments, gaps = zip(*median_steps([run], {}), strict=True)
    assert moments == (1.0, 2.0, 5.0)
    assert gaps == pytest.approx((0.1, 0.01, 0.01))
