"""What a command is told, and how its texts are read."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Annotated

import typer

LONGEST_HORIZON = dt.timedelta(days=3660)
"""Ten years: nobody plans GPUs further, and a slip of the finger is caught."""

_HORIZON = re.compile(r"(\d{1,6})\s*([dw])")

File = Annotated[str, typer.Argument(metavar="FILE", help="The organization, in YAML or JSON.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result, or the error, as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
TimeLimit = Annotated[
    float, typer.Option("--time-limit", metavar="SECONDS", help="For all solves of the command together.")
]
Gap = Annotated[
    str,
    typer.Option("--gap", metavar="GAP", help="Relative gap at which to stop: 0.001, 0.1%; 0: until proved."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, metavar="N", show_default="all cores", help="Threads for CBC."),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=2**31 - 1, metavar="N", help="Random seed of the solve.")
]

WorkLimit = Annotated[
    int | None,
    typer.Option(
        "--work-limit",
        min=1,
        metavar="N",
        show_default="none",
        help="Stop each allocation after N jobs for CBC instead of a time: the same start, the same plan.",
    ),
]

Scenarios = Annotated[
    list[str], typer.Argument(metavar="SCENARIO...", help="Files of changes, in YAML or JSON.")
]

GridFile = Annotated[
    str, typer.Argument(metavar="GRID", help="A file of changes in which values are written as 'each ...'.")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", show_default="--threads", help="Scenarios at a time."),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="URL", help="Solve on the Dask cluster of this scheduler: tcp://..."),
]

All = Annotated[bool, typer.Option("--all", help="Leave no project out of the tables.")]
Date = Annotated[
    str | None, typer.Option("--date", metavar="DATE", show_default="the file's as_of", help="The day.")
]
Horizon = Annotated[
    str,
    typer.Option(
        "--horizon", metavar="TIME", help="How far to look: 90d, 12w, or the last day, as 2027-02-21."
    ),
]
Store = Annotated[
    str,
    typer.Option("--store", metavar="URL", help="Where plans are published: a database, or a SQLite file."),
]

Html = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="Also write a page with plots, for any browser."),
]
Csv = Annotated[
    str | None,
    typer.Option("--csv", metavar="DIR", help="Also write the tables as CSV files into their own folder."),
]

Subject = Annotated[str, typer.Argument(metavar="PROJECT_OR_TEAM", help="Whom to explain.")]
Top = Annotated[
    int,
    typer.Option("--top", min=0, max=1000, metavar="N", help="How many of each are shown, and solved again."),
]

Needed = Annotated[int, typer.Argument(metavar="N", min=1, help="How many GPUs are needed.")]
ForTeam = Annotated[str, typer.Option("--team", metavar="TEAM", help="Who needs them.")]
By = Annotated[str, typer.Option("--by", metavar="DATE", help="The day by which they are needed.")]
Types = Annotated[
    str | None,
    typer.Option(
        "--type", metavar="A,B", show_default="all", help="GPU types accepted, the preferred first."
    ),
]
Sites = Annotated[
    str | None,
    typer.Option("--site", metavar="A,B", show_default="all", help="Sites accepted, the preferred first."),
]
Priority = Annotated[float, typer.Option("--priority", metavar="WEIGHT", help="Weight of the request.")]
AllOrNothing = Annotated[bool, typer.Option("--all-or-nothing", help="Fewer than all of them are of no use.")]


def parse_day(text: str, option: str) -> dt.date:
    """A date such as 2026-12-15.

    Raises typer.BadParameter for anything else.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-12-15", param_hint=option) from None


def parse_horizon(text: str) -> dt.date | dt.timedelta:
    """The last day, or the days or weeks until it.

    Raises typer.BadParameter for anything else.
    """
    match = _HORIZON.fullmatch(text.strip().lower())
    if match is None:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
            return parse_day(text, "--horizon")
        raise typer.BadParameter(
            f"{text!r} is neither a time such as 90d or 12w nor a date such as 2026-12-15",
            param_hint="--horizon",
        )
    return dt.timedelta(**{{"d": "days", "w": "weeks"}[match[2]]: int(match[1])})


def last_day(horizon: dt.date | dt.timedelta, as_of: dt.date, option: str = "--horizon") -> dt.date:
    """The last day of the horizon that the option gives.

    Raises typer.BadParameter if it lies before `as_of`, more than ten years after it, or beyond what
    calendars have.
    """
    try:
        day = as_of + horizon if isinstance(horizon, dt.timedelta) else horizon
    except OverflowError:
        raise typer.BadParameter(f"no calendar goes that far from {as_of}", param_hint=option) from None
    if day < as_of:
        raise typer.BadParameter(f"{day} is before the file's as_of, {as_of}", param_hint=option)
    if day - as_of > LONGEST_HORIZON:
        late = f"{day} is more than ten years after the file's as_of, {as_of}"
        raise typer.BadParameter(late, param_hint=option)
    return day


def parse_gap(text: str) -> float:
    """A relative gap: 0.001, or 0.1%.

    Raises typer.BadParameter if it is not between 0 and 1.

    >>> parse_gap("0.1%")
    0.001
    """
    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = math.nan
    if not 0 <= share < 1:
        raise typer.BadParameter(f"{text!r} is not a share such as 0.001 or 0.1%", param_hint="--gap")
    return share


def parse_seconds(number: float) -> float:
    """A time limit.

    Raises typer.BadParameter if it is not a positive number.
    """
    if not (number > 0 and math.isfinite(number)):
        raise typer.BadParameter(f"{number:g} is not a positive number", param_hint="--time-limit")
    return number


def parse_name(text: str, option: str) -> str:
    """A name as it is in the file.

    Raises typer.BadParameter if it is empty, or cannot be read in the encoding of the terminal.
    """
    name = text.strip()
    if not name:
        raise typer.BadParameter("has no name in it", param_hint=option)
    if any("\ud800" <= letter <= "\udfff" for letter in name):  # how Python keeps bytes that are no text
        raise typer.BadParameter(
            f"{name!a} is not UTF-8 text; write it so, or set LANG=C.UTF-8 if it is", param_hint=option
        )
    return name


def parse_names(text: str | None, option: str) -> tuple[str, ...] | None:
    """Names with commas between them, the preferred one first; None where nothing is said.

    Raises typer.BadParameter if there is no name in the text, or one that cannot be read.

    >>> parse_names("h100, h200", "--type")
    ('h100', 'h200')
    """
    if text is None:
        return None
    names = [name for name in text.split(",") if name.strip()]
    return tuple(parse_name(name, option) for name in names or [""])
