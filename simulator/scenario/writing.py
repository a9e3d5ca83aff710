"""Catalogue entries as YAML text that reads back to the same values, quantities to six digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from simulator import units
from simulator.scenario.shapes import ListOf, MapOf, Maybe, Measure, Record, Shape, Tagged, shape_of
from simulator.scenario.written import Mark, Text, Written, flow

_NOWHERE = Mark(Text("", "", numbered=False), 1, 1)
_FIRST = ("name", "source")
_LAST = ("sources", "notes")
_WIDTH = 140


def written(value: Any, shape: Shape | None = None) -> Written:
    """A plain value, or a frozen record as the mapping that it is read from: fields at their default left out, quantities with their unit.

    Args:
        shape: of the value; that of its class where absent.
    """
    if is_dataclass(value) and not isinstance(value, type):
        record = shape_of(type(value))
        shapes = {name: each.shape for name, each in record.fields.items()} if isinstance(record, Record) else {}
        kept = {
            each.name: written(getattr(value, each.name), shapes.get(each.name))
            for each in fields(value)
            if (each.name == "kind" and isinstance(shape, Tagged))
            or getattr(value, each.name) != (each.default_factory() if each.default_factory is not MISSING else each.default)
        }
        return Written(kept, _NOWHERE)
    inner = shape.shape if isinstance(shape, Maybe | ListOf | MapOf) else None
    if isinstance(value, Mapping):
        return Written({str(key): written(each, inner) for key, each in value.items()}, _NOWHERE)
    if isinstance(value, tuple | list):
        return Written(tuple(written(each, inner) for each in value), _NOWHERE)
    measure = inner if isinstance(inner, Measure) else shape
    if isinstance(measure, Measure) and isinstance(value, int | float):
        if units.DIMENSIONS[measure.dimension].bare:
            return Written(int(value) if value == int(value) else float(f"{value:.6g}"), _NOWHERE)
        return Written(units.format(value, measure.dimension), _NOWHERE)
    return Written(value, _NOWHERE)


def entry_text(record: Any) -> str:
    """One catalogue entry, a field a line, provenance first and remarks last.

    Args:
        record: a frozen record of a catalogue class.
    """
    entries = written(record).entries
    order = [*_FIRST, *(name for name in entries if name not in _FIRST + _LAST), *_LAST]
    return "".join(_lines(name, entries[name], "") for name in order if name in entries)


def _lines(name: str, value: Written, margin: str) -> str:
    """One field: on one line, or where it is a mapping, or a list of mappings, that does not fit there, a line each."""
    line = f"{margin}{name}: {flow(value)}\n"
    if isinstance(value.value, tuple) and len(line) > _WIDTH and all(each.entries for each in value.value):
        items = (
            "".join(_lines(flow(Written(key, _NOWHERE)), below, f"{margin}    ") for key, below in each.entries.items())
            for each in value.value
        )
        return f"{margin}{name}:\n" + "".join(f"{margin}  - {item.removeprefix(f'{margin}    ')}" for item in items)
    if len(line) <= _WIDTH or not value.entries:
        return line
    return f"{margin}{name}:\n" + "".join(_lines(flow(Written(key, _NOWHERE)), each, f"{margin}  ") for key, each in value.entries.items())
