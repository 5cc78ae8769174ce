"""Minimum-cost flows: gpu_opt's own against networkx and OR-Tools.

    python -m benchmarks.flows Network1.dmx Network2.dmx --time 60
    python -m benchmarks.flows --reallocation 300 2000

A file is in DIMACS format, plain or gzipped; ``--reallocation N`` is the network of N releases and N requests
over 40 pools and 12 dates (:mod:`benchmarks.reallocation`) with the prices of its goal `cost`, to which a
weight for what stays unmet is added, so that there is one flow to find. Every flow is checked here in
integers; the time includes building the peer's own graph from the arrays.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.peer import Flown, absent
from benchmarks.process import reporting, run_in_process
from benchmarks.reallocation import generate
from gpu_opt.instance import Ints
from gpu_opt.reallocation.flow import Network, balance, total
from gpu_opt.reallocation.instance import build_instance
from gpu_opt.reallocation.network import Kind, build_network


@dataclass(frozen=True, slots=True)
class FlowPeer:
    """Somebody who finds flows of least cost."""

    name: str
    solve: Callable[[Network, float], Ints]
    """From the network and a limit in seconds to the flow on every arc."""
    needs: tuple[str, ...] = ()


def flow_peers() -> list[FlowPeer]:
    """Every peer of the files in ``benchmarks/peers`` that has ``FLOW_PEERS``."""
    files = pkgutil.iter_modules(peers.__path__)
    modules = [importlib.import_module(f"{peers.__name__}.{file.name}") for file in files]
    return [peer for module in modules for peer in getattr(module, "FLOW_PEERS", ())]


def read_dimacs(path: Path) -> Network:
    """Read a network; its nodes are numbered from 0.

    Raises ValueError, with the file's name, for what is not in the format.
    """
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [line.split() for line in data.decode("ascii", "replace").splitlines()]
    try:
        size = next(int(line[2]) for line in lines if line[:1] == ["p"])
        supply = np.zeros(size, dtype=np.int64)
        for line in lines:
            if line[:1] == ["n"]:
                supply[int(line[1]) - 1] = int(line[2])
        arcs = np.array([line[1:6] for line in lines if line[:1] == ["a"]], dtype=np.int64).reshape(-1, 5)
    except (StopIteration, IndexError, ValueError) as error:
        raise ValueError(f"{path} is no minimum-cost flow in DIMACS format") from error
    tail, head, lower, capacity, cost = arcs.T
    return Network(supply, tail - 1, head - 1, lower, capacity, cost)


def reallocation_network(size: int) -> Network:
    """The generated reallocation: what is unmet costs more than any price on the way."""
    network = build_network(build_instance(*generate(size)))
    unmet = network.kind == Kind.UNMET
    weight = int(network.network.cost.sum()) + 1
    weight = min(weight, 10**6)  # beyond it, doubles lose what the prices say
    gpus = int(network.network.supply.max())
    capacity = np.minimum(network.network.capacity, gpus)
    return replace(network.network, cost=network.network.cost + weight * unmet, capacity=capacity)


def faults(network: Network, flow: Ints) -> list[str]:
    """Why it is no flow of the network; empty if it is one."""
    found = []
    if balance(network, flow).any():
        found.append("a node does not get or give what it should")
    if (flow < network.lower).any() or (flow > network.capacity).any():
        found.append("an arc carries less or more than it may")
    return found


def measure(name: str, network: Network, limit: float) -> Iterator[str]:
    """A line for every peer, as Markdown."""
    for peer in flow_peers():
        if told := absent(peer.needs):
            yield f"| {name} | {len(network.cost)} | {peer.name} | skipped: {told} | | |"
            continue
        record = run_in_process(_solve, (peer, network, limit), limit)
        if record.flow is None:
            yield f"| {name} | {len(network.cost)} | {peer.name} | {record.failure} | | |"
            continue
        cost = total(network.cost, record.flow)
        told = "; ".join(faults(network, record.flow)) or str(cost)
        memory = "" if record.memory is None else f"{record.memory:,.0f} MiB"
        yield f"| {name} | {len(network.cost)} | {peer.name} | {told} | {record.seconds:.2f} s | {memory} |"


def _solve(channel: Connection, peer: FlowPeer, network: Network, limit: float) -> None:
    reporting(channel, peer.needs, lambda: Flown(peer.solve(network, limit)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of the files and sizes on the command line."""
    parser = argparse.ArgumentParser("benchmarks.flows", description="Flows of least cost, in equal time.")
    parser.add_argument("files", nargs="*", type=Path, help="DIMACS files, plain or gzipped")
    parser.add_argument("--reallocation", nargs="*", type=int, default=[], help="releases and requests")
    parser.add_argument("--time", type=float, default=60.0, help="seconds for each; default: %(default)s")
    given = parser.parse_args(arguments)
    try:
        networks = [(path.name, read_dimacs(path)) for path in given.files]
    except (OSError, ValueError) as problem:
        parser.error(str(problem))
    networks += [(f"reallocation {size}x{size}", reallocation_network(size)) for size in given.reallocation]
    print("| network | arcs | peer | cost | seconds | memory |\n|---|---:|---|---:|---:|---:|")
    for name, network in networks:
        for line in measure(name, network, given.time):
            print(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
