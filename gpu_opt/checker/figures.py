"""Comparing what a plan states with what was recomputed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from fractions import Fraction

from gpu_opt.plan import Result, Violation

TOLERANCE = 1e-6
"""Absolute: how far a stated figure, a double, may be from the exact one."""

ROUNDING = 1e-9
"""Relative: what adding up doubles may change."""


def written(value: object) -> str:
    """A recomputed value, for a message."""
    if isinstance(value, Fraction):
        return f"{float(value):,.6f}".rstrip("0").rstrip(".")
    return str(value)


def same(stated: object, computed: object) -> bool:
    """Whether a stated value is the recomputed one; exact numbers up to rounding, all else exactly."""
    if isinstance(computed, Fraction):
        return isinstance(stated, int | float) and close(stated, float(computed))
    return stated == computed


def close(stated: float, computed: float) -> bool:
    """Whether two figures are the same up to rounding; what is no number is no figure."""
    return math.isclose(stated, computed, rel_tol=ROUNDING, abs_tol=TOLERANCE)


def differences(
    rule: str, subject: str, stated: Result, computed: Mapping[str, object]
) -> Iterator[Violation]:
    """One violation for every field of `stated` that is not the one in `computed`."""
    for field, value in computed.items():
        if not same(getattr(stated, field), value):
            message = f"{field} is stated as {getattr(stated, field)}, but is {written(value)}"
            yield Violation(rule=rule, subject=subject, message=message)


def records(
    rule: str, kind: str, stated: Iterable[Result], computed: Mapping[str, Mapping[str, object]]
) -> Iterator[Violation]:
    """Compare records one by one; `kind` is the field that names them: each is stated exactly once."""
    seen = set()
    for record in stated:
        name = str(getattr(record, kind))
        if name in seen or name not in computed:
            message = f"the {kind} is stated twice" if name in seen else f"there is no such {kind}"
            yield Violation(rule=rule, subject=name, message=message)
        else:
            yield from differences(rule, name, record, computed[name])
        seen.add(name)
    for name in (name for name in computed if name not in seen):
        yield Violation(rule=rule, subject=name, message=f"the {kind} is missing")


def listed(key: Iterable[Hashable]) -> str:
    """The parts of a key that are there, for a message."""
    return ", ".join(str(part) for part in key if part is not None)


def amounts[K: tuple[Hashable, ...]](
    rule: str, kind: str, stated: Iterable[tuple[K, int]], computed: Mapping[K, int]
) -> Iterator[Violation]:
    """Compare a list of GPU counts with the recomputed ones: the same entries, each stated once."""
    seen = set()
    for key, gpus in stated:
        if key in seen:
            yield Violation(rule=rule, subject=listed(key), message=f"the {kind} is stated twice")
        elif computed.get(key, 0) != gpus:
            message = f"the {kind} is stated as {gpus} GPUs, but is {computed.get(key, 0)}"
            yield Violation(rule=rule, subject=listed(key), message=message)
        seen.add(key)
    for key in (key for key in computed if key not in seen):
        message = f"a {kind} of {computed[key]} GPUs is missing"
        yield Violation(rule=rule, subject=listed(key), message=message)
