"""Predicted step times of torchao's published runs: Llama 3 8B under torchtitan on eight H100 held to 500 W, in 16 bit and scaled 8 bit.

Calibration: which accelerator they ran on was found with them. No constant was fitted on them: products and bandwidth of that accelerator
were measured by others, the bytes of the casts are torchao's own count, and the rest is torchtitan's source.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import simulator
from simulator.study.validate import validate


@pytest.fixture(scope="module")
def errors() -> dict[str, float]:
    validated = validate(Path(simulator.__file__).parent / "catalog" / "measurements" / "step-torchao-h100.yaml")
    found = {each.id: each.error for each in validated.cases if each.error is not None}
    for name, error in found.items():
        print(f"{name}: {error:+.1%}")
    return found


def test_every_recipe_is_within_a_tenth(errors: dict[str, float]) -> None:
    assert len(errors) == 4
    assert max(map(abs, errors.values())) <= 0.10
    assert abs(errors["torchao-8b-8gpu-bf16"]) <= 0.03
