"""`Written` -> the domain's own classes: names resolved, every problem reported, where each value came from remembered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.errors import MendableError, Problem, ProblemsError, did_you_mean
from simulator.interconnect import Explicit
from simulator.scenario import yaml_events
from simulator.scenario.graph_files import hosts_and_links
from simulator.scenario.merge import merge
from simulator.scenario.names import Library
from simulator.scenario.scalars import article, read_scalar
from simulator.scenario.shapes import (
    CATALOGUES,
    Choice,
    Either,
    ListOf,
    MapOf,
    Maybe,
    Measure,
    Record,
    Scalar,
    Shape,
    Tagged,
    example,
    shape_of,
)
from simulator.scenario.written import Mark, Text, Written, leaves, shown

MOST_PROBLEMS = 100
"""More are not collected: the first hundred have one cause."""

_ABOUT = frozenset({"name", "source", "sources", "notes"})
_UNTOLD = re.compile(r"\.\d|(^|\.)(name|source|sources|notes)(\.|$)")


class Broken:
    """Stands for a value that was a problem, so that the rest is read and nothing is built from it."""


BROKEN = Broken()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is read: its dotted path, where its key stands, and the folder beside whose files names are looked up."""

    path: str
    mark: Mark

    def inside(self, key: str, mark: Mark) -> Place:
        return Place(f"{self.path}.{key}" if self.path else key, mark)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of the catalogue: the object, where its figures came from by path inside it, the files that were needed."""

    value: Any
    origins: Mapping[str, str] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)


class Reader:
    """Reads values and keeps what it finds on the way; entries of the catalogue are read once."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.problems: list[Problem] = []
        self.origins: dict[str, str] = {}
        self.used: dict[str, None] = {}
        """Labels of the files that were needed, in order; an entry that is remembered counts again."""
        self.entries: dict[tuple[str, Path], _Entry] = {}
        self.reading: list[tuple[str, Path]] = []

    def report(self, mark: Mark, path: str, what: str, mend: str = "") -> Broken:
        self.problems.append(mark.problem(path, what, mend))
        if len(self.problems) >= MOST_PROBLEMS:
            raise ProblemsError(tuple(self.problems))
        return BROKEN

    def read(self, shape: Shape, written: Written, place: Place) -> Any:
        """The value, or `BROKEN` where a problem was reported."""
        match shape:
            case Record() | Tagged() if shape.catalogue:
                return self.catalogue(shape, written, place)
            case Record():
                return self.record(shape, written, place)
            case Tagged():
                return self.tagged(shape, written, place)
            case Maybe():
                return None if written.value is None else self.read(shape.shape, written, place)
            case Either():
                return self.either(shape, written, place)
            case ListOf():
                if not isinstance(written.value, tuple):
                    return self.wrong(written, place, "a list", "write [.., ..]")
                items = tuple(self.read(shape.shape, item, place.inside(str(n), item.mark)) for n, item in enumerate(written.value))
                return BROKEN if any(item is BROKEN for item in items) else items
            case MapOf():
                if not isinstance(written.value, Mapping):
                    return self.wrong(written, place, "a mapping", "write {name: value}")
                pairs = {k: self.read(shape.shape, v, place.inside(k, written.keys[k])) for k, v in written.value.items()}
                return BROKEN if any(value is BROKEN for value in pairs.values()) else pairs
        self.origins[place.path] = str(written.mark)
        return self.leaf(shape, written, place)

    def leaf(self, shape: Scalar | Measure | Choice, written: Written, place: Place) -> Any:
        value = written.value
        if isinstance(value, Mapping | tuple):
            return self.wrong(written, place, article(shape), f"write for example {example(shape)}")
        try:
            return read_scalar(shape, value)
        except MendableError as error:
            return self.report(written.mark, place.path, error.what, error.mend)

    def wrong(self, written: Written, place: Place, expected: str, mend: str) -> Broken:
        return self.report(written.mark, place.path, f"{written.said} where {expected} is expected", mend)

    def either(self, shape: Either, written: Written, place: Place) -> Any:
        mapped = [s for s in shape.shapes if isinstance(s, Record | Tagged | MapOf)]
        plain = [s for s in shape.shapes if isinstance(s, Scalar | Measure | Choice)]
        if mapped and (isinstance(written.value, Mapping) or not plain):
            return self.read(mapped[0], written, place)
        words = [word for s in plain if isinstance(s, Choice) for word in s.words]
        others = [s for s in plain if not isinstance(s, Choice)]
        if written.value in words or not others:
            if mapped and written.value not in words:
                near = did_you_mean(written.value, words) if isinstance(written.value, str) else f"write {' or '.join(words)}"
                return self.wrong(written, place, f"{' or '.join(words)} or a mapping", near)
            return self.read(next(s for s in plain if isinstance(s, Choice)), written, place)
        before = len(self.problems)
        value = self.read(others[0], written, place)
        if value is BROKEN and words and len(self.problems) > before:
            told = self.problems.pop()
            near = did_you_mean(written.value, words) if isinstance(written.value, str) else ""
            mend = near if near.startswith("did") else f"{told.mend}, or {' or '.join(words)}"
            return self.report(written.mark, place.path, told.what, mend)
        return value

    def record(self, record: Record, written: Written, place: Place, given: Mapping[str, Any] | None = None) -> Any:
        """The object that a mapping describes; `given` are fields that come from elsewhere (the name of a file)."""
        if not isinstance(written.value, Mapping):
            return self.wrong(written, place, f"a mapping ({', '.join(list(record.fields)[:6])}, ..)", "write {key: value}")
        fields, values = record.fields, dict(given or {})
        broken = False
        for key, value in written.value.items():
            if key not in fields:
                mark = written.keys[key]
                what = f"{key[:60]!r} is not a key of {_last(place.path) or record.name.lower()}"
                self.report(mark, place.inside(key[:60], mark).path, what, did_you_mean(key, fields))
                broken = True
                continue
            values[key] = self.read(fields[key].shape, value, place.inside(key, written.keys[key]))
            broken |= values[key] is BROKEN
        for name, known in fields.items():
            if name in values or name in written.value:
                continue
            path = place.inside(name, place.mark).path
            if known.required:
                broken = True
                self.missing(record, name, place)
            elif name not in _ABOUT:
                self.origins[path] = "default"
        if broken:
            return BROKEN
        try:
            return record.make(**values)
        except MendableError as error:
            first = error.what.split(" ", 1)[0]
            if first in written.value:
                return self.report(written.value[first].mark, place.inside(first, place.mark).path, error.what, error.mend)
            return self.report(place.mark, place.path, error.what, error.mend)

    def missing(self, record: Record, name: str, place: Place) -> None:
        asked = record.fields[name]
        sample, doc = example(asked.shape), f" ({asked.doc.rstrip('.')})" if asked.doc else ""
        shape = asked.shape.shape if isinstance(asked.shape, Maybe) else asked.shape
        if isinstance(shape, Record | Tagged) and shape.catalogue:
            mend = f"add {name}: NAME, a name of the {shape.catalogue}"
        else:
            mend = f"add {name}: {sample or '..'}"
        self.report(place.mark, place.path, f"{name} is missing{doc}", mend)

    def tagged(self, union: Tagged, written: Written, place: Place, given: Mapping[str, Any] | None = None) -> Any:
        kinds = ", ".join(union.records)
        if not isinstance(written.value, Mapping):
            known = written.value if isinstance(written.value, str) and written.value in union.records else next(iter(union.records))
            return self.wrong(written, place, "a mapping with a kind", f"write {{kind: {known}}}; kinds: {kinds}")
        kind = written.entries.get("kind")
        if kind is None:
            return self.report(place.mark, place.path, "kind is missing", f"add kind: {next(iter(union.records))}; kinds: {kinds}")
        if not isinstance(kind.value, str) or kind.value not in union.records:
            near = did_you_mean(kind.value, union.records) if isinstance(kind.value, str) else ""
            mend = f"{near} kinds: {kinds}" if near.startswith("did") else f"kinds: {kinds}"
            return self.report(kind.mark, place.inside("kind", kind.mark).path, f"{shown(kind)} is not a kind of {_last(place.path)}", mend)
        record = union.records[kind.value]
        if record.make is Explicit and "file" in written.entries:
            drawn = self.drawn(written, place)
            return drawn if isinstance(drawn, Broken) else self.record(record, drawn, place, given)
        return self.record(record, written, place, given)

    def drawn(self, written: Written, place: Place) -> Written | Broken:
        """An explicit graph with the hosts and links of the file that it names."""
        named = written.entries["file"]
        where = place.inside("file", named.mark)
        twice = [key for key in ("hosts", "links") if key in written.entries]
        if twice:
            return self.report(written.keys[twice[0]], where.path, f"{twice[0]} are said by the file", f"leave {twice[0]} or file out")
        if not isinstance(named.value, str) or not named.value.endswith((".graphml", ".json")):
            return self.wrong(named, where, "a file that ends in .graphml or .json", "write for example file: net.graphml")
        try:
            data, text = self.library.bytes((named.mark.text.folder or Path()) / named.value)
            found = hosts_and_links(data, text)
        except ProblemsError as error:
            self.problems += error.problems
            return BROKEN
        self.used[text.label] = None
        return Written({**written.entries, **found}, written.mark, {**written.keys, **{key: one.mark for key, one in found.items()}})

    def catalogue(self, shape: Record | Tagged, written: Written, place: Place) -> Any:
        """An entry by name, inline, or inline in the likeness of one."""
        if isinstance(written.value, str):
            return self.named(shape, written, place)
        if isinstance(written.value, tuple) and isinstance(shape, Record) and "classes" in shape.fields:
            inner = self.read(shape.fields["classes"].shape, written, place)
            return inner if inner is BROKEN else shape.make(classes=inner)
        if not isinstance(written.value, Mapping):
            return self.wrong(written, place, f"a name of the {shape.catalogue} or a mapping", "write one of them")
        like = written.entries.get("like", written.over)
        if like is None:
            return self.inline(shape, written, place, {})
        if not isinstance(like.value, str):
            return self.wrong(like, place.inside("like", like.mark), f"a name of the {shape.catalogue}", "write like: NAME")
        found = self.find(shape, like, place)
        if isinstance(found, Broken):
            return found
        self.origins[place.path] = f"{found[0].mark.text.label}, changed"
        # Prices name accelerators, so a changed accelerator keeps its name; anything else shows that it is not the entry itself.
        name = found[1] if shape.catalogue == "accelerators" else f"{found[1]} (changed)"
        merged = merge(found[0], _changes(found[0], written))
        return self.inline(shape, merged, place, {} if "name" in written.entries else {"name": name})

    def inline(self, shape: Record | Tagged, written: Written, place: Place, given: Mapping[str, Any]) -> Any:
        cited = any(written.entries[key].value for key in ("source", "sources") if key in written.entries)
        if not cited and (isinstance(shape, Tagged) or shape.must_cite):
            what = f"an entry of the {shape.catalogue} needs a source"
            self.report(place.mark, place.path, what, "add source: where its figures come from, or name an entry with like: NAME")
        if isinstance(shape, Tagged):
            return self.tagged(shape, written, place, given)
        return self.record(shape, written, place, given)

    def named(self, shape: Record | Tagged, written: Written, place: Place) -> Any:
        try:
            path, packaged = self.library.find(shape.catalogue, str(written.value), written.mark.text.folder)
        except MendableError as error:
            return self.report(written.mark, place.path, error.what, error.mend)
        key = (shape.catalogue, path)
        if key not in self.entries:
            self.entries[key] = self.entry(shape, key, packaged)
        entry = self.entries[key]
        self.used |= entry.used
        self.origins |= {f"{place.path}.{inner}" if inner else place.path: told for inner, told in entry.origins.items()}
        return entry.value

    def entry(self, shape: Record | Tagged, key: tuple[str, Path], packaged: bool) -> _Entry:
        """A file of the catalogue, read."""
        kind, path = key
        try:
            document = self.library.read(path, kind, packaged)
        except ProblemsError as error:
            self.problems += error.problems
            return _Entry(BROKEN)
        reader = Reader(self.library)
        reader.problems, reader.entries, reader.reading = self.problems, self.entries, [*self.reading, key]
        place = Place("", Mark(document.mark.text, 1, 1))
        if key in self.reading:
            return _Entry(self.report(place.mark, "", "refers to itself", "name another entry"))
        value = reader.inline(shape, document, place, {} if "name" in document.entries else {"name": path.stem})
        named = document.entries.get("name")
        if named is not None and named.value != path.stem:
            reader.report(named.mark, "name", f"{shown(named)} is not the file's name", f"write name: {path.stem}, or leave it out")
        # Rows of lists are told by the entry as a whole: a price list has hundreds. Sources are told with their figures.
        nested = {inner: told for inner, told in reader.origins.items() if not _UNTOLD.search(inner)}
        label = document.mark.text.label
        return _Entry(value, {"": label, **nested}, {label: None, **reader.used})

    def find(self, shape: Record | Tagged, like: Written, place: Place) -> tuple[Written, str] | Broken:
        """The document of the entry that an inline mapping is laid over, and its name."""
        try:
            path, packaged = self.library.find(shape.catalogue, str(like.value), like.mark.text.folder)
            document = self.library.read(path, shape.catalogue, packaged)
            self.used[document.mark.text.label] = None
            return document, path.stem
        except MendableError as error:
            return self.report(like.mark, place.path, error.what, error.mend)
        except ProblemsError as error:
            self.problems += error.problems
            return BROKEN


def _changes(entry: Written, change: Written) -> Written:
    """What is laid over an entry, with a source for each field that it changes: its own, or that it was written in this scenario."""
    values = {key: value for key, value in change.entries.items() if key not in ("like", "source", "sources")}
    keys = {key: change.keys[key] for key in values}
    source = change.entries.get("source")
    given = change.entries.get("sources")
    told = {} if given is None else dict(given.entries)
    for key in values.keys() - {"name", "notes", "kind"}:
        for path, leaf in leaves(values[key], key):
            told.setdefault(path, source or Written(f"assumed: {leaf.mark}", leaf.mark))
    before = entry.entries["sources"].entries if "sources" in entry.entries else {}
    sources = {**before, **told}
    mark = change.mark
    return Written({**values, "sources": Written(sources, mark, dict.fromkeys(sources, mark))}, mark, {**keys, "sources": mark})


def load_entry(kind: str, name: str) -> Any:
    """A shipped entry as an object of its class.

    Raises:
        ProblemsError: no such kind, no such entry, or it has problems.
    """
    if kind not in CATALOGUES:
        raise ProblemsError((Problem(what=f"{kind!r} is not a kind of entry that a scenario names", mend=did_you_mean(kind, CATALOGUES)),))
    reader = Reader(Library())
    text = Text(name, name, numbered=False)
    mark = Mark(text, 1, 1)
    value = reader.read(shape_of(CATALOGUES[kind]), Written(name, mark), Place("", mark))
    if reader.problems:
        raise ProblemsError(tuple(reader.problems))
    return value


def load_value(hint: Any, written: str, said: str) -> Any:
    """A value of a type of the language from YAML on one line.

    Args:
        said: how problems name where it was written, e.g. `--fault ..`.

    Raises:
        ProblemsError: it has problems.
    """
    reader = Reader(Library())
    document = yaml_events.parse(written, Text(said, said, numbered=False))
    value = reader.read(shape_of(hint), document, Place("", document.mark))
    if reader.problems:
        raise ProblemsError(tuple(reader.problems))
    return value


def _last(path: str) -> str:
    return next((part for part in reversed(path.split(".")) if not part.isdigit()), "")
