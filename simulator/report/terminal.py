"""The short report for a terminal: what is brief of every section, no pictures."""

from __future__ import annotations

import io
import textwrap

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from simulator.outcome import Outcome
from simulator.report.section import Figure, Paragraph, Table
from simulator.report.sections import sections, title

_STYLES = {"plain": "", "headline": "bold", "warning": "bold red", "good": "green", "note": "dim"}
_WIDEST = 30
_BLOCKED = 24


def terminal(outcome: Outcome, *, width: int = 100, colour: bool = False) -> str:
    """The answer as text of at most `width` columns; with ANSI colours only where `colour`."""
    screen = io.StringIO()
    console = Console(
        file=screen,
        width=max(width, 40),
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(Text(title(outcome), style="bold" if colour else ""))
    for section in sections(outcome):
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
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n"


def _print_table(console: Console, table: Table) -> None:
    """The table, cut into bands of columns where it is too wide."""
    if table.caption:
        console.print(Text(table.caption, style="italic"))
    first = min(max((len(row[0]) for row in table.rows), default=0), 28)
    cells = list(zip(*table.rows, strict=True))
    wanted = [
        _BLOCKED if i in table.blocked else min(max(6, _longest_word(name), *(len(text) for text in cells[i])), _WIDEST)
        for i, name in enumerate(table.columns)
    ]
    band: list[int] = []
    used = first
    for i in range(1, len(table.columns)):
        if band and used + wanted[i] + 2 > console.width:
            console.print(_grid(table, band, console.width))
            band, used = [], first
        band.append(i)
        used += wanted[i] + 2
    console.print(_grid(table, band, console.width))


def _longest_word(text: str) -> int:
    return max((len(word) for word in text.split()), default=0)


def _grid(table: Table, band: list[int], width: int) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), header_style="bold")
    grid.add_column(Text(table.columns[0]), max_width=28, overflow="fold")
    for i in band:
        right = table.numeric and i not in table.blocked
        grid.add_column(
            Text(table.columns[i]), justify="right" if right else "left", overflow="fold", style="red" if i in table.blocked else ""
        )
    reasons = {i: textwrap.wrap(table.blocked[i], min(_BLOCKED, max(10, width // 3))) for i in band if i in table.blocked}
    for at in range(max(len(table.rows), *(len(r) for r in reasons.values()), 0)):
        row = table.rows[at] if at < len(table.rows) else ("",) * len(table.columns)
        cells = [(reasons[i][at] if at < len(reasons[i]) else "") if i in reasons else row[i] for i in band]
        last = table.total and at == len(table.rows) - 1
        grid.add_row(Text(row[0]), *(_cell(text) for text in cells), style="bold" if last else "")
    return grid


def _cell(text: str) -> Text:
    bad = text in ("NO", "MISSED") or text.endswith("UNFINISHED")
    return Text(text, style="bold red" if bad else "green" if text in ("yes", "met") else "")
