"""The short report for a terminal: what is brief of every section, no pictures."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from simulator.outcome import Outcome
from simulator.report.section import Figure, Paragraph, Section, Table
from simulator.report.sections import sections, title

_STYLES = {"plain": "", "headline": "bold", "warning": "bold red", "good": "green", "note": "dim"}
_WIDEST, _WIDEST_TEXT, _GAP = 28, 44, 3
_BLOCKED = 24


def terminal(outcome: Outcome, *, width: int = 100, colour: bool = False) -> str:
    """The answer as text of at most `width` columns; with ANSI colours only where `colour`."""
    return screen(title(outcome), sections(outcome), width=width, colour=colour)


def screen(heading: str, made: Sequence[Section], *, width: int = 100, colour: bool = False) -> str:
    """What is brief of sections under one heading, as `terminal`."""
    text = io.StringIO()
    console = Console(
        file=text,
        width=max(width, 40),
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(Text(heading, style="bold" if colour else ""))
    for section in made:
        shown = [b for b in section.blocks if b.brief and not isinstance(b, Figure)]
        if shown:
            console.print()
            console.print(Text(section.heading, style="bold cyan"))
        for block in shown:
            if isinstance(block, Paragraph):
                mark = {"warning": "! "}.get(block.tone, "")
                console.print(Text(mark + block.text, style=_STYLES[block.tone]))
            elif isinstance(block, Table):
                _print_table(console, block)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _print_table(console: Console, table: Table) -> None:
    """The table, cut into bands of columns where it is too wide; each band repeats the columns that name the row."""
    if table.caption:
        console.print(Text(table.caption, style="italic"))
    cells = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    widest = _WIDEST if table.numeric else _WIDEST_TEXT
    wanted = [_BLOCKED if i in table.blocked else min(_natural(name, cells[i]), widest) for i, name in enumerate(table.columns)]
    keys = list(range(table.keys))
    bands: list[list[int]] = [[]]
    free = [room := console.width - sum(wanted[i] + _GAP for i in keys)]
    for i in range(table.keys, len(table.columns)):
        if bands[-1] and free[-1] < wanted[i]:
            bands.append([])
            free.append(room)
        bands[-1].append(i)
        free[-1] -= wanted[i] + _GAP
    for at, band in enumerate(bands):
        if at:
            console.print()
        console.print(_grid(table, keys + band, wanted))


def _natural(heading: str, cells: Sequence[str]) -> int:
    """The width that the cells need; a heading may wrap between words."""
    return max(1, *(len(word) for word in heading.split()), *(len(text) for text in cells))


def _grid(table: Table, band: list[int], wanted: list[int]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), header_style="bold")
    for i in band:
        right = table.numeric and i not in table.blocked and i >= table.keys
        style = "red" if i in table.blocked else ""
        grid.add_column(Text(table.columns[i]), justify="right" if right else "left", overflow="fold", width=wanted[i], style=style)
    reasons = {i: textwrap.wrap(table.blocked[i], _BLOCKED) for i in band if i in table.blocked}
    empty = ("",) * len(table.columns)
    for at in range(max(len(table.rows), *(len(reason) for reason in reasons.values()), 0)):
        row = table.rows[at] if at < len(table.rows) else empty
        texts = [(reasons[i][at] if at < len(reasons[i]) else "") if i in reasons else row[i] for i in band]
        last = table.total and at == len(table.rows) - 1
        grid.add_row(*(_cell(text) for text in texts), style="bold" if last else "")
    return grid


def _cell(text: str) -> Text:
    bad = text in ("NO", "MISSED") or text.endswith("UNFINISHED")
    return Text(text, style="bold red" if bad else "green" if text in ("yes", "met") else "")
