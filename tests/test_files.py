"""Files are read with every problem at once and its line, and written so that they read the same."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_opt import files
from gpu_opt.errors import InvalidInput, Severity
from gpu_opt.files import dump, load, read
from gpu_opt.organization import Organization, content_hash
from tests.building import day, delivery, lab, pool, project, root, team
from tests.reading import HEAD, WHOLE, put


def test_a_planners_file_is_read_as_it_is_meant(tmp_path: Path) -> None:
    organization = load(put(tmp_path, WHOLE))
    orion = organization.projects[0]
    assert [one.name for one in organization.pools] == ["no", "yes"]
    assert list(organization.gpu_types) == ["h100", "4090"]
    assert organization.deliveries[0].on == dt.date(2026, 12, 8)
    assert organization.teams[1].name == "on"
    assert (organization.teams[1].guarantee, organization.teams[1].cap) == ("5%", 70)
    assert organization.teams[1].limits["h100"].cap == "70%"
    assert (orion.one_pool, orion.pinned, orion.minimum) == (True, False, 0.5)
    assert (orion.starts, orion.ends) == (dt.date(2026, 9, 1), dt.date(2026, 12, 12))
    assert orion.sites == ("iowa", "北京")
    assert organization.policy.max_moves is None


def test_json_says_the_same(tmp_path: Path) -> None:
    organization = load(put(tmp_path, WHOLE))
    said = organization.model_dump_json(exclude_defaults=True)
    assert load(put(tmp_path, said, "lab.json")) == organization
    assert load(put(tmp_path, b"\xef\xbb\xbf" + said.encode(), "lab.JSON")) == organization


def test_line_ends_and_marks_of_other_systems_are_fine(tmp_path: Path) -> None:
    organization = load(put(tmp_path, WHOLE))
    assert (
        load(put(tmp_path, b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode(), "lab.yml")) == organization
    )


def test_load_raises_them_all_and_names_the_file(tmp_path: Path) -> None:
    path = put(tmp_path, HEAD + "teams: [{name: lab}, {name: lba, parent: lbb, cap: x}]\n")
    with pytest.raises(InvalidInput, match="did you mean 'lba'") as refused:
        load(path)
    assert refused.value.source == str(path)
    assert refused.value.problems == read(path)[1]


def test_warnings_have_lines_and_do_not_stop_a_load(tmp_path: Path) -> None:
    path = put(
        tmp_path, HEAD + "teams: [{name: lab}]\nprojects:\n  - name: x\n    team: lab\n    demand: 0\n"
    )
    organization, problems = read(path)
    assert organization == load(path)
    assert [(problem.line, problem.path) for problem in problems] == [
        (5, "projects[0]"),
        (7, "projects[0].demand"),
    ]
    assert {problem.severity for problem in problems} == {Severity.WARNING}


def test_a_file_that_cannot_be_had_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def complaint(path: str | Path) -> str:
        with pytest.raises(InvalidInput) as refused:
            load(path)
        assert refused.value.source == str(path)
        return str(refused.value)

    assert "there is no file 'nowhere.yaml'; check the path" in complaint("nowhere.yaml")
    assert "is a folder; name a file in it" in complaint(tmp_path)
    assert "must end in .yaml, .yml, .json" in complaint(put(tmp_path, HEAD, "lab.txt"))
    assert "cannot be the path of a file" in complaint("lab\0.yaml")
    assert "cannot be read: File name too long" in complaint("x" * 5000)

    def forbidden(path: Path, _mode: str) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    assert "you may not read 'lab.yaml'; ask its owner" in complaint("lab.yaml")


@pytest.mark.parametrize("name", ["/dev/zero", "zero.yaml"])
def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    with pytest.raises(InvalidInput, match=r"must end in|more than 1,000 bytes"):
        load(tmp_path / name)


STRANGE = lab(
    [
        pool("no", gpus=8),
        pool("1e3", gpus=8),
        pool("0x10", gpus=8),
        pool("2026-01-01"),
        pool("null"),
        pool("~"),
    ],
    [
        root(cap="55.5%"),
        team("- a: b #c"),
        team("'\"{[&*!|>%@`"),
        team("a\x07b\x85c\u2028d\u200b\ud7ff😀北京"),
        team("12"),
    ],
    [
        project("on", demand=0.1, holds={"no": 1}, ends=day(9), sites=("no", "~")),
        project("yes", demand=1e8, one_pool=True),
    ],
    [delivery("2026-01-01", 8, on=3)],
    value=((1e-07, 2.0), (0.9999999, 0.5)),
)


@pytest.mark.parametrize("name", ["lab.yaml", "lab.yml", "lab.json"])
def test_what_is_written_reads_the_same(tmp_path: Path, name: str) -> None:
    for organization in (STRANGE, load(put(tmp_path, WHOLE)), Organization(name="7", as_of=day(0))):
        dump(organization, tmp_path / name)
        assert load(tmp_path / name) == organization


def test_a_written_file_is_for_people(tmp_path: Path) -> None:
    dump(load(put(tmp_path, WHOLE)), tmp_path / "copy.yaml")
    lines = (tmp_path / "copy.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[:4] == ["name: frontier-lab", "as_of: 2026-11-23", "gpu_types:", "  h100: {vendor: nvidia}"]
    assert "- {name: 'yes', gpu_type: '4090', site: 北京, gpus: 32}" in lines
    assert "  demand: 40" in lines
    assert "  ends: 2026-12-12" in lines
    assert not any("tier:" in line for line in lines)


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, WHOLE)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        dump(STRANGE, path)
    assert path.read_text(encoding="utf-8") == WHOLE
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_keeps_its_permissions_and_its_links(tmp_path: Path) -> None:
    path, link = put(tmp_path, WHOLE), tmp_path / "tonight.yaml"
    path.chmod(0o640)
    link.symlink_to(path)
    dump(STRANGE, link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load(path) == STRANGE


def test_a_file_of_no_known_kind_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"must end in \.yaml, \.yml, \.json"):
        dump(STRANGE, tmp_path / "lab.toml")
    assert not list(tmp_path.iterdir())


def shuffled(value: Any, data: st.DataObject) -> Any:
    """The same mappings, each in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], data) for key in data.draw(st.permutations(list(value)))}
    return [shuffled(each, data) for each in value] if isinstance(value, list) else value


@settings(max_examples=20)
@given(st.data())
def test_the_order_of_sections_and_fields_makes_no_difference(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "strange.json"
        dump(STRANGE, path)
        path.write_text(json.dumps(shuffled(json.loads(path.read_text("utf-8")), data)), encoding="utf-8")
        assert load(path) == STRANGE


def test_equal_organizations_have_equal_hashes(tmp_path: Path) -> None:
    organization = load(put(tmp_path, WHOLE))
    other_order = WHOLE.replace("{h100: 1, 4090: 0.25}", "{4090: 0.25, h100: 1.0}").replace(
        "    pinned: False\n", ""
    )
    same = load(put(tmp_path, other_order))
    assert same == organization
    assert content_hash(same) == content_hash(organization)
    assert len(content_hash(organization)) == 64
    changed = load(put(tmp_path, WHOLE.replace("demand: 40", "demand: 41")))
    assert content_hash(changed) != content_hash(organization)
