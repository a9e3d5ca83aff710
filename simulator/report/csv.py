"""One row per alternative, flat dotted column names; a figure that does not exist is an empty cell."""

from __future__ import annotations

import csv as _csv
import dataclasses
import io
import types
import typing
from collections.abc import Mapping
from typing import Any

from simulator.outcome import Alternative, Outcome
from simulator.report.numbers import clean

_LEFT_OUT = frozenset({"assumptions", "phases", "terms", "drawing"})
_PAIR = ("low", "high")


def csv(outcome: Outcome) -> str:
    """The alternatives as CSV (RFC 4180, LF line ends).

    The columns are the fields of `Alternative` in their order, whether or not any alternative has the figure, so that two files stack;
    only named parts (`step.parts_s.*`, `bill.items_usd.*`, `point.*`, …) depend on the answer. Lists (assumptions, phases) are left out.
    """
    columns: list[str] = []
    for alternative in outcome.alternatives or (Alternative(name="", feasible=False),):
        _merge(columns, [name for name, _ in _flat(Alternative, alternative, "")])
    text = io.StringIO()
    writer = _csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for alternative in outcome.alternatives:
        writer.writerow({name: _cell(value) for name, value in _flat(Alternative, alternative, "")})
    return text.getvalue()


def _merge(columns: list[str], more: list[str]) -> None:
    """Put the new names of `more` into `columns`, each behind the name that it follows."""
    at = 0
    for name in more:
        if name in columns:
            at = columns.index(name) + 1
        else:
            columns.insert(at, name)
            at += 1


def _flat(kind: Any, value: Any, path: str) -> list[tuple[str, Any]]:
    """(dotted name, value) of every leaf of `value`, declared as `kind`; a missing record gives its leaves without values."""
    union = typing.get_origin(kind) in (types.UnionType, typing.Union)
    record = next(k for k in typing.get_args(kind) if k is not types.NoneType) if union else kind
    if isinstance(record, type) and dataclasses.is_dataclass(record):
        hints = typing.get_type_hints(record)
        return [
            leaf
            for f in dataclasses.fields(record)
            if f.name not in _LEFT_OUT
            for leaf in _flat(hints[f.name], None if value is None else getattr(value, f.name), f"{path}.{f.name}".lstrip("."))
        ]
    if typing.get_origin(record) is tuple:
        return [(f"{path}.{end}", item) for end, item in zip(_PAIR, value or (None, None), strict=True)]
    if typing.get_origin(record) is Mapping:
        return [(f"{path}.{clean(key)}", item) for key, item in (value or {}).items()]
    return [(path, value)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = clean(value)
        # A spreadsheet runs a cell that starts like this as a formula.
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
    return repr(value)
