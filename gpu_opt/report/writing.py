"""Reports on disk: each is written beside its place and renamed, so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import csv
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from gpu_opt.report.sheet import Sheet, plain
from gpu_opt.report.sheets.common import PLANS, plans

MARK = f"{PLANS}.csv"
"""The file by which a folder of tables is known."""


def write_page(text: str, path: Path) -> None:
    """Write a page in place of whatever file is at the path.

    Raises OSError if it cannot be written; what was there is then as it was.
    """
    place = path.resolve()  # of a link the target is replaced
    new = draft(place)
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            _to_disk(file)
        new.replace(place)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_tables(sheets: Iterable[Sheet], folder: Path) -> None:
    """Write each sheet as a CSV file into a folder of their own, which takes the place of the folder there.

    So no folder ever has tables of two runs, or half of one. While the two change places there is, for an
    instant, no folder.

    Raises OSError if that cannot be done, FileExistsError among them if the folder has files of others; what
    was there is then as it was.
    """
    place = folder.resolve()
    new = draft(place)
    try:
        new.mkdir()
        for sheet in sheets:
            _write_table(sheet, new / f"{sheet.name}.csv")
        _swap(new, place)
    except BaseException:
        _remove_tables(new)
        raise


def foreign_files(folder: Path) -> list[str]:
    """What is in a folder and does not come from :func:`write_tables`; nothing if there is no such folder.

    Only a folder with a `plans.csv` that is headed as ours is taken for one of tables: everything else in it
    that ends in ``.csv`` is then taken for a table, too.
    """
    if not folder.exists():
        return []
    names = sorted(entry.name for entry in folder.iterdir())
    if not _is_marked(folder / MARK):
        return names
    return [name for name in names if not name.endswith(".csv") or not (folder / name).is_file()]


def _is_marked(path: Path) -> bool:
    if not path.is_file():
        return False
    heading = ",".join(column.name for column in plans(()).columns)
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().rstrip("\n") == heading


def draft(place: Path) -> Path:
    """A name that nobody has, in the same folder."""
    return place.with_name(f".{place.name[:40]}.{secrets.token_hex(4)}")


def _write_table(sheet: Sheet, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(column.name for column in sheet.columns)
        lines.writerows(map(plain, row) for row in sheet.rows)
        _to_disk(file)


def _to_disk(file: TextIO) -> None:
    """So that a power cut after the renaming leaves no empty file."""
    file.flush()
    os.fsync(file.fileno())


def _swap(new: Path, place: Path) -> None:
    """Put the new folder into the place of the old one, and remove that."""
    if others := foreign_files(place):
        raise FileExistsError(f"{place} has files of others: {', '.join(others)}")
    if not place.exists():
        new.rename(place)
        return
    old = draft(place)
    place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        old.rename(place)
        raise
    _remove_tables(old)


def _remove_tables(folder: Path) -> None:
    """Remove a folder of tables; one in which somebody else put a file meanwhile is left alone."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.endswith(".csv"):
                Path(entry).unlink()
        folder.rmdir()
