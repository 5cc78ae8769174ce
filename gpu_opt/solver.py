"""The only place where CBC runs.

PuLP builds the program and has the answer; the process itself is ours, because PuLP hides it: see
:mod:`gpu_opt.cbc_process`.

What CBC says and what is true are two things: see :mod:`gpu_opt.cbc_output`.
"""

from __future__ import annotations

import contextlib
import math
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_opt.cbc_output import SolverStatus, judge, printed_objective, proven_bound
from gpu_opt.cbc_process import GRACE, SOLUTION, OnProgress, run_again_if_it_dies
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Cancel, Options
from gpu_opt.plan import Stop

if TYPE_CHECKING:
    import pulp


class Effort(Enum):
    """What CBC spends its time on, as its options."""

    FULL = ()
    HASTY = ("-passCuts", "1")
    """It cuts once, instead of until that no longer pays: on programs of a few dozen projects what it finds
    is as good, in a quarter of the time; its bound is weaker."""
    ROOT = ("-passCuts", "3", "-heur", "off", "-strongBranching", "0", "-maxNodes", "1")
    """It cuts and does nothing else: for the bound alone."""
    DEEP = ("-passCuts", "-30", "-GMICuts", "root")
    """It cuts thirty times before it branches, whether or not that seems to pay, and with Gomory's mixed
    integer cuts as well: where little is left to prove, that is worth three times as long at the root."""
    FEW_NODES = ("-passCuts", "3", "-heur", "off", "-maxNodes", "10")
    """It cuts and branches a few times, for the bound alone: where much hangs on one or two decisions."""
    UNSCALED = ("-scaling", "off")
    """Of linear programs only: Clp takes them as they are; ``models/strategy.md`` says what it gains."""


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


@dataclass(frozen=True, slots=True)
class _How:
    """How a program is to be solved; see :func:`solve`."""

    options: Options
    seconds: float
    gap: float
    nodes: int | None
    start: bool
    relax: bool
    preprocess: bool
    primal: bool
    effort: Effort


INCREMENT = "1e-9"
"""How much better a solution must be to be looked for. CBC's own 1e-4 (cbcbox 2.929) is more than two plans
may differ by where priorities are small: it calls optimal what is not. Integral objectives are seen by it."""

Names = tuple[list[str], list[str], list[str]]
"""Columns and rows as the model file calls them, and the columns as PuLP does."""


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

    Raises SolverFailure if CBC cannot be started or its files cannot be written, SolverDied if it was
    killed or crashed, an integer program also without its heuristics, or if its answer was cut short.
    """
    begun = time.monotonic()
    if seconds <= 0 or options.cancel.is_set():
        return Answer(SolverStatus.NO_SOLUTION, _stop_of(options.cancel), None, None, 0.0)
    sign = -1.0 if problem.sense < 0 else 1.0  # PuLP hands CBC a minimization, always
    report = None if on_progress is None else _signed(on_progress, sign)
    with contextlib.ExitStack() as until_solved:
        with _files():  # CBC does not overwrite an existing solution file: a folder for each solve
            folder = Path(until_solved.enter_context(_folder()))
            how = _How(options, seconds, gap, nodes, start, relax, preprocess, primal, effort)
            args, names = _command(problem, folder, how)
        for_bound = effort in {Effort.ROOT, Effort.FEW_NODES}
        grace = 0.0 if for_bound else GRACE  # cuts that are not finished prove nothing
        text = run_again_if_it_dies(args, folder, options.cancel, begun + seconds, report, grace)
        with _files():
            solution = folder / SOLUTION
            status, stop = judge(_first_line(solution), text, options.cancel.is_set())
            if status is SolverStatus.OPTIMAL and gap > 0 and "-solve" in args:
                status, stop = SolverStatus.FEASIBLE, Stop.GAP  # "optimal" then means: to within the gap
            if status in {SolverStatus.OPTIMAL, SolverStatus.FEASIBLE}:
                _read_solution(problem, solution, names)
    objective, bound = _objective_and_bound(problem, status, text, sign)
    return Answer(status, stop, objective, bound, time.monotonic() - begun)


def _objective_and_bound(
    problem: pulp.LpProblem, status: SolverStatus, text: str, sign: float
) -> tuple[float | None, float | None]:
    """Both in the sense of the problem; None where there is none."""
    objective = printed_objective(text) if status is SolverStatus.FEASIBLE else None
    objective = None if objective is None else sign * objective
    if status is SolverStatus.OPTIMAL:
        objective = float(problem.objective.value() or 0.0) if problem.objective is not None else 0.0
    bound = proven_bound(text, status, None if objective is None else sign * objective)
    return objective, None if bound is None else sign * bound


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


def _folder() -> tempfile.TemporaryDirectory[str]:
    """What cannot be removed afterwards is left: it costs no plan."""
    return tempfile.TemporaryDirectory(prefix="gpu_opt-", ignore_cleanup_errors=True)


@contextlib.contextmanager
def _files() -> Iterator[None]:
    """Tell of files that cannot be written, or read again: PuLP has an error of its own for a full disk."""
    import pulp

    try:
        yield
    except (OSError, pulp.PulpError) as error:
        raise SolverFailure(
            f"the solve's temporary files could not be written or read: {str(error).strip()}"
        ) from error


def _command(problem: pulp.LpProblem, folder: Path, how: _How) -> tuple[list[str], Names]:
    """Write the model, and the start; return CBC's command line and the names in the file."""
    import cbcbox
    import pulp

    model = folder / "model.mps"
    columns, rows, _objective, pulp_names = problem.writeMPS(str(model), rename=True, mip=not how.relax)
    is_mip = bool(problem.isMIP()) and not how.relax
    args = [cbcbox.cbc_bin_path(), str(model)]
    if is_mip:
        if how.start:
            mip_start = folder / "start.mst"
            pulp.COIN_CMD().writesol(str(mip_start), problem, columns, rows)
            args += ["-mips", str(mip_start)]
        is_repeatable = how.options.work_limit is not None  # only with one thread, CBC's default
        if how.options.threads > 1 and not is_repeatable:  # asking for one starts a second one
            args += ["-threads", str(how.options.threads)]
        args += ["-ratio", repr(how.gap), "-increment", INCREMENT]
        args += [] if how.nodes is None else ["-maxNodes", str(how.nodes)]
        args += [] if how.preprocess else ["-preprocess", "off"]
        if how.options.seed:  # CBC's own default seed is its best; saying 0 is not the same as saying nothing
            args += ["-randomCbcSeed", str(how.options.seed)]
    args += how.effort.value if is_mip != (how.effort is Effort.UNSCALED) else ()
    # We stop CBC at the limit ourselves: its own clock is a reserve for the case that we are killed, and
    # it has been seen to abort when its limit falls into preprocessing.
    args += ["-sec", f"{how.seconds + GRACE:.3f}", "-timeMode", "elapsed"] if how.seconds < math.inf else []
    args += ["-solve" if is_mip else "-primalSimplex" if how.primal else "-initialSolve"]
    args += ["-printingOptions", "all", "-solution", str(folder / SOLUTION)]
    return args, (columns, rows, pulp_names)


def _first_line(solution: Path) -> str:
    if not solution.exists():
        return ""
    with solution.open(encoding="utf-8") as file:
        return file.readline()


def _read_solution(problem: pulp.LpProblem, solution: Path, names: Names) -> None:
    """Put the values and duals of CBC's solution file into the PuLP problem.

    After its first line the file has a line for every row, then one for every column: a number, the name,
    the value and the dual, after two stars where it is out of its bounds. All at once, because PuLP's own
    reading, line by line, takes as long as a small solve.
    """
    columns, rows, pulp_names = names
    lines = solution.read_text(encoding="utf-8").partition("\n")[2]
    fields = [field for field in lines.split() if field != "**"]
    if fields[1::4] != [*rows, *columns] or len(fields) != 4 * (len(rows) + len(columns)):
        raise SolverDied(f"CBC's solution has not all of {len(columns)} columns: the file was cut short")
    try:
        values, duals = (list(map(float, fields[place::4])) for place in (2, 3))
    except ValueError as error:
        raise SolverDied(f"CBC's solution cannot be read, the file was cut short: {error}") from error
    problem.assignVarsVals(dict(zip(pulp_names, values[len(rows) :], strict=True)))
    problem.assignConsPi(dict(zip((row.name for row in problem.constraints()), duals, strict=False)))
