"""What a file says and where it says it: plain values that remember their line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulator.errors import Problem

Plain = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Text:
    """One YAML text: a file, or the value of a `--set`.

    Args:
        place: how problems name it: a path that a terminal makes clickable, or `--set path=value`.
        label: how provenance names it: never a path of this machine alone.
        lines: for the excerpt under a problem.
        folder: where names written in it are looked up first; absent for what is packaged.
        numbered: lines and columns mean something to the reader.
    """

    place: str
    label: str
    lines: tuple[str, ...] = field(default=(), repr=False)
    folder: Path | None = None
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of one line; line and column count from 1."""

    text: Text
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.text.label}:{self.line}" if self.text.numbered else self.text.label

    def problem(self, path: str, what: str, mend: str = "") -> Problem:
        """Something wrong at this place."""
        if not self.text.numbered:
            return Problem(what=what, mend=mend, path=path, file=self.text.place)
        line = self.text.lines[self.line - 1] if 0 < self.line <= len(self.text.lines) else ""
        start = max(self.column - 81, 0)  # a line of a minified file can be megabytes long
        excerpt = line[start : start + 160].replace("\t", " ")
        caret = min(self.column - 1 - start, len(excerpt))
        width = max(1, min(self.width, len(excerpt) - caret))
        return Problem(
            what=what,
            mend=mend,
            path=path,
            file=self.text.place,
            line=self.line,
            column=self.column,
            excerpt=excerpt,
            caret=caret,
            width=width,
        )


@dataclass(frozen=True, slots=True)
class Written:
    """A value as written: text, number, yes or no, nothing, a list, or a mapping.

    Args:
        keys: where each key of a mapping stands.
        over: what this mapping was laid over where that was not a mapping itself: a catalogue name, of which it changes some fields.
    """

    value: Plain | tuple[Written, ...] | Mapping[str, Written]
    mark: Mark
    keys: Mapping[str, Mark] = field(default_factory=dict)
    over: Written | None = None

    @property
    def entries(self) -> Mapping[str, Written]:
        """The entries of a mapping; none where this is something else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def said(self) -> str:
        """What is written here in a word, for `.. where a list is expected`."""
        match self.value:
            case None:
                return "nothing"
            case Mapping():
                return "a mapping"
            case tuple():
                return "a list"
        return shown(self)


def at(written: Written, path: str) -> Mark:
    """Where the value at a dotted path stands; the nearest mapping or list around it where it is not written."""
    place, mark = written, written.mark
    for key in path.split("."):
        if isinstance(place.value, tuple) and key.isdigit() and int(key) < len(place.value):
            place = place.value[int(key)]
        elif key in place.entries:
            mark, place = place.keys[key], place.entries[key]
        else:
            return mark
    return place.mark


def leaves(written: Written, path: str = "") -> Iterator[tuple[str, Written]]:
    """Every value that is no mapping, with its dotted path."""
    if not isinstance(written.value, Mapping):
        yield path, written
        return
    for key, value in written.value.items():
        yield from leaves(value, f"{path}.{key}" if path else key)


_SAFE = re.compile(r"[A-Za-z0-9][\w ./%+-]*(?<! )\Z", re.ASCII)


def flow(written: Written) -> str:
    """The value as YAML on one line, such that `--set path=..` reads it back."""
    match written.value:
        case str() as text:
            return _word(text)
        case tuple() as items:
            return f"[{', '.join(flow(item) for item in items)}]"
        case Mapping() as entries:
            return "{" + ", ".join(f"{_word(key)}: {flow(value)}" for key, value in entries.items()) + "}"
    return _quoted(written.value)


def shown(written: Written) -> str:
    """The value as a sentence quotes it; long ones are cropped."""
    text = flow(written)
    quoted = text if not isinstance(written.value, str) or text.startswith('"') else f"'{text}'"
    return quoted if len(quoted) <= 60 else f"{quoted[:57]}…"


def _word(text: str) -> str:
    """Text as YAML reads it back as text: in quotes where it would be taken for something else."""
    plain = _SAFE.match(text) and text.casefold() not in ("true", "false", "null") and not _number(text)
    return text if plain else _quoted(text)


_BREAKS = {0x85: "\\x85", 0x2028: "\\u2028", 0x2029: "\\u2029", 0xFEFF: "\\ufeff", 0x7F: "\\x7f"}
"""Line breaks and the like to YAML, plain characters to JSON."""


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_BREAKS)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.startswith(("0x", "0o"))
    return True
