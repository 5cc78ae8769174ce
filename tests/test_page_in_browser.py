"""The page in a real browser, without a network: it draws every plot and says nothing on its console."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpu_opt.report.page import page
from tests.browser import MISSING, look_at, must_be_there, print_to, program
from tests.page_reader import Reader
from tests.reporting import LONG, SCRIPT, results

pytestmark = pytest.mark.skipif(program() is None and not must_be_there(), reason=MISSING)


@pytest.mark.parametrize("kind", list(results()))
def test_a_page_draws_its_plots_and_asks_nobody_for_anything(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(results()[kind]), encoding="utf-8")
    seen = look_at(file)
    assert seen.console == []
    assert seen.requests == []
    plots = re.findall(r'<div class="plot" id="(plot-[^"]+)"', file.read_text(encoding="utf-8"))
    assert bool(plots) == (kind not in {"why", "conflicts"})
    assert seen.drawn == plots


def test_names_in_plots_are_read_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(results()["allocate"]), encoding="utf-8")
    seen = look_at(file)
    drawings = "".join(re.findall(r"<svg.*?</svg>", seen.html, re.DOTALL))
    words = Reader(f"<p>{re.sub(r'<(?!/?text|/?tspan)[^>]*>', '', drawings)}</p>").text
    assert SCRIPT in words
    assert f"{LONG[:39]}…" in words
    assert "Bold" not in words


def test_a_page_that_is_at_fault_is_found_out(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    wrong = '<img src="http://192.0.2.1/x.png"><div class="plot" id="plot-none"></div>'
    wrong += '<script>console.error("no")</script>'
    file.write_text(f"<!DOCTYPE html>{wrong}", encoding="utf-8")
    seen = look_at(file)
    assert seen.requests == ["http://192.0.2.1/x.png"]
    assert len(seen.console) == 1
    assert seen.drawn == []


def test_on_paper_everything_is_unfolded(tmp_path: Path) -> None:
    file, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    file.write_text(page(results()["nightly"]), encoding="utf-8")
    print_to(file, paper)
    pages = len(re.findall(rb"/Type ?/Page\b", paper.read_bytes()))
    assert pages >= 5
