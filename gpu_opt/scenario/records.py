"""How records are changed, and how a change that does not apply says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gpu_opt.organization import Record


class Misfit(Exception):
    """A change does not apply: the field of it that is wrong, empty for the whole, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def updated[R: Record](record: R, **fields: Any) -> R:
    """The record with these fields, which must be valid."""
    return record.model_copy(update=fields)


def plain[R: Record](change: Record, kind: type[R]) -> R:
    """The record of the input that a change brings."""
    return kind(**{field: getattr(change, field) for field in kind.model_fields})


def require_new(kind: str, name: str, known: Iterable[str]) -> None:
    """Raise Misfit if the name is taken."""
    if name in known:
        raise Misfit("name", f"there is a {kind} {name!r} already; choose another name")
