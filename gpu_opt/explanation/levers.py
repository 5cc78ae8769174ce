"""A lever: a kind of change that could give a project or a team what it lacks, of so many grains."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from gpu_opt.explanation.contenders import MOST_AHEAD, REACHES, ahead, donors, moved_out
from gpu_opt.explanation.frame import LARGEST
from gpu_opt.explanation.wish import Case
from gpu_opt.organization import Organization
from gpu_opt.plan import Cause, RemedyKind
from gpu_opt.scenario import Change, apply

CONTESTED = {
    Cause.OUTRANKED,
    Cause.MOVES,
    Cause.MINIMUM_UNREACHABLE,
    Cause.POOLS_FULL,
    Cause.ONE_POOL,
    Cause.GUARANTEE,
    Cause.PINNED,
    Cause.UNPROVED,
}
"""Causes that a higher rank, a promise, or more GPUs could do away with."""


@dataclass(frozen=True, slots=True)
class Lever:
    """A kind of change, of so many grains."""

    kind: RemedyKind
    owner: str | None
    grain: float
    """In the unit of the remedy's amount."""
    guess: int
    """Grains that may be enough."""
    most: int
    """Grains beyond which more is no help."""
    text: Callable[[int], str]
    change: Callable[[int], Change | None]
    made: Callable[[int], Organization]
    """The organization with so many grains."""
    frames: Frames
    """The projects that it concerns, which decide again: first few, then more. None: it is not tried, because
    too many others would take first what it makes room for."""

    def written(self, grains: int) -> dict[str, Any] | None:
        """The change as a scenario file writes it."""
        change = self.change(grains)
        if change is None:
            return None
        return {"change": change.change, **change.model_dump(mode="json", exclude_unset=True)}


type Frames = tuple[frozenset[str], ...]


def frames_of(
    case: Case, others: Iterable[int] | None = (), freed: Collection[int] = (), *, anywhere: bool = False
) -> Frames:
    """The subject's projects, others, those who may have to give, and who would get back what was taken.

    A small frame, then a larger one; everybody, where they are few; none, where the others are too many
    (None). See :func:`donors` for `freed` and `anywhere`.
    """
    if others is None:
        return ()
    names = case.instance.projects.names
    if len(names) <= LARGEST:
        return (frozenset(names),)
    fixed = [*case.wish.projects, *others]
    found = []
    for reach in REACHES:
        givers = donors(case, reach, freed, anywhere=anywhere)
        chosen = [*fixed, *(each.project for each in givers), *moved_out(case, givers, reach)]
        found.append(frozenset(names[j] for j in chosen))
    return tuple(dict.fromkeys(found))


def make_lever(
    case: Case,
    kind: RemedyKind,
    owner: str | None,
    frames: Frames,
    text: Callable[[int], str],
    change: Callable[[int], Change],
    *,
    grain: float = 1,
    guess: float = 1,
    most: float = 1,
) -> Lever:
    """A lever of a change that scenarios have; `guess` and `most` in the unit of the amount."""
    organization = case.seen.organization
    first = max(1, math.ceil(guess / grain - 1e-9))
    return Lever(
        kind,
        owner,
        grain,
        first,
        max(first, math.ceil(most / grain - 1e-9)),
        text,
        change,
        lambda grains: apply(organization, [change(grains)]),
        frames,
    )


def taken_first(case: Case, opened: Collection[int]) -> tuple[int, ...] | None:
    """Who would take first what a change makes room for; None: too many."""
    found = ahead(case, opened)
    return found if len(found) <= MOST_AHEAD else None
