"""SI floats -> text for readers: three significant digits, the unit that keeps a number readable, thousands separated.

>>> duration(2.7e6), money(6_214_000.0), data(63.2e9), percent(0.4123), number(12345.6)
('31.2 d', '$6.21M', '63.2 GB', '41.2%', '12,300')
"""

from __future__ import annotations

import math
import re

from simulator import units

NOTHING = "–"
"""Shown where a figure does not exist."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """`text` on one line, without control and direction characters: names come from files that anybody may have written."""
    return _CONTROL.sub(" ", text)


def words(name: str) -> str:
    """A part's name as words.

    >>> words("exposed_tensor_parallel")
    'exposed tensor parallel'
    """
    return clean(name).replace("_", " ")


def number(value: float, digits: int = 3) -> str:
    """`value` with `digits` significant digits, thousands separated.

    >>> number(0.0), number(-0.01234), number(99.96), number(1234567.0), number(3.1e-9), number(2.5e17)
    ('0', '-0.0123', '100', '1,230,000', '3.1e-09', '2.5e+17')
    """
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e15:
        return f"{value:.{digits}g}"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and decimals > digits - 1 else text


def count(value: float) -> str:
    """A whole number in full, any other with three digits.

    >>> count(16384), count(412.4), count(3.25)
    ('16,384', '412', '3.25')
    """
    return f"{value:,.0f}" if value == int(value) else number(value)


def scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    """`value` in the first unit of `steps` (size, name; largest first) that it reaches, else in the last."""
    reached = (step for step in steps if abs(value) >= step[0] * 0.9995 or (value == 0 and step[0] == 1))
    size, unit = next(reached, steps[-1])
    return f"{number(value / size)} {unit}".rstrip()


_TIME = ((3 * 365.25 * 86400.0, "y"), (2 * 86400.0, "d"), (2 * 3600.0, "h"), (120.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_TIME_UNIT = {"y": 365.25 * 86400.0, "d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6}


def time_unit(seconds: float) -> tuple[float, str]:
    """Size [s] and name of the unit in which a time is best read.

    >>> time_unit(7200.0), time_unit(0.0)
    ((3600.0, 'h'), (1.0, 's'))
    """
    if seconds == 0:
        return 1.0, "s"
    unit = next((unit for size, unit in _TIME if abs(seconds) >= size * 0.9995), "µs")
    return _TIME_UNIT[unit], unit


def duration(seconds: float) -> str:
    """A time.

    >>> duration(0.0), duration(0.0123), duration(45.0), duration(5400.0), duration(4e9)
    ('0 s', '12.3 ms', '45.0 s', '90.0 min', '127 y')
    """
    size, unit = time_unit(seconds)
    return f"{number(seconds / size)} {unit}"


def duration_range(low: float, high: float, like: float | None = None) -> str:
    """Two times in one unit: that of `like` (the figure they are an interval of), else of the larger.

    >>> duration_range(86400.0 * 30, 86400.0 * 33.21), duration_range(6.3, 121.0, like=27.6)
    ('30.0–33.2 d', '6.30–121 s')
    """
    size, unit = time_unit(max(abs(low), abs(high)) if like is None else like)
    return f"{number(low / size)}–{number(high / size)} {unit}"


def money(usd: float) -> str:
    """An amount of money.

    >>> money(0.0), money(0.1234), money(-1500.0), money(2.5e9), money(999_900.0)
    ('$0', '$0.123', '-$1.50k', '$2.50B', '$1.00M')
    """
    text = scaled(abs(usd), ((1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))).replace(" ", "")
    return f"{'-' if usd < 0 else ''}${text}"


def duration_interval(middle: float, low: float, high: float, label: str = "") -> str:
    """A time with an interval in its unit, where there is one to see.

    >>> duration_interval(86400.0 * 31, 86400.0 * 30, 86400.0 * 33.2, "P10–P90 "), duration_interval(5.0, 5.0, 5.0)
    ('31.0 d (P10–P90 30.0–33.2 d)', '5.00 s')
    """
    size, _ = time_unit(middle)
    seen = number(low / size) != number(high / size)
    return f"{duration(middle)} ({label}{duration_range(low, high, middle)})" if seen else duration(middle)


def duration_error(seconds: float, error: float) -> str:
    """A time and its standard error in one unit.

    >>> duration_error(86400.0 * 31.23, 3600.0 * 9)
    '31.2 ± 0.4 d'
    """
    size, unit = time_unit(seconds)
    return f"{plus_minus(seconds / size, ((seconds - error) / size, (seconds + error) / size))} {unit}" if error else duration(seconds)


def data(size: float) -> str:
    """An amount of data, decimal prefixes."""
    return scaled(size, ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")))


def data_rate(rate: float) -> str:
    """A data rate, decimal prefixes, bytes."""
    return scaled(rate, ((1e15, "PB/s"), (1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s")))


def energy(mwh: float) -> str:
    """An energy given in MWh."""
    return scaled(mwh, ((1e3, "GWh"), (1.0, "MWh"), (1e-3, "kWh")))


def mass(kg: float) -> str:
    """A mass; tonnes from one tonne on."""
    return scaled(kg, ((1e6, "kt"), (1e3, "t"), (1.0, "kg")))


def tokens(amount: float) -> str:
    """A number of tokens."""
    return scaled(amount, ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")))


def percent(share: float) -> str:
    """A share.

    >>> percent(1.0), percent(0.00123), percent(0.99996)
    ('100%', '0.123%', '100%')
    """
    return f"{number(share * 100)}%"


def share(part: float) -> str:
    """A share beside the figure it is of: one decimal is enough there.

    >>> share(0.1234), share(0.00012), share(0.0), share(1.0)
    ('12.3%', '<0.1%', '0.0%', '100%')
    """
    if part == 1:
        return "100%"
    return "<0.1%" if 0 < part < 0.0005 else f"{part * 100:.1f}%"


def signed(text: str, value: float) -> str:
    """`text` of `value` with a plus where it is positive."""
    return f"+{text}" if value > 0 else text


def quantity(value: float, unit: str) -> str:
    """A figure whose unit is known by name only: SI units get a readable scale, others stay as they are.

    >>> quantity(4.2e10, "B"), quantity(3.12e14, "FLOP/s"), quantity(0.5, "")
    ('42.0 GB', '312 TFLOP/s', '0.5')
    """
    known = {"s": duration, "B": data, "B/s": data_rate, "USD": money, "MWh": energy, "kg": mass}
    if unit in known:
        return known[unit](value)
    if unit in ("FLOP", "FLOP/s", "W", "J"):
        return scaled(value, ((1e21, f"Z{unit}"), (1e18, f"E{unit}"), (1e15, f"P{unit}"), (1e12, f"T{unit}"), (1e9, f"G{unit}"),
                              (1e6, f"M{unit}"), (1e3, f"k{unit}"), (1.0, unit)))  # fmt: skip
    shown = f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
    return f"{shown} {unit}".rstrip()


def figure(value: float, path: str) -> str:
    """A figure of the answer by its path: the unit stands in a name of it; six digits, since it stands beside a bound.

    >>> figure(1.2773e6, "a.run.wall_clock_s.mean"), figure(0.961536, "a.run.goodput"), figure(3117210.0, "a.run.accelerator_hours")
    ('14.7836 d', '0.961536', '3.11721e+06')
    """
    endings = {"_s": "time", "_usd": "money", "_bytes": "data", "_kg": "mass"}
    dimension = next((d for name in reversed(path.split(".")) for ending, d in endings.items() if name.endswith(ending)), None)
    return units.format(value, dimension) if dimension and value >= 0 else f"{value:.6g}"


def plus_minus(value: float, interval: tuple[float, float]) -> str:
    """`value ± half width`, as many digits as the half width deserves, four at most.

    >>> plus_minus(3.123, (2.9, 3.33)), plus_minus(3.123, (3.1229, 3.1231)), plus_minus(52.3, (50.1, 54.4))
    ('3.1 ± 0.2', '3.123 ± <0.001', '52 ± 2')
    """
    half = (interval[1] - interval[0]) / 2
    finest = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 3
    if half < 0.5 * 10**-finest:
        # Fewer digits than the half width would need: say that it is smaller than the last one shown.
        return f"{value:.{finest}f} ± <{10**-finest:.{finest}f}"
    decimals = min(finest, max(0, -math.floor(math.log10(half))))
    return f"{value:,.{decimals}f} ± {half:,.{decimals}f}"
