"""Sheets: what a table says, as values; the terminal, the page and the CSV files show the same sheets."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from gpu_opt.report.text import amount, count, percentage

type Value = str | int | float | dt.date | None


class Kind(StrEnum):
    """What the values of a column are, and so how they are shown."""

    TEXT = "text"
    SENTENCE = "sentence"
    """A longer text."""
    COUNT = "count"
    """Whole things, GPUs for the most part."""
    AMOUNT = "amount"
    """Compute, values, seconds."""
    SHARE = "share"
    """A share of one, shown in per cent."""
    DAY = "day"


class Column(NamedTuple):
    """One column."""

    name: str
    """In a CSV file; part of the public contract."""
    heading: str
    """For people."""
    kind: Kind = Kind.TEXT

    @property
    def is_figure(self) -> bool:
        """Whether it stands to the right."""
        return self.kind in {Kind.COUNT, Kind.AMOUNT, Kind.SHARE}


class Sheet(NamedTuple):
    """A table: every row has a value for every column."""

    name: str
    """Of its CSV file, without the ending."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    def only(self, *names: str) -> Sheet:
        """The sheet with these columns, in this order."""
        place = {column.name: index for index, column in enumerate(self.columns)}
        kept = [place[name] for name in names]
        rows = tuple(tuple(row[index] for index in kept) for row in self.rows)
        return self._replace(columns=tuple(self.columns[index] for index in kept), rows=rows)

    def records(self) -> list[dict[str, Value]]:
        """The rows, by the names of the columns."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def sheet(name: str, title: str, columns: Iterable[Column], rows: Iterable[tuple[Value, ...]]) -> Sheet:
    """A sheet of rows that are still to be gone through."""
    return Sheet(name, title, tuple(columns), tuple(rows))


def beside(value: Value, column: Column, sheets: Iterable[Sheet]) -> list[Sheet]:
    """The sheets with one column more, in front, that has the same value in every row."""
    return [
        one._replace(columns=(column, *one.columns), rows=tuple((value, *row) for row in one.rows))
        for one in sheets
    ]


def stacked(sheets: Iterable[Sheet]) -> tuple[Sheet, ...]:
    """Sheets of the same name made one, with the rows of all."""
    merged: dict[str, Sheet] = {}
    for one in sheets:
        known = merged.get(one.name)
        merged[one.name] = one if known is None else known._replace(rows=known.rows + one.rows)
    return tuple(merged.values())


def shown(value: Value, kind: Kind) -> str:
    """A value as people read it.

    >>> import datetime as dt
    >>> shown(12345.67, Kind.AMOUNT), shown(512, Kind.COUNT), shown(0.0012, Kind.SHARE)
    ('12,345.7', '512', '0.12%')
    >>> shown(dt.date(2026, 12, 7), Kind.DAY)
    'Mon 2026-12-07'
    """
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return f"{value:%a} {value}"
    if isinstance(value, int) and kind is Kind.COUNT:
        return count(value)
    if isinstance(value, int | float):
        if kind is Kind.SHARE:
            return percentage(value)
        return amount(value) if math.isfinite(value) else "none"  # a bound that was not proved
    return value


def plain(value: Value) -> str:
    """A value as a CSV file has it: ISO dates, numbers in full; what nobody knows is empty.

    >>> plain(0.1), plain(512), plain(float("inf")), plain(None)
    ('0.1', '512', '', '')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return value if isinstance(value, str) else str(value)
