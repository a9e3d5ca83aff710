"""YAML text -> `Written`, from the parser's events with a stack of our own: no recursion, no tags, positions kept, every limit a problem.

PyYAML's C parser reads the grammar; plain scalars are resolved by YAML 1.2's core schema (its own are YAML 1.1's: `no` false, `1:30` 90,
`010` 8). Dates stay text: the field that expects one reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import yaml

from simulator.errors import Problem, ProblemsError
from simulator.scenario.written import Mark, Plain, Text, Written

LARGEST = 8 * 2**20
"""Bytes of one file."""
DEEPEST = 64
"""Mappings and lists inside one another."""
MOST = 100_000
"""Values of one file, aliases counted as often as they are used."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ufeff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_WORDS: Mapping[str, Plain] = {"": None, "~": None} | {
    form: value for word, value in (("null", None), ("true", True), ("false", False)) for form in (word, word.title(), word.upper())
}
_LONGEST_NUMBER = 40

_MENDS = (
    ("mapping values are not allowed", "put text that holds a colon and a space into quotes"),
    ("cannot start any token", "indent with spaces, and put text that begins with a special character into quotes"),
    ("tab character", "indent with spaces"),
    ("could not find expected ':'", "write key: value"),
    ("did not find expected <block end>", "give all keys of one mapping the same indentation"),
    ("did not find expected key", "give all keys of one mapping the same indentation"),
    ("did not find expected ',' or", "close the bracket, and put commas between the items"),
    ("unexpected end of stream", "close the quotes"),
    ("undefined alias", "give the value its anchor, &name, above the place that uses it"),
)


def read(data: bytes, text: Text) -> Written:
    """The one document of a file.

    Raises:
        ProblemsError: not UTF-8, not YAML, larger or deeper than the limits, empty, a duplicate key, a tag, a merge key, ..
    """
    if len(data) > LARGEST:
        raise ProblemsError((Problem(what=f"is {len(data)} bytes long, at most {LARGEST} are read", file=text.place),))
    try:
        return parse(data.decode("utf-8-sig"), text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        problem = Problem(what="is not UTF-8 text", mend="save the file in the encoding UTF-8", file=text.place, line=line, column=column)
        raise ProblemsError((problem,)) from None


@lru_cache(maxsize=256)
def parse(source: str, text: Text) -> Written:
    """The one document of `source`; remembered, since a sweep reads the same files again and again.

    Raises:
        ProblemsError: as `read`.
    """
    lines = tuple(source.splitlines()) if text.numbered else ()
    named = Text(text.place, text.label, lines, text.folder, text.numbered)
    odd = _UNPRINTABLE.search(source)
    if odd:
        line, column = source.count("\n", 0, odd.start()) + 1, odd.start() - (source.rfind("\n", 0, odd.start()) + 1) + 1
        what = f"the character {odd[0]!r} does not belong into YAML"
        raise ProblemsError((Mark(named, line, column).problem("", what, "delete it, or write it as an escape in double quotes"),))
    return _Composer(named).compose(source)


def resolve(plain: str) -> Plain:
    """A plain scalar by YAML 1.2's core schema.

    Raises:
        ValueError: a number that is not finite or too long.
    """
    if plain in _WORDS:
        return _WORDS[plain]
    if plain[0] not in "0123456789+-.":
        return plain
    if _NOT_FINITE.match(plain):
        raise ValueError("is not a finite number")
    if _INTEGER.match(plain) or _FLOAT.match(plain):
        if len(plain) > _LONGEST_NUMBER:
            raise ValueError("is too long a number")
        if _INTEGER.match(plain):
            return int(plain, 0) if plain[1:2] in ("o", "x") else int(plain)
        number = float(plain)
        if number in (float("inf"), float("-inf")):
            raise ValueError("is not a finite number")
        return number
    return plain


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been read yet; `anchor` names it, `size` and `height` are what it holds so far."""

    mark: Mark
    anchor: str | None
    mapping: dict[str, Written] | None
    items: list[Written] = field(default_factory=list)
    keys: dict[str, Mark] = field(default_factory=dict)
    key: str | None = None
    """The key that waits for its value; `_REFUSED` where the key was a problem."""
    size: int = 1
    height: int = 1


_REFUSED = "\0"
"""Stands for a key that cannot be kept, so that its value is read and forgotten; no text may hold it."""


class _Composer:
    """Reads the events of one text. A mutable thing that lives for one call."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Written, int, int] | None] = {}
        self.root: Written | None = None

    def compose(self, source: str) -> Written:
        documents = 0
        try:
            for event in yaml.parse(source, Loader=_LOADER):
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    self.fail(self.mark(event), "a second document begins here", "keep one document per file, without ---")
                self.take(event)
        except yaml.YAMLError as error:
            self.syntax(error)
        if self.root is None:
            raise ProblemsError((Problem(what="is empty", mend="`simulator init` writes a scenario to start from", file=self.text.place),))
        if self.problems:
            raise ProblemsError(tuple(self.problems))
        return self.root

    def take(self, event: Any) -> None:
        match event:
            case yaml.AliasEvent():
                self.alias(event)
            case yaml.ScalarEvent():
                self.tagged(event)
                self.scalar(event)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self.tagged(event)
                self.open(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self.close()

    def open(self, event: Any) -> None:
        mark = self.mark(event)
        if len(self.stack) >= DEEPEST:
            self.fail(mark, f"more than {DEEPEST} mappings and lists inside one another")
        if self.stack and self.stack[-1].mapping is not None and self.stack[-1].key is None:
            self.fail(mark, "a list or mapping where a key is expected", "write key: value; brackets and braces in text need quotes")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(mark, event.anchor, {} if isinstance(event, yaml.MappingStartEvent) else None))

    def close(self) -> None:
        done = self.stack.pop()
        value: Any = tuple(done.items) if done.mapping is None else done.mapping
        self.put(Written(value, done.mark, done.keys), done.size, done.height, done.anchor)

    def scalar(self, event: Any) -> None:
        mark = self.mark(event)
        value: Plain = event.value
        if event.implicit[0]:
            try:
                value = resolve(event.value)
            except ValueError as error:
                self.report(mark, f"{event.value[:_LONGEST_NUMBER]} {error}")
        here = self.stack[-1] if self.stack else None
        if here is not None and here.mapping is not None and here.key is None:
            here.key = self.key(here, event.value, value, mark)
        else:
            self.put(Written(value, mark), 1, 0, event.anchor)

    def key(self, here: _Open, written: str, value: Plain, mark: Mark) -> str:
        """The key to keep a value under."""
        if value == "<<":
            self.report(mark, "merge keys are not part of this language", "write the keys out, or use base and alternatives")
        elif not isinstance(value, str) or _REFUSED in value:
            self.report(mark, f"the key {written[:40] or 'nothing'} is not text", f'write "{written[:40]}" in quotes if it is meant')
        elif value in here.keys:
            first = here.keys[value]
            self.report(mark, f"the key {value[:60]} stands twice: in line {first.line} and in line {mark.line}", "keep one of them")
        else:
            here.keys[value] = mark
            return value
        return _REFUSED

    def alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        mark = self.mark(event)
        if known is None:
            what = "refers to itself" if event.anchor in self.anchors else "is not defined above"
            self.fail(mark, f"the alias *{event.anchor[:60]} {what}", "put an anchor &name before the value it stands for")
        elif len(self.stack) + known[2] > DEEPEST:
            self.fail(mark, f"more than {DEEPEST} mappings and lists inside one another")
        elif self.stack and self.stack[-1].mapping is not None and self.stack[-1].key is None:
            self.fail(mark, "an alias where a key is expected", "write the key out")
        else:
            self.put(known[0], known[1], known[2], None)

    def put(self, value: Written, size: int, height: int, anchor: str | None) -> None:
        """Hand a finished value to what is open around it."""
        if anchor:
            self.anchors[anchor] = (value, size, height)
        if not self.stack:
            self.root = value
            return
        here = self.stack[-1]
        # Sizes are sums over what aliases stand for, so a file that doubles itself thirty times is refused before anyone walks it.
        here.size += size
        here.height = max(here.height, height + 1)
        if here.size > MOST:
            self.fail(value.mark, f"more than {MOST} values, aliases counted as often as they are used")
        if here.mapping is None:
            here.items.append(value)
        else:
            if here.key is not None and here.key != _REFUSED:
                here.mapping[here.key] = value
            here.key = None

    def tagged(self, event: Any) -> None:
        if event.tag is not None:
            self.report(self.mark(event), f"the tag {event.tag[:60]} is not part of this language", "write the plain value")

    def mark(self, event: Any) -> Mark:
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent) and not event.flow_style:
            width = 1_000_000  # to the end of the line
        else:
            width = end.column - start.column if end.line == start.line else 1_000_000
        return Mark(self.text, start.line + 1, start.column + 1, max(width, 1))

    def report(self, mark: Mark, what: str, mend: str = "") -> None:
        self.problems.append(mark.problem("", what, mend))
        if len(self.problems) >= 100:
            raise ProblemsError(tuple(self.problems))

    def fail(self, mark: Mark, what: str, mend: str = "") -> NoReturn:
        raise ProblemsError((*self.problems, mark.problem("", what, mend)))

    def syntax(self, error: yaml.YAMLError) -> NoReturn:
        said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
        place = getattr(error, "problem_mark", None)
        mark = Mark(self.text, place.line + 1, place.column + 1) if place else Mark(self.text, 1, 1)
        if "maximum nesting depth" in said:
            self.fail(mark, f"more than {DEEPEST} mappings and lists inside one another")
        mend = next((mend for part, mend in _MENDS if part in said), "")
        context = str(getattr(error, "context", None) or "")
        self.fail(mark, f"not YAML: {said}{', ' + context if context else ''}", mend)
