"""What an answer rests on that nobody measured: every figure whose source says that it is assumed or unverified."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simulator.outcome import Term
from simulator.spec import Sourced

_LABELS = ("assumed", "unverified")


def resting_on(question: Any, terms: Iterable[Term]) -> tuple[str, ...]:
    """One line per labelled figure of a question and of all that it is composed of, in the order of its fields, each once.

    Of a price list only the rows that were used count: those that stand as the source of a line of the bill.
    """
    used = (f"{term.path}: {term.source}" for term in terms if term.path.startswith("bill.") and term.source.startswith(_LABELS))
    return tuple(dict.fromkeys((*_walk(question, ""), *used)))


def _walk(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, tuple):
        for inner in value:
            yield from _walk(inner, path)
    elif dataclasses.is_dataclass(value):
        here = f"{path} {value.name}".strip() if isinstance(value, Sourced) and value.name else path
        yield from _labelled(value, here)
        for field in dataclasses.fields(value):
            if field.name not in ("source", "sources", "rows"):
                yield from _walk(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)


def _labelled(value: Any, here: str) -> Iterator[str]:
    source = getattr(value, "source", "")
    cause = getattr(value, "cause", "")
    if isinstance(source, str) and source.startswith(_LABELS):
        yield f"{here}{f' ({cause})' if cause else ''}: {source}"
    for field, text in (getattr(value, "sources", None) or {}).items():
        if text.startswith(_LABELS):
            yield f"{here}: {field}: {text}"
