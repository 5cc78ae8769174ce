"""The tokens of a YAML or JSON text, and what is wrong with a text that has none.

YAML and JSON give the same tokens, so that one composer builds values, places and problems from
both. Nothing here runs what a file says: a YAML tag is refused, whatever it asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import yaml

from gpu_opt.errors import InvalidInput, Problem


class Token(NamedTuple):
    """A scalar, an alias, or the beginning or end of a mapping or list."""

    kind: str
    """One of ``{ } [ ] alias quoted plain``."""
    text: str
    anchor: str | None
    """The name that YAML gives it, or that an alias refers to."""
    line: int
    column: int


MAX_DEPTH = 20
"""Levels of nesting that are read; an organization has five."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KINDS = {
    yaml.MappingStartEvent: "{",
    yaml.MappingEndEvent: "}",
    yaml.SequenceStartEvent: "[",
    yaml.SequenceEndEvent: "]",
    yaml.AliasEvent: "alias",
    yaml.ScalarEvent: "quoted",
}
_NOT_TEXT = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s,:{}\[\]"]+')

_WHAT = {
    "exceeded maximum nesting depth": f"nested more than {MAX_DEPTH} levels deep",
    "did not find expected key": "expected a field name, as far to the right as those before it",
    "did not find expected '-' indicator": "expected '-', as far to the right as those before it",
    "did not find expected ',' or '}'": "expected ',' or '}'",
    "did not find expected ',' or ']'": "expected ',' or ']'",
    "did not find expected node content": "expected a value",
    "did not find expected <document start>": "expected the end of the file",
    "could not find expected ':'": "expected ':' after a field name",
    "found unexpected end of stream": "expected the closing quote",
    "mapping values are not allowed in this context": "a ':' cannot be here; put the text in quotes, or "
    "set the line as far to the right as its neighbours",
    "block sequence entries are not allowed in this context": "a '-' cannot be here; begin a line with it",
    "found character that cannot start any token": "a value cannot begin with this character; put it in "
    "quotes, and indent with blanks instead of tabs",
}
"""The YAML parser's words, in plain ones."""
_JSON_WHAT = {
    "Expecting value": "expected a value",
    "Expecting ',' delimiter": "expected ','",
    "Expecting ':' delimiter": "expected ':'",
    "Expecting property name enclosed in double quotes": "expected a field name in double quotes",
    "Unterminated string starting at": "this text has no closing quote: is the file complete?",
    "Invalid control character at": "expected the closing quote of this line's text",
    "Extra data": "expected the end of the file",
}
"""The JSON parser's words, in plain ones."""
_WHERE = {
    "while parsing a flow mapping": "the {...}",
    "while parsing a flow sequence": "the [...]",
    "while parsing a block mapping": "the field",
    "while parsing a block collection": "the list",
    "while scanning a simple key": "the text",
    "while scanning a quoted scalar": "the quoted text",
}


def refuse(line: int | None, message: str) -> NoReturn:
    """Raise InvalidInput: nothing more can be read of this file."""
    raise InvalidInput((Problem("", message, line=line),))


def yaml_tokens(text: str) -> Iterator[Token]:
    """The tokens of a YAML text; raises InvalidInput on reaching what is broken or not plain values."""
    strange = _NOT_TEXT.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        refuse(line, f"the character U+{ord(strange[0]):04X} is not text; remove it, if this is a text file")
    try:
        yield from _events(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise InvalidInput((_broken_yaml(error, text),)) from error


def _events(events: Iterator[Any]) -> Iterator[Token]:
    documents = 0
    for event in events:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        kind = _KINDS.get(type(event))
        if kind is None:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                refuse(line, "a second document begins here; write one organization to a file")
            continue
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            refuse(line, f"the tag {shown} is not read; remove it, and put text in quotes")
        if kind == "quoted" and event.implicit[0]:
            kind = "plain"
        yield Token(kind, getattr(event, "value", ""), getattr(event, "anchor", None), line, column)


def _broken_yaml(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark
    assert mark is not None
    what = _WHAT.get(error.problem or "", error.problem)
    where = _WHERE.get(error.context or "")
    inside = (
        f", in {where} that begins on line {error.context_mark.line + 1}"
        if where and error.context_mark
        else ""
    )
    return _broken(text, mark.line + 1, mark.column + 1, f"{what}{inside}")


def _broken(text: str, line: int, column: int, what: str) -> Problem:
    rest = "\n".join(text.split("\n")[line - 1 :])[column - 1 :]
    if rest.strip():
        return Problem("", f"{what}, at column {column}", line=line)
    return Problem("", f"{what}; the file ends here: is it complete?", line=text.rstrip().count("\n") + 1)


def json_tokens(text: str) -> Iterator[Token]:
    """The tokens of a JSON text; raises InvalidInput at once if it is broken, gives none if it is empty."""
    if not text.strip():
        return
    _check_json(text)
    line, begin, at = 1, 0, 0
    for match in _JSON_TOKEN.finditer(text):
        lines = text.count("\n", at, match.start())
        if lines:
            line, begin = line + lines, text.rindex("\n", at, match.start()) + 1
        at = match.start()
        piece, column = match[0], at - begin + 1
        if piece in "{}[]":
            yield Token(piece, "", None, line, column)
        elif piece.startswith('"'):
            yield Token("quoted", json.loads(piece), None, line, column)
        else:
            yield Token("plain", piece, None, line, column)


def _check_json(text: str) -> None:
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        what = _JSON_WHAT.get(error.msg, error.msg)
        raise InvalidInput((_broken(text, error.lineno, error.colno, what),)) from error
    except RecursionError:
        return  # too deep for Python: the composer, which goes no deeper than it must, says where
