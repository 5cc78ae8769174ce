"""The command line: ``gpu-opt``.

Nothing is imported before it is needed: ``gpu-opt --help`` must not wait for a solver.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> None:
    """Run ``gpu-opt`` with this process's arguments and exit with its code."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while our own modules were still being imported
        code = 130
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; see :class:`gpu_opt.cli.failures.Code`.

    >>> run(["--version"])
    gpu-opt 0.1.0
    0
    """
    from gpu_opt.cli.commands import app
    from gpu_opt.cli.failures import reported

    return reported(lambda: app(args=list(arguments), prog_name="gpu-opt", standalone_mode=False), arguments)
