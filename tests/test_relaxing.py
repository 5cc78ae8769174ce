"""The relaxation of a goal: proofs beside its dive, and neither of them where there is no time for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.generator import Dials
from gpu_opt.allocation import relaxing
from gpu_opt.allocation.strategy import whole
from gpu_opt.allocation.strategy.crew import Crew, Job
from gpu_opt.allocation.strategy.sifting import FEW_ARCS
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.options import Cancel, Options
from gpu_opt.solver import Answer, Effort, solve
from tests.programs import LONG
from tests.searching import relaxed, stage_of

LAB = Dials(projects=60, pools=6)


def test_a_dive_is_not_begun_when_time_is_over() -> None:
    stage = relaxed(LAB)
    assert stage.guide is not None
    assert next(relaxing._dives(stage, stage.guide), None) is not None
    stage.until = 0.0
    assert next(relaxing._dives(stage, stage.guide), None) is None


@pytest.mark.parametrize(("far", "misses", "dives"), [(1.0, False, 0), (0.0, False, 1), (1.0, True, 1)])
def test_a_plan_that_is_close_to_begin_with_needs_no_dive(
    far: float, misses: bool, dives: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that misses promises may have much value; it is not close to one that keeps them."""
    dived: list[object] = []
    monkeypatch.setattr(relaxing, "_dive", lambda *told: dived.append(told))
    monkeypatch.setattr(relaxing, "FAR", far)
    stage = stage_of(LAB)
    aim = stage.aim
    if misses:
        aim = replace(aim, held=tuple(value + 1.0 for value in aim.held))
    with Crew(stage.options) as crew:
        assert relaxing.ask_relaxation(stage, crew, aim) is not None
    assert len(dived) == dives


@pytest.mark.parametrize(("left", "is_solved"), [(60.0, True), (1e-4, False)])
def test_a_relaxation_is_not_written_when_there_is_no_time_to_solve_it(
    left: float, is_solved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of(LAB)
    monkeypatch.setattr(type(stage), "seconds_left", left)
    with Crew(stage.options) as crew:
        assert (relaxing.ask_relaxation(stage, crew) is not None) is is_solved


def test_what_prices_prove_counts_where_there_is_no_time_for_a_linear_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = stage_of(Dials(projects=500, pools=20))
    assert len(stage.incumbent.instance.arcs.pool) > FEW_ARCS
    before = stage.bound
    monkeypatch.setattr(relaxing, "relaxation_of", lambda *_: pytest.fail("there is no time for it"))
    monkeypatch.setattr(type(stage), "seconds_left", 1e-4)
    with Crew(stage.options) as crew:
        assert relaxing.ask_relaxation(stage, crew) is None
    assert stage.value <= stage.bound < before


def test_known_prices_are_kept_where_there_is_no_time_for_better_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Promises cannot be kept as far as was hoped, and that costs more than another relaxation is worth."""
    stage = relaxed(LAB)
    guide = stage.guide
    assert guide is not None
    monkeypatch.setattr(relaxing, "is_near_enough", lambda *_: False)
    monkeypatch.setattr(type(stage), "seconds_left", 1e-4)
    with Crew(stage.options) as crew:
        assert relaxing.ask_relaxation(stage, crew) is not None
    assert stage.guide is not None
    assert stage.guide.aim == stage.aim
    assert stage.guide.prices == guide.prices


@pytest.mark.parametrize("options", [Options(threads=1), Options(threads=2, work_limit=8)])
def test_nothing_is_proved_beside_a_dive_on_one_thread_or_where_work_is_limited(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> Iterator[Job]:
        yield Job(lambda _task, _cancel: pytest.fail("a proof beside the dive"), None, lambda _: None)

    monkeypatch.setattr(relaxing, "early_jobs", refused)
    stage = stage_of(Dials(projects=60, pools=6))
    stage.clock.options = options
    with Crew(options) as crew:
        assert relaxing.ask_relaxation(stage, crew) is not None


def test_clp_gets_a_relaxation_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    efforts = []

    def recording(*arguments: Any, effort: Effort, **options: Any) -> Answer:
        efforts.append(effort)
        return solve(*arguments, effort=effort, **options)

    monkeypatch.setattr(whole, "solve", recording)
    relaxed(LAB)
    assert set(efforts) == {Effort.UNSCALED}


def test_proofs_are_worked_on_while_a_dive_is_under_way() -> None:
    proved = threading.Event()
    job = Job(lambda _task, _cancel: proved.set(), None, lambda _: None)
    units = np.arange(3.0)

    def dive(_cancel: Cancel) -> Floats:
        assert proved.wait(LONG)
        return units

    with Crew(Options(threads=2)) as crew:
        assert relaxing._beside(crew, dive, iter([job])) is units
