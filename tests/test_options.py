"""Limits, the switch that cancels, and gaps."""

from __future__ import annotations

import dataclasses
import math

import pytest

from gpu_opt.options import Cancel, Options, Progress, relative_gap


@pytest.mark.parametrize(
    ("value", "bound", "gap"),
    [(99, 100, 0.01), (100, 99, 0.01), (-99, -100, 0.01), (0, 0, 0), (0, 5, 1), (5, 0, 1), (-1, 1, 2)],
)
def test_a_gap_is_relative_to_the_larger_of_value_and_bound(value: float, bound: float, gap: float) -> None:
    assert relative_gap(value, bound) == pytest.approx(gap)


def test_progress_has_a_gap_once_it_has_both_a_plan_and_a_bound() -> None:
    assert Progress("value_tier_1", 1.0).gap is None
    assert Progress("value_tier_1", 1.0, best=99).gap is None
    assert Progress("value_tier_1", 1.0, bound=100).gap is None
    assert Progress("value_tier_1", 1.0, best=99, bound=100).gap == pytest.approx(0.01)


def test_a_switch_is_thrown_with_its_parent_but_not_the_other_way_round() -> None:
    night = Cancel()
    goal = Cancel(night)
    goal.set()
    assert goal.is_set()
    assert not night.is_set()
    neighbourhood = Cancel(night)
    assert not neighbourhood.is_set()
    night.set()
    assert neighbourhood.is_set()


def test_every_call_has_a_switch_of_its_own() -> None:
    Options().cancel.set()
    assert not Options().cancel.is_set()


def test_options_cannot_be_changed_while_a_solve_reads_them() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Options().gap = 0.5  # type: ignore[misc]


def test_options_that_cannot_be_meant_are_told_all_at_once() -> None:
    with pytest.raises(
        ValueError,
        match=r"time_limit is nan; .* gap is 1\.5; .* threads is 0; .* seed is -1; .* work_limit is 0; ",
    ):
        Options(time_limit=math.nan, gap=1.5, threads=0, seed=-1, work_limit=0)


def test_the_defaults_suit_a_terminal() -> None:
    options = Options()
    assert (options.time_limit, options.gap, options.seed, options.progress) == (20.0, 0.0001, 0, None)
    assert options.threads >= 1
