"""Fixtures for commands: run one in this process, write a file for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gpu_opt.cli import run
from gpu_opt.files import dump
from gpu_opt.organization import Organization
from tests.cli.commanding import Command, Ended


@pytest.fixture
def gpu_opt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def command(*arguments: object) -> Ended:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return command


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Organization], Path]:
    """Write an organization to a file."""

    def write(organization: Organization) -> Path:
        path = tmp_path / "lab.yaml"
        dump(organization, path)
        return path

    return write
