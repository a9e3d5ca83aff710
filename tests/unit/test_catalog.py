"""The catalogue: every entry parses, every number has a source, and what is not verified is counted, not hidden."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from simulator.economics.price_list import Column
from simulator.model import parameters
from simulator.scenario import entries, entry, raw_entry

KINDS = ("accelerators", "nodes", "models", "failures", "traces", "prices", "owned", "grids", "topologies")
ASKED = {
    "accelerators": """v100-sxm2-16gb v100-sxm2-32gb a100-sxm-40gb a100-sxm-80gb a100-pcie-40gb a100-pcie-80gb h100-sxm h100-pcie h800-sxm
        h200-sxm b200-sxm gb200 b300-sxm mi250x mi300x rtx-3090 rtx-4090 a6000 l40s tpu-v4 tpu-v5p trainium2""",
    "nodes": """dgx-1-v100 dgx-2-v100 dgx-a100-40gb dgx-a100-80gb coreweave-a100-40gb jean-zay-a100 azure-gpt3-v100 aws-p4d aws-p5 aws-p5en
        dgx-h100 meta-grand-teton-h100 dgx-h200 dgx-h800 dgx-b200 dgx-b300 gb200-nvl72 frontier mi300x-8 fire-flyer-a100-pcie
        rtx-3090-workstation rtx-4090-workstation a6000-8 l40s-8 tpu-v4-host tpu-v5p-host aws-trn2""",
    "models": """gpt3-175b gpt-neox-20b opt-175b bloom-176b megatron-1.7b megatron-3.6b megatron-7.5b megatron-18.4b megatron-39.1b
        megatron-76.1b megatron-145.6b megatron-310.1b megatron-529.6b megatron-1008b mt-nlg-530b llama-2-7b llama-2-13b llama-2-70b
        llama-3-8b llama-3-70b llama-3.1-8b llama-3.1-70b llama-3.1-405b nemotron-4-340b mixtral-8x7b mixtral-8x22b deepseek-v3
        qwen3-235b-a22b qwen2.5-72b kimi-k2""",
    "failures": "llama3-h100 large-cluster-2024 rsc1-a100 rsc2-a100 bloom-2022 opt-2021",
    "traces": "aws-v100-16-nodes-2023 bamboo-g4dn-24-nodes",
    "prices": "cloud-2020 cloud-2021 cloud-2022 cloud-2023 cloud-2024 cloud-2025 cloud-2026 v100-lambda-2020",
    "owned": "v100-sxm2-32gb-2019 a100-sxm-80gb-2021 h100-sxm-2023",
    "grids": "us-average world france quebec patterson-gpt3 gcp-us-central1",
    "topologies": """single-switch dgx-a100-superpod dgx-h100-superpod dgx-b200-superpod coreweave-neox azure-gpt3-v100
        meta-24k-roce jean-zay""",
}


@cache
def raw(kind: str, name: str) -> dict[str, Any]:
    """An entry as written, without units read."""
    written: dict[str, Any] = yaml.load(raw_entry(kind, name), Loader=yaml.CSafeLoader)
    return written


@cache
def parsed(kind: str, name: str) -> Any:
    """An entry as the simulator reads it."""
    return entry(kind, name)


ENTRIES = [(kind, name) for kind in KINDS for name in entries(kind)]


def figures(value: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of every figure of an entry as written."""
    if isinstance(value, dict):
        for key, below in value.items():
            if path or key not in ("source", "sources", "notes", "name", "kind"):
                yield from figures(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for below in value:
            yield from figures(below, path)
    else:
        yield path


def sources(value: Any) -> Iterator[str]:
    """Every source text of an entry as written."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key == "source":
                yield below
            elif key == "sources":
                yield from below.values()
            else:
                yield from sources(below)
    elif isinstance(value, list):
        for below in value:
            yield from sources(below)


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_asked_for_is_there(kind: str) -> None:
    assert set(ASKED[kind].split()) <= set(entries(kind))


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_parses_and_every_figure_has_a_source(kind: str, name: str) -> None:
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert parsed(kind, name).name == name
    written = raw(kind, name)
    assert written["source"].strip()
    assert all(text.strip() for text in sources(written))
    for key in written.get("sources") or {}:
        assert key.split(".")[0] in written, f"{key} has a source, but no figure"
    for row in written.get("rows", []) + written.get("classes", []):
        assert row["source"].strip()


def test_what_is_not_verified_is_counted() -> None:
    """The number of labelled sources per folder: a change of it is seen in review."""
    labelled = Counter(
        (kind, label)
        for kind, name in ENTRIES
        for text in sources(raw(kind, name))
        for label in ("unverified", "assumed")
        if text.startswith(f"{label}:")
    )
    hidden = [
        (kind, name, text)
        for kind, name in ENTRIES
        for text in sources(raw(kind, name))
        if any(word in text.lower() for word in ("memory,", "from memory", "secondary compilation", "a compilation"))
    ]
    assert not hidden
    counts = {kind: (labelled[kind, "unverified"], labelled[kind, "assumed"]) for kind in KINDS}
    assert counts == COUNTS
    written = sum(1 for kind, name in ENTRIES for _ in figures(raw(kind, name)))
    assert sum(u for u, _ in counts.values()) < 0.05 * written


COUNTS = {
    "accelerators": (19, 3),
    "nodes": (18, 121),
    "models": (2, 0),
    "failures": (8, 16),
    "traces": (0, 1),
    "prices": (13, 104),
    "owned": (24, 0),
    "grids": (2, 0),
    "topologies": (11, 34),
}
"""Kind -> sources labelled unverified, sources labelled assumed."""


@pytest.mark.parametrize("name", entries("accelerators"))
def test_peaks_rise_as_precision_falls(name: str) -> None:
    chip = parsed("accelerators", name)
    ladder = [chip.peak[p] for p in ("fp32", "tf32", "bf16", "fp8", "fp4") if p in chip.peak]
    assert ladder == sorted(ladder)
    assert chip.peak.get("fp16", chip.peak.get("bf16")) >= max((chip.peak[p] for p in ("fp32", "tf32") if p in chip.peak), default=0.0)
    assert 10e9 < chip.memory < 400e9
    assert 250e9 < chip.memory_bandwidth < 10e12
    assert 50.0 < chip.power < 2000.0
    # The knee of the roofline, FLOP per byte: what every training accelerator of the last decade has.
    matrix = chip.peak.get("bf16") or chip.peak["fp16"]
    assert 30.0 < matrix / chip.memory_bandwidth < 700.0


@pytest.mark.parametrize("name", entries("nodes"))
def test_a_node_is_plausible(name: str) -> None:
    node = parsed("nodes", name)
    power = node.power
    assert power.idle < 0.7 * power.training
    assert power.training <= power.rated
    assert node.accelerators * node.accelerator.power * 0.8 < power.rated < node.accelerators * node.accelerator.power * 2.5 + 300.0
    assert (node.scale_up.domain or node.accelerators) % node.accelerators == 0
    assert node.life > 2 * 365 * 86400.0


@pytest.mark.parametrize("name", entries("prices"))
def test_a_price_list_names_accelerators_of_the_catalogue_and_is_ordered(name: str) -> None:
    rows = parsed("prices", name).rows
    known = set(entries("accelerators"))
    assert {row.accelerator for row in rows} <= known
    assert list(rows) == sorted(rows, key=lambda row: (row.accelerator, row.date, row.vendor))
    for row in rows:
        assert any(p is not None for p in (row.on_demand, row.reserved_1y, row.reserved_3y, row.spot))
        paid = [p for p in (row.on_demand, row.reserved_1y, row.reserved_3y) if p is not None]
        assert paid == sorted(paid, reverse=True)


@pytest.mark.parametrize("name", entries("owned"))
def test_owned_costs_name_an_accelerator_of_the_catalogue(name: str) -> None:
    costs = parsed("owned", name)
    assert costs.accelerator in entries("accelerators")
    assert name.startswith(costs.accelerator)


def test_the_causes_of_llama_3_add_up_to_its_interruptions() -> None:
    """54 days of 16,384 accelerators in 2,048 nodes: the set gives 419 interruptions."""
    units = {"accelerator": 16384, "node": 2048, "job": 1}
    for name in ("llama3-h100", "large-cluster-2024"):
        expected = sum(54 * 86400.0 * units[c.of] / c.mtbf for c in parsed("failures", name).classes)
        assert expected == pytest.approx(419, rel=1e-4)


@pytest.mark.parametrize("accelerator", ["v100-sxm2-32gb", "a100-sxm-40gb", "a100-sxm-80gb"])
@pytest.mark.parametrize("column", ["on_demand", "reserved_1y", "reserved_3y"])
def test_the_list_of_2021_prices_the_machines_of_2021(accelerator: str, column: Column) -> None:
    usd_per_s, source = parsed("prices", "cloud-2021").quote(accelerator, datetime.date(2021, 6, 1), column)
    assert 1.0 < usd_per_s * 3600 < 5.0
    assert "Epoch AI" in source


PUBLISHED = {
    "gpt3-175b": 174.6, "gpt-neox-20b": 20.6, "opt-175b": 175, "bloom-176b": 176.2, "mt-nlg-530b": 530, "megatron-1008b": 1008.0,
    "megatron-145.6b": 145.6, "megatron-18.4b": 18.4, "llama-1-65b": 65.2, "llama-2-70b": 69.0, "llama-3-8b": 8.03, "llama-3-70b": 70.6,
    "llama-3.1-405b": 405.0, "nemotron-4-340b": 341.0, "mixtral-8x7b": 46.7, "mixtral-8x22b": 141.0, "deepseek-v2": 236.0,
    "qwen3-235b-a22b": 235.0, "qwen3-30b-a3b": 30.5, "qwen2.5-72b": 72.7, "qwen2-57b-a14b": 57.4, "kimi-k2": 1040.0, "palm-540b": 540.35,
}  # fmt: skip
"""Parameters as the papers and model cards print them [10^9]."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_model_has_its_published_size(name: str) -> None:
    assert parameters(parsed("models", name)).total / 1e9 == pytest.approx(PUBLISHED[name], rel=0.015)


@pytest.mark.parametrize(
    ("name", "active"),
    [("mixtral-8x7b", 12.9), ("mixtral-8x22b", 39.0), ("deepseek-v3", 37.0), ("kimi-k2", 32.0), ("qwen3-235b-a22b", 22.0)],
)
def test_a_mixture_has_its_published_active_size(name: str, active: float) -> None:
    assert parameters(parsed("models", name)).active / 1e9 == pytest.approx(active, rel=0.03)


@pytest.mark.parametrize("name", entries("topologies"))
def test_a_topology_joins_nodes(name: str) -> None:
    network = parsed("topologies", name).build(parsed("nodes", "dgx-a100-80gb"), 48)
    assert network.accelerators == 384
    assert (network.capacity > 0).all()
    assert (network.latency >= 0).all()


@pytest.mark.parametrize("name", entries("nodes"))
def test_a_node_joins_a_network(name: str) -> None:
    node = parsed("nodes", name)
    network = parsed("topologies", "dgx-h100-superpod").build(node, 36)
    assert network.accelerators == 36 * node.accelerators
    assert (network.capacity > 0).all()
