"""Pipes, terminals, closed streams and full disks."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from gpu_opt import store
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation
from tests.building import lab, project
from tests.cli.commanding import TWO_TEAMS, Command, process


def pipe_without_reader() -> IO[str]:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def test_a_reader_that_goes_away_is_no_error() -> None:
    with pipe_without_reader() as pipe:
        command = process("schema", stdout=pipe)
    _, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (141, "")


@pytest.mark.parametrize("arguments", [["schema"], ["allocate", TWO_TEAMS, "--json", "--gap", "small"]])
def test_neither_results_nor_errors_need_a_reader(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    with pipe_without_reader() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert gpu_opt(*arguments).code == 141


def test_progress_that_nobody_reads_does_not_stop_the_solve() -> None:
    with pipe_without_reader() as pipe:
        command = process("allocate", TWO_TEAMS, stderr=pipe)
    out, _ = command.communicate(timeout=60)
    assert command.returncode == 0
    assert "optimal: proved" in out


def test_errors_that_nobody_reads_still_have_their_code(
    gpu_opt: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipe_without_reader() as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        assert gpu_opt("allocate", "no_such_file.yaml").code == 2


def with_closed(streams: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command from a shell that closes streams, as ``>&-`` and ``2>&-`` do."""
    words = [sys.executable, "-c", "from gpu_opt.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", *words], capture_output=True, text=True, check=False
    )


def test_a_closed_stdout_is_an_output_that_cannot_be_written() -> None:
    ended = with_closed(">&-", "allocate", TWO_TEAMS, "--quiet")
    assert ended.returncode == 1
    assert ended.stderr == f"gpu-opt: the output could not be written: {os.strerror(errno.EBADF)}\n"


def test_a_closed_stderr_is_read_by_nobody() -> None:
    ended = with_closed("2>&-", "allocate", TWO_TEAMS, "--json")
    assert ended.returncode == 0
    assert Allocation.model_validate_json(ended.stdout).grants


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nights.db'}"
    assert with_closed("<&- 2>&-", "nightly", TWO_TEAMS, "--store", url).returncode == 0
    assert len(store.history(url, "two-teams", 10)) == 1


def test_a_full_disk_is_said_so(gpu_opt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        ended = gpu_opt("allocate", TWO_TEAMS, "--quiet")
    assert ended.code == 1
    assert ended.err == f"gpu-opt: the output could not be written: {os.strerror(errno.ENOSPC)}\n"


def on_a_terminal(no_color: str) -> str:
    """What `allocate` writes to stdout if that is a terminal."""
    terminal, end = pty.openpty()
    command = process("allocate", TWO_TEAMS, "--quiet", stdout=end, TERM="xterm-256color", NO_COLOR=no_color)
    os.close(end)
    written = b"".join(until_closed(terminal))
    command.communicate(timeout=60)
    return written.decode()


def until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        if not piece:
            os.close(terminal)
            return
        yield piece


def test_a_terminal_has_colour_unless_it_is_not_wanted() -> None:
    assert "\x1b[" in on_a_terminal(no_color="")
    assert "\x1b[" not in on_a_terminal(no_color="1")


@pytest.mark.parametrize("as_json", [True, False])
def test_names_survive_an_output_without_unicode(file: Callable[[Organization], Path], as_json: bool) -> None:
    path = file(lab(projects=[project("推理", 8)]))
    flags = ["--quiet", "--json"] if as_json else ["--quiet"]
    command = process("allocate", path, *flags, PYTHONIOENCODING="ascii")
    out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, "")
    assert ("推理" if as_json else "\\u63a8\\u7406") in out
