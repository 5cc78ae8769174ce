"""From a command's arguments to its exit code: read, solve, show."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpu_opt.cli import arguments as args
from gpu_opt.cli.exporting import NOWHERE, Destinations, destinations, export
from gpu_opt.cli.failures import Code, Interrupted, line
from gpu_opt.cli.interrupts import interruptible
from gpu_opt.cli.output import say, show, write_json
from gpu_opt.errors import InvalidInput, NoPlanInTime
from gpu_opt.options import Cancel, Options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gpu_opt.organization import Organization
    from gpu_opt.plan import Result

MOST_WARNINGS = 10
"""Warnings that a solving command shows; `check` shows all."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every command is told about how to talk and how to solve."""

    as_json: bool
    quiet: bool
    time_limit: float
    gap: float
    threads: int | None
    seed: int
    work_limit: int | None
    to: Destinations = NOWHERE
    """Where the report goes."""


def settings(
    as_json: args.Json = False,
    quiet: args.Quiet = False,
    time_limit: args.TimeLimit = 20.0,
    gap: args.Gap = "0.01%",
    threads: args.Threads = None,
    seed: args.Seed = 0,
    work_limit: args.WorkLimit = None,
) -> Settings:
    """The options that every command takes, as they were typed, checked.

    Raises typer.BadParameter if one of them cannot be meant.
    """
    seconds, share = args.parse_seconds(time_limit), args.parse_gap(gap)
    return Settings(as_json, quiet, seconds, share, threads, seed, work_limit)


def with_settings(command: Callable[..., int], *, reports: bool = False) -> Callable[..., int]:
    """Give a command, after its own parameters, those of :func:`settings`; their result is its first one.

    One that `reports` gets those of :func:`gpu_opt.cli.exporting.destinations` between them.
    """
    own = _parameters(command)[1:]
    shared, places = _parameters(settings), _parameters(destinations) if reports else []

    def run(**typed: Any) -> int:
        how = settings(**{one.name: typed.pop(one.name) for one in shared})
        to = destinations(**{one.name: typed.pop(one.name) for one in places})
        how = dataclasses.replace(how, to=to)
        try:
            return command(how, **typed)
        except KeyboardInterrupt:
            raise Interrupted("interrupted: the command was abandoned") from None

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature([*own, *places, *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*own, *places, *shared)}
    return run


with_report = functools.partial(with_settings, reports=True)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


@contextlib.contextmanager
def solving(how: Settings, file: str) -> Iterator[tuple[Organization, Options]]:
    """Read the organization; show progress and obey signals until the block has its result.

    Raises InvalidInput if the file has an error, Interrupted if it is stopped before there is a plan, and
    KeyboardInterrupt if it is abandoned.
    """
    from gpu_opt.progress import display, is_live

    cancel = Cancel()
    live = not how.quiet and is_live(sys.stderr)
    showing = contextlib.nullcontext() if how.quiet else display(sys.stderr, cancel)
    try:
        with interruptible(cancel, announce=not live), showing as progress:
            options = Options(
                how.time_limit,
                how.gap,
                seed=how.seed,
                work_limit=how.work_limit,
                progress=progress,
                cancel=cancel,
            )
            if how.threads is not None:
                options = dataclasses.replace(options, threads=how.threads)
            yield _read(file, cancel), options
    except NoPlanInTime as failure:
        if cancel.is_set():
            raise Interrupted("interrupted before there was a plan") from failure
        raise


def _read(file: str, cancel: Cancel) -> Organization:
    """Read an organization, with its warnings on stderr."""
    from gpu_opt import files

    organization, problems = files.read(file)
    if organization is None:
        raise InvalidInput(problems, file)
    for problem in problems[:MOST_WARNINGS]:
        say(line(problem, file))
    if more := problems[MOST_WARNINGS:]:
        say(f"... and {len(more):,} more: gpu-opt check {file}")
    if cancel.is_set():
        raise Interrupted("interrupted before there was a plan")
    return organization


def present(
    result: Result,
    tables: Callable[[], RenderableType],
    how: Settings,
    options: Options,
    code: Code = Code.PLAN,
) -> int:
    """Write the result's report, print it as JSON or as tables, and return the exit code.

    That is `code`, unless the command was interrupted, or the report could not be written.
    """
    written = export(result, how.to)
    if how.as_json:
        write_json(result.model_dump_json(indent=2))
    else:
        show(tables())
    if not written:
        return Code.INTERNAL
    return Code.INTERRUPTED if options.cancel.is_set() else code
