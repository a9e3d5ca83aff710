"""Single values as YAML gives them -> what a field holds; nothing is coerced, every refusal has its mend."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator import units
from simulator.errors import MendableError, did_you_mean
from simulator.scenario.shapes import Choice, Measure, Scalar

_LARGEST = 2**63 - 1


def read_scalar(shape: Scalar | Measure | Choice, value: Any) -> Any:
    """The value of a field.

    Raises:
        MendableError: it is of another kind, or out of range.
    """
    match shape:
        case Measure():
            return units.parse(value, shape.dimension)
        case Choice():
            return _choice(value, shape)
    return _READERS[shape.of](value)


def article(shape: Scalar | Measure | Choice) -> str:
    """How a sentence names what is expected."""
    match shape:
        case Measure():
            return units.DIMENSIONS[shape.dimension].article
        case Choice():
            return f"one of {', '.join(shape.words)}"
    return shape.of if shape.of in ("text", "true or false") else f"a {shape.of}"


def _choice(value: Any, shape: Choice) -> str:
    if value in shape.words:
        return str(value)
    near = did_you_mean(value, shape.words) if isinstance(value, str) else f"known: {', '.join(shape.words)}"
    raise MendableError(f"{_said(value)} is not one of {', '.join(shape.words)}", near)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise MendableError(f"{_said(value)} where text is expected", "" if value is None else f'write "{value}" in quotes')


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= _LARGEST:
            return value
        raise MendableError(f"{value} is {'negative' if value < 0 else 'too large'}", "write a whole number of 0 or more")
    mend = "write for example 8"
    if isinstance(value, float) and value.is_integer():
        mend = f"write {int(value)}"
    elif isinstance(value, str) and re.fullmatch(r"\d[\d_, ]{0,20}", value):
        mend = f"write {re.sub('[_, ]', '', value)}"
    raise MendableError(f"{_said(value)} is not a whole number", mend)


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise MendableError(f"{_said(value)} is not a number", "write for example 1.5")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    raise MendableError(f"{_said(value)} is neither true nor false", f"write {words.get(str(value).casefold(), 'true or false')}")


def _date(value: Any) -> datetime.date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError as error:
            raise MendableError(f"{value} is not a date: {error}", "write year-month-day, e.g. 2024-06-01") from None
    raise MendableError(f"{_said(value)} is not a date", "write year-month-day, e.g. 2024-06-01")


def _said(value: Any) -> str:
    return "nothing" if value is None else units.shorten(value) if isinstance(value, str) else str(value).lower()


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "whole number": _whole,
    "number": _number,
    "true or false": _flag,
    "date": _date,
}
