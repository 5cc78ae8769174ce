"""How every table looks: no frames, figures to the right, legible without colour."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gpu_opt.report.sheet import Sheet, shown
from gpu_opt.report.text import printable

MARK = "bold red"
"""Style of what a planner must not overlook; the words say the same without it."""


def cell(text: str, style: str = "") -> Text:
    """Text that is printed as it is: brackets in a name are no markup."""
    return Text(printable(text), style=style)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table. The columns in `right` hold figures, which are never broken over lines."""
    grid = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for name in columns:
        figures = name in right
        grid.add_column(name, justify="right" if figures else "left", no_wrap=figures, overflow="fold")
    return grid


def of_sheet(sheet: Sheet) -> Table:
    """A table with all columns and rows of a sheet."""
    grid = table(
        *(column.heading for column in sheet.columns),
        right=[column.heading for column in sheet.columns if column.is_figure],
    )
    for row in sheet.rows:
        grid.add_row(*(cell(shown(value, of.kind)) for value, of in zip(row, sheet.columns, strict=True)))
    return grid


def titled(title: str, *body: RenderableType) -> Group:
    """A section: an empty line, its title, and what it shows."""
    return Group(Text(), cell(title, "bold"), *body)
