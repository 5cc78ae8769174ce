"""Organization files: reading them with every problem and its line, and writing them.

``.yaml``, ``.yml`` and ``.json`` are read and written; the suffix decides.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from gpu_opt.errors import InvalidInput, Problem, Severity
from gpu_opt.files.document import NUMBER, Document, Place, compose, position
from gpu_opt.files.shape import examine
from gpu_opt.files.tokens import Token, json_tokens, refuse, yaml_tokens
from gpu_opt.organization import Organization, plain_values

_BASE_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

LARGEST = 256_000_000
"""Bytes of the largest file that is read; what has no end, such as a device, must not fill the memory."""


def load(path: str | os.PathLike[str]) -> Organization:
    """The organization in a file.

    Raises InvalidInput, whose `source` is the path as given, with every problem (warnings too) if the
    file cannot be read, is not what its suffix says, or describes an organization that cannot be meant.
    Use `read` to see the warnings of a file that can be loaded.
    """
    organization, problems = read(path)
    if organization is None:
        raise InvalidInput(problems, source=os.fspath(path))
    return organization


def read(path: str | os.PathLike[str]) -> tuple[Organization | None, tuple[Problem, ...]]:
    """The organization in a file, None if there is an error; and all problems, in the order of its lines.

    Raises nothing that a file could cause.
    """
    return read_as(examine, path)


def read_as[R](
    examine: Callable[[object], tuple[R | None, Sequence[Problem]]], path: str | os.PathLike[str]
) -> tuple[R | None, tuple[Problem, ...]]:
    """What `examine` makes of the plain values in a file, None if there is an error; and all problems.

    `examine` gives the record that values describe, None where their shape is wrong, and the problems
    by path; they come back with their lines, and in the order of those. Raises what `examine` raises.
    """
    try:
        document = _document(path)
    except InvalidInput as broken:
        return None, broken.problems
    record, problems = examine(document.value)
    located = sorted(
        (_located(problem, document.place) for problem in (*document.problems, *problems)), key=_order
    )
    valid = all(problem.severity is Severity.WARNING for _, problem in located)
    return record if valid else None, tuple(problem for _, problem in located)


def with_lines(problems: Sequence[Problem], path: str | os.PathLike[str]) -> tuple[Problem, ...]:
    """Problems that were found later, with the lines of the file that they are about.

    Raises InvalidInput if the file cannot be read any more.
    """
    place = _document(path).place
    return tuple(problem for _, problem in sorted((_located(one, place) for one in problems), key=_order))


def dump(organization: Organization, path: str | os.PathLike[str]) -> None:
    """Write an organization so that `load` gives it back; fields at their default are left out.

    The file is replaced as a whole or not at all, whenever the process is killed. Raises InvalidInput
    if the suffix is none of those above, and OSError if the folder cannot be written.
    """
    write = _WRITERS[_suffix(path)]
    target = Path(os.path.realpath(path))
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("x", encoding="utf-8", newline="\n") as file:
            file.write(write(plain_values(organization)))
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _located(problem: Problem, place: Place) -> tuple[int, Problem]:
    line, column = position(place, problem.path)
    return column, problem if problem.line is not None else replace(problem, line=line)


def _order(located: tuple[int, Problem]) -> tuple[int, int]:
    column, problem = located
    return problem.line or 0, column


def _document(path: str | os.PathLike[str]) -> Document:
    try:
        with Path(path).open("rb") as file:
            read_tokens = _READERS[_suffix(path)]
            data = file.read(LARGEST + 1)
    except OSError as error:
        refuse(None, _unreadable(error, os.fspath(path)))
    except ValueError as error:  # a NUL in the path
        refuse(None, f"{os.fspath(path)!r} cannot be the path of a file: {error}")
    if len(data) > LARGEST:
        refuse(None, f"the file has more than {LARGEST:,} bytes, which no organization needs; check the path")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refuse(line, "this is not UTF-8 text; if it is a text file, save it as UTF-8")
    return compose(read_tokens(text))


def _unreadable(error: OSError, path: str) -> str:
    match error:
        case FileNotFoundError():
            return f"there is no file {path!r}; check the path"
        case IsADirectoryError():
            return f"{path!r} is a folder; name a file in it"
        case PermissionError():
            return f"you may not read {path!r}; ask its owner, or change its permissions"
        case _:
            return f"{path!r} cannot be read: {error.strerror}"


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in _READERS:
        refuse(None, f"{os.fspath(path)!r} must end in {', '.join(_READERS)}, which says how it is written")
    return suffix


def _to_yaml(values: dict[str, Any]) -> str:
    text: str = yaml.dump(
        values, Dumper=_YamlDumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110
    )
    return text


def _to_json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2, default=str) + "\n"


class _YamlDumper(_BASE_DUMPER):  # type: ignore[misc]
    """Quotes text that only YAML 1.2, which this package reads, would take for a number."""


_YamlDumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, None)

_READERS: dict[str, Callable[[str], Iterator[Token]]] = {
    ".yaml": yaml_tokens,
    ".yml": yaml_tokens,
    ".json": json_tokens,
}
_WRITERS: dict[str, Callable[[dict[str, Any]], str]] = {
    ".yaml": _to_yaml,
    ".yml": _to_yaml,
    ".json": _to_json,
}
