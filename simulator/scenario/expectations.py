"""`expect`: a path into the answer and a condition on the figure there, `donated-96.run.goodput: '> 0.8'`."""

from __future__ import annotations

import dataclasses
import math
import operator
import re
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from simulator import units
from simulator.errors import MendableError, did_you_mean
from simulator.outcome import Alternative

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_CONDITION = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\S.*)\Z", re.DOTALL)
# Names in the answer end in their unit: how a quantity with a unit is brought to it.
_UNITS = {
    "_s": ("time", 1.0), "_bytes": ("data", 1.0), "_usd": ("money", 1.0), "_mwh": ("energy", 3.6e9), "_kg": ("mass", 1.0),
    "_hours": ("time", 3600.0), }  # fmt: skip
_FRACTIONS = frozenset({"goodput", "mfu", "hfu", "p_unfinished"})


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A line of `expect`, read.

    Args:
        path: into the alternative's answer as JSON, e.g. `("run", "goodput")`.
        operator: one of `>=`, `<=`, `==`, `!=`, `>`, `<`.
        value: in the unit of the JSON figure.
    """

    alternative: str
    path: tuple[str, ...]
    operator: str
    value: float

    def met(self, figure: float) -> bool:
        """Whether a figure meets the condition."""
        return _OPERATORS[self.operator](figure, self.value)


def expectation(path: str, condition: str, alternatives: Collection[str]) -> Expected:
    """Read one line of `expect`.

    Raises:
        MendableError: no such alternative or figure, or a condition that cannot be read.
    """
    name, _, rest = path.partition(".")
    if name not in alternatives:
        raise MendableError(f"there is no alternative {name[:60]!r}", did_you_mean(name, alternatives))
    keys = tuple(rest.split("."))
    _walk(keys)
    match = _CONDITION.match(condition)
    if not match:
        raise MendableError(f"{units.shorten(condition)} is not a condition", "write for example '> 0.8' or '< 30 d', in quotes")
    return Expected(alternative=name, path=keys, operator=match[1], value=_value(match[2].strip(), keys))


def _value(text: str, keys: tuple[str, ...]) -> float:
    if text in ("true", "false"):
        return float(text == "true")
    dimension, size = next((_UNITS[end] for key in reversed(keys) for end in _UNITS if key.endswith(end) and "_per_" not in key), ("", 1.0))
    if not dimension and keys[-1] in _FRACTIONS:
        dimension = "fraction"
    try:
        number = float(text)
        if math.isfinite(number):
            return number
        raise MendableError(f"{text} is not finite", "write a plain number")
    except ValueError as error:
        if isinstance(error, MendableError):
            raise
        if dimension:
            return units.parse(text, dimension) / size
        raise MendableError(f"{units.shorten(text)} is not a number", "write a plain number, this figure has no unit") from None


def _walk(keys: tuple[str, ...]) -> None:
    """Check that the answer of an alternative has such a figure."""
    hint: Any = Alternative
    for n, key in enumerate(keys):
        hint = _required(hint)
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            hints = get_type_hints(hint)
            if key not in hints:
                where = ".".join(keys[:n]) or "an answer"
                raise MendableError(f"{key[:60]!r} is not a figure of {where}", did_you_mean(key, hints))
            hint = hints[key]
        elif get_origin(hint) is Mapping:
            hint = get_args(hint)[1]
        elif get_origin(hint) is tuple and key.isdigit():
            hint = get_args(hint)[0]
        else:
            raise MendableError(f"{'.'.join(keys[:n])} is one figure, it has no {key[:60]!r}", f"write {'.'.join(keys[:n])}")
    if _required(hint) not in (int, float, bool):
        inner = _required(hint)
        known = list(get_type_hints(inner)) if isinstance(inner, type) and dataclasses.is_dataclass(inner) else []
        raise MendableError(f"{'.'.join(keys)} is not a single figure", f"go on with one of {', '.join(known)}" if known else "")


def _required(hint: Any) -> Any:
    """The type without its `None`."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(member for member in get_args(hint) if member is not type(None))
    return hint
