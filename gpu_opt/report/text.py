"""Numbers, dates and the solver's words as a planner reads them."""

from __future__ import annotations

import math

from gpu_opt.plan import Status, Stop

GOALS = {
    "repair": "bring back under caps and capacities",
    "moves": "moves",
    "changes": "GPUs granted otherwise than before",
    "cost": "price of idling and second choices",
    "days": "days until handed over",
    "guarantee_level": "guarantees, short by more than a unit, level",
    "value_tier": "value, tier",
    "unmet_tier": "unmet requests, tier",
    "late_tier": "days late, tier",
}
"""Goals and phases of a solve in words; those with a number carry it at the end of their name."""

STOPS = {
    Stop.PROVED: "proved",
    Stop.GAP: "within the gap",
    Stop.NEAR: "as near as it was",
    Stop.TIME: "time limit",
    Stop.FAILED: "solver failed",
    Stop.INTERRUPTED: "interrupted",
}


def amount(number: float) -> str:
    """An amount of compute, with thousands separators and at most one decimal.

    >>> amount(12345.67), amount(2048.0), amount(0.04), amount(-0.0)
    ('12,345.7', '2,048', '< 0.1', '0')
    """
    if not math.isfinite(number):
        return "unknown"
    if 0 < abs(number) < 0.05:
        return "< 0.1" if number > 0 else "> -0.1"
    shown = f"{number:,.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def count(number: int) -> str:
    """A number of GPUs.

    >>> count(250000)
    '250,000'
    """
    return f"{number:,}"


def percentage(share: float) -> str:
    """A share of one as a percentage with two decimals; what is not zero does not look like it.

    >>> percentage(0.0012), percentage(0.0), percentage(0.00000001)
    ('0.12%', '0%', '< 0.01%')
    """
    if not math.isfinite(share):
        return "unknown"
    if share == 0:
        return "0%"
    return "< 0.01%" if share < 0.0001 else f"{100 * share:.2f}%"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "error"), counted(2, "error")
    ('1 error', '2 errors')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def signed(number: float) -> str:
    """A difference, with its sign.

    >>> signed(1234.5), signed(-2.0), signed(0.0)
    ('+1,234.5', '-2', '0')
    """
    return f"+{amount(number)}" if number > 0 else amount(number)


def yes_or_no(is_so: bool) -> str:
    """Whether it is so, in a table."""
    return "yes" if is_so else "no"


def goal(name: str) -> str:
    """A goal, or a phase of the solve, in words.

    >>> goal("guarantee_level_1"), goal("moves"), goal("building")
    ('guarantees, short by more than a unit, level 1', 'moves', 'building')
    """
    stem, _, number = name.rpartition("_")
    if number.isdecimal() and stem in GOALS:
        return f"{GOALS[stem]} {number}"
    return GOALS.get(name, name.replace("_", " "))


def status(known: Status, stop: Stop) -> str:
    """What is known about a plan, in words. "Optimal" is said only of what is proved."""
    if known is Status.OPTIMAL:
        return "optimal: proved, no plan is better"
    return {
        Stop.PROVED: "a verified plan, not proved optimal",
        Stop.GAP: "a verified plan, as close to the best possible as was asked for",
        Stop.NEAR: "a verified plan, as close to the best possible as the one that it stays near to",
        Stop.TIME: "a verified plan, the best one by the time limit; not proved optimal",
        Stop.FAILED: "a verified plan, the best one known when the solver failed; not proved optimal",
        Stop.INTERRUPTED: "a verified plan, the best one when it was interrupted; not proved optimal",
    }[stop]


def printable(text: str) -> str:
    """The text without control characters, so that no name can steer the terminal.

    >>> printable("a" + chr(27) + "[31mb")
    'a�[31mb'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)
