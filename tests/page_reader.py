"""The page of every kind of result, and what is on it as a browser takes it."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser

from gpu_opt.report.page import page
from tests.reporting import results


@cache
def page_of(kind: str) -> str:
    return page(results()[kind])


class Reader(HTMLParser):
    """What is on a page, as a browser takes it: tags with attributes, texts outside scripts, scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input", "br"}:
            self._inside.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, f"</{tag}> does not close what was opened last"

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self.words.append(data)
        if {"td", "th"} & set(self._inside):
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@cache
def read(kind: str) -> Reader:
    return Reader(page_of(kind))
