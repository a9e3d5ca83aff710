"""Laws of units: what is written is read back, and nothing is refused without a word."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import units
from simulator.errors import MendableError

dimensions = st.sampled_from(sorted(units.DIMENSIONS))


@given(dimensions, st.floats(1e-12, 1e24), st.integers(3, 15))
def test_what_is_written_is_read_back(dimension: str, value: float, digits: int) -> None:
    value = min(value, units.DIMENSIONS[dimension].high)
    assert units.parse(units.format(value, dimension, digits), dimension) == pytest.approx(value, rel=10.0 ** (1 - digits))


@given(dimensions, st.data(), st.floats(0, 0.01))
def test_every_unit_is_its_size(dimension: str, data: st.DataObject, number: float) -> None:
    unit = data.draw(st.sampled_from(sorted(units.DIMENSIONS[dimension].units)))
    size = units.DIMENSIONS[dimension].units[unit]
    assert units.parse(f"{number!r} {unit}", dimension) == pytest.approx(number * size, rel=1e-12)


almost = st.from_regex(r"\A[+-]?[0-9 _.,:e$]{1,12} ?[A-Za-z$%/]{0,8}\Z")


@given(dimensions, st.one_of(st.text(max_size=30), almost, st.integers(), st.floats()))
def test_anything_is_read_or_refused_with_a_reason(dimension: str, value: object) -> None:
    with contextlib.suppress(MendableError):
        assert units.parse(value, dimension) >= 0
