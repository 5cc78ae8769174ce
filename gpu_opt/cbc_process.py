"""A CBC process from its start to its end.

Its progress is read from its output; when somebody cancels, or its time is over, it is stopped with SIGINT
(it then writes its best solution; SIGTERM would lose it).
"""

from __future__ import annotations

import logging
import math
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from gpu_opt.cbc_output import read_progress
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.options import Cancel

log = logging.getLogger(__name__)

SOLUTION = "solution.sol"
"""The file in its folder that CBC writes its solution to."""

GRACE = 1.0
"""Seconds that CBC has, after it was asked to stop, before it is killed."""

NO_HEURISTICS = ("-heur", "off")
"""For a second try: CBC has been seen to crash (cbcbox 2.929) in what its heuristics preprocess."""

SPARE_THREADS = {"OPENBLAS_NUM_THREADS": "1"}
"""The CBC of the wheel (cbcbox 2.929) is linked to OpenBLAS, whose threads wait by turning round and round.
CBC has no work for them; but where every core has a CBC, each of these takes a half of some other's time."""

OnProgress = Callable[[float | None, float | None], None]
"""Called with the best objective and the bound so far, in the sense of the problem."""


def run_again_if_it_dies(
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
            env={**os.environ, **SPARE_THREADS},
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
