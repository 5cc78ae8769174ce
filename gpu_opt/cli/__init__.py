"""The command line: ``gpu-opt``.

Nothing is imported before it is needed: ``gpu-opt --help`` must not wait for a solver.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main() -> None:
    """Run ``gpu-opt`` with this process's arguments and exit with its code."""
    _open_closed_streams()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while our own modules were still being imported
        code = 130
    sys.exit(code)


def _open_closed_streams() -> None:
    """Put something in place of standard streams that are closed (``>&-``).

    A file that is opened later, the store's for one, would become stdout or stderr. What is said to a closed
    stderr is for nobody; what is written to a closed stdout fails, as it does for every tool.
    """
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest number that is free: this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; see :class:`gpu_opt.cli.failures.Code`.

    >>> run(["--version"])
    gpu-opt 0.1.0
    0
    """
    from gpu_opt.cli.commands import app
    from gpu_opt.cli.failures import reported

    return reported(lambda: app(args=list(arguments), prog_name="gpu-opt", standalone_mode=False), arguments)
