"""Where words go: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 120
"""Columns where nobody says how many there are: in a log file."""


def write(text: str) -> None:
    """Write to stdout, at once.

    Where the reader has gone away (``| head``), ends the command quietly as a shell's own tools do.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon(sys.stdout)
        raise typer.Exit(141) from None
    except OSError:
        _abandon(sys.stdout)
        raise


def _abandon(stream: TextIO) -> None:
    """What is still buffered goes nowhere; Python would complain about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say(text: str) -> None:
    """Write to stderr; nobody reading it is no reason to stop."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)


def show(renderable: RenderableType) -> None:
    """Write tables to stdout: in colour on a terminal, unless NO_COLOR says otherwise."""
    from rich.console import Console

    console = Console(
        file=sys.stdout,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        markup=False,
        highlight=False,
        emoji=False,
    )
    if not (console.is_terminal or os.environ.get("COLUMNS")):
        console.width = WIDTH
    with console.capture() as capture:
        console.print(renderable)
    write(capture.get().rstrip("\n"))
