"""What lending between the teams of a real cluster would have been worth, hour by hour.

The data are a month of SenseTime's Helios cluster "Earth": GPUs that run, wait and sit idle in every team, by
the hour. Each hour is an organization of its own (`organization`), which gpu_opt allocates under caps from a
team's quota upwards; `by_hand` works the same out without gpu_opt. docs/helios.md reads the results.

    python -m benchmarks.lending --hour 2020-05-16T10 --out hour.yaml      # one hour, as a file
    python -m benchmarks.lending --day 2020-05-16                          # what a day's lending is worth
    python -m benchmarks.lending --lend day                                # the month, some minutes
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from benchmarks.real_data import FOLDER, MissingData, rows, write
from gpu_opt.allocation import allocate
from gpu_opt.errors import InvalidInput
from gpu_opt.options import Options
from gpu_opt.organization import GpuType, Organization, Pool, Project, Team
from gpu_opt.plan import Status

CLUSTER = "Earth"
NODE = 8
"""GPUs of a node."""
A_DAY = 24

LEND = {
    "idle": "Every idle GPU can be lent",
    "nodes": "Teams in which nothing waits lend what is idle, in nodes of 8",
    "day": "Teams in which nothing waits, now and for the next 24 hours, lend what stays idle, in nodes of 8",
}
"""Three readings of the data, each more careful than the one before it."""

HEADING = (
    "a team may have    waiting served  of it lent  of what waits  by hand: served    lent  hours proved"
)
CAPS = ("100%", "110%", "125%", "150%", "200%", "none")


class Usage(NamedTuple):
    """The GPUs of a team in an hour."""

    running: int
    waiting: int
    quota: int

    @property
    def idle(self) -> int:
        """GPUs of its quota on which nothing runs."""
        return self.quota - self.running


type Hour = Mapping[str, Usage]
"""By team."""
type Month = Mapping[dt.datetime, Hour]
"""By the hour, in order."""


class Worth(NamedTuple):
    """What an hour, or several, are worth, in GPU-hours."""

    served: int
    """GPUs for what waits."""
    lent: int
    """Of these, GPUs beyond the quota of the team that has them."""
    proved: int = 0
    """Hours whose plan is proved the best."""


def hours(folder: Path = FOLDER) -> Month:
    """The month, hour by hour; raises MissingData where the data are absent."""
    month: dict[dt.datetime, dict[str, Usage]] = {}
    for row in rows(folder, f"helios/{CLUSTER}_vc_hourly_usage.csv.gz"):
        running, waiting, quota = (int(row[f"{kind}_gpu_num"]) for kind in ("running", "pending", "total"))
        month.setdefault(dt.datetime.fromisoformat(row["time"]), {})[row["vc"]] = Usage(
            running, waiting, quota
        )
    return month


def lendable(month: Month, moment: dt.datetime, lend: str) -> dict[str, int]:
    """The idle GPUs of each team that can be lent in an hour, by a reading of `LEND`."""
    if lend == "idle":
        return {team: usage.idle for team, usage in month[moment].items()}
    ahead = [moment + dt.timedelta(hours=hour) for hour in range(A_DAY if lend == "day" else 1)]
    watched = [month[each] for each in ahead if each in month]
    return {
        team: 0
        if any(hour[team].waiting for hour in watched)
        else min(hour[team].idle for hour in watched) // NODE * NODE
        for team in month[moment]
    }


def organization(
    moment: dt.datetime, hour: Hour, can_lend: Mapping[str, int], cap: Fraction | None = Fraction(1)
) -> Organization:
    """An hour of SenseTime's Helios cluster "Earth": what ran, what waited, and what sat idle in which team.

    Real: the teams, their quotas, the GPUs that ran and those that waiting jobs asked for. Running jobs of
    a team are one project, which is pinned: nothing is taken from anybody. Its waiting jobs are another.
    A team's guarantee is its quota, so nobody lends what it needs itself in that hour. Invented: the owner;
    that a team's jobs can run on any number of GPUs, on any nodes; and the caps. These are percentages of
    the root's cap, so that one number says how much may be lent: at 856, the whole cluster, a team may have
    its quota and no more; at 1284, half as much again. The pool has 856 GPUs whatever the caps.

    `can_lend`: idle GPUs by team; what else is idle is a pinned project of its own. `cap`: what a team may
    have, as a multiple of its quota; None: no caps.
    """
    fleet = sum(usage.quota for usage in hour.values())
    return Organization(
        name=f"helios-{CLUSTER}-{moment:%Y-%m-%dT%H}",
        as_of=moment.date(),
        gpu_types={"gpu": GpuType(vendor="nvidia")},
        pools=(Pool(name=CLUSTER, gpu_type="gpu", site="helios", gpus=fleet),),
        teams=(
            Team(name=CLUSTER, owner="planner", cap=None if cap is None else float(fleet * cap)),
            *(
                Team(
                    name=team,
                    parent=CLUSTER,
                    guarantee=quota,
                    cap=None if cap is None else share(quota, fleet),
                )
                for team, (_, _, quota) in hour.items()
            ),
        ),
        projects=tuple(
            project
            for team, usage in hour.items()
            for project in _projects(team, usage, usage.idle - can_lend[team])
        ),
    )


def _projects(team: str, usage: Usage, stays: int) -> Iterator[Project]:
    for name, gpus in ((f"{team} running", usage.running), (f"{team} stays idle", stays)):
        if gpus:
            yield Project(name=name, team=team, demand=gpus, holds={CLUSTER: gpus}, pinned=True)
    if usage.waiting:
        yield Project(name=f"{team} waiting", team=team, demand=usage.waiting)


def share(part: int, whole: int) -> str:
    """A part as a percentage; rounded up, so that it comes to no less than the part.

    >>> share(208, 856)
    '24.299065421%'
    """
    percentage = Decimal(part * 100) / whole
    return f"{percentage.quantize(Decimal('1e-9'), ROUND_UP).normalize():f}%"


def planned(lab: Organization, hour: Hour) -> Worth:
    """What gpu_opt's plan for an hour serves and lends."""
    plan = allocate(lab, options=Options(threads=1, gap=0))
    served = sum(grant.gpus for grant in plan.grants if grant.project.endswith(" waiting"))
    beyond = (team.granted - hour[team.team].quota for team in plan.teams if team.team in hour)
    return Worth(served, round(sum(max(0.0, each) for each in beyond)), int(plan.status is Status.OPTIMAL))


def by_hand(hour: Hour, can_lend: Mapping[str, int], cap: Fraction | None) -> Worth:
    """The same without gpu_opt: what waits under the caps, but no more than there is; the own quota first."""
    stays = {team: usage.idle - can_lend[team] for team, usage in hour.items()}
    wanted = sum(
        usage.waiting
        if cap is None
        else min(usage.waiting, int(usage.quota * cap) - usage.running - stays[team])
        for team, usage in hour.items()
    )
    served = min(wanted, sum(can_lend.values()))
    return Worth(served, served - sum(min(usage.waiting, can_lend[team]) for team, usage in hour.items()))


def worth(
    month: Month, moments: Sequence[dt.datetime], cap: Fraction | None, lend: str
) -> tuple[Worth, Worth]:
    """What some hours are worth under a cap, added up: by gpu_opt's plans, and by hand."""

    def both(moment: dt.datetime) -> tuple[Worth, Worth]:
        hour, can_lend = month[moment], lendable(month, moment, lend)
        plan = planned(organization(moment, hour, can_lend, cap), hour)
        return plan, by_hand(hour, can_lend, cap)

    with ThreadPoolExecutor() as executor:
        plans, hands = zip(*executor.map(both, moments), strict=True)
    return _added(plans), _added(hands)


def _added(several: Sequence[Worth]) -> Worth:
    return Worth(*map(sum, zip(*several, strict=True)))


def multiple(cap: str) -> Fraction | None:
    """What a team may have, as a multiple of its quota; None: no caps.

    >>> multiple("150%"), multiple("none")
    (Fraction(3, 2), None)
    """
    factor = None if cap == "none" else Fraction(cap.removesuffix("%")) / 100
    if factor is not None and factor < 1:
        raise ValueError(f"{cap}: a team may have its quota, 100%, at least")
    return factor


def main(arguments: Sequence[str] | None = None) -> None:
    """Write an hour as a file, or print what lending is worth in a day or in the month."""
    given = _parser().parse_args(arguments)
    try:
        _answer(given)
    except (MissingData, InvalidInput, ValueError, OSError) as problem:
        sys.exit(str(problem))


def _answer(given: argparse.Namespace) -> None:
    month = hours(given.folder)
    caps = {cap: multiple(cap) for cap in given.caps}
    moments = [each for each in month if given.day in (None, each.date()) and given.hour in (None, each)]
    if not moments:
        raise ValueError(f"the data begin at {min(month)} and end at {max(month)}")
    if given.hour is None:
        _table(month, moments, caps, given.lend)
    elif given.out is None:
        raise ValueError("--hour needs --out: the file to write")
    else:
        can_lend = lendable(month, given.hour, given.lend)
        write(organization(given.hour, month[given.hour], can_lend), organization.__doc__ or "", given.out)


def _table(
    month: Month, moments: Sequence[dt.datetime], caps: Mapping[str, Fraction | None], lend: str
) -> None:
    usages = [usage for moment in moments for usage in month[moment].values()]
    running, waiting, idle = (
        sum(getattr(usage, kind) for usage in usages) for kind in ("running", "waiting", "idle")
    )
    free = [sum(lendable(month, moment, lend).values()) for moment in moments]
    most = sum(
        min(sum(usage.waiting for usage in month[moment].values()), can)
        for moment, can in zip(moments, free, strict=True)
    )
    print(f"{CLUSTER}, {len(moments)} hours from {moments[0]} to {moments[-1]}")
    print(f"GPU-hours: {running:,} run, {waiting:,} wait, {idle:,} are idle")
    print(f"{LEND[lend]}: {sum(free):,} GPU-hours")
    print(f"At most, if in every hour all that waits could have all that can be lent: {most:,}\n")
    print(HEADING)
    for cap, factor in caps.items():
        print(line(cap, *worth(month, moments, factor, lend), waiting), flush=True)


def line(cap: str, plan: Worth, hand: Worth, waiting: int) -> str:
    """A line of the table: what a cap is worth, by gpu_opt's plans and by hand."""
    told = "no cap" if cap == "none" else f"{cap} of its quota"
    part = plan.lent / waiting if waiting else 0
    return (
        f"{told:17}{plan.served:>16,}{plan.lent:>12,}{part:>15.1%}"
        f"{hand.served:>17,}{hand.lent:>8,}{plan.proved:>14}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.lending", description="What lending would have been worth.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    parser.add_argument("--hour", type=dt.datetime.fromisoformat, help="write this hour, as 2020-05-16T10")
    parser.add_argument("--out", type=Path, help="the file to write the hour to, .yaml or .json")
    parser.add_argument("--day", type=dt.date.fromisoformat, help="as 2020-05-16; default: the month")
    parser.add_argument("--caps", nargs="+", default=CAPS, help="of a team's quota; default: %(default)s")
    parser.add_argument("--lend", choices=LEND, default="idle", help="which idle GPUs can be lent")
    return parser


if __name__ == "__main__":
    main()
