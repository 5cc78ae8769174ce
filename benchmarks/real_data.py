"""Organizations from public data about real GPU clusters.

The data are not part of this repository: they lie in a folder beside it (``../shared/data``), whose README
names their sources, licences and columns. Every function says what of its organization is real and what had
to be invented, because no public trace has everything that an organization needs.

    python -m benchmarks.real_data openb --out openb.yaml
    python -m benchmarks.real_data philly --day 2017-11-02 --out philly.yaml
    python -m benchmarks.real_data helios --cluster Earth --day 2020-07-02 --out helios.yaml
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import inspect
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from gpu_opt.errors import InvalidInput
from gpu_opt.files import dump
from gpu_opt.organization import GpuType, Organization, Pool, Project, Team

FOLDER = Path("../shared/data")
PHILLY_DAY = dt.date(2017, 11, 2)
"""The day on which most of the trace's projects run: 280."""
HELIOS_DAYS = {"Venus": dt.date(2020, 7, 7), "Earth": dt.date(2020, 7, 2)}
"""Venus: the day on which most teams gain or lose. Earth: one team hands 80 GPUs to another."""
SOON = dt.timedelta(days=30)

QOS_PRIORITY = {"LS": 8, "Guaranteed": 4, "Burstable": 4, "BE": 1}
QOS_TEAM = {"LS": "serving", "Guaranteed": "batch", "Burstable": "batch", "BE": "best-effort"}
OPENB_DAY = dt.date(2023, 1, 1)

type Row = dict[str, str]


class MissingData(Exception):
    """The folder does not have the file that is needed: the public data are not part of the repository."""


def openb(folder: Path = FOLDER) -> Organization:
    """The requests of Alibaba's GPU cluster of 2023, as 43 classes.

    Real: the 1,213 nodes' 6,212 GPUs by model, one pool each; the 43 classes of requests, each with the
    models that it accepts, its quality of service and the GPUs that its requests add up to (parts of GPUs
    included). Invented: the teams and their budgets (the trace has none; here a team is a quality of
    service), the weights of the priorities (their order is real), the date, a single site, and equal speeds:
    the trace counts GPUs of all models alike. There are no holdings: the trace does not say what ran where.
    """
    projects = [
        _openb_project(f"{row['gpu_spec']} {row['qos']}", row["gpu_spec"], row["qos"], float(row["gpus"]))
        for row in rows(folder, "openb/derived_request_classes.csv")
    ]
    return _openb(folder, "openb", projects)


def openb_pods(folder: Path = FOLDER, limit: int | None = None) -> Organization:
    """The requests of Alibaba's GPU cluster of 2023, one by one: every pod that asked for GPUs is a project.

    Real: the 6,212 GPUs by model, one pool each; the pods, with the models that they accept, their quality of
    service and their GPUs; that a pod runs on one node, hence in one pool, and all of it or nothing.
    Invented: the teams and their budgets, the weights of the priorities, the date, the site and equal speeds,
    as in `openb`. GPUs are granted whole here: a pod that asked for 0.46 of a GPU gets one.

    `limit` takes the first pods of the trace only; default: all 7,064.
    """
    pods = [row for row in rows(folder, "openb/openb_pod_list_gpuspec33.csv.gz") if int(row["num_gpu"])]
    projects = []
    for row in pods[:limit]:
        gpus = float(Fraction(int(row["num_gpu"]) * int(row["gpu_milli"]), 1000))
        projects.append(_openb_project(row["name"], row["gpu_spec"] or "ANY", row["qos"], gpus, one_pod=True))
    return _openb(folder, "openb-pods", projects)


def _openb(folder: Path, organization: str, projects: Iterable[Project]) -> Organization:
    gpus: Counter[str] = Counter()
    for row in rows(folder, "openb/openb_node_list_gpu_node.csv"):
        gpus[row["model"]] += int(row["gpu"])
    return Organization(
        name=organization,
        as_of=OPENB_DAY,
        gpu_types={name: GpuType(vendor="nvidia") for name in sorted(gpus)},
        pools=tuple(Pool(name=name, gpu_type=name, site="openb", gpus=gpus[name]) for name in sorted(gpus)),
        teams=(
            Team(name="cluster"),
            Team(name="serving", parent="cluster", guarantee="60%"),
            Team(name="batch", parent="cluster", guarantee="4%"),
            Team(name="best-effort", parent="cluster", guarantee="20%", cap="30%"),
        ),
        projects=tuple(projects),
    )


def _openb_project(name: str, models: str, qos: str, gpus: float, *, one_pod: bool = False) -> Project:
    return Project(
        name=name,
        team=QOS_TEAM[qos],
        priority=QOS_PRIORITY[qos],
        demand=gpus,
        minimum=gpus if one_pod else 0,
        one_pool=one_pod,
        speeds=None if models == "ANY" else dict.fromkeys(models.split("|"), 1.0),
    )


def philly(folder: Path = FOLDER, day: dt.date = PHILLY_DAY) -> Organization:
    """A day of Microsoft's Philly cluster of 2017.

    Real: the projects (jobs of at least a day; a job is all or nothing), their teams (virtual clusters), GPUs
    and dates: those that run on the day hold their GPUs, those that start in the 30 days after it are new.
    An estimate by others: the teams' nodes, hence the size of the single pool. Invented: 8 GPUs for every
    node, and that a team's nodes are its guarantee and its cap alike. An end is only told when it comes
    within the 30 days. The many shorter jobs, which filled the rest of the cluster, are not in the data.

    Raises ValueError where no project of the trace runs on the day.
    """
    budgets = {row["vc"]: 8 * int(row["node num"]) for row in rows(folder, "philly/philly_vc_nodes.csv")}
    trace = list(rows(folder, "philly/derived_projects_ge_1day.csv"))
    if not any(_date(row["start"]) <= day < _date(row["end"]) for row in trace):
        raise ValueError(f"no project of the Philly trace runs on {day}")
    return Organization(
        name=f"philly-{day}",
        as_of=day,
        gpu_types={"gpu": GpuType(vendor="nvidia")},
        pools=(Pool(name="philly", gpu_type="gpu", site="philly", gpus=sum(budgets.values())),),
        teams=(
            Team(name="philly"),
            *(Team(name=name, parent="philly", guarantee=gpus, cap=gpus) for name, gpus in budgets.items()),
        ),
        projects=tuple(
            _philly_project(row, day)
            for row in trace
            if _date(row["start"]) <= day + SOON and day < _date(row["end"])
        ),
    )


def _philly_project(row: Row, day: dt.date) -> Project:
    gpus, starts, ends = int(row["num_gpus"]), _date(row["start"]), _date(row["end"])
    return Project(
        name=row["project_id"],
        team=row["vc_team"],
        demand=gpus,
        minimum=gpus,
        starts=starts,
        ends=ends if ends <= day + SOON else None,
        holds={"philly": gpus} if starts <= day else {},
    )


def helios(folder: Path = FOLDER, cluster: str = "Venus", day: dt.date | None = None) -> Organization:
    """A day on which the quotas of the teams of a SenseTime Helios cluster ("Venus" or "Earth", 2020) change.

    Real: the teams; yesterday's quotas, which are what they hold; today's, which are what they are promised,
    may have and ask for; the size of the cluster today; nodes of 8 GPUs. Invented: that a quota is in use to
    the last GPU, and the two kinds of projects: a team's work goes on under the team's name, and what a team
    has to give up is a project of its own, which ends today. `day`: default `HELIOS_DAYS`.

    Raises ValueError where the data do not have the day and the day before it.
    """
    today = day or HELIOS_DAYS[cluster]
    quotas = {row["date"]: row for row in rows(folder, f"helios/{cluster}_cluster_gpu_number.csv")}
    before, after = quotas.get(str(today - dt.timedelta(days=1))), quotas.get(str(today))
    if before is None or after is None:
        raise ValueError(f"the data on {cluster} begin on {min(quotas)} and end on {max(quotas)}")
    names = [name for name in after if name not in ("date", "total") and int(before[name]) + int(after[name])]
    gpus = {name: int(after[name]) for name in names}
    return Organization(
        name=f"helios-{cluster}-{today}",
        as_of=today,
        gpu_types={"gpu": GpuType(vendor="nvidia")},
        pools=(Pool(name=cluster, gpu_type="gpu", site="helios", gpus=int(after["total"]), unit=8),),
        teams=(
            Team(name=cluster),
            *(Team(name=name, parent=cluster, guarantee=gpus[name], cap=gpus[name]) for name in names),
        ),
        projects=tuple(
            project
            for name in names
            for project in _helios_projects(cluster, name, int(before[name]), gpus[name], today)
        ),
    )


def _helios_projects(cluster: str, team: str, before: int, after: int, today: dt.date) -> Iterable[Project]:
    kept, given_up = min(before, after), max(0, before - after)
    if after:
        yield Project(name=team, team=team, demand=after, holds={cluster: kept} if kept else {})
    if given_up:
        name = f"{team} gives up"
        yield Project(name=name, team=team, demand=given_up, ends=today, holds={cluster: given_up})


def _date(moment: str) -> dt.date:
    return dt.datetime.fromisoformat(moment).date()


def rows(folder: Path, file: str) -> Iterable[Row]:
    """The rows of a CSV file of the public data, packed or not; raises MissingData where there is none."""
    path = folder / file
    if not path.is_file():
        raise MissingData(f"{path} is missing; it is public data that are not part of this repository")
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as stream:
        yield from csv.DictReader(stream)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the organization that the command line names; in YAML, what is real in it comes first."""
    given = _parser().parse_args(arguments)
    try:
        write(*_convert(given), given.out)
    except (MissingData, InvalidInput, ValueError, OSError) as problem:
        sys.exit(str(problem))


def write(organization: Organization, description: str, out: Path) -> None:
    """Write the organization to a file; in YAML, the description comes first, as a comment."""
    dump(organization, out)
    if out.suffix.lower() != ".json":
        comment = "".join(f"# {line}".rstrip() + "\n" for line in inspect.cleandoc(description).splitlines())
        out.write_text(f"{comment}\n{out.read_text(encoding='utf-8')}", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.real_data", description="An organization from public data.")
    parser.add_argument("data", choices=("openb", "openb-pods", "philly", "helios"))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="the file to write, .yaml or .json")
    parser.add_argument("--day", type=dt.date.fromisoformat, help="philly and helios: the day, as 2020-07-07")
    parser.add_argument("--cluster", choices=tuple(HELIOS_DAYS), default="Venus", help="helios only")
    parser.add_argument("--limit", type=int, help="openb-pods only: so many pods, the first of the trace")
    return parser


def _convert(given: argparse.Namespace) -> tuple[Organization, str]:
    match given.data:
        case "openb":
            return openb(given.folder), openb.__doc__ or ""
        case "openb-pods":
            return openb_pods(given.folder, given.limit), openb_pods.__doc__ or ""
        case "philly":
            return philly(given.folder, given.day or PHILLY_DAY), philly.__doc__ or ""
        case _:
            return helios(given.folder, given.cluster, given.day), helios.__doc__ or ""


if __name__ == "__main__":
    main()
