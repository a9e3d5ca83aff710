"""Text with units <-> SI floats. Bit is `b`, byte is `B`; decimal and binary prefixes are different things and both are read.

>>> parse("400 Gb/s", "data_rate")
50000000000.0
>>> parse("80 GiB", "data")
85899345920.0
>>> parse("300B tokens", "tokens")
300000000000.0
>>> format(50e9, "data_rate")
'50 GB/s'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.errors import MendableError

_SI = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21, "Y": 1e24}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
_COUNT = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_HOUR = 3600.0
_YEAR = 365.25 * 86400.0


@dataclass(frozen=True)
class Dimension:
    """What a quantity measures: the units it may be written in, each with its size in SI, and examples for the mend.

    Args:
        units: unit as written -> size in SI.
        example: text shown in mends and in the JSON schema.
        bare: whether a number without a unit is allowed (pure numbers only).
        written: the units `format` chooses from, largest first.
        low, high: allowed range in SI, inclusive.
    """

    units: Mapping[str, float]
    example: str
    written: tuple[str, ...]
    bare: bool = False
    low: float = 0.0
    high: float = math.inf


def _data(suffix: str, over: float = 1.0) -> dict[str, float]:
    table = {}
    for prefix, size in (_SI | _BINARY).items():
        table[f"{prefix}B{suffix}"] = size / over
        table[f"{prefix}b{suffix}"] = size / 8 / over
    return table


def _prefixed(unit: str, scale: float = 1.0, prefixes: str = "kMGTPEZY") -> dict[str, float]:
    return {unit: scale} | {f"{p}{unit}": _SI[p] * scale for p in prefixes}


_TIME = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": _HOUR, "d": 86400.0, "w": 7 * 86400.0, "y": _YEAR,
}  # fmt: skip
_ENERGY = _prefixed("J") | {f"{p}Wh": _SI[p] * _HOUR for p in ("", "k", "M", "G", "T")}

DIMENSIONS: Mapping[str, Dimension] = {
    "time": Dimension(_TIME, "54 d", ("y", "d", "h", "min", "s", "ms", "us", "ns")),
    "data": Dimension(_data(""), "80 GB", ("PB", "TB", "GB", "MB", "kB", "B")),
    "data_rate": Dimension(_data("/s"), "400 Gb/s", ("TB/s", "GB/s", "MB/s", "kB/s", "B/s")),
    "flop": Dimension(_prefixed("FLOP"), "3.14e23 FLOP", ("YFLOP", "ZFLOP", "EFLOP", "PFLOP", "TFLOP", "GFLOP", "MFLOP", "kFLOP", "FLOP")),
    "flop_rate": Dimension(_prefixed("FLOP/s"), "312 TFLOP/s", ("EFLOP/s", "PFLOP/s", "TFLOP/s", "GFLOP/s", "MFLOP/s", "FLOP/s")),
    "power": Dimension(_prefixed("W", prefixes="kMG") | {"mW": 1e-3}, "700 W", ("GW", "MW", "kW", "W")),
    "energy": Dimension(_ENERGY, "1287 MWh", ("GWh", "MWh", "kWh", "Wh", "J")),
    "money": Dimension(_prefixed("USD", prefixes="kMG") | {"B USD": 1e9}, "4.6 MUSD", ("MUSD", "kUSD", "USD")),
    "money_rate": Dimension(
        {"USD/s": 1.0, "USD/h": 1 / _HOUR, "USD/d": 1 / 86400.0, "USD/y": 1 / _YEAR, "kUSD/y": 1e3 / _YEAR}, "2.10 USD/h", ("USD/h",)
    ),
    "energy_price": Dimension({"USD/kWh": 1 / 3.6e6, "USD/MWh": 1 / 3.6e9, "USD/J": 1.0}, "0.08 USD/kWh", ("USD/kWh",)),
    "storage_price": Dimension(
        {"USD/GB/month": 1 / (1e9 * _YEAR / 12), "USD/TB/month": 1 / (1e12 * _YEAR / 12)}, "23 USD/TB/month", ("USD/TB/month",)
    ),
    "mass": Dimension({"g": 1e-3, "kg": 1.0, "t": 1e3, "kt": 1e6}, "164 kg", ("kt", "t", "kg", "g")),
    "carbon_intensity": Dimension({"kg/kWh": 1 / 3.6e6, "g/kWh": 1e-3 / 3.6e6, "t/MWh": 1 / 3.6e6}, "0.429 kg/kWh", ("kg/kWh", "g/kWh")),
    "tokens": Dimension(
        {f"{p} tokens".strip() if not p else f"{p} tokens": s for p, s in _COUNT.items()} | {f"{p}tokens": s for p, s in _COUNT.items()},
        "300B tokens",
        ("T tokens", "B tokens", "M tokens", "k tokens", "tokens"),
    ),
    "frequency": Dimension(
        {"/s": 1.0, "/min": 1 / 60, "/h": 1 / _HOUR, "/d": 1 / 86400.0, "/month": 12 / _YEAR, "/y": 1 / _YEAR}, "0.01 /d", ("/h", "/d", "/y")
    ),
    "fraction": Dimension({"": 1.0, "%": 0.01}, "25%", ("%",), bare=True, high=1.0),
    "ratio": Dimension({"": 1.0, "%": 0.01, "x": 1.0}, "1.1", ("",), bare=True),
}
"""Every dimension a field can have."""

_NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_ ]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*\Z")


def parse(value: Any, dimension: str) -> float:
    """The SI value of `value` [as written] read as a quantity of `dimension`.

    Raises:
        MendableError: not a quantity, no unit, an unknown unit, a unit of another dimension, or out of range; with the mend.
    """
    known = DIMENSIONS[dimension]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        shown = "nothing" if value is None else f"a {_kind(value)}"
        raise MendableError(f"{shown} where {_article(dimension)} is expected", f"write for example {known.example}")
    if not isinstance(value, str):
        if not known.bare:
            raise MendableError(f"{value!r} has no unit, {_article(dimension)} is expected", f"write for example {_suggest(value, known)}")
        return _ranged(float(value), value, dimension)
    match = _NUMBER.match(value)
    if not match:
        raise MendableError(f"{value!r} is not {_article(dimension)}", f"write for example {known.example}")
    number, unit = float(match[1].replace("_", "").replace(" ", "")), " ".join(match[2].split())
    if unit in known.units:
        return _ranged(number * known.units[unit], value, dimension)
    if not unit:
        raise MendableError(f"{value!r} has no unit, {_article(dimension)} is expected", f"write for example {_suggest(match[1], known)}")
    raise MendableError(*_wrong_unit(value, match[1], unit, dimension))


def format(value: float, dimension: str, digits: int = 6) -> str:
    """Text that `parse` reads back to `value` (to `digits` significant digits), in the largest unit that keeps the number at or above 1."""
    known = DIMENSIONS[dimension]
    if dimension == "fraction":
        return f"{value * 100:.{digits}g}%"
    unit = next((u for u in known.written if abs(value) >= known.units[u] * (1 - 1e-12)), known.written[-1])
    number = f"{value / known.units[unit]:.{digits}g}"
    return number + (unit if unit.startswith("/") else f" {unit}" if unit and unit[1:2] != " " else unit)


def json_schema(dimension: str) -> dict[str, Any]:
    """The JSON schema of a quantity as written in YAML: for editors."""
    known = DIMENSIONS[dimension]
    described = {"description": f"{dimension.replace('_', ' ')}, e.g. {known.example}"}
    if known.bare:
        return described | {"anyOf": [{"type": "number"}, {"type": "string"}]}
    names = "|".join(sorted((re.escape(u) for u in known.units), key=len, reverse=True))
    return described | {"type": "string", "pattern": rf"^\s*[+-]?[\d_. ]+([eE][+-]?\d+)?\s*({names})\s*$", "examples": [known.example]}


def _ranged(value: float, written: Any, dimension: str) -> float:
    known = DIMENSIONS[dimension]
    if not math.isfinite(value):
        raise MendableError(f"{written!r} is not finite", f"write for example {known.example}")
    if value < known.low:
        raise MendableError(f"{written!r} is negative", f"write for example {known.example}")
    if value > known.high:
        raise MendableError(f"{written!r} is more than 100%", "write a fraction between 0 and 1, or a percentage")
    return value


def _wrong_unit(value: str, number: str, unit: str, dimension: str) -> tuple[str, str]:
    """What is wrong and the mend, where the unit is not one of the dimension's own."""
    known = DIMENSIONS[dimension]
    folded = {u.casefold().replace(" ", ""): u for u in known.units}
    near = folded.get(unit.casefold().replace(" ", "").replace("bps", "b/s").replace("$", "usd").replace("flops", "flop/s"))
    others = [name for name, other in DIMENSIONS.items() if unit in other.units and name != dimension]
    if others:
        twin = next((u for u in known.units if u in (f"{unit}/s", unit.removesuffix("/s"))), None)
        mend = f"write {number} {twin}" if twin else f"write for example {known.example}"
        return f"{value!r} is {_article(others[0])}, {_article(dimension)} is expected", mend
    if near is not None:
        return f"{value!r}: the unit {unit!r} is not known", f"did you mean {number} {near}? (b is bit, B is byte)"
    return f"{value!r}: the unit {unit!r} is not known for {_article(dimension)}", f"write for example {known.example}"


def _suggest(number: Any, known: Dimension) -> str:
    tail = known.example.split(None, 1)[-1] if " " in known.example else re.sub(r"[\d.]+", "", known.example)
    glue = "" if known.example.endswith("tokens") else " "
    if known.example.endswith("tokens"):
        tail = " tokens"
    return f"{str(number).strip()}{glue}{tail}"


_ARTICLES = {
    "time": "a time", "data": "an amount of data", "data_rate": "a data rate", "flop": "a number of FLOP", "flop_rate": "a FLOP rate",
    "power": "a power", "energy": "an energy", "money": "an amount of money", "money_rate": "a price per time", "energy_price": "a price of energy",
    "storage_price": "a price of storage", "mass": "a mass", "carbon_intensity": "a carbon intensity", "tokens": "a number of tokens",
    "frequency": "a rate of events", "fraction": "a fraction", "ratio": "a ratio",
}  # fmt: skip


def _article(dimension: str) -> str:
    return _ARTICLES[dimension]


def _kind(value: Any) -> str:
    names = {bool: "yes or no", list: "list", tuple: "list", dict: "mapping"}
    return next((text for kind, text in names.items() if isinstance(value, kind)), type(value).__name__)
