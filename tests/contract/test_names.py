"""One name for a family of constraints: code, page, MathProg model, golden file and checker agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gpu_opt.allocation import constraints
from gpu_opt.checker import ALLOCATION_RULES, REALLOCATION_RULES
from gpu_opt.plan import Cause, Overrun
from gpu_opt.reallocation import program

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
GOLDEN = ROOT / "tests" / "golden"

FAMILIES = {
    "allocation": [*(family.__name__ for family in constraints.FAMILIES), "earlier_goals"],
    "reallocation": [family.__name__ for family in program.FAMILIES],
}
"""By model, in the order of the code. The allocation adds `earlier_goals` while it goes from goal to goal."""

RULES = {
    "allocation": [rule.__name__ for rule in ALLOCATION_RULES],
    "reallocation": [rule.__name__ for rule in REALLOCATION_RULES],
}

MORE_RULES = {
    "allocation": {"grants", "goals", "outcomes", "reasons", "run"},
    "reallocation": {"handovers", "goals", "outcomes", "run"},
}
"""What the checker has beyond the families: a plan's statements make sense and follow from its decisions."""

UNCHECKED = {"earlier_goals"}
"""Rows of the search: a plan keeps them by being as good as it says."""

CAUSES = {Cause.TEAM_CAP, Cause.TYPE_LIMIT, Cause.ONE_POOL, Cause.MOVES, Cause.PINNED}
"""Causes that are a family; the others are facts about a project."""

models = pytest.mark.parametrize("model", FAMILIES)


@models
def test_the_page_has_a_section_for_every_family_in_its_order(model: str) -> None:
    page = (MODELS / f"{model}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([a-z_]+)$", page, re.MULTILINE) == FAMILIES[model]


@models
def test_the_mathprog_model_has_the_same_families_in_the_same_order(model: str) -> None:
    text = (MODELS / f"{model}.mod").read_text(encoding="utf-8")
    rows = re.findall(r"^s\.t\. ([a-z_]+)\{", text, re.MULTILINE)
    of_family = [max((f for f in FAMILIES[model] if row.startswith(f)), key=len, default=row) for row in rows]
    assert list(dict.fromkeys(of_family)) == FAMILIES[model]


@models
def test_every_family_has_a_golden_file(model: str) -> None:
    assert {path.stem for path in (GOLDEN / model).glob("*.lp")} == set(FAMILIES[model])


@models
def test_the_checker_has_a_rule_for_every_family_and_says_which_are_more(model: str) -> None:
    assert set(RULES[model]) - MORE_RULES[model] == set(FAMILIES[model]) - UNCHECKED
    assert MORE_RULES[model] <= set(RULES[model])
    assert len(RULES[model]) == len(set(RULES[model]))


@pytest.mark.parametrize("family", [*constraints.FAMILIES, *program.FAMILIES], ids=lambda f: f.__name__)
def test_a_family_states_its_inequality(family: object) -> None:
    assert re.search(r"[≤≥=]", family.__doc__ or ""), "the docstring is the family's formula"


def test_what_is_overrun_is_a_family() -> None:
    assert set(get_args(Overrun.model_fields["rule"].annotation)) <= set(FAMILIES["allocation"])


def test_a_cause_that_is_a_family_has_its_name() -> None:
    assert {cause.value for cause in CAUSES} <= set(FAMILIES["allocation"])
    assert not {cause.value for cause in set(Cause) - CAUSES} & set(FAMILIES["allocation"])
