"""Flows are read, solved by everybody who is there, and checked in integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.flows import faults, main, measure, read_dimacs, reallocation_network
from gpu_opt.options import Options
from gpu_opt.reallocation.flow import minimum_cost_flow

DIAMOND = """\
c two ways from 1 to 4, the cheap one carries 2 of 3
p min 4 4
n 1 3
n 4 -3
a 1 2 0 2 1
a 2 4 0 2 1
a 1 3 1 9 5
a 3 4 0 9 5
"""


@pytest.fixture
def diamond(tmp_path: Path) -> Path:
    file = tmp_path / "diamond.dmx"
    file.write_text(DIAMOND, encoding="utf-8")
    return file


def test_gpu_opt_and_networkx_find_the_flow_that_can_be_found_by_hand(diamond: Path) -> None:
    """2 units for 2 each, and 1 for 10."""
    lines = list(measure(diamond.name, read_dimacs(diamond), 60.0))
    for peer in ("gpu_opt", "networkx"):
        assert any(f"| {peer} | 14 |" in line for line in lines)


def test_what_is_no_flow_is_said_to_be_none(diamond: Path) -> None:
    network = read_dimacs(diamond)
    assert faults(network, np.array([2, 2, 1, 1])) == []
    assert len(faults(network, np.array([3, 3, 0, 0]))) == 1
    assert len(faults(network, np.array([2, 2, 1, 0]))) == 1


def test_the_network_of_the_reallocation_has_a_flow() -> None:
    network = reallocation_network(20)
    flow = minimum_cost_flow(network, Options())
    assert faults(network, flow.values) == []
    assert flow.cost > 0


def test_a_file_that_is_no_network_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.dmx"
    wrong.write_text("a 1 2 3\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main([str(wrong)])
    assert ended.value.code == 2
    assert "wrong.dmx" in capsys.readouterr().err
