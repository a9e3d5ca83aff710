"""Text with units: what is read, and the mend for what is not."""

import math

import pytest

from simulator import units
from simulator.errors import MendableError

READ = [
    ("400 Gb/s", "data_rate", 50e9),
    ("400Gb/s", "data_rate", 50e9),
    ("3.35 TB/s", "data_rate", 3.35e12),
    ("80 GB", "data", 80e9),
    ("80 GiB", "data", 80 * 2**30),
    ("8 b", "data", 1.0),
    ("300B tokens", "tokens", 300e9),
    ("300 B tokens", "tokens", 300e9),
    ("15T tokens", "tokens", 15e12),
    ("2.10 USD/h", "money_rate", 2.1 / 3600),
    ("700 W", "power", 700.0),
    ("54 d", "time", 54 * 86400.0),
    ("1 y", "time", 365.25 * 86400),
    ("2 µs", "time", 2e-6),
    ("0.429 kg/kWh", "carbon_intensity", 0.429 / 3.6e6),
    ("1287 MWh", "energy", 1287 * 3.6e9),
    ("312 TFLOP/s", "flop_rate", 312e12),
    ("3.14e23 FLOP", "flop", 3.14e23),
    ("16 384 GB", "data", 16384e9),
    ("16_384 GB", "data", 16384e9),
    (" .5 h ", "time", 1800.0),
    ("25%", "fraction", 0.25),
    (0.25, "fraction", 0.25),
    (1, "ratio", 1.0),
    ("1.1", "ratio", 1.1),
    ("3x", "ratio", 3.0),
    ("0.01 /d", "frequency", 0.01 / 86400),
    ("23 USD/TB/month", "storage_price", 23 / (1e12 * 365.25 * 86400 / 12)),
]


@pytest.mark.parametrize(("text", "dimension", "value"), READ)
def test_reads(text: object, dimension: str, value: float) -> None:
    assert units.parse(text, dimension) == pytest.approx(value, rel=1e-12)


REFUSED = [
    ("80 gb", "data", "is not known", "did you mean 80 GB? (b is bit, B is byte)"),
    ("80 Gib", "data", "is not known", "did you mean 80 GiB?"),
    ("400 gb/s", "data_rate", "is not known", "did you mean 400 GB/s?"),
    ("400Gbps", "data_rate", "is not known", "did you mean 400 Gb/s?"),
    ("400 Gb", "data_rate", "is an amount of data, a data rate is expected", "write 400 Gb/s"),
    ("50 GB/s", "data", "is a data rate, an amount of data is expected", "write 50 GB"),
    ("300B", "tokens", "is an amount of data, a number of tokens is expected", "write 300B tokens"),
    ("300b tokens", "tokens", "is not known", "did you mean 300B tokens?"),
    (300, "tokens", "300 has no unit", "write for example 300 tokens"),
    ("54", "time", "'54' has no unit", "write for example 54 d"),
    (54, "time", "54 has no unit", "write for example 54 d"),
    ("54 days", "time", "is not known", "did you mean 54 d?"),
    ("54 m", "time", "is not known", "did you mean 54 min?"),
    ("1:30", "time", "is not a time", "a clock time is not a quantity"),
    ("1,000 W", "power", "is not a power", "write 1000 W, without commas"),
    ("312 TFLOPS", "flop_rate", "is not known", "did you mean 312 TFLOP/s?"),
    ("1e24 FLOPs", "flop", "is not known", "did you mean 1e24 FLOP?"),
    ("$2.10/h", "money_rate", "is not a price per time", "write 2.10 USD/h"),
    ("2.10 $/h", "money_rate", "is not known", "did you mean 2.10 USD/h?"),
    ("2.10 dollars per hour", "money_rate", "is not known", "did you mean 2.10 USD/h?"),
    ("$4.6M", "money", "is not an amount of money", "write 4.6 MUSD"),
    ("2.10 EUR/h", "money_rate", "is not known for a price per time", "write for example 2.10 USD/h"),
    ("10 kW", "energy", "is a power, an energy is expected", "write for example 1287 MWh"),
    ("0.4 kg/kwh", "carbon_intensity", "is not known", "did you mean 0.4 kg/kWh?"),
    ("-3 d", "time", "is negative", "write for example 54 d"),
    ("120%", "fraction", "is more than 100%", "write a fraction between 0 and 1"),
    (1.5, "fraction", "is more than 100%", "write a fraction between 0 and 1"),
    ("1e400 s", "time", "is not finite", ""),
    (math.inf, "ratio", "is not finite", ""),
    (math.nan, "ratio", "is not finite", ""),
    (True, "time", "yes or no where a time is expected", "write for example 54 d"),
    (None, "time", "nothing where a time is expected", "write for example 54 d"),
    ([], "time", "a list where a time is expected", "write for example 54 d"),
    ("", "time", "is not a time", "write for example 54 d"),
    ("5 apples", "time", "is not known for a time", "write for example 54 d"),
    ("soon" * 1000, "time", "is not a time", "write for example 54 d"),
    ("1 2 3 W", "power", "is not a power", ""),
]


@pytest.mark.parametrize(("text", "dimension", "what", "mend"), REFUSED)
def test_refuses_with_the_mend(text: object, dimension: str, what: str, mend: str) -> None:
    with pytest.raises(MendableError) as caught:
        units.parse(text, dimension)
    assert what in caught.value.what
    assert mend in caught.value.mend
    assert "  " not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_formats_in_the_largest_unit_that_keeps_the_number_above_one() -> None:
    assert units.format(0.0, "time") == "0 s"
    assert units.format(3e11, "tokens") == "300B tokens"
    assert units.format(54 * 86400.0, "time") == "54 d"
    assert units.format(2.1 / 3600, "money_rate") == "2.1 USD/h"
    assert units.format(0.25, "fraction") == "25%"


@pytest.mark.parametrize("dimension", units.DIMENSIONS)
def test_every_example_is_read_and_matches_its_schema(dimension: str) -> None:
    import re

    known = units.DIMENSIONS[dimension]
    assert units.parse(known.example, dimension) > 0
    assert set(known.written) <= set(known.units)
    schema = units.json_schema(dimension)
    text = schema if "pattern" in schema else schema["anyOf"][1]
    assert re.search(text["pattern"], known.example)
