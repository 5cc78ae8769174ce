"""From plain values to an organization or another record, or to all that is wrong with them, in words.

Errors of shape (wrong types, missing and unknown fields) do not hide those of the rules. The broken
parts are replaced in two different ways, the rules are run on both repaired organizations, and what
they say is believed where they say the same of both: it does not hang on what is broken.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gpu_opt.errors import Problem
from gpu_opt.files.document import Step, path_text
from gpu_opt.organization import Organization, Record
from gpu_opt.validation import check
from gpu_opt.validation.wording import listed, nearest, number

type Path = tuple[Step, ...]
type Repair = Literal[0, 1]
"""Which of the two repairs; 0 leaves out what may be left out."""

ROUNDS = 20
"""Repairs of repairs: a misspelt field has its name mended first, and then its value."""


class _Fault(NamedTuple):
    path: Path
    kind: Literal["missing", "unknown", "name", "value"]
    message: str
    meant: str | None = None
    """The field that an unknown one was probably meant to be."""


def examine(value: object) -> tuple[Organization | None, tuple[Problem, ...]]:
    """The organization that plain values describe, None where their shape is wrong; and all problems."""
    if not isinstance(value, dict):
        what = (
            "the file is empty"
            if value is None
            else f"an organization is {_expected(dict)}, not {said(value)}"
        )
        return None, (Problem("", f"{what}; it has at least a 'name' and an 'as_of'"),)
    try:
        organization = Organization.model_validate(value)
    except ValidationError:
        return None, _despite_faults(value)
    return organization, check(organization)


def examine_record[R: Record](root: type[R], value: dict[str, object]) -> tuple[R | None, list[Problem]]:
    """The record that plain values describe, or None and every fault of their shape."""
    try:
        return root.model_validate(value), []
    except ValidationError:
        return None, _repaired(root, value, 0)[1]


def _despite_faults(value: dict[str, object]) -> tuple[Problem, ...]:
    one, faults, mended = _repaired(Organization, value, 0)
    other, _, _ = _repaired(Organization, value, 1)
    sure = set(check(other))
    found = (problem for problem in check(one) if problem in sure and not _concerns(problem, mended))
    return (*faults, *found)


def _concerns(problem: Problem, mended: set[str]) -> bool:
    path = problem.path
    return path in mended or any(path[:i] in mended for i, character in enumerate(path) if character in ".[")


def _repaired[R: Record](
    root: type[R], value: dict[str, object], repair: Repair
) -> tuple[R, list[Problem], set[str]]:
    """The record with its faults repaired, the faults as problems, and the paths that were mended."""
    data = _copy(value)
    problems: list[Problem] = []
    mended: set[str] = set()
    for _ in range(ROUNDS):
        try:
            return root.model_validate(data), problems, mended
        except ValidationError as error:
            faults = list(_faults(root, error, data))
        meant = {(*fault.path[:-1], fault.meant) for fault in faults}
        for fault in faults:
            if fault.path in meant:
                continue  # it is missing because its name is misspelt, which is said
            problems.append(Problem(path_text(fault.path), fault.message))
            mended.add(path_text(_mend(root, data, fault, repair)))
    raise AssertionError(f"faults that no repair mends: {problems}")


def _copy(value: Any) -> Any:
    """A copy that shares nothing, not even what an alias made one."""
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _faults(root: type[Record], error: ValidationError, data: object) -> Iterator[_Fault]:
    details: dict[Path, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        if (
            detail["type"] != "too_short" or not detail["input"]
        ):  # too short by its wrong entries, which follow
            details.setdefault(_path(data, detail), detail)  # an amount is first read as a number
    for path, detail in details.items():
        if detail["type"] == "extra_forbidden":
            yield _unknown_field(root, path)
        elif detail["type"] == "missing":
            yield _Fault(path, "missing", f"is missing; it must be {_expected(_type_at(root, path))}")
        elif detail["loc"][-1] == "[key]":
            yield _Fault(path, "name", f"the name {path[-1]!r} {wording(detail, str)}")
        else:
            yield _Fault(path, "value", wording(detail, _type_at(root, path)))


def _path(data: Any, detail: ErrorDetails) -> Path:
    """The part of a location that leads through the data; the rest says how it was read."""
    path: list[Step] = []
    for step in detail["loc"]:
        if isinstance(data, dict | list) and step in (data if isinstance(data, dict) else range(len(data))):
            data = data[cast("Any", step)]
        elif detail["type"] != "missing":
            break
        path.append(step)
    return tuple(path)


def _unknown_field(root: type[Record], path: Path) -> _Fault:
    fields = _type_at(root, path[:-1]).model_fields
    meant = nearest(str(path[-1]), fields)
    remedy = (
        f"did you mean {meant!r}?" if meant else f"the fields here are {listed(fields, most=len(fields))}"
    )
    return _Fault(path, "unknown", f"unknown field {path[-1]!r}; {remedy}", meant)


_WORDING: dict[str, Callable[[dict[str, Any]], str]] = {
    "value_error": lambda context: str(context["error"]),
    "greater_than": lambda context: f"must be more than {number(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {number(context['ge'])}",
    "less_than_equal": lambda context: f"must be at most {number(context['le'])}",
    "finite_number": lambda _: "must be a number that is not infinite",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda _: "must have no blanks at its ends and no line breaks",
    "string_unicode": lambda _: "has half of a character; write the character itself",
    "too_short": lambda context: f"needs {context['min_length']} or more entries",
    "too_long": lambda context: f"takes {context['max_length']} entries at most",
}


def wording(detail: ErrorDetails, kind: Any) -> str:
    """What is wrong with a value of this kind, and what it must be."""
    if detail["type"] in _WORDING:
        return _WORDING[detail["type"]](detail.get("ctx", {}))
    given = detail["input"]
    if given is None:
        return f"is empty; it must be {_expected(kind)}, or the field be left out"
    return f"must be {_expected(kind)}, not {said(given)}{_hint(given, kind)}"


def _hint(said: object, kind: Any) -> str:
    if kind is str and isinstance(said, int | float | dt.date):
        return "; put it in quotes"
    digits = said.replace(",", "").replace("_", "").strip() if isinstance(said, str) else ""
    return f"; write {digits} without quotes" if kind in (int, float) and digits.isdecimal() else ""


def said(value: object) -> str:
    """A value, for a message: ``the number 5``."""
    text = repr(value) if isinstance(value, str) else str(value)
    text = text if len(text) <= 60 else f"{text[:60]}..."
    match value:
        case bool():
            return text.lower()
        case int() | float():
            return f"the number {text}"
        case dt.date():
            return f"the date {text}"
        case str():
            return f"the text {text}"
        case list():
            return "a list"
        case _:
            return "a mapping of names to values"


def _expected(kind: Any) -> str:
    words: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    words |= {
        dt.date: "a date like 2026-12-31",
        tuple: "a list",
        Union: "a number or a percentage like '55%'",
    }
    return words.get(get_origin(kind) or kind, "a mapping of names to values")


@functools.cache
def _fields(record: type[Record]) -> dict[str, Any]:
    return get_type_hints(record)


def _type_at(root: type[Record], path: Path) -> Any:
    """The type that the record gives to what is at a path, without None."""
    kind: Any = root
    for step in path:
        if _is_record(kind):
            kind = _fields(kind)[str(step)]
        else:
            of = get_args(kind)
            kind = of[0] if get_origin(kind) is tuple else of[1]
        of = tuple(part for part in get_args(kind) if part is not NoneType)
        if get_origin(kind) in (Union, UnionType):
            kind = of[0] if len(of) == 1 else Union[of]  # noqa: UP007 - built from a tuple
    return kind


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


def _mend(root: type[Record], data: dict[str, object], fault: _Fault, repair: Repair) -> Path:
    """Repair one fault in place; returns the path of what was replaced or left out."""
    path = fault.path
    if fault.kind in ("unknown", "name"):
        around = _at(data, path[:-1])
        value = around.pop(path[-1], None)
        if fault.meant and fault.meant not in around:
            around[fault.meant] = value
        return path
    while get_origin(_type_at(root, path[:-1])) is tuple and not _is_record(_type_at(root, path)):
        path = path[:-1]  # one wrong entry spoils a list of values
    around, inside, step = _at(data, path[:-1]), _type_at(root, path[:-1]), path[-1]
    if repair == 0 and _is_record(inside) and not inside.model_fields[step].is_required():
        around.pop(step, None)
    else:
        written = around[step] if isinstance(step, int) else around.get(step)
        around[step] = _stand_in(_type_at(root, path), written, repair, name=step == "name")
    return path


def _stand_in(kind: Any, written: object, repair: Repair, *, name: bool = False) -> object:
    """A value of the type, for each repair its own; as text, what was written if that can be text."""
    if kind is str:
        return _as_text(written) or ("(no name)" if name else ("?", "??")[repair])
    if _is_record(kind):
        needed = [field for field, info in kind.model_fields.items() if info.is_required()]
        return {
            field: _stand_in(_fields(kind)[field], None, repair, name=field == "name") for field in needed
        }
    if get_origin(kind) is tuple:
        return [_stand_in(of, None, repair) for of in get_args(kind) if of is not ...]
    if get_origin(kind) is dict:
        return {"?": _stand_in(get_args(kind)[1], None, repair)}
    values: dict[Any, tuple[object, object]] = {
        int: (1, 100),
        bool: (False, True),
        dt.date: (dt.date.min, dt.date.max),
    }
    return values.get(kind, (0.5, 1.0))[repair]


def _as_text(written: object) -> str:
    text = str(written) if isinstance(written, str | int | float | dt.date) else ""
    return " ".join(text.split()).encode(errors="replace").decode()[:200].strip()
