"""The domain's own classes read as shapes: what a scenario may say at each place. Validation and the JSON schema both walk these.

Nobody writes a second class: a field of a frozen dataclass is a field of the language, its annotation the rule, its line under
`Args:` the documentation.
"""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from simulator.economics import Grid, OwnedCosts, PriceList
from simulator.hardware import Accelerator, Node, Software
from simulator.interconnect import Topology
from simulator.model import Transformer
from simulator.reliability import AvailabilityTrace, FailureSet
from simulator.spec import Kinds, Quantity, kind_of
from simulator.units import DIMENSIONS

CATALOGUES: Mapping[str, Any] = {
    "models": Transformer,
    "accelerators": Accelerator,
    "nodes": Node,
    "software": Software,
    "failures": FailureSet,
    "traces": AvailabilityTrace,
    "prices": PriceList,
    "owned": OwnedCosts,
    "grids": Grid,
    "topologies": Topology,
}
"""Folder of a catalogue -> the class (or union) of its entries: where that class is expected, a name will do."""


@dataclass(frozen=True)
class Scalar:
    """Text, a whole number, a number, yes or no, or a date."""

    of: Literal["text", "whole number", "number", "true or false", "date"]


@dataclass(frozen=True)
class Measure:
    """Text with a unit of a dimension."""

    dimension: str


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Maybe:
    """The shape or nothing."""

    shape: Shape


@dataclass(frozen=True)
class Either:
    """One of several shapes, told apart by how the value is written."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class ListOf:
    """A list."""

    shape: Shape


@dataclass(frozen=True)
class MapOf:
    """A mapping with keys of the user's own."""

    shape: Shape


@dataclass(frozen=True)
class Field:
    """A field of a record; `doc` is its line under `Args:`."""

    name: str
    shape: Shape
    required: bool
    doc: str
    default: object = None


@dataclass(frozen=True, eq=False)
class Record:
    """A mapping with the fields of one frozen class; `catalogue` is the folder whose names stand for such mappings."""

    make: Callable[..., Any]
    name: str
    fields: Mapping[str, Field]
    doc: str
    catalogue: str = ""

    @property
    def must_cite(self) -> bool:
        """Written inline it needs a source: its parts do not each carry one of their own."""
        lists = [f.shape.shape for f in self.fields.values() if isinstance(f.shape, ListOf)]
        return bool(self.catalogue) and not any(
            isinstance(s, Record) and "source" in s.fields and s.fields["source"].required for s in lists
        )


@dataclass(frozen=True, eq=False)
class Tagged:
    """A mapping whose `kind` says which record it is."""

    records: Mapping[str, Record]
    catalogue: str = ""


Shape = Scalar | Measure | Choice | Maybe | Either | ListOf | MapOf | Record | Tagged

_SCALARS: Mapping[Any, Shape] = {
    str: Scalar("text"),
    int: Scalar("whole number"),
    float: Scalar("number"),
    bool: Scalar("true or false"),
    datetime.date: Scalar("date"),
}


@cache
def shape_of(hint: Any) -> Shape:
    """The shape of a type as annotated.

    Raises:
        TypeError: a type that the language has no form for: a bug in the class that uses it.
    """
    arguments, origin = get_args(hint), get_origin(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if origin is Annotated:
        for note in arguments[1:]:
            if isinstance(note, Quantity):
                return Measure(note.dimension)
            if isinstance(note, Kinds):
                members = get_args(arguments[0]) or (arguments[0],)
                return Tagged({kind_of(member): _record(member, "") for member in members}, _catalogue_of(hint))
        return shape_of(arguments[0])
    if origin is Literal:
        return Choice(tuple(str(word) for word in arguments))
    if origin in (Union, types.UnionType):
        # A union of marked unions and plain types keeps its notes, so it is read member by member.
        members = tuple(shape_of(member) for member in arguments if member is not type(None))
        inner = members[0] if len(members) == 1 else Either(members)
        return Maybe(inner) if type(None) in arguments else inner
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return ListOf(shape_of(arguments[0]))
    if origin is Mapping and arguments[0] is str:
        return MapOf(shape_of(arguments[1]))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint, _catalogue_of(hint))
    raise TypeError(f"the scenario language has no form for {hint!r}")


@cache
def _record(cls: Any, catalogue: str) -> Record:
    hints = get_type_hints(cls, include_extras=True)
    docs = field_docs(cls)
    fields = {}
    for field in dataclasses.fields(cls):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        default = None if field.default is dataclasses.MISSING else field.default
        fields[field.name] = Field(field.name, shape_of(hints[field.name]), required, docs.get(field.name, ""), default)
    summary = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
    return Record(cls, cls.__name__, fields, summary, catalogue)


def _catalogue_of(hint: Any) -> str:
    return next((folder for folder, known in CATALOGUES.items() if known == hint), "")


_ENTRY = re.compile(r"^ {4}(?P<names>\w+(?:, \w+)*): (?P<text>.*(?:\n {8,}.*)*)", re.MULTILINE)


def field_docs(cls: type) -> dict[str, str]:
    """Field -> its line under `Args:`, those of the classes above included."""
    docs: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        written = inspect.cleandoc(one.__dict__.get("__doc__") or "")
        _, _, arguments = written.partition("Args:\n")
        for entry in _ENTRY.finditer(arguments.split("\n\n")[0]):
            docs |= dict.fromkeys(entry["names"].split(", "), " ".join(entry["text"].split()))
    return docs


def example(shape: Shape) -> str:
    """A value of the shape as one would write it; empty where there is none to offer."""
    from_units = {"whole number": "8", "number": "1.5", "true or false": "true", "date": "2024-06-01", "text": "text"}
    match shape:
        case Maybe():
            return example(shape.shape)
        case Scalar():
            return from_units[shape.of]
        case Measure():
            return DIMENSIONS[shape.dimension].example
        case Choice():
            return shape.words[0]
        case Either():
            return example(shape.shapes[-1] if isinstance(shape.shapes[0], Record | Tagged) else shape.shapes[0])
        case Tagged() if not shape.catalogue:
            return f"{{kind: {next(iter(shape.records))}, ..}}"
    return ""
