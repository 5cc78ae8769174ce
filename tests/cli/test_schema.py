"""`gpu-opt schema`: what is read and what is printed fits it."""

from __future__ import annotations

import re

import pytest

from gpu_opt.cli.commands import Document
from gpu_opt.organization import Organization
from tests.cli.commanding import TWO_TEAMS, Command


@pytest.mark.parametrize("document", Document)
def test_every_document_has_a_json_schema(gpu_opt: Command, document: Document) -> None:
    schema = gpu_opt("schema", document).document
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"


def test_the_input_has_a_schema_for_editors(gpu_opt: Command) -> None:
    schema = gpu_opt("schema").document
    assert set(schema["properties"]) == set(Organization.model_fields)
    assert schema["required"] == ["name", "as_of"]


def test_the_schema_says_what_a_percentage_looks_like(gpu_opt: Command) -> None:
    schema = gpu_opt("schema").document["$defs"]
    fields = [schema["Team"]["properties"][name] for name in ("guarantee", "cap")]
    for field in (*fields, schema["Limit"]["properties"]["cap"]):
        (text,) = [each for each in field["anyOf"] if each["type"] == "string"]
        for written, is_one in (
            ("55%", True),
            (" 33.3 %", True),
            ("55", False),
            ("half%", False),
            ("%", False),
        ):
            assert bool(re.search(text["pattern"], written)) == is_one


@pytest.mark.parametrize(
    ("document", "arguments"),
    [
        (Document.ALLOCATION, ["allocate"]),
        (Document.REALLOCATION, ["reallocate"]),
        (Document.NIGHT, ["nightly"]),
        (Document.FINDING, ["find", 8, "--by", "2026-12-15", "--team", "research"]),
        (Document.CHECK, ["check"]),
        (Document.ERROR, ["allocate", "--gap", "small"]),
    ],
)
def test_the_schema_is_that_of_what_is_printed(
    gpu_opt: Command, document: Document, arguments: list[object]
) -> None:
    printed = gpu_opt(*arguments, TWO_TEAMS, "--json").document
    schema = gpu_opt("schema", document).document
    assert set(printed) == set(schema["properties"])
    assert set(schema["required"]) <= set(printed)
