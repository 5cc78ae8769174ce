"""Grids: scenarios in which values are written as ``each ...``, one scenario for every combination."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import math
import os
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.files import read_as
from gpu_opt.scenario.changes import Scenario
from gpu_opt.scenario.reading import examine_scenario

MOST_POINTS = 10_000
"""Scenarios of one grid, at most: a slip of the finger is caught."""

_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_NUMBERS = re.compile(rf"({_NUMBER})\s*(%?)\s*\.\.\s*({_NUMBER})\s*(%?)\s+by\s+({_NUMBER})\s*(%?)")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\s*\.\.\s*(\d{4}-\d\d-\d\d)\s+by\s+(\d{1,4})\s*([dw])")
_WEEKDAYS = re.compile(r"(\w+day)\s+of\s+(\d{4})-(\d\d)", re.IGNORECASE)


class Axis(NamedTuple):
    """A value that a grid runs through."""

    name: str
    """What it is, as ``research: cap``."""
    change: int
    field: str
    values: tuple[Any, ...]


class Point(NamedTuple):
    """One combination of values."""

    values: dict[str, str]
    """By axis."""
    scenario: Scenario


class Grid(NamedTuple):
    """All combinations of the values of all axes, the last axis running fastest."""

    name: str
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]


def load_grid(path: str | os.PathLike[str]) -> Grid:
    """The grid in a file: a scenario file in which values may be written as ``each ...``.

    Raises InvalidInput, whose `source` is the path as given, with every problem.
    """
    grid, problems = read_as(examine_grid, path)
    if grid is None:
        raise InvalidInput(problems, source=os.fspath(path))
    return grid


def make_grid(value: object) -> Grid:
    """The grid that plain values describe: a mapping with `name` and `changes`, as in a file.

    Raises InvalidInput with every problem.
    """
    grid, problems = examine_grid(value)
    if grid is None:
        raise InvalidInput(problems)
    return grid


def examine_grid(value: object) -> tuple[Grid | None, tuple[Problem, ...]]:
    """The grid that plain values describe, None where their shape is wrong; and all problems."""
    changes = value.get("changes") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(changes, list):
        return None, examine_scenario(value)[1] or (_no_axis(),)
    axes, problems = _axes(changes)
    if problems:
        return None, tuple(problems)
    count = math.prod(len(axis.values) for axis in axes)
    if not axes or count > MOST_POINTS:
        told = f"the grid has {count:,} scenarios, more than {MOST_POINTS:,}; make its steps larger"
        return None, (Problem("changes", told) if axes else _no_axis(),)
    points, found = [], dict[Problem, None]()
    for values in itertools.product(*(axis.values for axis in axes)):
        scenario, wrong = examine_scenario(value | {"changes": _with_values(changes, axes, values)})
        found |= dict.fromkeys(wrong)
        if scenario is not None:
            told_values = {axis.name: str(each) for axis, each in zip(axes, values, strict=True)}
            points.append(Point(told_values, scenario))
    if found:
        return None, tuple(found)
    return Grid(str(value["name"]), tuple(axes), tuple(points)), ()


def _no_axis() -> Problem:
    told = "no value is written as 'each ...', as in cap: each 50%..80% by 5%; a scenario is for what-if"
    return Problem("changes", told)


def _axes(changes: Sequence[object]) -> tuple[list[Axis], list[Problem]]:
    axes: list[Axis] = []
    problems: list[Problem] = []
    for place, change in enumerate(changes):
        if not isinstance(change, dict):
            continue
        for field, text in change.items():
            if not (isinstance(text, str) and re.match(r"each\s", text)):
                continue
            try:
                values = each(text[4:].strip())
            except ValueError as error:
                problems.append(Problem(f"changes[{place}].{field}", str(error)))
                continue
            axes.append(Axis(_name(change, field, axes), place, field, values))
    return axes, problems


def _name(change: dict[str, Any], field: str, known: Sequence[Axis]) -> str:
    subjects = (change.get(key) for key in ("project", "team", "pool", "site", "name"))
    kind = str(change.get("change")).replace("_", " ")
    subject = next((str(one) for one in subjects if one is not None), kind)
    name = f"{subject}: {field.replace('_', ' ')}"
    taken = sum(axis.name == name or axis.name.startswith(f"{name} (") for axis in known)
    return f"{name} ({taken + 1})" if taken else name


def _with_values(changes: Sequence[Any], axes: Sequence[Axis], values: Sequence[Any]) -> list[Any]:
    made = [dict(change) if isinstance(change, dict) else change for change in changes]
    for axis, value in zip(axes, values, strict=True):
        made[axis.change][axis.field] = value
    return made


def each(text: str) -> tuple[Any, ...]:
    """The values that are meant by what follows ``each``.

    Numbers or percentages (``50%..80% by 5%``), days (``2026-12-07..2026-12-28 by 7d``), the weekdays of a
    month (``Monday of 2026-12``), or a list (``iowa, texas``).

    Raises ValueError, in words, where nothing can be meant.

    >>> each("50..60 % by 5"), each("1, 2.5")
    (('50%', '55%', '60%'), (1, 2.5))
    >>> [str(day) for day in each("Monday of 2026-12")]
    ['2026-12-07', '2026-12-14', '2026-12-21', '2026-12-28']
    """
    if match := _NUMBERS.fullmatch(text):
        return _numbers(*match.groups())
    if match := _DAYS.fullmatch(text):
        step = dt.timedelta(days=int(match[3]) * (7 if match[4] == "w" else 1))
        return _days(_day(match[1]), _day(match[2]), step)
    if match := _WEEKDAYS.fullmatch(text):
        return _weekdays(match[1], int(match[2]), int(match[3]))
    entries = [entry.strip() for entry in text.split(",")]
    if ".." in text or len(entries) < 2 or not all(entries):
        examples = "50%..80% by 5%, 2026-12-07..2026-12-28 by 7d, Monday of 2026-12, or a, b, c"
        quoted = "" if ".." in text else ' (between { and } a list needs quotes: "each a, b, c")'
        raise ValueError(f"'each {text}' cannot be read; write each {examples}{quoted}")
    return tuple(_entry(entry) for entry in entries)


def _numbers(low: str, one: str, high: str, two: str, by: str, three: str) -> tuple[Any, ...]:
    first, last, step = Fraction(low), Fraction(high), Fraction(by)
    if last < first or step <= 0:
        wrong = f"{low}..{high} by {by} has no values"
        raise ValueError(f"{wrong}; the first must be the smaller, and the step above 0")
    if (last - first) / step > MOST_POINTS:
        raise ValueError(f"{low}..{high} by {by} has more than {MOST_POINTS:,} values")
    count = int((last - first) / step) + 1
    numbers = [_plain(first + step * place) for place in range(count)]
    return (
        tuple(f"{Decimal(str(number)):f}%" for number in numbers) if one or two or three else tuple(numbers)
    )


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)


def _days(first: dt.date, last: dt.date, step: dt.timedelta) -> tuple[dt.date, ...]:
    if last < first or not step:
        raise ValueError(f"{first}..{last} has no days in these steps; the first must be the earlier")
    return tuple(first + step * place for place in range((last - first) // step + 1))


def _weekdays(name: str, year: int, month: int) -> tuple[dt.date, ...]:
    names = [day.casefold() for day in calendar.day_name]
    if name.casefold() not in names or not (1 <= month <= 12 and year > 0):
        wrong = f"'{name} of {year:04}-{month:02}' is no weekday of a month"
        raise ValueError(f"{wrong}, as in Monday of 2026-12")
    days = (dt.date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1]))
    return tuple(day for day in days if day.weekday() == names.index(name.casefold()))


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar") from None


def _entry(text: str) -> Any:
    if re.fullmatch(_NUMBER, text):
        return _plain(Fraction(text))
    return _day(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
