"""From organizations and peers to outcomes: one process after the other, every plan checked."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import process
from benchmarks.generator import SIZES, Dials, generate
from benchmarks.objective import judge
from benchmarks.peer import Peer, Task
from benchmarks.results import SKIPPED, Outcome, Where, last_in_time, outcome
from gpu_opt.files import load
from gpu_opt.organization import Organization

REFEREE_LIMIT = 120.0
"""Seconds for a referee, at least: its bound is there to measure the others by, not to win."""

PACKAGES = ("gpu-opt", "pulp", "cbcbox", "highspy", "ortools", "pyscipopt", "rebalancer", "networkx", "numpy")


@dataclass(frozen=True, slots=True)
class Case:
    """An organization to measure on."""

    family: str
    """What is put in one table: everything but the seed."""
    name: str
    make: Callable[[], Organization]


def size_of(text: str) -> tuple[int, int]:
    """Projects and pools of a named size, or of any other written as ``projects x pools``.

    Raises ValueError for what is neither.

    >>> size_of("500x20"), size_of("30x4")
    ((500, 20), (30, 4))
    """
    if text in SIZES:
        return SIZES[text]
    projects, cross, pools = text.replace(",", "").partition("x")
    if not (cross and projects.isdecimal() and pools.isdecimal() and int(projects) and int(pools)):
        raise ValueError(f"{text!r} is no size: name {', '.join(SIZES)}, or write projects x pools as 30x4")
    return int(projects), int(pools)


def generated(dials: Dials) -> Case:
    """The generator's organization; the family names the dials that are not at their defaults."""
    usual = asdict(Dials(dials.projects, dials.pools))
    turned = [
        f"{name} {value}"
        for name, value in asdict(dials).items()
        if name not in {"projects", "pools", "seed", "binding"} and value != usual[name]
    ]
    family = ", ".join([f"{dials.projects}x{dials.pools}", dials.binding, *turned])
    return Case(family, f"{family}, seed {dials.seed}", lambda: generate(dials))


def from_file(path: Path) -> Case:
    """A real organization."""
    return Case(path.stem, path.stem, lambda: load(path))


def measure(
    cases: Iterable[Case], peers: Sequence[Peer], limits: Sequence[float], *, threads: int, seed: int = 0
) -> Iterator[Outcome]:
    """Run every peer on every case within every limit, one at a time."""
    for case in cases:
        organization = case.make()
        for limit in limits:
            for peer in peers:
                yield _measure_one(case, organization, peer, Task(organization, limit, threads, seed))


def _measure_one(case: Case, organization: Organization, peer: Peer, task: Task) -> Outcome:
    where = Where(case.name, case.family, len(organization.projects), task.limit)
    if told := peer.missing():
        return Outcome(peer.name, where, SKIPPED, told)
    allowed = max(task.limit, REFEREE_LIMIT) if peer.is_referee else task.limit
    record = process.run(peer, Task(organization, allowed, task.threads, task.seed))
    plan = last_in_time(record, task.limit)
    verdict = judge(organization, plan.grants) if plan else None
    return outcome(peer, where, record, verdict)


def about() -> dict[str, Any]:
    """The machine and the versions, without any path."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_processor()}, {_memory_gib():.0f} GiB",
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _memory_gib() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) / 2**30
