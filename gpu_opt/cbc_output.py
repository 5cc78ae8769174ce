"""What CBC's words prove: its output and solution file, read with distrust.

CBC minimizes whatever it is given (PuLP negates a maximization), so values here are those of a
minimization. Everything was observed with cbcbox 2.929.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum

from gpu_opt.plan import Stop

UNSOUND = "made integer"
"""What CBC's preprocessing (cbcbox 2.929) says when it turns continuous variables into integers. It then
also rounds bounds such as 7.5, and calls optimal what is not; a test has the smallest example that we
found. Answers that were preprocessed so prove nothing; solutions are solutions all the same."""


class SolverStatus(StrEnum):
    """What an answer of CBC proves."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """It has a solution; nothing is known of the best beyond `bound`."""
    NO_SOLUTION = "no solution"
    """It found none before it stopped. That is not "infeasible"."""
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"


def judge(head: str, output: str, interrupted: bool) -> tuple[SolverStatus, Stop]:
    """Decide what CBC's answer proves, from its solution file's first line and its output.

    | solution file says | it means |
    |---|---|
    | Optimal | proved, unless the output adds "within gap tolerance", or that it was stopped |
    | Stopped ..., no integer solution | nothing |
    | Stopped ... | feasible |
    | Infeasible, Integer infeasible | infeasible (callers that know a solution do not believe it) |
    | nothing | it was stopped before it had anything |

    `interrupted` says that somebody cancelled: why it was stopped, if it was.
    """
    stop = Stop.INTERRUPTED if interrupted else Stop.TIME
    if head.startswith("Optimal") and _STOPPED.search(output):
        return SolverStatus.FEASIBLE, stop
    if head.startswith("Optimal"):
        if UNSOUND in output:
            return SolverStatus.FEASIBLE, Stop.GAP
        if "within gap tolerance" in head or "(within gap tolerance)" in output:
            return SolverStatus.FEASIBLE, Stop.GAP
        return SolverStatus.OPTIMAL, Stop.PROVED
    if head.startswith(("Infeasible", "Integer infeasible")):
        # CBC has been seen to say so when its time ran out in preprocessing
        if "time limit" in output or interrupted:
            return SolverStatus.NO_SOLUTION, stop
        return SolverStatus.INFEASIBLE, Stop.PROVED
    if head.startswith("Unbounded"):
        return SolverStatus.UNBOUNDED, Stop.PROVED
    if head.startswith("Stopped") and "no integer solution" not in head and "Result - " in output:
        return SolverStatus.FEASIBLE, stop
    return SolverStatus.NO_SOLUTION, stop


_PARTIAL = re.compile(r"Cbc0005I .*\(best possible (\S+)\), took \d+ iterations and (\d+) nodes")
_INTEGER_GAP = re.compile(r"Cbc0011I Exiting as integer gap of (\S+) less")
_CONTINUOUS = re.compile(r"^Continuous objective value is (\S+)", re.MULTILINE)
_VALUE = re.compile(r"^Objective value:\s+(\S+)", re.MULTILINE)
_STOPPED = re.compile(r"Exiting on maximum (?:time|nodes)|Exiting on user event|ctrl-c", re.IGNORECASE)


def proven_bound(output: str, status: SolverStatus, objective: float | None) -> float | None:
    """The proven lower bound of the minimization that CBC was given.

    CBC prints six to eight digits; the bound is moved outward by half of the last one. Not every number
    that CBC calls a bound is one: when it is stopped inside the root's cut loop, the value of an
    unfinished linear program is printed as "best possible" (4e+10 has been seen), and "Lower bound"
    repeats the incumbent as if it were proved; and its heuristics print what they prove of programs of
    their own, with most variables fixed, of which the roots look like the program's own. So a "best possible"
    counts only if it is the last one of a run that came to its end and finished a node, what is said of a
    root and "Lower bound" never do, and nothing counts that a solution contradicts.
    """
    if status is SolverStatus.OPTIMAL:
        return objective
    bounds = [_outward(text, digits=6) for text in _CONTINUOUS.findall(output)[:1]]
    if UNSOUND in output:
        return bounds[0] if bounds else None
    partial = _PARTIAL.findall(output)[-1:] if "Result - " in output else []
    bounds += [_outward(text, digits=8) for text, nodes in partial if int(nodes) > 0]
    if objective is not None and not _STOPPED.search(output):
        gaps = [float(text) for text in _INTEGER_GAP.findall(output)]
        bounds += [objective - gap - _half_digit(gap, 8) for gap in gaps]
    ceiling = math.inf if objective is None else objective + 1e-6 * (1 + abs(objective))
    return max((bound for bound in bounds if bound <= ceiling), default=None)


def printed_objective(output: str) -> float | None:
    """The value of the best solution, to the digits that CBC prints."""
    match = _VALUE.search(output)
    return float(match.group(1)) if match else None


def _outward(text: str, digits: int) -> float:
    value = float(text)
    return value - _half_digit(value, digits)


def _half_digit(value: float, digits: int) -> float:
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1) if value else 0.0


_INCUMBENT = re.compile(rb"Integer solution of (\S+) found")
_NODES = re.compile(rb"Cbc0010I .* (\S+) best solution, best possible (\S+)")
_ROOT = re.compile(rb"(?:Continuous objective value is |Cbc0013I .* to )([-+\d.e]+)")


def read_progress(chunk: bytes, best: float | None, bound: float | None) -> tuple[float | None, float | None]:
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
