"""Measure gpu_opt and its peers: ``python -m benchmarks --size 500x20 --time 10 --peers all``."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from benchmarks.generator import SIZES, Binding, Dials
from benchmarks.harness import Case, about, from_file, generated, measure, size_of
from benchmarks.peer import Peer, all_peers
from benchmarks.results import Outcome, write
from benchmarks.tables import best_bounds, remarks, table
from gpu_opt.errors import InvalidInput

FAMILIES: tuple[Binding, ...] = get_args(Binding)
DIALS = {"tightness": float, "guarantee": float, "depth": int, "tiers": int}
SHARES = ("one_pool", "all_or_nothing", "churn")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for; tables on stdout, progress on stderr."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        peers = _peers(given.peers)
        cases = _cases(given)
        outcomes = []
        for each in measure(cases, peers, given.time, threads=given.threads, seed=given.solver_seed):
            outcomes.append(each)
            print(_line(each), file=sys.stderr, flush=True)
    except (ValueError, OSError, InvalidInput) as problem:
        parser.error(str(problem))
    print(document(outcomes))
    if given.out:
        _keep(outcomes, given.out, given.name)


def document(outcomes: Sequence[Outcome]) -> str:
    """Every table of the outcomes, in Markdown, and what needs saying beyond them."""
    bounds = best_bounds(outcomes)
    parts = []
    for family, limit in dict.fromkeys((each.where.family, each.where.limit) for each in outcomes):
        runs = [each for each in outcomes if (each.where.family, each.where.limit) == (family, limit)]
        seeds = len({each.where.lab for each in runs})
        parts.append(
            f"## {family}: {limit:g} s, {seeds} organization{'s' * (seeds > 1)}\n\n{table(runs, bounds)}"
        )
    told = [f"- {each}" for each in remarks(outcomes)]
    return "\n\n".join([*parts, *(["## Remarks\n\n" + "\n".join(told)] if told else [])])


def _keep(outcomes: Sequence[Outcome], folder: Path, name: str) -> None:
    machine = about()
    write(outcomes, folder, name, machine)
    versions = ", ".join(f"{package} {each}" for package, each in machine["versions"].items())
    head = f"{machine['machine']}; {machine['system']}, Python {machine['python']}; {versions}"
    (folder / f"{name}.md").write_text(f"# {name}\n\n{head}\n\n{document(outcomes)}\n", encoding="utf-8")


def _line(each: Outcome) -> str:
    figures = [
        "" if each.objective is None else f"objective {each.objective:,.1f}",
        "" if each.bound is None else f"bound {each.bound:,.1f}",
        "" if each.gap is None else f"own gap {each.gap:.3%}",
    ]
    told = ", ".join(figure for figure in figures if figure)
    return f"{each.where.lab}, {each.where.limit:g} s, {each.peer}: {each.status}" + (
        f": {told or each.remark}" if told or each.remark else ""
    )


def _peers(text: str) -> list[Peer]:
    known = all_peers()
    if text == "all":
        return list(known.values())
    names = text.split(",")
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no peer {', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in names]


def _cases(given: argparse.Namespace) -> list[Case]:
    if given.organization:
        return [from_file(path) for path in given.organization]
    dials = {name: getattr(given, name) for name in (*DIALS, *SHARES) if getattr(given, name) is not None}
    bindings = FAMILIES if given.binding == "all" else (given.binding,)
    return [
        generated(Dials(*size_of(size), seed=seed, binding=binding, broken=given.broken, **dials))
        for size, binding, seed in itertools.product(given.size, bindings, range(1, given.seeds + 1))
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks", description="gpu_opt and its peers, in equal time.")
    parser.add_argument("--size", nargs="+", default=["500x20"], help=f"{', '.join(SIZES)}, or as 30x4")
    parser.add_argument("--organization", nargs="+", type=Path, help="organization files, instead of --size")
    parser.add_argument(
        "--time", nargs="+", type=float, default=[10.0], help="seconds, model building included"
    )
    parser.add_argument("--peers", default="all", help="all, or names with commas between")
    parser.add_argument(
        "--seeds", type=int, default=5, help="organizations of each kind; default: %(default)s"
    )
    parser.add_argument("--binding", choices=("all", *FAMILIES), default="caps", help="what binds")
    for name, kind in DIALS.items():
        parser.add_argument(f"--{name}", type=kind, help="see generator.py")
    for name in SHARES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, help="a share between 0 and 1")
    parser.add_argument("--broken", action="store_true", help="holdings that break caps and limits")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="for each; default: %(default)s"
    )
    parser.add_argument("--solver-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a folder to keep table, CSV and JSON in")
    parser.add_argument("--name", default="latest", help="of the files in it; default: %(default)s")
    return parser


if __name__ == "__main__":
    main()
