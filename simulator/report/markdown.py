"""The report as one self-contained Markdown text: everything as tables and prose; pictures are links, and only where asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simulator.outcome import Outcome
from simulator.report.section import Figure, Paragraph, Section, Table
from simulator.report.sections import sections, title

_SPECIAL = re.compile(r"([\\`*_\[\]<|~])")
_AT_START = re.compile(r"^(\s*)([-+#>=:]|\d+[.)](?=\s))")


def markdown(outcome: Outcome, *, figures: str = "") -> str:
    """The report as GitHub-flavoured Markdown.

    Args:
        figures: folder, relative to where the text will lie, in which the caller puts what `report.figures.pictures(outcome)` returns;
            the text then shows them. Empty: no pictures, the text stands alone.
    """
    return document(title(outcome), sections(outcome), figures)


def document(heading: str, made: Sequence[Section], figures: str = "") -> str:
    """Sections under one heading, as `markdown`."""
    text = [f"# {_escape(heading)}", *(_section(section, figures) for section in made)]
    return "\n\n".join(text) + "\n"


def _escape(text: str) -> str:
    """`text` that renders as itself inside a line or a cell."""
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;"))


def _line(text: str) -> str:
    """`text` that renders as itself as a line of its own: not as a list, a heading or a quotation."""
    return _AT_START.sub(lambda m: f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", _escape(text))


def _section(section: Section, figures: str) -> str:
    blocks = [f"## {_escape(section.heading)}"]
    for block in section.blocks:
        if isinstance(block, Paragraph):
            blocks.append(_paragraph(block))
        elif isinstance(block, Table):
            blocks.append(_table(block))
        elif isinstance(block, Figure) and figures:
            blocks.append(f"![{_escape(block.alt)}]({figures}/{block.name}.svg)\n\n*{_escape(block.caption)}*")
    return "\n\n".join(blocks)


def _paragraph(paragraph: Paragraph) -> str:
    text = _line(paragraph.text)
    return {"headline": f"- **{text}**", "warning": f"> [!WARNING]\n> {text}", "note": f"<sub>{text}</sub>"}.get(paragraph.tone, text)


def _table(table: Table) -> str:
    align = ["---", *("--:" if table.numeric and i not in table.blocked else "---" for i in range(1, len(table.columns)))]
    rows = []
    for at, row in enumerate(table.rows):
        cells = [(table.blocked[i] if at == 1 else "NO" if at == 0 else "") if i in table.blocked else text for i, text in enumerate(row)]
        bold = table.total and at == len(table.rows) - 1
        rows.append([f"**{_escape(c)}**" if c and (bold or i in table.blocked) else _escape(c) for i, c in enumerate(cells)])
    lines = [[_escape(c) or " " for c in table.columns], align, *rows]
    caption = f"*{_escape(table.caption)}*\n\n" if table.caption else ""
    return caption + "\n".join(f"| {' | '.join(line)} |" for line in lines)
