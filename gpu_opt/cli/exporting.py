"""Where a command's report goes: the page of ``--html``, the tables of ``--csv``, tried before the solve."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gpu_opt.cli import arguments as args
from gpu_opt.cli.output import say
from gpu_opt.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from gpu_opt.plan import Result

PLOTS = Problem("--html", "needs plotly for its plots: pip install 'gpu-opt[plots]'")


class Destinations(NamedTuple):
    """Where the report of a command goes, if anywhere."""

    html: Path | None
    csv: Path | None


NOWHERE = Destinations(None, None)


def destinations(html: args.Html = None, csv: args.Csv = None) -> Destinations:
    """The places as they were typed, each tried by writing beside it.

    Raises InvalidInput, with all that is wrong, if plotly is missing or one of the places cannot be written.
    """
    page, folder = (None if text is None else Path(text).expanduser() for text in (html, csv))
    found = []
    if page is not None:
        wrong = _trouble(page, lambda place: _wrong_with_page(page, place, folder))
        found += [] if importlib.util.find_spec("plotly") else [PLOTS]
        found += [Problem("--html", wrong)] if wrong else []
    if folder is not None:
        wrong = _trouble(folder, lambda place: _wrong_with_folder(folder, place))
        found += [Problem("--csv", wrong)] if wrong else []
    if found:
        raise InvalidInput(tuple(found))
    return Destinations(page, folder)


def _trouble(path: Path, look: Callable[[Path], str | None]) -> str | None:
    """What keeps us from writing to a path, as `look` finds it or a file beside it; None: nothing."""
    from gpu_opt.report.writing import draft

    try:
        place = path.resolve()
        if wrong := look(place):
            return wrong
        trial = draft(place)
        trial.touch(exist_ok=False)
        trial.unlink()
    except FileNotFoundError:
        return f"{str(path)!r} cannot be written: there is no folder {str(place.parent)!r}; make it first"
    except (OSError, ValueError) as error:  # ValueError: a character that no path can have
        told = error.strerror if isinstance(error, OSError) else error
        return f"{str(path)!r} cannot be written: {told}; name another place"
    return None


def _wrong_with_page(page: Path, place: Path, folder: Path | None) -> str | None:
    if place.is_dir():
        return f"{str(page)!r} is a folder; name a file, as in {str(page / 'report.html')!r}"
    if page.suffix.lower() not in {".html", ".htm"}:
        return f"{str(page)!r} must end in .html, so that no other file is replaced by a slip"
    if place.exists() and not place.is_file():
        return f"{str(page)!r} is no file that can be replaced; name another one"
    if folder is not None and folder.resolve() in (place, *place.parents):
        return f"{str(page)!r} is in the folder of --csv, which is replaced as a whole; name another one"
    return None


def _wrong_with_folder(folder: Path, place: Path) -> str | None:
    from gpu_opt.report.writing import foreign_files

    if place.exists() and not place.is_dir():
        return f"{str(folder)!r} is a file; name a folder"
    if place in (Path.cwd(), *Path.cwd().parents):
        return f"{str(folder)!r} is replaced as a whole and you are in it; name a new folder, as 'tables'"
    if others := foreign_files(place):
        named = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        return f"{str(folder)!r} has other files than tables of gpu-opt: {named}; name a new or empty folder"
    return None


def export(result: Result, to: Destinations) -> bool:
    """Write the report; whether all of it is written.

    What cannot be written is told on stderr, and the rest is written all the same.
    """
    from gpu_opt.report.sheets import sheets_of
    from gpu_opt.report.writing import write_page, write_tables

    written = True
    if to.html is not None:
        from gpu_opt.report.page import page

        written = _done("--html", to.html, lambda path: write_page(page(result), path))
    if to.csv is not None:
        written &= _done("--csv", to.csv, lambda path: write_tables(sheets_of(result), path))
    return written


def _done(option: str, path: Path, write: Callable[[Path], None]) -> bool:
    try:
        write(path)
    except OSError as error:
        say(f"gpu-opt: {option}: {str(path)!r} could not be written: {error.strerror or error}")
        return False
    return True
