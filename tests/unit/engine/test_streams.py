"""Named streams: what they share and what they do not."""

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from simulator.engine.streams import Streams, exponential, lognormal, lognormal_factor


def rows(seed: int, replication: int, name: str, count: int) -> list[list[float]]:
    stream = Streams(seed, replication).stream(name, 8)
    return [stream.row() for _ in range(count)]


def test_a_stream_is_numpys_philox_of_its_key_and_replication() -> None:
    streams = Streams(7, 5)
    block = streams.block(key=(3 << 64) | 9, draw=0, rows=4, columns=8)
    plain = np.random.Generator(np.random.Philox(key=(3 << 64) | 9, counter=5 << 192)).random((4, 8))
    assert block == plain.tolist()


def test_blocks_follow_without_gap_or_overlap() -> None:
    streams = Streams(7, 5)
    whole = streams.block(key=11, draw=0, rows=200, columns=8)
    stream = streams.stream("any", 8)
    stream._key = 11
    assert [stream.row() for _ in range(200)] == whole


def test_streams_differ_by_seed_replication_and_name_only() -> None:
    assert rows(1, 0, "a", 5) == rows(1, 0, "a", 5)
    first = {rows(seed, replication, name, 1)[0][0] for seed in (1, 2) for replication in (0, 1) for name in ("a", "b")}
    assert len(first) == 8
    streams = Streams(1, 0)
    a, b = streams.stream("a", 8), streams.stream("b", 8)
    mixed = [a.row() if k % 3 else (a.row(), b.row())[0] for k in range(150)]
    assert mixed == rows(1, 0, "a", 150)


def test_another_process_draws_the_same() -> None:
    code = "import pickle,sys; from simulator.engine.streams import Streams; s = Streams(3, 2).stream('x', 8); "
    code += "sys.stdout.buffer.write(pickle.dumps([s.row() for _ in range(70)]))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert pickle.loads(told) == rows(3, 2, "x", 70)


def test_moments() -> None:
    uniforms = [row[0] for replication in range(20) for row in rows(1, replication, "moments", 500)]
    for draw, mean, spread in (
        (exponential, 1.0, 1.0),
        (lambda u: lognormal(3.0, 0.5, u), 3.0, 3.0 * math.sqrt(math.expm1(0.25))),
    ):
        values = np.array([draw(u) for u in uniforms])
        assert abs(values.mean() - mean) < 4 * spread / 100
    assert np.median([lognormal_factor(0.2, u) for u in uniforms]) == pytest.approx(1.0, abs=0.02)
    assert lognormal(5.0, 0.0, 0.3) == 5.0
    assert lognormal_factor(0.0, 0.3) == 1.0
    assert math.isfinite(lognormal(5.0, 2.0, 0.0))
