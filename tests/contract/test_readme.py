"""What the pages say is true: commands and code run, tables are complete, links lead somewhere."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.main import get_command

from gpu_opt import store
from gpu_opt.allocation import allocate
from gpu_opt.cli.commands import app
from gpu_opt.cli.failures import EXIT_CODES
from gpu_opt.files import read
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
from gpu_opt.plan import Status
from gpu_opt.scenario import CHANGES
from gpu_opt.store.tables import metadata
from tests.pages import ROOT, blocks, rows, run

README, INPUT, ALLOCATION = (
    (ROOT / page).read_text(encoding="utf-8")
    for page in ("README.md", "docs/input.md", "models/allocation.md")
)
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
PAGES += (ROOT / "models").glob("*.md")

FROM_NOTHING = "pip install uv && "
NIGHTLY = "gpu-opt nightly models/organizations/frontier_lab.yaml"
RECORDS: dict[str, type[BaseModel]] = {
    "Organization": Organization,
    "GPU type": GpuType,
    "Pool": Pool,
    "Delivery": Delivery,
    "Team": Team,
    "Limit": Limit,
    "Project": Project,
    "Policy": Policy,
    "Reallocation prices": ReallocationPrices,
}


def commands(page: str) -> list[str]:
    """The lines of its shell blocks, without what installs the program first."""
    lines = "".join(blocks(page, "sh")).splitlines()
    return [line.removeprefix(FROM_NOTHING).removeprefix("uv run ") for line in lines]


def code(cell: str) -> str:
    """The first thing in a cell that is set as code."""
    quoted = re.search(r"`([^`]+)`", cell)
    assert quoted, f"nothing is set as code in {cell!r}"
    return quoted[1]


def shape(line: str) -> str:
    """A line without its numbers and the width of its columns: they differ from machine to machine."""
    return " ".join(re.sub(r"\d[\d,.:-]*", "#", line).split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like the root of the repository to a command."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    return tmp_path


def test_it_opens_with_the_main_job_and_the_tests_from_nothing() -> None:
    assert blocks(README, "sh")[0].splitlines() == [
        f"{FROM_NOTHING}uv run {NIGHTLY}",
        f"{FROM_NOTHING}uv run pytest",
    ]


def test_the_night_prints_what_is_shown_and_can_be_asked_in_sql(folder: Path) -> None:
    assert NIGHTLY in commands(README)
    night = run(NIGHTLY, folder)
    assert night.returncode == 0, night.stderr
    printed = {shape(line) for line in night.stdout.splitlines()}
    shown = [shape(line) for line in blocks(README, "text")[0].splitlines()]
    # whether time runs out before the gap is reached hangs on the machine
    told = [line for line in shown if line != "..." and not line.startswith("a verified plan")]
    assert len(told) >= 6
    assert set(told) <= printed

    (query,) = blocks(README, "sql")
    with sqlite3.connect(folder / "gpu-opt.db") as database:
        answer = database.execute(query).fetchall()
    database.close()
    assert answer
    assert [on for on, *_ in answer] == sorted(on for on, *_ in answer)
    last = store.last_night(str(folder / "gpu-opt.db"), "frontier-lab")
    assert last is not None
    assert sum(gpus for _, gpus, *_ in answer) == sum(
        handover.gpus for handover in last.reallocation.handovers if handover.team == "reinforcement-learning"
    )


def test_the_question_for_512_gpus_has_the_answer_that_is_shown(folder: Path) -> None:
    (question,) = (line for line in commands(README) if line.startswith("gpu-opt find"))
    assert question == (
        "gpu-opt find 512 --type h100,h200 --by 2026-12-15 --team reasoning "
        "models/organizations/frontier_lab.yaml"
    )
    answer = run(question, folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == blocks(README, "text")[1]


@pytest.mark.parametrize(
    "command",
    [
        line
        for line in [*commands(README), *commands(INPUT)]
        if line not in {NIGHTLY, "pytest"} and not line.startswith("gpu-opt find")
    ],
)
def test_every_other_command_runs(command: str, folder: Path) -> None:
    ended = run(command, folder)
    assert ended.returncode == 0, ended.stderr


def test_the_example_of_an_input_file_is_valid_and_gives_a_proved_plan(tmp_path: Path) -> None:
    (example,) = blocks(README, "yaml")
    file = tmp_path / "lab.yaml"
    file.write_text(example, encoding="utf-8")
    organization, problems = read(file)
    assert problems == ()
    assert organization is not None
    assert allocate(organization).status is Status.OPTIMAL


def test_the_library_in_a_few_lines(folder: Path) -> None:
    (example,) = blocks(README, "python")
    (folder / "example.py").write_text(example, encoding="utf-8")
    ended = run("python example.py", folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "optimal 283.8 283.8\n{'research': 16.0}\n"


def test_the_size_of_the_allocation_is_what_its_page_says(folder: Path) -> None:
    (snippet,) = blocks(ALLOCATION, "python")
    (folder / "size.py").write_text(snippet, encoding="utf-8")
    ended = run("python size.py", folder)
    assert ended.returncode == 0, ended.stderr
    *families, (columns, integers), (constraints, coefficients) = (
        line.split() for line in ended.stdout.splitlines()
    )
    *told, (whole, total_rows, total_coefficients) = [
        [cell.replace(",", "") for cell in row]
        for row in rows(ALLOCATION.replace("| | rows", "| family | rows"), "family")
    ]
    assert told == families
    assert whole == f"all in {columns} columns {integers} of them integer"
    assert (total_rows, total_coefficients) == (constraints, coefficients)


def test_every_command_is_in_the_table() -> None:
    told = [code(first).split()[1] for first, *_ in rows(README, "command")]
    assert told == [
        command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
    ]


def test_every_exit_code_is_in_the_table() -> None:
    assert [first for first, *_ in rows(README, "exit code")] == re.findall(
        r"^ +(\d+) ", EXIT_CODES, re.MULTILINE
    )


def test_every_option_that_is_named_exists() -> None:
    group = get_command(app)
    known = {
        option
        for command in group.commands.values()  # type: ignore[attr-defined]
        for parameter in command.params
        for option in parameter.opts
    }
    named = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", README))
    assert named
    assert named <= known | {"--help"}


def test_the_tables_of_the_store_have_the_columns_that_are_named() -> None:
    for name, columns in rows(README, "table"):
        named = re.findall(r"`(\w+)`", columns)
        actual = [column.name for column in metadata.tables[code(name)].columns]
        if columns.endswith("..."):
            actual = [column for column in actual if column in named]
        assert named == actual


@pytest.mark.parametrize("heading", RECORDS)
def test_every_field_of_the_input_is_explained_with_its_default(heading: str) -> None:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", INPUT, re.MULTILINE | re.DOTALL)
    assert section, heading
    told = {code(field): default for field, default, *_ in rows(section[1], "field")}
    fields = RECORDS[heading].model_fields
    assert list(told) == list(fields)
    for name, field in fields.items():
        assert default_of(told[name]) == plain(field.default), name


def test_no_record_of_the_input_is_left_out() -> None:
    assert {record.__name__ for record in RECORDS.values()} == {
        "Organization",
        *Organization.model_json_schema()["$defs"],
    }


def default_of(cell: str) -> object:
    """What a cell says the default is."""
    said = {"required": PydanticUndefined, "none": None, "all defaults": "all defaults"}
    return said[cell] if cell in said else yaml.safe_load(code(cell))


def plain(default: object) -> object:
    """A default in the terms of the table."""
    if isinstance(default, BaseModel):
        return "all defaults" if default == type(default)() else default
    if isinstance(default, tuple):
        return [plain(entry) for entry in default]
    return default


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = [page.parent / target for target in re.findall(r"\]\((?!https?:)([^)#]+)", text)]
    named = [
        ROOT / path for path in re.findall(r"`((?:gpu_opt|models|tests|benchmarks|docs)/[\w./-]*)`", text)
    ]
    missing = [str(path.relative_to(ROOT)) for path in [*linked, *named] if not path.exists()]
    assert missing == []


def test_every_change_of_a_scenario_is_in_a_table_with_its_fields() -> None:
    page = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    told = {}
    for table in re.findall(r"^\| change \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE):
        for line in table.splitlines():
            name, fields, _ = (cell.strip() for cell in line.strip("|").split(" | "))
            told[code(name)] = fields
    assert set(told) == set(CHANGES)
    for name, fields in told.items():
        own = [field for field in CHANGES[name].model_fields if field != "change"]
        if not fields.startswith("those of"):
            assert re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", fields)) == own, name
