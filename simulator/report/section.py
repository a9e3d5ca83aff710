"""The grammar of a report: what a section may hold, whatever the medium it is rendered to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simulator.outcome import Bar, LogEntry, NetworkLevel

Tone = Literal["plain", "headline", "warning", "good", "note"]


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Plain text; no markup of any medium inside.

    Args:
        brief: whether the terminal shows it too.
    """

    text: str
    tone: Tone = "plain"
    brief: bool = True


def note(text: str) -> Paragraph:
    """A definition or a caveat, beside the numbers that it is about; too long for a terminal."""
    return Paragraph(text=text, tone="note", brief=False)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under headings; the first columns name the row.

    Args:
        keys: how many columns name the row.
        blocked: column -> the one text that takes the place of that whole column: the reason why it has no figures.
        numeric: whether the columns after the first hold figures (aligned right).
        total: whether the last row is the sum of the others.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    blocked: Mapping[int, str] = field(default_factory=dict)
    numeric: bool = True
    total: bool = False
    keys: int = 1
    brief: bool = True


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One bar made of parts, with a text at its end and, where it has one, the limit it must stay below."""

    name: str
    parts: Mapping[str, float]
    note: str
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """Bars of parts under one another; as shares of each bar's own total where `share`, else in `unit`."""

    stacks: tuple[Stack, ...]
    unit: str
    share: bool = False


@dataclass(frozen=True, kw_only=True)
class Range:
    """A low, a middle and a high figure."""

    name: str
    low: float
    middle: float
    high: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """Intervals under one another; `axis` says what they measure and in which unit."""

    ranges: tuple[Range, ...]
    axis: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through points (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines over one axis."""

    lines: tuple[Line, ...]
    x: str
    y: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point: `name` gives its colour and shape (of three)."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points on equal logarithmic axes; a dashed line y = factor x for each of `guides`."""

    points: tuple[Point, ...]
    x: str
    y: str
    guides: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The timeline of a pipeline: lanes are stages."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a network, from the accelerators up."""

    levels: tuple[NetworkLevel, ...]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Tokens done over time in one replication, beside the pace of a run that nothing stops [tokens/s]."""

    log: tuple[LogEntry, ...]
    ideal: float | None


Picture = Stacks | Ranges | Lines | Points | Schedule | Levels | Progress


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture with its name (unique in the report), what it shows for those who cannot see it, and a caption."""

    name: str
    alt: str
    caption: str
    picture: Picture
    brief: bool = False


Block = Paragraph | Table | Figure


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and what stands below it; `name` is its anchor."""

    name: str
    heading: str
    blocks: tuple[Block, ...]
