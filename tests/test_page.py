"""The page: one for every kind of result, complete, escaped, and in need of nothing else."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re

import pytest

from gpu_opt.plan import Allocation
from gpu_opt.report.page.frame import plot
from gpu_opt.report.page.html import Markup, element, escaped, table
from gpu_opt.report.plots import outcomes
from gpu_opt.report.plots.style import label
from gpu_opt.report.sheets.allocation import projects
from tests.building import allocation, changed, day, lab
from tests.page_reader import page_of, read
from tests.reporting import CHINESE, LONG, NAMES, SCRIPT, results

KINDS = list(results())
DRAWN = [kind for kind in KINDS if kind not in {"why", "conflicts"}]
"""Those with plots; the others are tables."""


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_fetched_from_anywhere(kind: str) -> None:
    reader = read(kind)
    fetching = {"src", "srcset", "action", "data", "poster", "background"}
    assert [tag for tag, attributes in reader.tags if fetching & set(attributes)] == []
    assert not {"link", "iframe", "object", "embed", "img", "base"} & {tag for tag, _ in reader.tags}
    assert all(str(a["href"]).startswith("#") for a in reader.of("a"))
    (style,) = re.findall(r"<style>(.*?)</style>", page_of(kind), re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [a["content"] for a in reader.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'")
    own = [script for script in reader.scripts if len(script) < 1_000_000]
    assert len(reader.scripts) - len(own) == (kind in DRAWN), "plotly.js is in the page, once if at all"
    assert not any("http:" in script or "https:" in script for script in own)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_shown_as_they_are_whatever_is_in_them(kind: str) -> None:
    assert SCRIPT not in page_of(kind)
    assert "<b>bold" not in page_of(kind)
    reader = read(kind)
    told = json.dumps(results()[kind].model_dump(mode="json"), ensure_ascii=False)
    named = [name for name in (SCRIPT, CHINESE, LONG) if name in told]
    assert named
    assert [name for name in named if name not in reader.text] == []
    scripts = [a for a in reader.of("script") if a.get("type") != "application/json"]
    assert len(scripts) == 1 + (kind in DRAWN), "plotly's and ours: no name became a script"


@pytest.mark.parametrize("kind", DRAWN)
def test_every_plot_says_what_it_shows_and_has_a_table(kind: str) -> None:
    reader = read(kind)
    plots = [a for a in reader.of("div") if a.get("class") == "plot"]
    assert plots
    assert len({a["id"] for a in plots}) == len(plots)
    for one in plots:
        assert one["role"] == "img"
        assert len(str(one["aria-label"])) > 20
    data = [json.loads(script) for script in reader.scripts if script.startswith('{"data"')]
    assert len(data) == len(plots)
    assert all(figure["data"] for figure in data)
    sections = page_of(kind).split("<section")[1:]
    assert all("<table" in one for one in sections if 'class="plot"' in one)


@pytest.mark.parametrize("kind", KINDS)
def test_headings_lead_through_the_page(kind: str) -> None:
    reader = read(kind)
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in itertools.pairwise(levels))
    assert [a["href"] for a in reader.of("a")] == [f"#{a['id']}" for a in reader.of("h2")]
    assert reader.of("html")[0]["lang"] == "en"
    assert all(a["scope"] == "col" for a in reader.of("th"))


def test_text_is_escaped_unless_it_is_html() -> None:
    assert escaped(["a<b", Markup("<br>"), None]) == "a&lt;b<br>"
    assert element("p", "x", title='"quoted"', hidden=None) == '<p title="&quot;quoted&quot;">x</p>'
    assert escaped("a\x1b[31m\u202eb") == "a�[31m�b", "no name steers the page"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_plot_is_shortened_and_means_nothing_to_plotly(name: str) -> None:
    shown = label(name)
    assert not re.search(r"<|>|&(?!lt;|gt;|amp;)", shown)
    assert len(shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= 40


def test_data_of_a_plot_cannot_end_its_script() -> None:
    plan = results()["allocate"]
    assert isinstance(plan, Allocation)
    figure = outcomes.project_bars([changed(plan.projects[0], project="</script><script>alert(1)")])
    figure.update_layout(title="</script>")
    assert plot("one", figure, "what it shows").count("</script>") == 1


def test_a_table_without_rows_says_so() -> None:
    sheet = projects(allocation(lab(), {}))
    assert table(sheet) == f"<p>{sheet.title}: none.</p>"


def test_dates_on_a_page_come_with_their_weekday() -> None:
    assert day(0) == dt.date(2026, 11, 23)
    assert "Mon 2026-11-23" in read("reallocate").text
