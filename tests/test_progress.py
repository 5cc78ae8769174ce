"""How far a solve is: a live line on a terminal, few plain lines in a log."""

from __future__ import annotations

import io

import pytest

from gpu_opt.options import Cancel, Progress
from gpu_opt.progress import display, is_live, line, plain


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that stands still until it is told the time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Broken(io.StringIO):
    """A pipe whose reader has gone away."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0

    def write(self, _text: str) -> int:
        self.tries += 1
        raise BrokenPipeError


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_a_line_says_phase_best_bound_and_gap() -> None:
    report = Progress("value_tier_1", 3.0, best=1980.0, bound=2000.0)
    assert line(report) == "   3.0 s  value, tier 1: best 1,980, bound 2,000, gap 1.00%"


def test_what_is_unknown_is_left_out() -> None:
    assert line(Progress("building", 0.5)) == "   0.5 s  building"
    assert line(Progress("moves", 1.0, bound=7.0)) == "   1.0 s  moves: bound 7"


def test_a_log_gets_a_line_for_every_phase() -> None:
    log, clock = io.StringIO(), Clock()
    report = plain(log, clock)
    for phase in ("building", "value_tier_1", "verifying"):
        report(Progress(phase, 0.1))
    assert [text.split("  ")[-1] for text in log.getvalue().splitlines()] == [
        "building",
        "value, tier 1",
        "verifying",
    ]


def test_a_log_gets_a_line_every_two_seconds_within_a_phase() -> None:
    log, clock = io.StringIO(), Clock()
    report = plain(log, clock)
    for seconds in range(10):
        clock.seconds = seconds / 2
        report(Progress("value_tier_1", clock.seconds))
    assert [text.split()[0] for text in log.getvalue().splitlines()] == ["0.0", "2.0", "4.0"]


def test_nobody_reading_the_log_does_not_stop_the_solve() -> None:
    pipe = Broken()
    report = plain(pipe, Clock())
    report(Progress("building", 0.0))
    report(Progress("verifying", 0.0))
    assert pipe.tries == 1


def test_a_log_gets_plain_lines() -> None:
    log = io.StringIO()
    with display(log, Cancel()) as report:
        report(Progress("building", 0.0))
    assert log.getvalue() == "   0.0 s  building\n"


def test_a_terminal_gets_one_live_line(terminal: Terminal) -> None:
    with display(terminal, Cancel()) as report:
        report(Progress("value_tier_1", 3.0, best=1980.0, bound=2000.0))
    assert "value, tier 1: best 1,980, bound 2,000, gap 1.00%" in terminal.getvalue()


def test_the_live_line_is_gone_at_the_end(terminal: Terminal) -> None:
    with display(terminal, Cancel()) as report:
        report(Progress("building", 0.0))
    erase = "\x1b[2K"
    assert terminal.getvalue().rindex("building") < terminal.getvalue().rindex(erase)


def test_the_live_line_answers_an_interrupt(terminal: Terminal) -> None:
    cancel = Cancel()
    with display(terminal, cancel) as report:
        report(Progress("building", 0.0))
        cancel.set()
    assert "stopping" in terminal.getvalue()


def test_a_live_line_fits_a_narrow_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    with display(terminal, Cancel()) as report:
        report(Progress("guarantee_level_2", 100.0, best=123456.0, bound=123456.0))
    assert "…" in terminal.getvalue()
    assert "123,456" not in terminal.getvalue()


def test_a_dumb_terminal_is_a_log(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_live(terminal)
    monkeypatch.setenv("TERM", "dumb")
    assert not is_live(terminal)
    assert not is_live(io.StringIO())
