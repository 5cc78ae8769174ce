"""Where words go: data to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

import typer

from gpu_opt.errors import GpuOptError

if TYPE_CHECKING:
    from rich.console import RenderableType

LOG_WIDTH = 120
"""Columns where there is no terminal to ask: in a log file."""

NARROWEST = 40
"""Columns below which tables are left to the terminal to break."""

PIPE = 141
"""Exit code of a command whose reader went away: what shells report of their own tools."""


class OutputFailure(GpuOptError):
    """The result could not be written to stdout: the disk is full, for one."""


def write(text: str, encoding: str | None = None) -> None:
    """Write to stdout, at once; what its encoding lacks is written as an escape.

    Raises typer.Exit where the reader has gone away (``| head``), which is no error, and OutputFailure
    where the text cannot be written.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon(sys.stdout)
        raise typer.Exit(PIPE) from None
    except OSError as error:
        _abandon(sys.stdout)
        raise OutputFailure(f"the output could not be written: {error.strerror}") from error


def write_json(text: str) -> None:
    """Write JSON to stdout: in UTF-8 wherever it is, as its standard says."""
    write(text, encoding="utf-8")


def say(text: str) -> None:
    """Write to stderr; nobody reading it is no reason to stop."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)


def _abandon(stream: TextIO) -> None:
    """Send what is still buffered nowhere; Python would complain about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def show(renderable: RenderableType) -> None:
    """Write tables to stdout: in colour on a terminal, unless NO_COLOR says otherwise."""
    from rich.console import Console

    sheet = _Sheet()
    console = Console(
        file=sheet,
        width=width(),
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(renderable)
    write("\n".join(line.rstrip() for line in sheet.getvalue().rstrip().split("\n")))


class _Sheet(io.StringIO):
    """Text in memory that rich takes for stdout; only `write` knows what to do if stdout is broken."""

    encoding = property(lambda _self: sys.stdout.encoding)

    def isatty(self) -> bool:
        return sys.stdout.isatty()


def width() -> int:
    """Columns of the tables: COLUMNS, else those of the terminal, else those of a log."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(NARROWEST, int(columns))
    for descriptor in (1, 2, 0):  # the output may go to `less`, the errors to a file
        with contextlib.suppress(OSError):
            return max(NARROWEST, os.get_terminal_size(descriptor).columns)
    return LOG_WIDTH
