"""Wherever a file is broken, and however, reading it ends with problems and never with a traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.errors import InvalidInput, Severity
from gpu_opt.files.document import compose, path_text
from gpu_opt.files.shape import examine
from gpu_opt.files.tokens import yaml_tokens
from gpu_opt.organization import (
    Delivery,
    GpuType,
    Limit,
    Organization,
    Policy,
    Pool,
    Project,
    ReallocationPrices,
    Team,
)
from tests.reading import WHOLE


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a value."""
    for step in value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0):
        yield (*path, step)
        yield from places(value[step], (*path, step))


def with_all_fields() -> Any:
    """An organization that says something in every field."""
    values = compose(yaml_tokens(WHOLE)).value
    assert isinstance(values, dict)
    values["pools"][1]["unit"] = 1
    values["policy"] |= {"move_cost": 1, "max_moves": 8, "reallocation": dict.fromkeys(PRICES, 1)}
    values["projects"][0] |= {"tier": 1, "priority": 1}
    return values


PRICES = ("idle", "less_preferred", "other_division")
EVERYWHERE = list(places(with_all_fields()))
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text(max_size=9)
    | st.just("\ud800"),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.text(max_size=5), inside, max_size=2),
    max_leaves=4,
)


def test_every_field_is_in_the_file_that_has_all_fields() -> None:
    said = {step for path in EVERYWHERE for step in path if isinstance(step, str)}
    records = (Organization, GpuType, Pool, Delivery, Team, Limit, Project, Policy, ReallocationPrices)
    assert {field for record in records for field in record.model_fields} <= said


@pytest.mark.parametrize("path", EVERYWHERE, ids=path_text)
def test_a_fault_in_any_place_is_found_there(path: tuple[Any, ...]) -> None:
    values = with_all_fields()
    around = reduce(getitem, path[:-1], values)
    around[path[-1]] = [{}]
    organization, problems = examine(values)
    assert organization is None
    assert any(problem.path.startswith(path_text(path)) for problem in problems)


@given(st.lists(st.tuples(st.sampled_from(EVERYWHERE), JUNK), min_size=1, max_size=5))
def test_no_value_anywhere_makes_reading_fail(faults: list[tuple[tuple[Any, ...], Any]]) -> None:
    values = with_all_fields()
    for path, junk in sorted(faults, key=lambda fault: -len(fault[0])):
        reduce(getitem, path[:-1], values)[path[-1]] = junk
    organization, problems = examine(values)
    assert organization is not None or any(problem.severity is Severity.ERROR for problem in problems)


@given(
    st.integers(0, len(WHOLE)),
    st.sampled_from(["", "[", "}", ": ", "- ", "\n", "*a", "&a ", "!b ", "'", "\t", "\0", "%"]),
)
def test_no_text_makes_reading_fail(cut: int, odd: str) -> None:
    for text in (WHOLE[:cut] + odd, WHOLE[:cut] + odd + WHOLE[cut:]):
        with contextlib.suppress(InvalidInput):
            examine(compose(yaml_tokens(text)).value)
