"""Commands as a test gives them, what they leave behind, and a lab for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

from gpu_opt.cli.commands import app
from gpu_opt.organization import Organization
from tests.building import day, lab, pool, project, root, team

ORGANIZATIONS = Path(__file__).parent.parent.parent / "models" / "organizations"
TWO_TEAMS = str(ORGANIZATIONS / "two_teams.yaml")
FRONTIER_LAB = str(ORGANIZATIONS / "frontier_lab.yaml")
COMMANDS = [str(one.name or getattr(one.callback, "__name__", "")) for one in app.registered_commands]


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ended]


def process(
    *arguments: object,
    stdout: int | IO[str] = subprocess.PIPE,
    stderr: int | IO[str] = subprocess.PIPE,
    **environment: str,
) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    words = [sys.executable, "-c", "from gpu_opt.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        words, stdout=stdout, stderr=stderr, encoding="utf-8", env=os.environ | environment
    )


def growing_lab() -> Organization:
    """Orion ends in three days and frees 8 GPUs; research may have no more than 16, safety has no cap."""
    return lab(
        pools=[pool("iowa", 32)],
        teams=[root(owner="ceo"), team("research", cap=16.0), team("safety")],
        projects=[
            project("orion", 8, "research", holds={"iowa": 8}, ends=day(3)),
            project("vega", 8, "research", holds={"iowa": 8}),
            project("probes", 16, "safety", holds={"iowa": 16}),
            project("lyra", 8, "research", starts=day(4)),
        ],
    )
