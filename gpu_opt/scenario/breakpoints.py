"""Where along a grid's axis a budget begins to bind, or ceases to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from gpu_opt.plan import Binding, Breakpoint, SweepPoint
from gpu_opt.scenario.grid import Grid

WORDS = {
    ("team_cap", True): "the cap of {team} binds",
    ("team_cap", False): "the cap of {team} no longer binds",
    ("type_limit", True): "a limit of {team} binds",
    ("type_limit", False): "no limit of {team} binds any more",
    ("guarantee", True): "the guarantee of {team} is short",
    ("guarantee", False): "the guarantee of {team} is met",
}
"""What happens from a breakpoint on."""


def breakpoints(grid: Grid, found: Mapping[int, SweepPoint]) -> tuple[Breakpoint, ...]:
    """The breakpoints between neighbours in the grid; `found` has the points by their place."""
    lengths = [len(axis.values) for axis in grid.axes]
    places = {index: place for place, index in enumerate(itertools.product(*map(range, lengths)))}
    turns = []
    for number, axis in enumerate(grid.axes):
        for index, place in places.items():
            before = (*index[:number], index[number] - 1, *index[number + 1 :])
            if index[number] == 0 or place not in found or places[before] not in found:
                continue
            old, new = set(found[places[before]].bindings), set(found[place].bindings)
            for binding in sorted(old ^ new, key=lambda one: (one.kind, one.team)):
                turns.append(_breakpoint(axis.name, found[place].values, binding, binding in new))  # noqa: PERF401
    return tuple(turns)


def _breakpoint(axis: str, values: dict[str, str], binding: Binding, binds: bool) -> Breakpoint:
    others = {name: value for name, value in values.items() if name != axis}
    told = ", ".join(f"{name} {value}" for name, value in others.items())
    given = f" (with {told})" if others else ""
    turn = WORDS[binding.kind, binds].format(team=binding.team)
    return Breakpoint(
        axis=axis,
        value=values[axis],
        others=others,
        binding=binding,
        binds=binds,
        text=f"{axis}: from {values[axis]} on{given}, {turn}",
    )
