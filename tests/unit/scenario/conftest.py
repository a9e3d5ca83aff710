"""A small valid scenario to break, on the shipped catalogue."""

from collections.abc import Callable
from pathlib import Path

import pytest

SCENARIO = """\
question: Is it enough?
date: 2022-06-01
seed: 7
replications: 10
base:
  training:
    model: gpt3-175b
    tokens: 300B tokens
    sequence: 2048
    global_batch: 1536
    precision: bf16
    software: megatron-2021
    layout: {tensor: 8, pipeline: 16, data: 8}
  cluster:
    topology: dgx-a100-superpod
    node: dgx-a100-80gb
    count: 128
  reliability:
    failures: rsc1-a100
    spares: {hot: 2, pool: 8}
    recovery: {kind: restart, restart: 10 min}
    checkpoint: {interval: young, bandwidth: 50 GB/s}
  economics:
    price: {kind: on_demand, list: cloud-2022}
    grid: us-average
    pue: 1.1
alternatives:
  rented: {}
  given:
    economics.price: {kind: donated, market: cloud-2022, donor: {electricity: 0.07 USD/kWh, source: a letter}}
sweep: {cluster.count: [128, 256]}
expect: [{rented.run.goodput: '> 0.8'}]
"""


@pytest.fixture
def text() -> str:
    return SCENARIO


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a file in a working directory of the test's own; returns its path as a user would type it."""
    monkeypatch.chdir(tmp_path)

    def written(content: str | bytes, name: str = "s.yaml") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return written
