"""The only place where CBC runs.

PuLP builds the program and reads the answer; the process itself is ours, because PuLP hides it: we
read CBC's progress from its output, stop it with SIGINT when somebody cancels (it then writes its
best solution; SIGTERM would lose it), and hold it to the wall clock.

What CBC says and what is true are two things: see :mod:`gpu_opt.cbc_output`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import platform
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_opt.cbc_output import SolverStatus, judge, printed_objective, proven_bound, read_progress
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop

if TYPE_CHECKING:
    import pulp

log = logging.getLogger(__name__)

SOLUTION = "solution.sol"

GRACE = 1.0
"""Seconds that CBC has, after it was asked to stop, before it is killed."""

NO_HEURISTICS = ("-heur", "off")
"""For a second try: CBC has been seen to crash (cbcbox 2.929) in what its heuristics preprocess."""


class Effort(Enum):
    """What CBC spends its time on, as its options."""

    FULL = ()
    HASTY = ("-passCuts", "1")
    """It cuts once, instead of until that no longer pays: on programs of a few dozen projects what it finds
    is as good, in a quarter of the time; its bound is weaker."""
    ROOT = ("-passCuts", "3", "-heur", "off", "-strongBranching", "0", "-maxNodes", "1")
    """It cuts and does nothing else: for the bound alone."""


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
    nodes: int | None = None,
    start: bool = False,
    relax: bool = False,
    preprocess: bool = False,
    primal: bool = False,
    effort: Effort = Effort.FULL,
    on_progress: OnProgress | None = None,
) -> Answer:
    """Solve a program with CBC (with Clp alone, where it has no integers, or with `relax`).

    `relax` drops the integrality; `seconds` is the wall-clock limit, `nodes` the most nodes of the tree
    (default: any), `gap` the relative gap at which to stop. With `start`, the values now in the variables
    are CBC's first solution. Duals are left in the constraints. `preprocess` makes many programs faster but
    costs the proof (:data:`gpu_opt.cbc_output.UNSOUND`). `primal` lets Clp solve a linear program by its
    primal simplex.

    Raises SolverFailure if CBC cannot be started or its answer cannot be read, SolverDied if it was
    killed or crashed, an integer program also without its heuristics.
    """
    begun = time.monotonic()
    if seconds <= 0 or options.cancel.is_set():
        return Answer(SolverStatus.NO_SOLUTION, _stop_of(options.cancel), None, None, 0.0)
    sign = -1.0 if problem.sense < 0 else 1.0  # PuLP hands CBC a minimization, always
    report = None if on_progress is None else _signed(on_progress, sign)
    with _workspace() as folder:
        args, names = _command(
            problem, options, folder, seconds, gap, nodes, start, relax, preprocess, primal, effort
        )
        grace = 0.0 if effort is Effort.ROOT else GRACE  # cuts that are not finished prove nothing
        text = _run_again_if_it_dies(args, folder, options.cancel, begun + seconds, report, grace)
        solution = folder / SOLUTION
        status, stop = judge(_first_line(solution), text, options.cancel.is_set())
        if status is SolverStatus.OPTIMAL and gap > 0 and "-solve" in args:
            status, stop = SolverStatus.FEASIBLE, Stop.GAP  # "optimal" then means: to within the gap
        if status in {SolverStatus.OPTIMAL, SolverStatus.FEASIBLE}:
            _read_solution(problem, solution, names)
    objective = printed_objective(text) if status is SolverStatus.FEASIBLE else None
    objective = None if objective is None else sign * objective
    if status is SolverStatus.OPTIMAL:
        objective = float(problem.objective.value() or 0.0) if problem.objective is not None else 0.0
    bound = proven_bound(text, status, None if objective is None else sign * objective)
    return Answer(status, stop, objective, None if bound is None else sign * bound, time.monotonic() - begun)


def versions() -> dict[str, str]:
    """What solves, and where, for a plan's record; CBC's version is that of the wheel that brings it."""
    return {
        "gpu_opt": version("gpu-opt"),
        "pulp": version("pulp"),
        "cbc": f"cbcbox {version('cbcbox')}",
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


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
    nodes: int | None,
    start: bool,
    relax: bool,
    preprocess: bool,
    primal: bool,
    effort: Effort,
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
        args += [] if nodes is None else ["-maxNodes", str(nodes)]
        args += [] if preprocess else ["-preprocess", "off"]
        args += effort.value
        if options.seed:  # CBC's own default seed is its best; saying 0 is not the same as saying nothing
            args += ["-randomCbcSeed", str(options.seed)]
    # We stop CBC at the limit ourselves: its own clock is a reserve for the case that we are killed, and
    # it has been seen to abort when its limit falls into preprocessing.
    args += ["-sec", f"{seconds + GRACE:.3f}", "-timeMode", "elapsed"] if seconds < math.inf else []
    args += ["-solve" if is_mip else "-primalSimplex" if primal else "-initialSolve"]
    args += ["-printingOptions", "all", "-solution", str(folder / SOLUTION)]
    return args, (columns, rows, pulp_names)


def _run_again_if_it_dies(
    args: list[str],
    folder: Path,
    cancel: Cancel,
    deadline: float,
    report: OnProgress | None,
    grace: float,
) -> str:
    """Run CBC and return its output; if it dies on an integer program, once more without its heuristics."""
    try:
        output = _run(args, folder, cancel, deadline, report, grace)
    except SolverDied as error:
        if "-solve" not in args:
            raise
        log.info("%s; once more, without its heuristics", error)
        (folder / SOLUTION).unlink(missing_ok=True)
        output = _run([*args[:2], *NO_HEURISTICS, *args[2:]], folder, cancel, deadline, report, grace)
    return output.decode("utf-8", "replace")


def _run(
    args: list[str],
    folder: Path,
    cancel: Cancel,
    deadline: float,
    report: OnProgress | None,
    grace: float = GRACE,
) -> bytes:
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
            output, asked = _follow(process, cancel, deadline, report, grace)
        except BaseException:
            process.kill()
            raise
    if process.returncode < 0:
        (folder / SOLUTION).unlink(missing_ok=True)  # it may be cut short
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
    process: subprocess.Popen[bytes],
    cancel: Cancel,
    deadline: float,
    report: OnProgress | None,
    grace: float,
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
                if now > asked + grace and not forced:
                    log.info("CBC did not stop when asked to, and was killed")
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
                best, bound = read_progress(chunk, best, bound)
                report(best, bound)


def _first_line(solution: Path) -> str:
    if not solution.exists():
        return ""
    with solution.open(encoding="utf-8") as file:
        return file.readline()


def _read_solution(problem: pulp.LpProblem, solution: Path, names: Names) -> None:
    """Put the values, reduced costs and duals of CBC's solution file into the PuLP problem."""
    import pulp

    columns, rows, pulp_names = names
    try:
        _, values, reduced, duals, _, _ = pulp.COIN_CMD().readsol_MPS(
            str(solution), problem, columns, rows, pulp_names_in_column_order=pulp_names
        )
    except (IndexError, ValueError) as error:  # a line without all its fields
        raise SolverFailure(f"CBC's solution cannot be read, the file was cut short: {error}") from error
    if len(values) < len(columns):
        raise SolverFailure(
            f"CBC's solution has {len(values)} of {len(columns)} columns: the file was cut short"
        )
    problem.assignVarsVals(values)
    problem.assignVarsDj(reduced)
    problem.assignConsPi(duals)  # slacks are left out: PuLP takes longer over them than over all else
