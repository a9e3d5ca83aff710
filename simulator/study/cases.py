"""Published training runs as cases: a mapping as transcribed -> model, job, layout, machines, and the seconds that were measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulator.errors import MendableError
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp, Software
from simulator.interconnect import SingleSwitch
from simulator.model import Experts, Transformer, hardware_flop, model_flop
from simulator.parallelism import Layout, Recompute, Schedule, Sharding
from simulator.step import Job, Machines

GENERATIONS: Mapping[str, str] = {
    "megatron-2020": "megatron-2020", "megatron-sc21": "megatron-2021", "megatron-sc21-t2": "megatron-2021", "mtnlg": "megatron-2021",
    "vtrain-multi": "megatron-2021", "korthikanti22": "megatron-2022", "nemo-launcher": "megatron-2022", "zero-bubble": "megatron-2022",
    "hagemann": "pytorch-2023", "internevo": "pytorch-2023", "nanotron": "pytorch-2023", "llama3": "megatron-2023",
    "megatron-core-h100": "megatron-2023", "megatron-core-llama-readme": "megatron-2025", "nemotron4": "megatron-2023",
    "nemo-24.07": "nemo-2024", "nemo-longctx": "nemo-2024", "dgxc": "nemo-2025", "simumax-b200": "megatron-2025",
    "moe-folding": "megatron-2025",
    "llm-foundry": "fsdp-2023", "fms-fsdp": "fsdp-2023", "torchtitan": "torchtitan-2024",
}  # fmt: skip
"""Source of a case -> software generation: by what the source ran, never by how fast it was."""

_ACCELERATORS = {
    "A100-SXM4-80GB": "a100-sxm-80gb", "A100-SXM4-40GB": "a100-sxm-40gb", "V100-SXM3-32GB": "v100-sxm2-32gb", "A800": "a800-sxm-80gb",
    "H100": "h100-sxm", "H200": "h200-sxm", "B200": "b200-sxm", "GB200": "gb200", "A100": "a100-sxm-80gb", "V100": "v100-sxm2-32gb",
}  # fmt: skip

_NVLINK = {2: 150e9, 3: 300e9, 4: 450e9, 5: 900e9}
"""Generation of NVLink -> per accelerator and direction [B/s]; data sheets."""

_UNSAYABLE = ("1f1b-interleaved", "-torch", "-flash1", "-fused")
"""Parts of a case's name: an unknown degree of interleaving, attention kernels of other generations."""

_SCHEDULES: Mapping[str, Schedule] = {"zb-1p": "zb_h1", "zb-2p": "zb_h2"}
"""Part of a case's name -> schedule. # Assumes: what the paper's search finds within the memory of 1F1B, and within twice that, is as good
as its schedules by hand."""

Find = Callable[[str, str], Any]
"""A catalogue: (kind, name) -> entry; `scenario.entry`."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A published run.

    Args:
        seconds: measured step time; from TFLOP/s or tokens/s where the source prints those.
        split: `calibration` (constants may be fitted on it) or `held_out`.
    """

    name: str
    source: str
    split: Literal["calibration", "held_out"]
    job: Job
    layout: Layout
    machines: Machines
    seconds: float


def case(row: Mapping[str, Any], find: Find) -> Case:
    """The case of one row.

    Raises:
        MendableError: the row lacks what a prediction needs, or asks for what the simulator cannot say.
    """
    try:
        model = _model(row["model"])
        accelerator = _accelerator(row["hardware"], find)
        layout = _layout(row)
        # ZeRO-3 in the comparison of Narayanan et al. is DeepSpeed's.
        generation = "deepspeed-2021" if (row["source"], layout.sharding) == ("megatron-sc21-t2", "zero3") else GENERATIONS[row["source"]]
        software: Software = find("software", generation)
        job = Job(
            model=model,
            sequence=int(row["model"]["seq_len"]),
            global_batch=int(row["batch"]["global_batch_seqs"]),
            precision=_precision(str(row["precision"]), accelerator),
            software=software,
        )
        seconds = _seconds(row, model, job, layout)
    except KeyError as missing:
        raise MendableError(f"{row.get('id', 'a case')} lacks {missing}") from missing
    machines = _machines(row["hardware"], accelerator, layout.accelerators)
    return Case(name=row["id"], source=row["source"], split=row["split"], job=job, layout=layout, machines=machines, seconds=seconds)


def _model(written: Mapping[str, Any]) -> Transformer:
    moe = written.get("moe")
    experts = None
    if moe:
        experts = Experts(
            count=int(moe["experts"]),
            active=int(moe["top_k"]),
            ffn=int(moe["expert_ffn_hidden"]),
            shared=1 if moe.get("shared_expert_ffn_hidden") else 0,
            shared_ffn=int(moe.get("shared_expert_ffn_hidden") or 0) or None,
            first_dense=int(moe.get("leading_dense_layers") or 0),
        )
    kv = written.get("kv_heads")
    return Transformer(
        name=str(written.get("name", "")),
        layers=int(written["layers"]),
        hidden=int(written["hidden"]),
        heads=int(written["heads"]),
        key_value_heads=None if kv is None else int(kv),
        head_size=written.get("head_dim"),
        ffn=int(written["ffn_hidden"]),
        gated=bool(written.get("gated_mlp", False)),
        vocabulary=int(written["vocab"]),
        tied_embeddings=bool(written.get("tied_embeddings", True)),
        positions="rotary" if written.get("gated_mlp") else "learned",
        biases=not written.get("gated_mlp", False),
        norm="rms" if written.get("gated_mlp") else "layer",
        sequence=int(written["seq_len"]),
        experts=experts,
    )


def _accelerator(written: Mapping[str, Any], find: Find) -> Accelerator:
    sku = str(written.get("gpu_sku") or written["gpu"])
    name = _ACCELERATORS.get(sku) or _ACCELERATORS[str(written["gpu"])]
    accelerator: Accelerator = find("accelerators", name)
    return accelerator


def _precision(written: str, accelerator: Accelerator) -> str:
    plain = written.lower().split()[0].split("-")[0]
    name = {"mxfp8": "fp8", "bfloat16": "bf16"}.get(plain, plain)
    return "fp16" if name == "bf16" and "bf16" not in accelerator.peak else name


def _layout(row: Mapping[str, Any]) -> Layout:
    parallel, batch = row["parallel"], row["batch"]
    if any(word in str(row["id"]) for word in _UNSAYABLE) or str(row["id"]).endswith("-flash2"):
        raise MendableError(f"{row['id']} runs a schedule or an attention kernel that the simulator cannot say")
    tensor, pipeline, virtual = (int(parallel.get(key) or 1) for key in ("tp", "pp", "vpp"))
    recompute_written = str(row.get("recompute", "none"))
    recompute: Recompute = "none"
    if recompute_written.startswith("full"):
        recompute = "full"
    elif recompute_written.startswith("selective") and "op-level" not in recompute_written:
        recompute = "selective"
    elif not recompute_written.startswith("none"):
        raise MendableError(f"{row['id']} recomputes {recompute_written!r}, which the simulator cannot say")
    plain: Schedule = "interleaved" if virtual > 1 and pipeline > 1 else "1f1b"
    return Layout(
        tensor=tensor,
        context=int(parallel.get("cp") or 1),
        pipeline=pipeline,
        virtual=virtual if pipeline > 1 else 1,
        data=int(parallel.get("dp") or int(row["num_gpus"]) // (tensor * pipeline * int(parallel.get("cp") or 1))),
        expert=int(parallel.get("ep") or 1),
        expert_tensor=parallel.get("etp"),
        microbatch=int(batch["micro_batch_seqs"]),
        schedule=next((kind for part, kind in _SCHEDULES.items() if part in str(row["id"])), plain),
        sharding=_sharding(str(parallel.get("sharding", "ddp")), str(row["id"])),
        sequence_parallel=bool(parallel.get("sp")) and tensor > 1,
        recompute=recompute,
    )


def _sharding(written: str, name: str) -> Sharding:
    for kind in ("zero1", "zero2", "zero3"):
        if written == kind or f"({kind})" in written or written.startswith(f"{kind} in groups"):
            return kind
    if written.startswith("fsdp-zero2-like"):
        return "zero1"  # weights stay gathered: one gather and one scatter per step
    if written in ("ddp", "none", "zero0"):
        return "none"
    if written in ("fsdp", "fsdp-full", "hsdp"):
        return "zero3"
    raise MendableError(f"{name} shards as {written!r}, which the simulator cannot say")


def _machines(written: Mapping[str, Any], accelerator: Accelerator, used: int) -> Machines:
    inside = int(written["gpus_per_node"])
    nics = int(written.get("nics_per_node") or inside)
    domain = written.get("nvlink_domain")
    generation = written.get("nvlink_gen") or {"V100": 2, "A100": 3, "H100": 4, "H200": 4, "B200": 5, "GB200": 5}[str(written["gpu"])]
    node = Node(
        accelerator=accelerator,
        accelerators=inside,
        scale_up=ScaleUp(
            kind="switch",
            rate=_NVLINK[int(generation)],
            domain=None if domain is None else int(domain),
            # Hopper's switches are the first that reduce in flight.
            reduction=int(generation) >= 4,
        ),
        nics=nics,
        nic_rate=float(written["nic_Gbps"]) * 1e9 / 8,
        power=NodePower(rated=0.0, training=0.0, idle=0.0),
    )
    count = -(-used // inside)
    return Machines(node=node, count=count, network=SingleSwitch().build(node, count))


def _seconds(row: Mapping[str, Any], model: Transformer, job: Job, layout: Layout) -> float:
    measured = row.get("measured") or {}
    tokens = float(job.sequence * job.global_batch)
    accelerators = float(row["num_gpus"])
    if measured.get("iteration_time_s"):
        return float(measured["iteration_time_s"])
    if measured.get("tokens_per_s"):
        return tokens / float(measured["tokens_per_s"])
    if measured.get("tokens_per_s_per_gpu"):
        return tokens / accelerators / float(measured["tokens_per_s_per_gpu"])
    if row.get("iteration_time_s_derived"):
        return float(row["iteration_time_s_derived"])
    if measured.get("tflops_per_gpu_hardware"):
        flop = hardware_flop(model, job.sequence, layout.recompute).total * tokens
        return flop / accelerators / (float(measured["tflops_per_gpu_hardware"]) * 1e12)
    if measured.get("tflops_per_gpu_model"):
        return model_flop(model, job.sequence).total * tokens / accelerators / (float(measured["tflops_per_gpu_model"]) * 1e12)
    raise MendableError(f"{row['id']} measures no time")


def rows(table: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The rows of a measurement file `step-*.yaml`, each with its model, hardware, source and split written out, as `case` reads them."""
    shared = {"source": table["case_source"], "split": table["split"]}
    return tuple(
        {**row, **shared, "model": {"name": row["model"], **table["models"][row["model"]]}, "hardware": table["hardware"][row["hardware"]]}
        for row in table["rows"]
    )
