"""Minimum-cost flow instances in DIMACS format."""

from __future__ import annotations

import csv
import gzip

import numpy as np

from gpu_opt.reallocation.flow import Network
from tests.public_data import DATA

FOLDER = DATA / "mcf"


def published_optima() -> dict[str, int]:
    """The optimum by file; empty where the files are not."""
    index = FOLDER / "optima.csv"
    if not index.exists():
        return {}
    with index.open(encoding="utf-8", newline="") as file:
        return {row["file"]: int(row["optimum"]) for row in csv.DictReader(file)}


def read_network(name: str) -> Network:
    """Read a file, plain or gzipped. Nodes are numbered from 0."""
    path = FOLDER / name
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [line.split() for line in text.decode().splitlines() if line.strip()]
    size = next(int(line[2]) for line in lines if line[0] == "p")
    supply = np.zeros(size, dtype=np.int64)
    for line in lines:
        if line[0] == "n":
            supply[int(line[1]) - 1] = int(line[2])
    arcs = np.array([line[1:6] for line in lines if line[0] == "a"], dtype=np.int64)
    tail, head, lower, capacity, cost = arcs.T
    return Network(supply, tail - 1, head - 1, lower, capacity, cost)
