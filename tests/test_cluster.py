"""A real cluster of Dask on this machine: the same plans, nothing solved twice, nothing lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from gpu_opt.plan import Sweep, SweepPoint
from gpu_opt.scenario import sweep, sweeping
from tests.limiting import Counting, decided, limited
from tests.sweeping import BASE, CAPS, options, told


@pytest.fixture(scope="module")
def local() -> Sweep:
    """The sweep, solved here."""
    return sweep(BASE, CAPS, options=options())


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two worker processes, restarted when they die."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as started:
        yield started


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster, set_as_default=False) as connected:
        yield connected


def logged(folder: str, *arguments: Any) -> SweepPoint:
    """Solve a point on a worker, and leave a file that says who began, and one that says who ended."""
    label = str(next(iter(arguments[1].values.values())))
    (Path(folder) / f"{label}.begun.{os.getpid()}").touch()
    time.sleep(0.3)
    point = SOLVE(*arguments)
    (Path(folder) / f"{label}.ended.{os.getpid()}").touch()
    return point


SOLVE = sweeping.solve_point


class Logging(Executor):
    """The cluster's executor, every task leaving its traces in a folder."""

    def __init__(self, inner: Executor, folder: Path) -> None:
        self._inner, self._folder = inner, str(folder)

    def submit(self, _function: Any, /, *arguments: Any, **_named: Any) -> Future[Any]:
        return self._inner.submit(logged, self._folder, *arguments)


def traces(folder: Path, what: str) -> Counter[str]:
    return Counter(path.name.split(".")[0] for path in folder.iterdir() if f".{what}." in path.name)


def test_a_cluster_gives_the_same_points_and_solves_none_twice(
    client: Client, local: Sweep, tmp_path: Path
) -> None:
    arrived: list[int] = []

    def on_arrival(_point: SweepPoint) -> None:
        arrived.append(sum(traces(tmp_path, "ended").values()))

    executor = Logging(client.get_executor(pure=False), tmp_path)
    found = sweep(BASE, CAPS, executor=executor, options=options(), arrived=on_arrival)
    assert told(found.points) == told(local.points)
    assert found.breakpoints == local.breakpoints
    assert set(traces(tmp_path, "begun").values()) == {1}
    assert arrived[0] < len(CAPS.points), "the first arrived before the last was solved"


def test_the_scenarios_of_a_worker_that_is_killed_are_solved_elsewhere(
    client: Client, local: Sweep, tmp_path: Path
) -> None:
    def kill_one() -> None:
        while not (begun := list(tmp_path.glob("*.begun.*"))):
            time.sleep(0.02)
        victims.append(begun[0].name)
        os.kill(int(begun[0].name.rsplit(".", 1)[1]), signal.SIGKILL)

    victims: list[str] = []
    killer = threading.Thread(target=kill_one)
    killer.start()
    executor = Logging(client.get_executor(pure=False, retries=3), tmp_path)
    found = sweep(BASE, CAPS, executor=executor, options=options())
    killer.join()
    assert told(found.points) == told(local.points)
    label = victims[0].split(".")[0]
    assert traces(tmp_path, "begun")[label] == 2
    assert traces(tmp_path, "ended") == Counter(dict.fromkeys(traces(tmp_path, "begun"), 1))


def test_who_cancels_on_a_cluster_keeps_what_has_arrived(client: Client, tmp_path: Path) -> None:
    how = options()

    def stop(_point: SweepPoint) -> None:
        how.cancel.set()

    executor = Logging(client.get_executor(pure=False), tmp_path)
    found = sweep(BASE, CAPS, executor=executor, options=how, arrived=stop)
    assert len(found.points) == 1
    assert sum(traces(tmp_path, "begun").values()) < len(CAPS.points)


def test_an_allocation_whose_parts_a_cluster_solves_is_the_same(client: Client) -> None:
    cluster = Counting(client.get_executor(pure=False))
    there = limited(24, executor=cluster)
    assert cluster.tasks > 0
    assert decided(there) == decided(limited(24))
