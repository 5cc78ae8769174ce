"""What the peers hand in and tell on their way."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from benchmarks.generator import Dials, generate
from benchmarks.peer import Plan, Run, Task
from benchmarks.peers import cbc
from benchmarks.peers.gpu_optimizer import forget_later
from gpu_opt import Progress
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer


class Channel:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, what: Any) -> None:
        self.sent.append(what)


@pytest.mark.parametrize("start", [True, False])
def test_a_cbc_that_finds_nothing_has_the_plan_that_it_was_given(
    start: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Answer(SolverStatus.NO_SOLUTION, Stop.TIME, None, None, 1.0)
    monkeypatch.setattr(cbc, "run_cbc", lambda *_, **__: nothing)
    channel: Any = Channel()
    cbc.solve(Task(generate(Dials(20, 4)), 5.0), Run(channel, 5.0), start=start)
    plans = [each for each in channel.sent if isinstance(each, Plan)]
    assert [bool(each.grants) for each in plans] == [True] * start


def test_where_a_promise_is_kept_better_what_tiers_reached_is_not_known_any_more() -> None:
    weights = {"guarantee_level_1": Fraction(-9), "value_tier_1": Fraction(1), "moves": Fraction(0)}
    best = {"guarantee_level_1": 5.0, "value_tier_1": 40.0, "moves": 0.0}
    forget_later(best, weights, Progress("guarantee_level_1", 1.0, best=5.0))
    assert len(best) == 3
    forget_later(best, weights, Progress("guarantee_level_1", 1.0, best=4.0))
    assert best == {"guarantee_level_1": 5.0, "moves": 0.0}
