"""What a run came to, as a flat record: what the tables, plots and files are made of."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.objective import Verdict
from benchmarks.peer import Peer, Plan
from benchmarks.process import Record, tolerance
from gpu_opt.options import relative_gap

PLAN, NONE, INFEASIBLE, FAILED = "plan", "no plan", "infeasible", "failed"
SKIPPED, BOUND = "skipped", "bound"

MOST_POINTS = 60
"""Points of a trace that are kept."""


@dataclass(frozen=True, slots=True)
class Where:
    """What was solved, and in which time."""

    lab: str
    """The organization's name."""
    family: str
    """Size and dials without the seed, or the file: what is put in one table."""
    projects: int
    limit: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One peer on one organization, measured by our checker."""

    peer: str
    where: Where
    status: str
    """``plan``, ``no plan``, ``infeasible`` (the checker refuses it), ``failed``, ``skipped`` or ``bound`` (a
    referee)."""
    remark: str = ""
    objective: float | None = None
    """In the penalty form, of a plan that the checker accepts; so are the next three."""
    value: float | None = None
    shortfall: float | None = None
    """Reference GPUs."""
    moves: float | None = None
    """GPUs."""
    bound: float | None = None
    """Proven by the peer, of the penalty form unless `is_lexicographic`."""
    is_lexicographic: bool = False
    first_plan: float | None = None
    """Seconds until the first plan."""
    seconds: float | None = None
    """Until it was done."""
    memory: float | None = None
    """Peak, in MiB."""
    trace: tuple[tuple[float, float], ...] = ()
    """(seconds, objective) whenever it said that its best plan was better; its own words, unverified."""

    @property
    def gap(self) -> float | None:
        """Between its plan and its own bound."""
        if self.objective is None or self.bound is None:
            return None
        return relative_gap(self.objective, self.bound)


def last_in_time(record: Record, limit: float) -> Plan | None:
    """The last plan that was not late; None if there is none."""
    in_time = [plan for plan in record.plans if plan.seconds <= limit + tolerance(limit)]
    return in_time[-1] if in_time else None


def outcome(peer: Peer, where: Where, record: Record, verdict: Verdict | None) -> Outcome:
    """Put together what a process sent and what the checker says of its last plan in time."""
    proof = record.proof
    is_plan = verdict is not None and not verdict.violations
    remarks = [record.failure, proof.remark if proof else "", *(verdict.violations[:1] if verdict else ())]
    if record.plans and last_in_time(record, where.limit) is None:
        remarks.append(f"its plan came after {record.plans[0].seconds:.1f} s: too late to count")
    return Outcome(
        peer=peer.name,
        where=where,
        status=BOUND if peer.is_referee and not record.failure else _status(record, verdict),
        remark="; ".join(each for each in remarks if each),
        objective=verdict.objective if verdict and is_plan else None,
        value=verdict.value if verdict and is_plan else None,
        shortfall=verdict.shortfall if verdict and is_plan else None,
        moves=verdict.moves if verdict and is_plan else None,
        bound=proof.bound if proof else None,
        is_lexicographic=proof is not None and proof.kind == "lexicographic",
        first_plan=_first_plan(record) if is_plan else None,
        seconds=record.seconds,
        memory=record.memory,
        trace=_trace(record, verdict) if is_plan else (),
    )


def _status(record: Record, verdict: Verdict | None) -> str:
    if verdict is None:
        return FAILED if record.failure else NONE
    return INFEASIBLE if verdict.violations else PLAN


def _first_plan(record: Record) -> float:
    told = [event.seconds for event in record.events if event.has_plan]
    return min([*told, *(plan.seconds for plan in record.plans)])


def _trace(record: Record, verdict: Verdict | None) -> tuple[tuple[float, float], ...]:
    points: list[tuple[float, float]] = []
    for event in record.events:
        if event.best is not None and (not points or event.best > points[-1][1]):
            points.append((round(event.seconds, 3), event.best))
    if verdict is not None and record.plans and (not points or verdict.objective > points[-1][1]):
        points.append((round(record.plans[-1].seconds, 3), verdict.objective))
    thinned = points[:: max(1, -(-len(points) // MOST_POINTS))]
    return tuple(thinned if not points or thinned[-1] == points[-1] else [*thinned, points[-1]])


def write(outcomes: Sequence[Outcome], folder: Path, name: str, about: dict[str, Any]) -> None:
    """Write ``name.json``, with the traces and what `about` says of the machine, and a flat ``name.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [_flat(each) for each in outcomes]
    document = {"about": about, "outcomes": records}
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        fields = [field.name for field in (*dataclasses.fields(Where), *dataclasses.fields(Outcome))]
        columns = [name for name in fields if name not in {"where", "trace"}]
        writer = csv.DictWriter(file, [*columns, "gap"], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**record, "gap": each.gap} for record, each in zip(records, outcomes, strict=True))


def _flat(each: Outcome) -> dict[str, Any]:
    record = dataclasses.asdict(each)
    return {**record.pop("where"), **record}


def read(files: Iterable[Path]) -> list[Outcome]:
    """Read the outcomes in ``.json`` files that :func:`write` wrote."""
    found = []
    for file in files:
        for record in json.loads(file.read_text(encoding="utf-8"))["outcomes"]:
            where = Where(**{field.name: record.pop(field.name) for field in dataclasses.fields(Where)})
            trace = tuple((seconds, best) for seconds, best in record.pop("trace"))
            found.append(Outcome(where=where, trace=trace, **record))
    return found
