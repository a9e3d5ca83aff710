"""What a published run ran on: the software generation of a case, and what its row says was switched on or off.

Chosen by what the row says of framework, year, sharding, precision and kernels, never by how fast it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from simulator.hardware import Accelerator, Software
from simulator.parallelism import Layout
from simulator.study.case_words import precision

Find = Callable[[str, str], Any]
"""A catalogue: (kind, name) -> entry; `scenario.entry`."""

GENERATIONS: Mapping[str, str] = {
    "megatron-2020": "megatron-2020", "megatron-sc21": "megatron-2021", "megatron-sc21-t2": "megatron-2021", "mtnlg": "deepspeed-2022",
    "megatron-readme-175b": "megatron-2021",
    "vtrain-multi": "deepspeed-2022", "korthikanti22": "megatron-2022", "nemo-launcher": "megatron-2022", "zero-bubble": "megatron-2022",
    "hagemann": "pytorch-2023", "internevo": "pytorch-2023", "nanotron": "nanotron-2025", "llama3": "megatron-2023",
    "megatron-core-h100": "megatron-2025", "megatron-core-llama-readme": "nemo-2025", "nemotron4": "megatron-2023",
    "nemo-24.07": "nemo-2024", "nemo-longctx": "nemo-2024", "dgxc": "nemo-2025", "simumax-b200": "megatron-2025",
    "moe-folding": "megatron-2025",
    "hagemann-fit": "megatron-2023", "llm-foundry": "fsdp-2023", "fms-fsdp": "fsdp-2023", "torchtitan": "torchtitan-2024",
    "bigscience": "deepspeed-2022",
}  # fmt: skip
"""Source of a case -> software generation: by what the source ran, never by how fast it was."""


def software_of(row: Mapping[str, Any], accelerator: Accelerator, layout: Layout, find: Find) -> tuple[Software, str]:
    """The software of a case, and how its generation was chosen where the row does not name it."""
    name, how = _generation(row, accelerator, layout)
    software = with_kernels(find("software", name), _kernel_of(row), str(row.get("source")))
    if how and not re.search(_CALLED[name.partition("-")[0]], _said(row)):
        software, how = replace(software, stands_in=True), how.replace(f"software {name}", f"software {name} in place of its own")
    return _switched(software, row, accelerator, layout, find), how


def _generation(row: Mapping[str, Any], accelerator: Accelerator, layout: Layout) -> tuple[str, str]:
    """The generation of a case by name, from what it says of framework, year, sharding and precision; and how it was chosen.

    In this order: `software`, the name of a generation; a known source; words of `framework`, `schedule_notes`, `reference` and `notes`;
    how states are sharded; the year, and where there is none the year after the accelerator came.
    """
    if row.get("software"):
        return str(row["software"]), ""
    source = str(row.get("source", ""))
    if source in GENERATIONS:
        if re.match("torchtitan-(asynctp|h200)-", str(row["id"])):
            return "torchtitan-2025", ""  # tables of June 2025
        # ZeRO-3 in the comparison of Narayanan et al. is DeepSpeed's.
        return ("deepspeed-2021" if (source, layout.sharding) == ("megatron-sc21-t2", "zero3") else GENERATIONS[source]), ""
    said = _said(row)
    year = int(row.get("year") or int(accelerator.launched[:4]) + 1)
    year = max(year, int(accelerator.launched[:4]))
    if re.search(r"\bmaxtext\b|\bpax(ml)?\b|\bjax\b|\bxla\b|praxis", said) and accelerator.transfers_apart:
        chosen, why = "maxtext-2023", "a step that XLA compiles whole"
    elif "torchtitan" in said or "fsdp2" in str(row["parallel"].get("sharding")):
        # Its loss is compiled since February 2025 (pytorch/torchtitan, d1f62be).
        chosen, why = "torchtitan-2025" if year >= 2025 else "torchtitan-2024", f"FSDP2 in {year}"
    elif "deepspeed" in said and layout.sharding in ("zero2", "zero3") and year <= 2022:
        chosen, why = "deepspeed-2021", "DeepSpeed"
    elif "deepspeed" in said and layout.pipeline > 1:
        chosen, why = "deepspeed-2022", "DeepSpeed's pipeline"
    elif "deepspeed" in _ran(row) and layout.pipeline == layout.tensor == 1 and not re.search("megatron|nemo", _ran(row)):
        # Assumes: whoever trains with DeepSpeed and not with Megatron-LM's layers has those of transformers.
        chosen, why = "deepspeed-2024", "DeepSpeed with transformers"
    elif re.search(r"transformers\b|hugging ?face|\bhf\b|\baccelerate\b", _ran(row)) and not re.search("megatron|nemo", _ran(row)):
        chosen, why = "transformers-2024", "transformers"
    elif layout.sharding == "zero3" and not re.search("megatron|nemo", said):
        chosen, why = "fsdp-2023" if year <= 2024 else "torchtitan-2024", f"sharded weights in {year}"
    elif re.search(r"\bnemo\b|dgx cloud|dgxc|maxtext|transformer engine", said) or (
        precision(str(row["precision"])) == "fp8" and year >= 2024
    ):
        chosen, why = "nemo-2025" if year >= 2025 else "nemo-2024", f"NeMo or fp8 in {year}"
    elif "nanotron" in said:
        chosen, why = "nanotron-2025", "nanotron"
    elif re.search("internevo|colossal|plain pytorch", said):
        chosen, why = "pytorch-2023", "a PyTorch library of its own"
    else:
        chosen = next(name for first, name in _MEGATRON if year >= first)
        why = f"Megatron-LM of {year}"
    return chosen, f"software {chosen} ({why})"


def _said(row: Mapping[str, Any]) -> str:
    """All that a row says in words."""
    return " ".join(str(row.get(key, "")) for key in ("framework", "source", "schedule_notes", "reference", "notes", "table")).lower()


def _ran(row: Mapping[str, Any]) -> str:
    """What a row says of the software that ran, and not of where its numbers or its model are from."""
    return f"{row.get('framework', '')} {row.get('schedule_notes', '')}".lower()


_CALLED = {
    "megatron": "megatron|mcore", "nemo": r"\bnemo\b|dgx cloud|dgxc", "fsdp": "fsdp|foundry|composer|pytorch",
    "torchtitan": "torchtitan|fsdp2", "deepspeed": "deepspeed", "nanotron": "nanotron", "maxtext": r"maxtext|\bpax|\bjax\b|\bxla\b",
    "transformers": r"transformers\b|hugging ?face|\bhf\b|\baccelerate\b", "pytorch": "internevo|colossal|plain pytorch",
}  # fmt: skip
"""First part of a generation's name -> the words by which a row says that it ran on that, and on nothing that it is like."""

_MEGATRON = ((2025, "megatron-2025"), (2023, "megatron-2023"), (2022, "megatron-2022"), (2021, "megatron-2021"), (0, "megatron-2020"))


def _switched(software: Software, row: Mapping[str, Any], accelerator: Accelerator, layout: Layout, find: Find) -> Software:
    """The generation with what the row says was switched on or off: torchtitan's tables in the names of rows where not in their notes."""
    said = f"{row.get('schedule_notes', '')} {row.get('notes', '')} {row['id'] if row.get('source') == 'torchtitan' else ''}".lower()
    if "op-level" in str(row.get("recompute")):
        software = replace(software, selective="operations")
    if row.get("source") == "llm-foundry" and accelerator.launched < "2022":
        # PyTorch 1.13.1 is the default image of its scripts/train/benchmarking/submit_benchmarks.py; checkpoints that stop early are of
        # 2023 (pytorch/pytorch, pull request 90105, at first behind a flag).
        # Assumes: the table of A100 was measured with the former, that of H100 with a release that stops.
        software = replace(software, recomputes_last=True)
    if software.name == "transformers-2024" and layout.sharding != "zero3":
        # Under autocast weights and gradients are kept, and reduced, in fp32; FSDP's mixed precision reduces what it computed in.
        # Source: huggingface/accelerate, src/accelerate/utils/dataclasses.py (FullyShardedDataParallelPlugin.set_mixed_precision).
        software = replace(software, gradient_bytes=4)
    if software.name in _OF_TRANSFORMERS and "flash" in _kernel_of(row).lower():
        # Keys and values are not repeated for it (modeling_llama.py, LlamaFlashAttention2).
        software = replace(software, repeats_keys=False)
    if re.search("row-?wise", str(row.get("precision"))):
        software = replace(software, scaling="row")
    if row.get("source") == "simumax-b200":
        # As its launch scripts say (MooreThreads/SimuMax, tools/b200/run_megatron_perf_real_batch.py, docs/b200/b200_real_repro_guide.md,
        # simu_tools/megatron_scripts/scripts/run_pretrain_llama3.sh): fused loss (`_cef`), no traffic of replicas or stages overlapped.
        software = replace(software, fused_loss=True, context="all_to_all", overlap_pipeline=False)
        software = replace(software, overlap_gradient_reduction=False, overlap_parameter_gather=False)
    if re.search(r"torch\.compile off|gpu-fsdp$", said):
        # Nor is the norm one kernel then (`rms_norm` in aten/src/ATen/native/layer_norm.cpp of PyTorch 2.5).
        # Collectives are waited for where they are needed; compiled, where they stand (torch/distributed/_functional_collectives.py).
        software = replace(software, fused_elementwise=False, fused_norm=False, context="ring")
    if re.search(r"async ?tp\b(?!-\w)", said) and software.name.startswith("torchtitan"):
        # A collective is cut into as many pieces as there are ranks, all but one beside the product of another; only one that reads from or
        # adds up a product itself is, so not that of the gradients of an input of several products.
        # Source: pytorch/pytorch, torch/_inductor/fx_passes/micro_pipeline_tp.py (fuse_all_gather_matmul, fuse_matmul_reduce_scatter).
        return replace(software, overlap_tensor=1 - 1 / layout.tensor)
    if re.search(r"tp-comm-overlap on|async ?tp\b(?!-\w)", said) and not software.overlap_tensor:
        split: Software = find("software", "nemo-2024")
        software = replace(software, overlap_tensor=split.overlap_tensor, overlap_tensor_backward=split.overlap_tensor_backward)
    return software


def _kernel_of(row: Mapping[str, Any]) -> str:
    """The attention kernel as a row names it; rows of Hagemann et al. in the catalogue do so at the end of their names."""
    found = re.search("-(torch|fused|flash1|flash2)(-sp)?$", str(row["id"])) if row.get("source") == "hagemann" else None
    return found[1] if found else str(row.get("kernel") or "")


def with_kernels(software: Software, written: str, source: str) -> Software:
    """The generation with the attention kernel that a row names (`flash..`, `fused` for a fused softmax, `torch`), and a fused norm.

    The first generation of flash attention takes twice the time of the second. Source: Dao 2023 (arXiv:2307.08691), abstract.
    """
    name = written.lower()
    if source in _FIT:
        # The code of Hagemann et al.: 16-bit gradients and a loss that every tensor rank computes whole (as its memory shows).
        software = replace(software, gradient_bytes=2, parallel_loss=False, fused_elementwise=False)
    if not name:
        return software
    plain = software.fused_elementwise or "rms" in name
    # A row of these sources that names its kernels names that of the norm too, where there is one.
    norm = "rms" in name or (software.fused_norm and source not in (*_FIT, "hagemann"))
    slower = 2.0 if re.search("flash.*1", name) else software.attention_slowdown
    return replace(
        software,
        fused_attention="flash" in name,
        attention_slowdown=slower,
        fused_softmax=name not in ("torch", "eager"),
        fused_elementwise=plain,
        fused_norm=norm,
    )


_OF_TRANSFORMERS = ("transformers-2024", "deepspeed-2024")
_FIT = ("hagemann-fit", "fit-a100")
"""Sources that tell which layouts of Hagemann et al. fitted."""
