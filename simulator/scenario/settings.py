"""A question back as text: every setting with its value as one would write it, for `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulator import units
from simulator.scenario.question import Question
from simulator.scenario.shapes import Either, ListOf, MapOf, Maybe, Measure, Record, Shape, Tagged, shape_of

_ABOUT = frozenset({"source", "sources", "notes"})


def settings(question: Question) -> Mapping[str, str]:
    """Dotted path -> value as written, quantities in their unit; without what is absent, sources, and the rows of price lists."""
    return dict(_walk(question, shape_of(Question), ""))


def _walk(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(shape, Maybe):
        yield from _walk(value, shape.shape, path)
    elif isinstance(shape, Either):
        fitting = (each for each in shape.shapes if _fits(value, each))
        yield from _walk(value, next(fitting, shape.shapes[0]), path)
    elif isinstance(shape, Tagged):
        yield from _walk(value, shape.records[value.kind], path)
    elif isinstance(shape, Record):
        for name, field in shape.fields.items():
            if name not in _ABOUT and not (shape.catalogue == "prices" and name == "rows"):
                yield from _walk(getattr(value, name), field.shape, f"{path}.{name}" if path else name)
    elif isinstance(shape, MapOf):
        for key, inner in value.items():
            yield from _walk(inner, shape.shape, f"{path}.{key}")
    elif isinstance(shape, ListOf):
        for number, inner in enumerate(value):
            yield from _walk(inner, shape.shape, f"{path}.{number}")
    else:
        yield path, units.format(value, shape.dimension) if isinstance(shape, Measure) else str(value)


def _fits(value: Any, shape: Shape) -> bool:
    if isinstance(shape, Record):
        return type(value) is shape.make
    if isinstance(shape, Tagged):
        return hasattr(value, "kind")
    if isinstance(shape, Measure):
        return isinstance(value, float)
    return not hasattr(value, "__dataclass_fields__") and not isinstance(value, float)
