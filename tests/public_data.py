"""The public data that lie beside the repository, where they do."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("GPU_OPT_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def data() -> Path:
    """Their folder; a test that asks for it is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"the public data are not part of the repository, and there is no folder {DATA}")
    return DATA


def raw(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, packed or not."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        return list(csv.DictReader(stream))
