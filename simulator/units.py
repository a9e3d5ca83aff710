"""Text with units <-> SI floats. Bit is `b`, byte is `B`; decimal and binary prefixes are different things and both are read.

One spelling per unit: `54 d`, never `54 days`; other spellings are refused with the right one, so that files look alike.

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
_DAY = 86400.0
_YEAR = 365.25 * _DAY


@dataclass(frozen=True)
class Dimension:
    """What a quantity measures: the units it may be written in, each with its size in SI, and examples for the mend.

    Args:
        article: how a sentence names it.
        units: unit as written -> size in SI.
        example: text shown in mends and in the JSON schema.
        written: the units `format` chooses from, largest first.
        bare: whether a number without a unit is allowed (pure numbers only).
        low, high: allowed range in SI, inclusive.
    """

    article: str
    units: Mapping[str, float]
    example: str
    written: tuple[str, ...]
    bare: bool = False
    low: float = 0.0
    high: float = math.inf


def _data(suffix: str) -> dict[str, float]:
    # Bits come with decimal prefixes only: whoever writes `Gib` means GiB.
    return {f"{p}B{suffix}": size for p, size in (_SI | _BINARY).items()} | {f"{p}b{suffix}": size / 8 for p, size in _SI.items()}


def _prefixed(unit: str, prefixes: str = "kMGTPEZY") -> dict[str, float]:
    return {unit: 1.0} | {f"{p}{unit}": _SI[p] for p in prefixes}


_TIME = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": _HOUR, "d": _DAY, "w": 7 * _DAY, "y": _YEAR}
_ENERGY = _prefixed("J") | {f"{p}Wh": _SI[p] * _HOUR for p in ("", "k", "M", "G", "T")}
_MONEY_RATE = {"USD/s": 1.0, "USD/h": 1 / _HOUR, "USD/d": 1 / _DAY, "USD/y": 1 / _YEAR, "kUSD/y": 1e3 / _YEAR}
_FREQUENCY = {"/s": 1.0, "/min": 1 / 60, "/h": 1 / _HOUR, "/d": 1 / _DAY, "/month": 12 / _YEAR, "/y": 1 / _YEAR}
_STORAGE_PRICE = {"USD/GB/month": 1 / (1e9 * _YEAR / 12), "USD/TB/month": 1 / (1e12 * _YEAR / 12)}
_TOKENS = {"tokens": 1.0} | {f"{p}{gap}tokens": size for p, size in _COUNT.items() if p for gap in (" ", "")}

DIMENSIONS: Mapping[str, Dimension] = {
    "time": Dimension("a time", _TIME, "54 d", ("y", "d", "h", "min", "s", "ms", "us", "ns")),
    "data": Dimension("an amount of data", _data(""), "80 GB", ("PB", "TB", "GB", "MB", "kB", "B")),
    "data_rate": Dimension("a data rate", _data("/s"), "400 Gb/s", ("TB/s", "GB/s", "MB/s", "kB/s", "B/s")),
    "flop": Dimension(
        "a number of FLOP",
        _prefixed("FLOP"),
        "3.14e23 FLOP",
        ("YFLOP", "ZFLOP", "EFLOP", "PFLOP", "TFLOP", "GFLOP", "MFLOP", "kFLOP", "FLOP"),
    ),
    "flop_rate": Dimension(
        "a FLOP rate", _prefixed("FLOP/s"), "312 TFLOP/s", ("EFLOP/s", "PFLOP/s", "TFLOP/s", "GFLOP/s", "MFLOP/s", "FLOP/s")
    ),
    "power": Dimension("a power", _prefixed("W", "kMG") | {"mW": 1e-3}, "700 W", ("GW", "MW", "kW", "W")),
    "energy": Dimension("an energy", _ENERGY, "1287 MWh", ("GWh", "MWh", "kWh", "Wh", "J")),
    "money": Dimension("an amount of money", _prefixed("USD", "kMG") | {"B USD": 1e9}, "4.6 MUSD", ("MUSD", "kUSD", "USD")),
    "money_rate": Dimension("a price per time", _MONEY_RATE, "2.10 USD/h", ("USD/h",)),
    "energy_price": Dimension(
        "a price of energy", {"USD/kWh": 1 / 3.6e6, "USD/MWh": 1 / 3.6e9, "USD/J": 1.0}, "0.08 USD/kWh", ("USD/kWh",)
    ),
    "storage_price": Dimension("a price of storage", _STORAGE_PRICE, "23 USD/TB/month", ("USD/TB/month",)),
    "mass": Dimension("a mass", {"g": 1e-3, "kg": 1.0, "t": 1e3, "kt": 1e6}, "164 kg", ("kt", "t", "kg", "g")),
    "carbon_intensity": Dimension(
        "a carbon intensity", {"kg/kWh": 1 / 3.6e6, "g/kWh": 1e-3 / 3.6e6, "t/MWh": 1 / 3.6e6}, "0.429 kg/kWh", ("kg/kWh", "g/kWh")
    ),
    "tokens": Dimension("a number of tokens", _TOKENS, "300B tokens", ("T tokens", "B tokens", "M tokens", "k tokens", "tokens")),
    "frequency": Dimension("a rate of events", _FREQUENCY, "0.01 /d", ("/h", "/d", "/y")),
    "fraction": Dimension("a fraction", {"": 1.0, "%": 0.01}, "25%", ("%",), bare=True, high=1.0),
    "ratio": Dimension("a ratio", {"": 1.0, "%": 0.01, "x": 1.0}, "1.1", ("",), bare=True),
}
"""Every dimension a field can have."""

_NUMBER = re.compile(r"([+-]?(?:(?:\d{1,3}(?:[ _]\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*((?![\d.,:])\S.*)?\Z")
_LONGEST = 80


def parse(value: Any, dimension: str) -> float:
    """The SI value of `value` [as written] read as a quantity of `dimension`.

    Raises:
        MendableError: not a quantity, no unit, an unknown unit, a unit of another dimension, or out of range; with the mend.
    """
    known = DIMENSIONS[dimension]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        shown = "nothing" if value is None else f"a {_kind(value)}"
        raise MendableError(f"{shown} where {known.article} is expected", f"write for example {known.example}")
    if not isinstance(value, str):
        if not known.bare:
            raise MendableError(f"{value!r} has no unit, {known.article} is expected", _with_unit(f"{value}", dimension))
        return _ranged(float(value) if abs(value) < 1e300 else math.inf, value, dimension)
    match = _NUMBER.match(value.strip()) if len(value) <= _LONGEST else None
    if not match:
        raise MendableError(f"{shorten(value)} is not {known.article}", _respelled(value, dimension))
    unit = match[2] or ""
    size = known.units.get(unit) or known.units.get(" ".join(unit.split()))
    if size is not None:
        return _ranged(float(match[1].replace("_", "").replace(" ", "")) * size, value, dimension)
    if not unit:
        raise MendableError(f"{value!r} has no unit, {known.article} is expected", _with_unit(match[1], dimension))
    raise MendableError(*_wrong_unit(value, match[1], unit, dimension))


def format(value: float, dimension: str, digits: int = 6) -> str:
    """Text that `parse` reads back to `value` (to `digits` significant digits), in the largest unit that keeps the number at or above 1."""
    known = DIMENSIONS[dimension]
    unit = next((u for u in known.written if abs(value) >= known.units[u] * (1 - 1e-12)), known.written[-1])
    if value == 0:
        unit = next((u for u in known.written if known.units[u] == 1.0), unit)
    number = f"{value / known.units[unit]:.{digits}g}"
    glued = not unit or unit[0] in "/%" or unit[1:2] == " "
    return f"{number}{unit}" if glued else f"{number} {unit}"


def shorten(value: Any, longest: int = 40) -> str:
    """A value as a sentence quotes it; long ones are cropped."""
    text = repr(value[: longest + 1] if isinstance(value, str) else value)
    return text if len(text) <= longest + 2 else f"{text[:longest]}…'"


def json_schema(dimension: str) -> dict[str, Any]:
    """The JSON schema of a quantity as written in YAML: for editors."""
    known = DIMENSIONS[dimension]
    number = r"[+-]?(\d[\d _]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
    names = "|".join(sorted((re.escape(u).replace(r"\ ", " ") for u in known.units), key=len, reverse=True))
    text = {"type": "string", "pattern": rf"^\s*{number}\s*({names})\s*$", "examples": [known.example]}
    described = {"description": f"{known.article}, e.g. {known.example}"}
    return described | ({"anyOf": [{"type": "number"}, text]} if known.bare else text)


def _ranged(value: float, written: Any, dimension: str) -> float:
    known = DIMENSIONS[dimension]
    if known.low <= value <= known.high and value < math.inf:
        return value
    if not math.isfinite(value):
        raise MendableError(f"{written!r} is not finite", f"write for example {known.example}")
    if value < known.low:
        raise MendableError(f"{written!r} is negative", f"write for example {known.example}")
    raise MendableError(f"{written!r} is more than {known.high:.0%}", "write a fraction between 0 and 1, or a percentage")


_WORDS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "m": "min", "mins": "min", "minute": "min", "minutes": "min", "hr": "h",
    "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "week": "w", "weeks": "w", "yr": "y", "yrs": "y", "year": "y",
    "years": "y", "watt": "W", "watts": "W", "token": "tokens", "percent": "%", "dollar": "USD", "dollars": "USD", "ton": "t", "tons": "t",
    "tonne": "t", "tonnes": "t", "byte": "B", "bytes": "B", "bit": "b", "bits": "b", "flops": "FLOP/s",
}  # fmt: skip
_SPELLINGS = (("$", "USD"), ("bps", "b/s"), ("Bps", "B/s"), ("FLOPS", "FLOP/s"), ("FLOPs", "FLOP/s"), ("flops", "flop/s"), ("per ", "/"))


def _near(unit: str, dimension: str) -> str | None:
    """The dimension's own spelling of a unit that is written in another way."""
    units = DIMENSIONS[dimension].units
    words = "/".join(_WORDS.get(part.strip().casefold(), part.strip()) for part in unit.replace(" per ", "/").split("/"))
    spellings = [unit, words, words.replace("USD/USD", "USD")]
    for old, new in _SPELLINGS:
        spellings += [text.replace(old, new) for text in spellings if old in text]
    spellings += [text.removesuffix("s").removesuffix("S") for text in spellings]
    exact = next((text for text in spellings if text in units), None)
    # Bytes come last in the table below, so that a `gb` of unclear case is taken for GB.
    folded = {u.casefold().replace(" ", ""): u for u in sorted(units, key=lambda u: ("B" in u, " " in u))}
    loose = (folded.get(text.casefold().replace(" ", "")) for text in spellings)
    return exact or next((u for u in loose if u is not None), None)


def _wrong_unit(value: str, number: str, unit: str, dimension: str) -> tuple[str, str]:
    """What is wrong and the mend, where the unit is not one of the dimension's own."""
    known = DIMENSIONS[dimension]
    expected = f"{known.article} is expected"
    other = next((d for d in DIMENSIONS.values() if unit in d.units), None)
    twins = (f"{unit}/s", unit.removesuffix("/s"), f"{unit} tokens", f"{unit}/h")
    twin = next((u for u in twins if u in known.units), None) or (None if other else _near(unit, dimension))
    if other is not None:
        return f"{value!r} is {other.article}, {expected}", f"write {_joined(number, twin) if twin else f'for example {known.example}'}"
    if twin is not None:
        note = " (b is bit, B is byte)" if dimension.startswith("data") else ""
        return f"{value!r}: the unit {unit!r} is not known", f"did you mean {_joined(number, twin)}?{note}"
    return f"{value!r}: the unit {unit!r} is not known for {known.article}", f"write for example {known.example}"


def _respelled(value: str, dimension: str) -> str:
    """The mend for text that does not begin with a number."""
    text = value.strip()
    number = r"(\d[\d.]*)"
    if re.fullmatch(r"\d+(:\d\d)+", text):
        return f"write for example {DIMENSIONS[dimension].example}; a clock time is not a quantity"
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?(\s*\S.*)?", text):
        return f"write {text.replace(',', '')[:_LONGEST]}, without commas"
    dollars = re.fullmatch(rf"\$\s*{number}\s*([kMGB]?)\s*(/.*)?", text)
    twin = _near(f"{dollars[2]}USD{dollars[3] or ''}", dimension) if dollars else None
    return f"write {_joined(dollars[1], twin)}" if dollars and twin else f"write for example {DIMENSIONS[dimension].example}"


def _with_unit(number: str, dimension: str) -> str:
    """The mend for a number without a unit: the number with the unit of the example."""
    tail = "tokens" if dimension == "tokens" else DIMENSIONS[dimension].example.lstrip("0123456789.e").strip()
    return f"write for example {_joined(number, tail)}"


def _joined(number: str, unit: str) -> str:
    glued = unit[:1] in "%" or unit[1:2] == " "
    return f"{number.strip()}{'' if glued else ' '}{unit}"


def _kind(value: Any) -> str:
    names = {bool: "yes or no", list: "list", tuple: "list", dict: "mapping"}
    return next((text for kind, text in names.items() if isinstance(value, kind)), type(value).__name__)
