"""Reads an HTML page as a browser's author would: what is open, what is closed, what it asks of the network."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}
_ASKING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "formaction"}


class Page(HTMLParser):
    """A page taken apart.

    Attributes:
        problems: tags closed in the wrong order or never.
        asked: every address that an element would load or lead to.
        ids: of elements, in order.
        text: outside of styles and drawings, one piece per element.
        outline: indented tags with their text, drawings left out: the structure for golden files.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.drawn: list[str] = []
        self.outline: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.add(tag)
        self.asked += [value for name, value in attrs if value and name in _ASKING and not value.startswith("#")]
        self.asked += [found for value in known.values() if value for found in re.findall(r"url\(([^#)][^)]*)\)", value)]
        self.ids += [known["id"]] if known.get("id") else []
        if "svg" not in self._open:
            classes = known.get("class")
            self.outline.append(
                "  " * len(self._open) + tag + (f".{'.'.join(classes.split())}" if classes and classes.strip() and tag != "svg" else "")
            )
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-3:]} at {self.getpos()}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        piece = " ".join(data.split())
        if not piece or "style" in self._open:
            return
        if "svg" in self._open:
            self.drawn.append(piece)
        else:
            self.text.append(piece)
            self.outline.append("  " * len(self._open) + f"“{piece}”")
