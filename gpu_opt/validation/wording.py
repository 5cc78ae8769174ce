"""How problems are worded: numbers, lists of names, and names that were probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from fractions import Fraction

from gpu_opt.errors import Problem, Severity

COMPARISONS = 30_000
"""Names compared in search of near matches, per kind of name and report: about a second at worst."""


def error(path: str, message: str) -> Problem:
    """Something that cannot be meant."""
    return Problem(path, message, Severity.ERROR)


def warning(path: str, message: str) -> Problem:
    """Something that can be meant but is unwise."""
    return Problem(path, message, Severity.WARNING)


def number(value: Fraction | float, decimals: int = 3) -> str:
    """A number for reading, with at most so many decimals: compute comes in thousandths.

    >>> number(Fraction(12345678, 1000)), number(0.00005, decimals=6)
    ('12,345.678', '0.00005')
    """
    return f"{float(value):,.{decimals}f}".rstrip("0").rstrip(".")


def listed(names: Collection[str], most: int = 5) -> str:
    """Some of the names, quoted, and how many there are beyond them.

    >>> listed(["lab", "research", "infra"], most=2)
    "'lab', 'research' and 1 more"
    """
    shown = [repr(name) for name in list(names)[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, whatever its case; None if there is none.

    >>> nearest("Reserach", ["lab", "research"])
    'research'
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def unknown(kind: str, known: Collection[str]) -> Callable[[str], str]:
    """A function that words the problem of a name which is not among the known names of its kind.

    Each name is compared once, and no more than `COMPARISONS` comparisons are made in all: beyond
    them, a message lists known names instead of the nearest one.
    """
    words: dict[str, str] = {}
    searches = COMPARISONS // max(1, len(known))

    def word(name: str) -> str:
        if name not in words:
            meant = nearest(name, known) if len(words) < searches else None
            words[name] = f"no {kind} {name!r}; {_remedy(kind, known, meant)}"
        return words[name]

    return word


def _remedy(kind: str, known: Collection[str], meant: str | None) -> str:
    if meant is not None:
        return f"did you mean {meant!r}?"
    if known:
        return f"there is {listed(known)}: name one of them, or add it"
    return f"there is no {kind} at all: add it"


def written(amount: float | str) -> str:
    """An amount as the file has it: a percentage, or a number with thousands separators.

    >>> written("55%"), written(6000.0)
    ('55%', '6,000')
    """
    return amount if isinstance(amount, str) else number(amount)
