"""Catalogue entries as YAML text that reads back to the same values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from simulator.scenario.written import Mark, Text, Written, flow

_NOWHERE = Mark(Text("", "", numbered=False), 1, 1)
_FIRST = ("name", "source")
_LAST = ("sources", "notes")


def written(value: Any) -> Written:
    """A plain value, or a frozen record as the mapping that it is read from: fields at their default left out."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {
            each.name: getattr(value, each.name)
            for each in fields(value)
            if getattr(value, each.name) != (each.default_factory() if each.default_factory is not MISSING else each.default)
        }
    if isinstance(value, Mapping):
        return Written({str(key): written(each) for key, each in value.items()}, _NOWHERE)
    if isinstance(value, tuple | list):
        return Written(tuple(map(written, value)), _NOWHERE)
    return Written(value, _NOWHERE)


def entry_text(record: Any) -> str:
    """One catalogue entry, a field a line, provenance first and remarks last.

    Args:
        record: a frozen record, or its fields as they are to be read (quantities with their units).
    """
    entries = written(record).entries
    order = [*_FIRST, *(name for name in entries if name not in _FIRST + _LAST), *_LAST]
    return "".join(f"{name}: {flow(entries[name])}\n" for name in order if name in entries)
