"""Whatever is wrong with a file is said in plain words, with its line, and all of it at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpu_opt.files import load
from tests.reading import HEAD, WHOLE, complaint, complaints, put

TEN_MISTAKES = """\
name: lab
as_of: 2026-11-23
gpu_types:
  h100: {vendor: nvidia, speed: fast, wage: 9}
pools:
  - {name: iowa, gpu_type: H100, site: iowa, gpus: 8, unit: 8}
  - {name: iowa, gpu_type: h100, site: texas, gpus: "8"}
deliveries:
  - {pool: iowa, gpus: 12, on: 2026-12-08}
teams:
  - {name: lab, cap: 120%}
  - {name: research, parent: lab}
projects:
  - name: orion
    team: reserach
    demnad: 4096
    minimum: 5000
    ends: soon
  - {name: 7, team: research, demand: 1, ends: 2026-10-01, starts: 2026-11-01}
"""


def test_ten_mistakes_are_reported_in_one_go(tmp_path: Path) -> None:
    said = [line.removeprefix("line ") for line in complaints(tmp_path, TEN_MISTAKES)]
    assert said == [
        "4: gpu_types.h100.speed: must be a number, not the text 'fast'",
        "4: gpu_types.h100.wage: unknown field 'wage'; the fields here are 'vendor' and 'speed'",
        "6: pools[0].gpu_type: no GPU type 'H100'; did you mean 'h100'?",
        "7: pools[1].name: 'iowa' is the name of pools[0] already; rename one",
        "7: pools[1].gpus: must be a whole number, not the text '8'; write 8 without quotes",
        "9: deliveries[0].gpus: 12 GPUs are not a multiple of 8, the unit of pool 'iowa'; write 8 or 16",
        "11: teams[0].cap: 120% is more than the fleet; write 100% or less, or a number of reference GPUs",
        "15: projects[0].team: no team 'reserach'; did you mean 'research'?",
        "16: projects[0].demnad: unknown field 'demnad'; did you mean 'demand'?",
        "17: projects[0].minimum: the minimum 5,000 is above the demand 4,096; lower it, or raise the demand",
        "18: projects[0].ends: must be a date like 2026-12-31, not the text 'soon'",
        "19: projects[1].name: must be text, not the number 7; put it in quotes",
        "19: projects[1].ends: the end 2026-10-01 is not after the start 2026-11-01; correct one of them",
    ]


def test_lines_of_json_are_found_too(tmp_path: Path) -> None:
    text = '{"name": "lab", "as_of": "2026-11-23",\n "teams": [\n  {"name": "lab"},\n  {"name": "\\u0061",\n'
    text += '   "parent": "lbb"}]}'
    assert (
        complaint(tmp_path, text, "lab.json") == "line 5: teams[1].parent: no team 'lbb'; did you mean 'lab'?"
    )


def test_lines_are_found_behind_names_with_dots_and_brackets(tmp_path: Path) -> None:
    text = (
        HEAD
        + "gpu_types:\n  a.b:\n    vendor: x\n    speed: 0\n"
        + "  'a.b[1].c': {vendor: x,\n    speed: 0}\n  a: {}\n"
    )
    assert complaints(tmp_path, text) == [
        "line 6: gpu_types.a.b.speed: must be more than 0",
        "line 8: gpu_types.a.b[1].c.speed: must be more than 0",
        "line 9: gpu_types.a.vendor: is missing; it must be text",
    ]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("as_of: yesterday", "as_of: must be a date like 2026-12-31, not the text 'yesterday'"),
        ("as_of: 2026-13-01", "as_of: must be a date like 2026-12-31, not the text '2026-13-01'"),
        ("as_of: 2026", "as_of: must be a date like 2026-12-31, not the number 2026"),
        ("name: 2026-01-01", "name: must be text, not the date 2026-01-01; put it in quotes"),
        ("name: true", "name: must be text, not true; put it in quotes"),
        ("name: [lab]", "name: must be text, not a list"),
        ("name:", "name: is empty; it must be text, or the field be left out"),
        ("name: ''", "name: must not be empty"),
        ("name: ' lab'", "name: must have no blanks at its ends and no line breaks"),
        (f"name: {'x' * 201}", "name: must have at most 200 characters"),
        ("pools: {name: x}", "pools: must be a list, not a mapping of names to values"),
        ("pools: [x]", "pools[0]: must be a mapping of names to values, not the text 'x'"),
        ("gpu_types: {'': {vendor: x}}", "gpu_types.: the name '' must not be empty"),
        (
            "gpu_types: {x: {vendor: x, speed: 0.0004}}",
            "gpu_types.x.speed: has more than 3 decimals; write 0.001",
        ),
        (
            "gpu_types: {x: {vendor: x, speed: 1e400}}",
            "gpu_types.x.speed: must be a number that is not infinite",
        ),
        ("gpu_types: {x: {vendor: x, speed: 1001}}", "gpu_types.x.speed: must be at most 1,000"),
        ("teams: [{name: x, cap: -1}]", "teams[0].cap: must be at least 0"),
        (
            "teams: [{name: x, cap: [1]}]",
            "teams[0].cap: must be a number or a percentage like '55%', not a list",
        ),
        (
            "teams: [{name: x, cap: half}]",
            "teams[0].cap: 'half' is neither a number of reference GPUs nor a perc",
        ),
        (
            "gpu_types: {y: {vendor: z}}\nteams: [{name: x, limits: {y: {}}}]",
            "teams[0].limits.y.cap: is missing; it must be a number or a perc",
        ),
        (
            "policy: {max_moves: 8_000}",
            "policy.max_moves: must be a whole number, not the text '8_000'; write 8000",
        ),
        ("policy: {max_moves: 0x10}", "policy.max_moves: must be a whole number, not the text '0x10'"),
        ("policy: {max_moves: 1.5}", "policy.max_moves: must be a whole number, not the number 1.5"),
        ("policy: {move_cost: 0.0009}", "policy.move_cost: must be 0, or at least 0.001"),
        ("policy: {value: [[1, 1.0e-9]]}", "policy.value[0][1]: must be 0, or at least 0.001"),
        ("policy: {value: []}", "policy.value: needs 1 or more entries"),
        ("policy: {value: [[1, 1, 1]]}", "policy.value[0]: takes 2 entries at most"),
        ("policy: {value: [[1]]}", "policy.value[0][1]: is missing; it must be a number"),
        (f"policy: {{value: {'x' * 99}}}", f"policy.value: must be a list, not the text '{'x' * 59}..."),
    ],
)
def test_a_wrong_value_is_explained_in_plain_words(tmp_path: Path, field: str, says: str) -> None:
    key = field.split(":", maxsplit=1)[0]
    kept = [line for line in HEAD.splitlines() if not line.startswith(f"{key}:")]
    assert says in complaint(tmp_path, "\n".join([field, *kept]))


@pytest.mark.parametrize(("priority", "bound"), [("1e-9", "at least 0.001"), ("1e12", "at most 1,000,000")])
def test_a_priority_is_neither_tiny_nor_huge(tmp_path: Path, priority: str, bound: str) -> None:
    project = f"projects: [{{name: x, team: lab, demand: 1, priority: {priority}}}]"
    said = complaints(tmp_path, f"{HEAD}teams: [{{name: lab}}]\n{project}\n")
    assert f"line 4: projects[0].priority: must be {bound}" in said


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    text = '{"as_of": "2026-11-23", "name": "\\ud800"}'
    assert (
        complaint(tmp_path, text, "x.json")
        == "line 1: name: has half of a character; write the character itself"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the input: the file is empty; it has at least a 'name'"),
        ("# to do\n", "the input: the file is empty"),
        ("---\n", "the file is empty"),
        ("- lab\n", "an organization is a mapping of names to values, not a list"),
        ("lab", "not the text 'lab'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1: the input: this is not UTF-8 text"),
        ("name: lab\n".encode("utf-16"), "not UTF-8 text; if it is a text file, save it as UTF-8"),
        ("name: lab\nowner: a\x00b\n", "line 2: the input: the character U+0000 is not text"),
        (
            HEAD + "pools:\n  - {name: x, gpu_ty",
            "line 4: the input: expected ',' or '}', in the {...} that begins on line 4; the file ends",
        ),
        (
            HEAD + "pools:\n  - {name: x,\n\n",
            "line 4: the input: expected a value; the file ends here: is it complete?",
        ),
        (
            HEAD + "sites: [a, b\npools:\n",
            "line 4: the input: expected ',' or ']', in the [...] that begins on line 3, at column 6",
        ),
        (
            HEAD + "pools:\n  - {name: 'x",
            "expected the closing quote, in the quoted text that begins on line 4; the file ends",
        ),
        (HEAD + "poo", "expected ':' after a field name"),
        (HEAD + "teams:\n\t- {name: lab}\n", "indent with blanks instead of tabs, at column 1"),
        (HEAD + "owner: a: b\n", "line 3: the input: a ':' cannot be here; put the text in quotes"),
        (
            HEAD + "a: !!python/object/apply:os.system [ls]\n",
            "line 3: the input: the tag !!python/object/apply:os.system",
        ),
        (HEAD + "a: !secret x\n", "the tag !secret is not read; remove it, and put text in quotes"),
        (
            HEAD + "a: &a [1, *a]\n",
            "line 3: the input: *a stands for nothing above it, or for what it is a part of",
        ),
        (HEAD + "a: *b\n", "*b stands for nothing above it"),
        (HEAD + "? [a]\n: 1\n", "line 3: the input: a field name must be text"),
        (
            HEAD + "---\n" + HEAD,
            "line 3: the input: a second document begins here; write one organization to a file",
        ),
        (HEAD + "a: " + "[" * 100_000, "line 3: the input: nested more than 20 levels deep, at column "),
        (HEAD + "a: " + "- " * 100, "a '-' cannot be here; begin a line with it"),
    ],
)
def test_a_file_that_is_no_yaml_is_explained(tmp_path: Path, text: str | bytes, says: str) -> None:
    assert says in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("[]", "not a list"),
        (
            '{"name": "lab",\n "as_of": "2026-',
            "line 2: the input: this text has no closing quote: is the file complete?",
        ),
        (
            '{"name": "lab",\n',
            "line 1: the input: expected a field name in double quotes; the file ends here: is it complete?",
        ),
        ('{"name": "lab"\n "as_of": 1}', "line 2: the input: expected ',', at column 2"),
        ('{"name": }', "expected a value, at column 10"),
        ("{} {}", "expected the end of the file"),
        ("[" * 100_000 + "]" * 100_000, "line 1: the input: nested more than 20 levels deep, at column 22"),
    ],
)
def test_a_file_that_is_no_json_is_explained(tmp_path: Path, text: str, says: str) -> None:
    assert says in complaint(tmp_path, text, "lab.json")


def test_a_number_of_a_thousand_digits_is_too_large_and_no_more(tmp_path: Path) -> None:
    text = '{"name": "lab", "as_of": "2026-11-23", "policy": {"move_cost": 1%s}}' % ("0" * 9999)
    assert "must be a number that is not infinite" in complaint(tmp_path, text, "lab.json")


@pytest.mark.parametrize("name", ["lab.yaml", "lab.json"])
def test_a_field_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    text = '{"name": "lab", "as_of": "2026-11-23",\n"teams": [{"name": "lab",\n "cap": 1,\n "cap": 2}]}'
    twice = "line 4: teams[0].cap: is given twice, first on line 3; remove one of the two"
    assert twice in complaints(tmp_path, text, name)


def test_aliases_are_fine_and_a_fault_in_one_is_not_one_in_the_others(tmp_path: Path) -> None:
    text = (
        HEAD
        + "gpu_types: {h100: {vendor: x}}\n\nteams: [{name: lab}]\n"
        + "pools: [{name: a, gpu_type: h100, site: b, gpus: 99}]\n"
    )
    text += "projects:\n  - {name: x, team: lab, demand: 8, speeds: &fast {h100: 2}}\n"
    assert load(put(tmp_path, text + "  - {name: y, team: lab, demand: 8, speeds: *fast}\n")).projects[
        1
    ].speeds == {"h100": 2}
    twice = complaints(tmp_path, text + "  - {name: y, team: lab, demand: 8, sites: *fast, holds: *fast}\n")
    assert twice == [
        "line 8: projects[1].holds.h100: no pool 'h100'; there is 'a': name one of them, or add it",
        "line 9: projects[1].sites: must be a list, not a mapping of names to values",
    ]


def test_aliases_cannot_grow_without_limit(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases such as *a" in complaint(tmp_path, HEAD + "\n".join(lines))
    assert "stand for more than 1,000,000 values" in complaint(tmp_path, HEAD + "\n".join(lines))


def test_nothing_is_said_that_hangs_on_a_broken_part(tmp_path: Path) -> None:
    text = HEAD + (
        "gpu_types: {h100: {vendor: nvidia, speed: x}}\n"
        "pools:\n"
        "  - {name: iowa, gpu_type: h100, site: [iowa], gpus: 8, unit: x}\n"
        "  - {name: texas, gpu_type: 7, site: texas, gpus: 8}\n"
        "deliveries: [{pool: iowa, gpus: 12, on: soon}]\n"
        "teams:\n"
        "  - {name: lab, cap: 99999, guarantee: x}\n"
        "  - {name: a, parent: {}, guarantee: 9000}\n"
        "projects:\n"
        "  - {name: x, team: lab, minimum: 8, demand: x, sites: [ohio], pinned: true, holds: []}\n"
        "  - {name: y, team: lab, minimum: 8, demand: 9, one_pool: x, holds: {iowa: 8, texas: 8}}\n"
        "  - {name: z, team: lab, demand: 8, speeds: [a], ends: 2026-01-01, starts: x, holds: {texas: 8}}\n"
        "  - x\n"
    )
    paths = [line.split(": ")[1] for line in complaints(tmp_path, text)]
    assert paths == [
        "gpu_types.h100.speed",
        "pools[0].site",
        "pools[0].unit",
        "pools[1].gpu_type",
        "deliveries[0].on",
        "teams[0].guarantee",
        "teams[1].parent",
        "projects[0].demand",
        "projects[0].holds",
        "projects[1].one_pool",
        "projects[2].speeds",
        "projects[2].ends",
        "projects[2].starts",
        "projects[3]",
    ]


@pytest.mark.parametrize("section", ["gpu_types", "pools", "teams"])
def test_a_broken_section_is_one_problem(tmp_path: Path, section: str) -> None:
    broken = json.loads(load(put(tmp_path, WHOLE)).model_dump_json(exclude_defaults=True)) | {
        section: "all of them"
    }
    assert f"{section}: must be a" in complaint(tmp_path, json.dumps(broken), "lab.json")


def test_a_project_without_a_name_is_told_so_and_its_other_faults(tmp_path: Path) -> None:
    text = HEAD + "teams: [{name: lab}]\nprojects:\n  - {team: lba, demand: 0, sites: [x]}\n"
    assert complaints(tmp_path, text) == [
        "line 5: projects[0].name: is missing; it must be text",
        "line 5: projects[0].team: no team 'lba'; did you mean 'lab'?",
        "line 5: projects[0].demand: it asks for nothing; give it a demand or remove the project",
        "line 5: projects[0].sites[0]: no site 'x'; there is no site at all: add it",
    ]


def test_a_misspelt_field_beside_the_right_one_only_has_to_go(tmp_path: Path) -> None:
    assert complaints(tmp_path, HEAD + "teams: [{name: lab, onwer: x, owner: y, wner: [z]}]\n") == [
        "line 3: teams[0].onwer: unknown field 'onwer'; did you mean 'owner'?",
        "line 3: teams[0].wner: unknown field 'wner'; did you mean 'owner'?",
    ]
