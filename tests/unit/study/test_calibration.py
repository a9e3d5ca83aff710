"""Calibration on measurements that a known accelerator made: the parameters come back, and what is wrong is told."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from simulator.cli.calibrate_command import command
from simulator.errors import ProblemsError
from simulator.hardware import Accelerator, Kernels, MatrixKernels, fused_attention_time, product_time, stream_time
from simulator.model import Transformer
from simulator.parallelism import Layout
from simulator.scenario import entry
from simulator.step import Job
from simulator.step.clock import UPDATE_BYTES
from simulator.step.layer import layer_pass
from simulator.study.calibration import calibrate

BASE: Accelerator = replace(entry("accelerators", "a100-sxm-80gb"), kernels=None)
TRUTH = replace(
    BASE,
    kernels=Kernels(
        matrix=MatrixKernels(share=0.66, depth=180.0, start=6e-6, narrow=0.2), memory=0.87, attention_forward=0.58, attention_backward=0.41,
        attention_length=300.0, attention_start=22e-6, launch=5e-6, calibrated_on="made up",
    ),
)  # fmt: skip


def measured(noise: float = 0.0) -> dict[str, Any]:
    """What a machine that keeps to the model would measure, with log-normal noise."""
    random = np.random.default_rng(7)

    def noisy(seconds: float) -> float:
        return float(seconds * np.exp(noise * random.standard_normal()))

    shapes = [(m, n, k) for m in (512, 2048, 8192) for n in (1024, 4096, 12288) for k in (256, 1024, 4096, 8192)]
    calls = [(b, s, h, h, d) for b in (1, 4) for s in (512, 1024, 2048, 4096, 8192) for h in (8, 32) for d in (64, 128)]
    names = ("sequences", "length", "heads", "key_value_heads", "head_size")

    def attend(call: tuple[int, ...], backward: bool) -> dict[str, float]:
        b, s, h, kv, d = call
        seconds = fused_attention_time(TRUTH, "bf16", b, s, s, h, d, kv, backward=backward)
        return dict(zip(names, call, strict=True)) | {"seconds": noisy(seconds)}

    return {
        "format": 1,
        "precision": "bf16",
        "device": {"name": "made up", "date": "2026-01-01"},
        "streams": [{"bytes": size, "seconds": noisy(stream_time(TRUTH, size, 1))} for size in np.geomspace(1e5, 4e9, 20).tolist()],
        "launch": {"seconds": 5e-6},
        "products": [{"m": m, "n": n, "k": k, "seconds": noisy(product_time(TRUTH, "bf16", m, n, k))} for m, n, k in shapes],
        "attention_forward": [attend(call, False) for call in calls],
        "attention_backward": [attend(call, True) for call in calls],
        "layers": [layer(2048, 2), layer(4096, 1)],
    }


def layer(hidden: int, microbatch: int) -> dict[str, float]:
    model = Transformer(layers=1, hidden=hidden, heads=16, ffn=4 * hidden, vocabulary=1, sequence=2048, positions="none")
    software = replace(entry("software", "pytorch-2023"), native_attention=True)
    job = Job(model=model, sequence=2048, global_batch=microbatch, precision="bf16", software=software)
    through = layer_pass(job, Layout(microbatch=microbatch), TRUTH, lambda operation, size, dimension: 0.0, dense=False)
    parameters = 12 * hidden**2
    return {
        "hidden": hidden, "heads": 16, "key_value_heads": 16, "ffn": 4 * hidden, "sequence": 2048, "microbatch": microbatch,
        "parameters": parameters, "forward_s": through.forward.total, "backward_s": through.backward.total,
        "optimizer_s": stream_time(TRUTH, UPDATE_BYTES * parameters),
    }  # fmt: skip


def run(table: dict[str, Any], base: Accelerator = BASE) -> Any:
    return calibrate(table, base, entry("software", "pytorch-2023"), origin="a test")


def test_parameters_come_back() -> None:
    found = run(measured())
    known, kernels = TRUTH.kernels, found.accelerator.kernels
    assert known is not None
    assert kernels is not None
    assert kernels.matrix.share == pytest.approx(known.matrix.share, rel=0.01)
    assert kernels.matrix.depth == pytest.approx(known.matrix.depth, rel=0.05)
    assert kernels.matrix.start == pytest.approx(known.matrix.start, rel=0.05)
    assert kernels.matrix.narrow == pytest.approx(known.matrix.narrow, rel=0.05)
    assert kernels.matrix.fall == 0
    for name in ("memory", "launch", "attention_forward", "attention_backward", "attention_start"):
        assert getattr(kernels, name) == pytest.approx(getattr(known, name), rel=0.02), name
    assert kernels.attention_length == pytest.approx(known.attention_length, rel=0.1)
    assert all(residual.median < 0.01 for residual in found.residuals.values())
    assert kernels.sigma < 0.02
    assert all(abs(each.after / each.measured - 1) < 0.02 < abs(each.before / each.measured - 1) for each in found.layers)


def test_noise_is_told_and_does_not_move_the_rate() -> None:
    found = run(measured(noise=0.05))
    kernels = found.accelerator.kernels
    assert kernels is not None
    assert kernels.matrix.share == pytest.approx(0.66, rel=0.05)
    assert 0.01 < found.residuals["products bf16"].median < 0.1
    assert "median residual on" in kernels.calibrated_on
    assert "sustained 0.85" in kernels.calibrated_on


def test_a_data_sheet_that_is_outrun_is_told() -> None:
    slow = replace(BASE, peak={**BASE.peak, "bf16": BASE.peak["bf16"] / 2}, memory_bandwidth=BASE.memory_bandwidth / 2)
    assert sum("data sheet" in line for line in run(measured() | {"layers": []}, slow).told) == 2


def test_what_was_not_measured_is_carried_over() -> None:
    table = {name: value for name, value in measured().items() if name in ("format", "products")}
    base = entry("accelerators", "a100-sxm-80gb")
    found = run(table, base)
    kernels = found.accelerator.kernels
    assert kernels is not None
    assert base.kernels is not None
    for name in ("memory", "launch", "attention_forward", "attention_backward", "sigma"):
        assert getattr(kernels, name) == getattr(base.kernels, name)
    assert kernels.matrix.sustained == base.kernels.matrix.sustained
    assert {"attention"} < set(found.carried)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"format": 2}, "format"),
        ({"products": []}, "products"),
        ({"products": measured()["products"][:5]}, "products"),
        ({"products": [{"m": 1, "n": "x", "k": 1, "seconds": 1}] * 20}, "products.0.n"),
        ({"streams": [{"bytes": 1e6, "seconds": -1}] * 5}, "streams.0.seconds"),
        ({"layers": [{"hidden": 64}]}, "layers.0.heads"),
        ({"precision": "fp4"}, "precision"),
        ({"launch": {"seconds": 0}}, "launch.0.seconds"),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ProblemsError) as refused:
        run(measured() | change)
    assert path in {problem.path for problem in refused.value.problems}


def test_the_command_writes_an_accelerator_that_reads_back(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.json", tmp_path / "accelerators" / "mine.yaml"
    file.write_text(json.dumps(measured()))
    done = CliRunner().invoke(command, [str(file), "--accelerator", "a100-sxm-80gb", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "after" in done.output
    found = entry("accelerators", str(out))
    assert found.name == "mine"
    assert found.peak == entry("accelerators", "a100-sxm-80gb").peak
    assert found.kernels.matrix.share == pytest.approx(0.66, rel=0.01)
    assert "measured on name made up, date 2026-01-01; mine.json, sha256" in found.kernels.calibrated_on


def test_collectives_inside_the_node_say_the_rate_that_it_would_state():
    """A ring at bus bandwidth B moves 2 (n - 1) / n of the size; a node states B over what collectives reach of a line."""
    table = measured()
    told = calibrate(table, BASE, entry("software", "pytorch-2023"), origin="x").told
    assert any("no collectives measured" in line for line in told)
    bus = 235e9
    table["collectives"] = [
        {"operation": "all_reduce", "ranks": ranks, "bytes": size, "seconds": 20e-6 + 2 * (ranks - 1) / ranks * size / bus}
        for ranks in (2, 4, 8)
        for size in (1e6, 1e8, 1e10)
    ]
    told = calibrate(table, BASE, entry("software", "pytorch-2023"), origin="x").told
    assert "bus bandwidth among 8: all_reduce 234.9 GB/s" in told
    assert any(line.startswith("the node's scale_up.rate would be 285") for line in told)
    table["collectives"][0]["operation"] = "gather"
    with pytest.raises(ProblemsError) as caught:
        calibrate(table, BASE, entry("software", "pytorch-2023"), origin="x")
    assert "gather is no operation" in str(caught.value.problems[0].what)


def test_shapes_to_measure_are_chosen_without_pytorch():
    path = Path(__file__).parents[3] / "benchmarks" / "measured_shapes.py"
    spec = importlib.util.spec_from_file_location("measured_shapes", path)
    shapes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shapes)
    for quick in (False, True):
        usual, low = shapes.products(quick, "bf16"), shapes.products(quick, "fp8")
        assert len(usual) >= 16
        assert len(low) >= 16
        assert all(edge % 16 == 0 for shape in low for edge in shape)
        for size in shapes.messages(quick):
            for ranks in range(2, 17):
                for operation in shapes.OPERATIONS:
                    given, got = shapes.share(operation, size, ranks)
                    assert max(given, got) * 4 == size
                    assert min(given, got) * 4 * (ranks if operation in ("all_gather", "reduce_scatter") else 1) == size
    assert shapes.groups(8) == [2, 4, 8]
    assert shapes.groups(6) == [2, 4, 6]
    assert shapes.groups(1) == []
    assert shapes.product_bytes((2, 3, 4), "fp8") == (8 + 12) + 2 * 6
