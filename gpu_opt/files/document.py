"""The text of a file as plain values that know where they stand.

YAML is read as its version 1.2 means it: only ``true`` and ``false`` are booleans, so that ``no``,
``on`` and ``yes`` are text. Field names are text as written, ``on`` and ``4090`` too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from gpu_opt.errors import Problem
from gpu_opt.files.tokens import MAX_DEPTH, Token, refuse

MAX_ALIASED = 1_000_000
"""Values that all aliases of a file together may stand for."""

type Step = str | int
"""A field name, or a place in a list counted from 0."""


class Place(NamedTuple):
    """Where a value stands in its file; lines and columns count from 1."""

    line: int
    column: int
    parts: Mapping[Step, Place]
    """Where its fields or entries stand."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, before anything is known of its meaning."""

    value: object
    """Dicts with text as keys, lists, text, numbers, dates, booleans and None."""
    place: Place
    problems: tuple[Problem, ...]
    """Fields given twice; `value` has the first."""


NUMBER = re.compile(r"^[-+]?(?:\d+(\.\d*)?|(\.\d+))([eE][-+]?\d+)?$", re.ASCII)
"""Unquoted text that means a number."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NO_PARTS: Mapping[Step, Place] = MappingProxyType({})
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WORDS |= {form(word): value for word, value in _WORDS.items() for form in (str.title, str.upper)}


def compose(tokens: Iterator[Token]) -> Document:
    """Build the values and places of a text from its tokens.

    Raises InvalidInput where the text is empty, nested too deeply, has a field name that is not
    text, or an alias that stands for nothing, for itself, or for too much.
    """
    return _Composer(tokens).document()


def position(place: Place, path: str) -> tuple[int, int]:
    """Line and column of the value at a path such as ``teams[3].parent``, or of what encloses it."""
    while path:
        cuts = [match.start() for match in re.finditer(r"[.\[]", path) if match.start()]
        cut = next((cut for cut in (len(path), *reversed(cuts)) if _step(path[:cut]) in place.parts), None)
        if cut is None:
            break
        place = place.parts[_step(path[:cut])]
        path = path[cut:].removeprefix(".")
    return place.line, place.column


def path_text(path: tuple[Step, ...]) -> str:
    """A path as problems show it.

    >>> path_text(("teams", 3, "parent"))
    'teams[3].parent'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _step(text: str) -> Step:
    index = re.fullmatch(r"\[(\d+)\]", text)
    return int(index[1]) if index else text


def _scalar(text: str) -> object:
    """What unquoted text means: a number, a date, true, false, nothing, or itself."""
    if text in _WORDS:
        return _WORDS[text]
    number = NUMBER.fullmatch(text)
    if number:
        whole = not any(number.groups()) and len(text) < 40
        return int(text) if whole else float(text)
    if _DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    return text


class _Composer:
    def __init__(self, tokens: Iterator[Token]) -> None:
        self._tokens = tokens
        self._path: list[Step] = []
        self._anchors: dict[str, tuple[object, Mapping[Step, Place], int]] = {}
        self._values = 0
        self._aliased = 0
        self._problems: list[Problem] = []

    def document(self) -> Document:
        first = next(self._tokens, None)
        if first is None:
            refuse(None, "the file is empty; it has at least a 'name'")
        value, parts = self._value(first)
        next(self._tokens, None)  # refuses what follows
        return Document(value, Place(first.line, first.column, parts), tuple(self._problems))

    def _value(self, token: Token) -> tuple[object, Mapping[Step, Place]]:
        """The value that begins with the token, and where its parts stand."""
        if token.kind == "alias":
            return self._alias(token)
        before = self._values
        self._values += 1
        value: object
        parts = _NO_PARTS
        if token.kind == "{":
            value, parts = self._mapping(token)
        elif token.kind == "[":
            value, parts = self._list(token)
        else:
            value = _scalar(token.text) if token.kind == "plain" else token.text
        if token.anchor is not None:
            self._anchors[token.anchor] = value, parts, self._values - before
        return value, parts

    def _alias(self, token: Token) -> tuple[object, Mapping[Step, Place]]:
        if token.anchor not in self._anchors:
            refuse(token.line, f"*{token.anchor} stands for nothing above it, or for what it is a part of")
        value, parts, values = self._anchors[token.anchor]
        self._values += values
        self._aliased += values
        if self._aliased > MAX_ALIASED:
            refuse(token.line, f"aliases such as *{token.anchor} stand for more than {MAX_ALIASED:,} values")
        return value, parts

    def _mapping(self, start: Token) -> tuple[dict[str, object], Mapping[Step, Place]]:
        self._check_depth(start)
        value: dict[str, object] = {}
        places: dict[Step, Place] = {}
        while (key := next(self._tokens)).kind != "}":
            if key.kind not in ("plain", "quoted"):
                refuse(key.line, f"a field name must be text, at column {key.column}")
            self._path.append(key.text)
            entry, parts = self._value(next(self._tokens))
            if key.text in value:
                message = f"is given twice, first on line {places[key.text].line}; remove one of the two"
                self._problems.append(Problem(path_text(tuple(self._path)), message, line=key.line))
            else:
                value[key.text] = entry
                places[key.text] = Place(key.line, key.column, parts)
            self._path.pop()
        return value, places

    def _list(self, start: Token) -> tuple[list[object], Mapping[Step, Place]]:
        self._check_depth(start)
        value: list[object] = []
        places: dict[Step, Place] = {}
        while (token := next(self._tokens)).kind != "]":
            self._path.append(len(value))
            entry, parts = self._value(token)
            places[len(value)] = Place(token.line, token.column, parts)
            value.append(entry)
            self._path.pop()
        return value, places

    def _check_depth(self, token: Token) -> None:
        if len(self._path) > MAX_DEPTH:
            refuse(token.line, f"nested more than {MAX_DEPTH} levels deep, at column {token.column}")
