"""The only place where CBC runs.

PuLP builds the program and reads the answer; the process itself is ours, because PuLP hides it: we
read CBC's progress from its output, stop it with SIGINT when somebody cancels (it then writes its
best solution; SIGTERM would lose it), and hold it to the wall clock.

What CBC says and what is true are two things. The table of truth is :func:`_judge`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop

if TYPE_CHECKING:
    import pulp

log = logging.getLogger(__name__)

UNSOUND = "made integer"
"""What CBC's preprocessing (cbcbox 2.929) says when it turns continuous variables into integers. It then
also rounds bounds such as 7.5, and calls optimal what is not; a test has the smallest example that we
found. Answers that were preprocessed so prove nothing; solutions are solutions all the same."""

GRACE = 2.0
"""Seconds that CBC has, after it was asked to stop, before it is killed."""


class SolverStatus(StrEnum):
    """What an answer of CBC proves."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """It has a solution; nothing is known of the best beyond `bound`."""
    NO_SOLUTION = "no solution"
    """It found none before it stopped. That is not "infeasible"."""
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What CBC found. The values are in the problem's variables if :attr:`has_solution`.

    The integers are a solution's. The continuous values are too when the status is optimal; when CBC was
    stopped it has been seen (cbcbox 2.929) to write continuous values that do not belong to its
    integers, so callers derive them from the integers.
    """

    status: SolverStatus
    stop: Stop
    objective: float | None
    """In the sense of the problem, to the digits that CBC prints unless optimal; None without a solution."""
    bound: float | None
    """Proven, rounded outward by the digits that CBC prints; None if it proved nothing."""
    seconds: float

    @property
    def has_solution(self) -> bool:
        """Whether the variables carry a feasible solution."""
        return self.status in {SolverStatus.OPTIMAL, SolverStatus.FEASIBLE}


Names = tuple[list[str], list[str], list[str]]
"""Columns and rows as the model file calls them, and the columns as PuLP does."""

OnProgress = Callable[[float | None, float | None], None]
"""Called with the best objective and the bound so far, in the sense of the problem."""


def solve(
    problem: pulp.LpProblem,
    options: Options,
    *,
    seconds: float,
    gap: float = 0.0,
    start: bool = False,
    relax: bool = False,
    preprocess: bool = False,
    on_progress: OnProgress | None = None,
) -> Answer:
    """Solve a program with CBC (with Clp alone, where it has no integers, or with `relax`).

    `relax` drops the integrality; `seconds` is the wall-clock limit, `gap` the relative gap at which to
    stop. With `start`, the values now in the variables are CBC's first solution. Duals are left in the
    constraints. `preprocess` makes many programs faster but costs the proof, see :data:`UNSOUND`.

    Raises SolverFailure if CBC cannot be started or its answer cannot be read, SolverDied if it was
    killed or crashed.
    """
    begun = time.monotonic()
    if seconds <= 0 or options.cancel.is_set():
        return Answer(SolverStatus.NO_SOLUTION, _stop_of(options.cancel), None, None, 0.0)
    sign = -1.0 if problem.sense < 0 else 1.0  # PuLP hands CBC a minimization, always
    report = None if on_progress is None else _signed(on_progress, sign)
    with _workspace() as folder:
        args, names = _command(problem, options, folder, seconds, gap, start, relax, preprocess)
        output = _run(args, folder, options.cancel, begun + seconds, report)
        text = output.decode("utf-8", "replace")
        solution = folder / "solution.sol"
        head = _first_line(solution)
        status, stop = _judge(head, text, options.cancel)
        if status in {SolverStatus.OPTIMAL, SolverStatus.FEASIBLE}:
            _read_solution(problem, solution, names)
    objective = _objective(problem, status, text, sign)
    bound = _bound(text, status, None if objective is None else sign * objective)
    return Answer(status, stop, objective, None if bound is None else sign * bound, time.monotonic() - begun)


def versions() -> dict[str, str]:
    """Versions of gpu_opt, PuLP and CBC (the wheel that brings it), for a plan's record."""
    return {"gpu_opt": version("gpu-opt"), "pulp": version("pulp"), "cbc": f"cbcbox {version('cbcbox')}"}


def _stop_of(cancel: Cancel) -> Stop:
    return Stop.INTERRUPTED if cancel.is_set() else Stop.TIME


def _signed(report: OnProgress, sign: float) -> OnProgress:
    def call(best: float | None, bound: float | None) -> None:
        report(None if best is None else sign * best, None if bound is None else sign * bound)

    return call


@contextlib.contextmanager
def _workspace() -> Iterator[Path]:
    """Make a folder for one solve: CBC does not overwrite an existing solution file."""
    try:
        with tempfile.TemporaryDirectory(prefix="gpu_opt-") as name:
            yield Path(name)
    except OSError as error:
        raise SolverFailure(f"the solve's temporary files could not be written: {error}") from error


def _command(
    problem: pulp.LpProblem,
    options: Options,
    folder: Path,
    seconds: float,
    gap: float,
    start: bool,
    relax: bool,
    preprocess: bool,
) -> tuple[list[str], Names]:
    """Write the model, and the start; return CBC's command line and the names in the file."""
    import cbcbox
    import pulp

    model = folder / "model.mps"
    columns, rows, _objective, pulp_names = problem.writeMPS(str(model), rename=True, mip=not relax)
    is_mip = bool(problem.isMIP()) and not relax
    args = [cbcbox.cbc_bin_path(), str(model)]
    if is_mip:
        if start:
            mip_start = folder / "start.mst"
            pulp.COIN_CMD().writesol(str(mip_start), problem, columns, rows)
            args += ["-mips", str(mip_start)]
        if options.threads > 1:  # one thread is CBC's default; asking for it starts a second one
            args += ["-threads", str(options.threads)]
        args += ["-ratio", repr(gap)]
        args += [] if preprocess else ["-preprocess", "off"]
        if options.seed:  # CBC's own default seed is its best; saying 0 is not the same as saying nothing
            args += ["-randomCbcSeed", str(options.seed)]
    # We stop CBC at the limit ourselves: its own clock is a reserve for the case that we are killed, and
    # it has been seen to abort when its limit falls into preprocessing.
    args += ["-sec", f"{seconds + GRACE:.3f}", "-timeMode", "elapsed"]
    args += ["-solve" if is_mip else "-initialSolve"]
    args += ["-printingOptions", "all", "-solution", str(folder / "solution.sol")]
    return args, (columns, rows, pulp_names)


def _run(args: list[str], folder: Path, cancel: Cancel, deadline: float, report: OnProgress | None) -> bytes:
    """Run CBC to its end and return its output; stop it when cancelled or past its time."""
    try:
        process = subprocess.Popen(
            args,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on, once
        )
    except OSError as error:
        raise SolverFailure(f"CBC could not be started: {error}") from error
    with process:
        try:
            output, asked = _follow(process, cancel, deadline, report)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0 and not asked:  # SIGINT kills it if it comes before CBC listens
        tail = output.decode("utf-8", "replace").strip().splitlines()[-5:]
        cause = (
            f"was killed by signal {-process.returncode}"
            if process.returncode < 0
            else f"failed with exit code {process.returncode}"
        )
        raise SolverDied(f"CBC {cause}; its last words: " + " | ".join(tail))
    return output


def _follow(
    process: subprocess.Popen[bytes], cancel: Cancel, deadline: float, report: OnProgress | None
) -> tuple[bytes, bool]:
    """Read the output until the end; True if the process was asked to stop."""
    assert process.stdout is not None
    output = bytearray()
    best: float | None = None
    bound: float | None = None
    asked = math.inf
    forced = False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if cancel.is_set() or now > deadline:
                asked = min(asked, now)
                if now > asked + GRACE and not forced:
                    log.warning("CBC did not stop when asked to, and was killed")
                    process.kill()
                    forced = True
                process.send_signal(signal.SIGINT)  # again and again: between its phases CBC forgets it
            if not selector.select(timeout=0.1):
                continue
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                return bytes(output), asked < math.inf
            output += chunk
            if report is not None:
                best, bound = _progress_of(chunk, best, bound)
                report(best, bound)


_INCUMBENT = re.compile(rb"Integer solution of (\S+) found")
_NODES = re.compile(rb"Cbc0010I .* (\S+) best solution, best possible (\S+)")
_ROOT = re.compile(rb"(?:Continuous objective value is |Cbc0013I .* to )([-+\d.e]+)")


def _progress_of(chunk: bytes, best: float | None, bound: float | None) -> tuple[float | None, float | None]:
    """Update incumbent and bound, for display only, from a piece of CBC's output."""
    for line in chunk.splitlines():
        if match := _INCUMBENT.search(line):
            best = _number(match.group(1))
        elif match := _NODES.search(line):
            best, bound = _number(match.group(1)), _number(match.group(2))
        elif match := _ROOT.search(line):
            bound = _number(match.group(1))
    return best, bound


def _number(text: bytes) -> float | None:
    """A number of CBC's output; None for its ways to say "none yet" (1e+50) or a line cut in two."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e40 else None


def _first_line(solution: Path) -> str:
    if not solution.exists():
        return ""
    with solution.open(encoding="utf-8") as file:
        return file.readline()


def _judge(head: str, output: str, cancel: Cancel) -> tuple[SolverStatus, Stop]:
    """Decide what CBC's answer proves, from its solution file's first line and its output.

    | solution file says | it means |
    |---|---|
    | Optimal | proved, unless the output adds "within gap tolerance", or that it was stopped |
    | Stopped ..., no integer solution | nothing |
    | Stopped ... | feasible |
    | Infeasible, Integer infeasible | infeasible (callers that know a solution do not believe it) |
    | nothing | it was stopped before it had anything |
    """
    if head.startswith("Optimal") and _STOPPED.search(output):
        return SolverStatus.FEASIBLE, _stop_of(cancel)
    if head.startswith("Optimal"):
        if UNSOUND in output:
            return SolverStatus.FEASIBLE, Stop.GAP
        if "within gap tolerance" in head or "(within gap tolerance)" in output:
            return SolverStatus.FEASIBLE, Stop.GAP
        return SolverStatus.OPTIMAL, Stop.PROVED
    if head.startswith(("Infeasible", "Integer infeasible")):
        # CBC has been seen to say so when its time ran out in preprocessing
        if "time limit" in output or cancel.is_set():
            return SolverStatus.NO_SOLUTION, _stop_of(cancel)
        return SolverStatus.INFEASIBLE, Stop.PROVED
    if head.startswith("Unbounded"):
        return SolverStatus.UNBOUNDED, Stop.PROVED
    if head.startswith("Stopped") and "no integer solution" not in head and "Result - " in output:
        return SolverStatus.FEASIBLE, _stop_of(cancel)
    return SolverStatus.NO_SOLUTION, _stop_of(cancel)


_PARTIAL = re.compile(r"Cbc0005I .*\(best possible (\S+)\), took \d+ iterations and (\d+) nodes")
_INTEGER_GAP = re.compile(r"Cbc0011I Exiting as integer gap of (\S+) less")
_ROOT_BEGUN = re.compile(r"Cbc0013I At root node, .* changed objective from (\S+) to")
_CONTINUOUS = re.compile(r"^Continuous objective value is (\S+)", re.MULTILINE)
_VALUE = re.compile(r"^Objective value:\s+(\S+)", re.MULTILINE)
_STOPPED = re.compile(r"Exiting on maximum time|Exiting on user event|ctrl-c", re.IGNORECASE)


def _bound(output: str, status: SolverStatus, objective: float | None) -> float | None:
    """The proven lower bound of the minimization that CBC was given.

    CBC prints six to eight digits; the bound is moved outward by half of the last one. Not every number
    that CBC calls a bound is one: when it is stopped inside the root's cut loop, the value of an
    unfinished linear program is printed as "best possible" (4e+10 has been seen), and "Lower bound"
    repeats the incumbent as if it were proved. So a "best possible" counts only if a node was
    finished, "Lower bound" never does, and nothing counts that a solution contradicts.
    """
    if status is SolverStatus.OPTIMAL:
        return objective
    bounds = [_outward(text, digits=6) for text in _CONTINUOUS.findall(output)[:1]]
    if UNSOUND in output:
        return bounds[0] if bounds else None
    bounds += [_outward(text, digits=8) for text in _ROOT_BEGUN.findall(output)]
    bounds += [_outward(text, digits=8) for text, nodes in _PARTIAL.findall(output) if int(nodes) > 0]
    if objective is not None and not _STOPPED.search(output):
        gaps = [float(text) for text in _INTEGER_GAP.findall(output)]
        bounds += [objective - gap - _half_digit(gap, 8) for gap in gaps]
    ceiling = math.inf if objective is None else objective + 1e-6 * (1 + abs(objective))
    return max((bound for bound in bounds if bound <= ceiling), default=None)


def _objective(problem: pulp.LpProblem, status: SolverStatus, output: str, sign: float) -> float | None:
    if status is SolverStatus.OPTIMAL:
        return float(problem.objective.value() or 0.0) if problem.objective is not None else 0.0
    if status is SolverStatus.FEASIBLE and (match := _VALUE.search(output)):
        return sign * float(match.group(1))
    return None


def _outward(text: str, digits: int) -> float:
    value = float(text)
    return value - _half_digit(value, digits)


def _half_digit(value: float, digits: int) -> float:
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1) if value else 0.0


def _read_solution(problem: pulp.LpProblem, solution: Path, names: Names) -> None:
    """Put the values, reduced costs and duals of CBC's solution file into the PuLP problem."""
    import pulp

    columns, rows, pulp_names = names
    _, values, reduced, duals, activity, _ = pulp.COIN_CMD().readsol_MPS(
        str(solution), problem, columns, rows, pulp_names_in_column_order=pulp_names
    )
    if len(values) < len(columns):
        raise SolverFailure(
            f"CBC's solution has {len(values)} of {len(columns)} columns: the file was cut short"
        )
    problem.assignVarsVals(values)
    problem.assignVarsDj(reduced)
    problem.assignConsPi(duals)
    problem.assignConsSlack(activity, activity=True)
