"""A real browser without a window: what a page shows, says on its console and asks of the network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

MISSING = "no Chromium here: .ci/browser installs it"

QUIET = (
    "--headless",
    "--no-sandbox",  # root may not use it, and the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--proxy-server=127.0.0.1:9",  # where nobody answers: nothing reaches any network
    "--no-first-run",
    "--hide-scrollbars",
    "--virtual-time-budget=20000",
    "--enable-logging=stderr",
)
"""Options with which it runs anywhere, and talks to nobody."""


class Seen(NamedTuple):
    """What came of loading a page."""

    html: str
    """The page after its scripts have run."""
    console: list[str]
    """What it said on its console: errors and warnings among it."""
    requests: list[str]
    """The addresses that it asked for over the network, whether it got an answer or not."""

    @property
    def drawn(self) -> list[str]:
        """The plots that have a drawing, by their names on the page."""
        plots = re.split(r'<div class="plot[^"]*" id="', self.html)[1:]
        return [plot.partition('"')[0] for plot in plots if '<svg class="main-svg"' in plot]


def program() -> str | None:
    """The browser; None if there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def must_be_there() -> bool:
    """Whether tests fail where there is no browser, instead of being skipped: in CI."""
    return os.environ.get("CI") == "true"


def look_at(page: Path, *options: str) -> Seen:
    """Load a page from the disk."""
    browser = program()
    assert browser is not None, MISSING
    with tempfile.TemporaryDirectory(prefix="gpu_opt-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "net.json"
        words = [browser, *QUIET, *options, f"--user-data-dir={folder}/profile", f"--log-net-log={log}"]
        done = subprocess.run(
            [*words, "--dump-dom", page.as_uri()],
            capture_output=True,
            encoding="utf-8",
            timeout=180,
            check=True,
        )
        asked = _addresses(log)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Seen(done.stdout, said, asked)


def print_to(page: Path, pdf: Path) -> None:
    """Print a page as it comes out on paper."""
    browser = program()
    assert browser is not None, MISSING
    words = [browser, *QUIET, f"--print-to-pdf={pdf}", "--no-pdf-header-footer", page.as_uri()]
    subprocess.run(words, capture_output=True, timeout=180, check=True)


def _addresses(log: Path) -> list[str]:
    """The addresses that the page asked for; the browser's own business has no page for its origin."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    own = "not an origin"
    return sorted({one["url"] for one in asked if one["initiator"] != own and "file:" not in one["url"][:5]})
