"""Published training runs as cases: a mapping as transcribed -> model, job, layout, machines, and what was measured beside them.

What is predicted is never an input: the fields of `measured` and what was derived from them are read by `measured.py` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from simulator.errors import MendableError
from simulator.hardware import Accelerator
from simulator.model import Experts, LatentAttention, Transformer
from simulator.parallelism import Layout, Recompute, Sharding, changed, divisibility
from simulator.step import Job, Machines, clock, memory_use
from simulator.study.case_machines import accelerator_of, machines_of, nodes_of_eight
from simulator.study.case_software import Find, software_of, with_kernels
from simulator.study.case_words import modules, of_some_layers, precision, recompute, schedule, sharding, unstated
from simulator.study.measured import ALLOCATED, GIB, RESERVED, Measured, Peak, measured, outcome

_ONE = "microbatch 1"
"""What is assumed where a row says nothing of its microbatch, until the fastest that fits is known."""

Split = Literal["calibration", "held_out", "blind"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A published run.

    Args:
        split: `calibration` (constants may be fitted on it), `held_out`, or `blind` (held out, and written down before anything
            of its source was predicted).
        measured: what the source prints.
        assumed: what the row does not say and was filled in.
    """

    name: str
    source: str
    split: Split
    job: Job
    layout: Layout
    machines: Machines
    measured: Measured
    assumed: tuple[str, ...] = ()

    @property
    def generation(self) -> str:
        """Name of the software generation."""
        return self.job.software.name

    @property
    def seconds(self) -> float:
        """Measured step time [s]; 0 where none is printed."""
        return self.measured.seconds or 0.0


def case(row: Mapping[str, Any], find: Find) -> Case:
    """The case of one row.

    Raises:
        MendableError: the row lacks what a prediction needs, or asks for what the simulator cannot say.
    """
    assumed: list[str] = []
    wrong = _Wrong()
    read = {part: wrong.read(part, _part, row, part) for part in _PARTS}
    written = {part: found or {} for part, found in read.items()}
    row = {"id": "unnamed", **row, **written}
    model = None if read["model"] is None else wrong.read("model", _model, written["model"])
    named = None if read["hardware"] is None else wrong.read("hardware", accelerator_of, written["hardware"], find)
    spared = wrong.read("recompute", recompute, str(row.get("recompute") or "not stated"))
    divided = wrong.read("parallel", sharding, str(written["parallel"].get("sharding") or "ddp"))
    layout = (
        None
        if read["parallel"] is None or read["batch"] is None
        else wrong.read("parallel", _layout, row, divided or "none", spared or "none", assumed)
    )
    runs_in = wrong.read("precision", _runs_in, row, named[0] if named else None)
    batch = None if read["batch"] is None else wrong.read("batch", _global_batch, row, layout)
    machines = (
        wrong.read("hardware", machines_of, written["hardware"], named[0], named[1], layout.accelerators, find, assumed)
        if named and layout
        else None
    )
    software = wrong.read("framework and year", software_of, row, named[0], layout, find) if named and layout and runs_in else None
    if wrong or not (model and named and layout and runs_in and batch and machines and software):
        raise MendableError("; ".join(dict.fromkeys(wrong)))
    assumed += [software[1]] if software[1] else []
    assumed += _told(row, spared)
    job = Job(model=model, sequence=model.sequence, global_batch=batch, precision=runs_in, software=software[0])
    # Who ran it may have split the layers as unevenly as they liked (`chunk_layers` does); all else has to divide.
    chunks = layout.pipeline * layout.virtual
    even = model if layout.stage_layers else replace(model, layers=-(-model.layers // chunks) * chunks)
    refused = divisibility(layout, even, global_batch=job.global_batch, accelerators=machines.accelerators, sequence=job.sequence)
    if refused is not None:
        raise MendableError(refused.reason)
    somehow, free = _interleaved_somehow(row, layout), _ONE in assumed
    if somehow or free:
        layout = _fastest(job, layout, machines, somehow, free)
    if somehow:
        assumed.append(f"{layout.virtual} chunks per stage, the fastest degree of interleaving")
    if free:
        assumed[assumed.index(_ONE)] = f"microbatch {layout.microbatch}, the fastest that fits"
    if of_some_layers(str(row.get("recompute"))) and layout.recompute_layers is None:
        layout = _fewest_recomputed(job, layout, machines)
        assumed.append(f"recompute of {layout.recompute_layers or 'all'} layers of each chunk, the fewest that fit")
    if unstated(str(row.get("recompute") or "not stated")):
        layout = _least_recompute(job, layout, machines)
        layers = f" of {layout.recompute_layers} layers of each chunk" if layout.recompute_layers else ""
        assumed.append(f"recompute {layout.recompute}{layers}, the least that fits")
    results = wrong.read("measured", measured, row, job, layout)
    if results is None:
        raise MendableError("; ".join(wrong))
    return Case(
        name=str(row["id"]),
        source=str(row.get("source") or "unnamed"),
        split=split_of(row),
        job=job,
        layout=layout,
        machines=machines,
        measured=results,
        assumed=tuple(assumed),
    )


def split_of(row: Mapping[str, Any]) -> Split:
    """As the row says; held out where it says nothing."""
    written = row.get("split")
    return written if written in ("calibration", "blind") else "held_out"


_Read = TypeVar("_Read")


class _Wrong(list[str]):
    """What is wrong with a row: all its parts are read before it is refused."""

    def read(self, part: str, reader: Callable[..., _Read], *given: Any) -> _Read | None:
        """What the reader makes of a part; None where it refuses, and why is kept."""
        try:
            return reader(*given)
        except MendableError as refused:
            self.append(str(refused))
        except KeyError as missing:
            self.append(f"the case lacks {missing} in `{part}`")
        except (TypeError, ValueError, AttributeError, OverflowError) as other:
            self.append(f"`{part}` of the case cannot be read: {other}")
        return None


_PARTS: Mapping[str, str] = {
    "model": "name layers hidden heads kv_heads head_dim ffn_hidden gated_mlp vocab seq_len tied_embeddings family arch_source "
    "params_total_B params_active_B moe mla mtp_layers layer_reduced_proxy",
    "hardware": "gpu gpu_sku gpu_memory_GB peak_tflops nvlink_gen gpus_per_node nics_per_node nic_Gbps fabric assumed note nvlink_domain "
    "scale_up_GBps",
    "parallel": "tp pp vpp stage_layers sharding sp dp cp ep etp fsdp",
    "batch": "micro_batch_seqs global_batch_seqs global_batch_tokens grad_accum local_batch_seqs_per_dp",
}
"""Part of a row -> its fields. Others are told to be unread, not refused."""


_NO_NUMBERS = (
    "name gated_mlp tied_embeddings family arch_source moe mla layer_reduced_proxy gpu gpu_sku peak_tflops fabric assumed note "
    "stage_layers sharding sp fsdp"
)
"""Fields of those parts that are words, switches or parts of their own; all others are numbers."""


def _part(row: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    found = row.get(part)
    if found is None and part in ("parallel", "batch"):
        return {}
    if not isinstance(found, Mapping):
        raise MendableError(f"`{part}` of the case cannot be read: it is no mapping")
    numbers = set(_PARTS[part].split()) - set(_NO_NUMBERS.split())
    wrong = [
        f"{part}.{field} is {str(found[field])[:20]!r}, a number is expected"
        for field in found
        if field in numbers and not _number(found[field])
    ]
    if wrong:
        raise MendableError("; ".join(wrong))
    return found


def _number(given: Any) -> bool:
    if given is None:
        return True
    try:
        return 0 <= float(given) < 1e15
    except (TypeError, ValueError):
        return False


def _lacks(written: Mapping[str, Any], part: str, *fields: str) -> None:
    missing = [f"'{field}'" for field in fields if written.get(field) is None]
    if missing:
        raise MendableError(f"the case lacks {' and '.join(missing)} in `{part}`")


def _told(row: Mapping[str, Any], spared: Recompute | None) -> list[str]:
    """What of a row is not read, or not as it is written."""
    unread = [f"{part}.{field}" for part, known in _PARTS.items() for field in row[part] if field not in known.split()]
    found = [f"not read: {', '.join(unread)}"] if unread else []
    if unstated(str(row["parallel"].get("sharding") or "")):
        found.append("nothing sharded")
    if modules(str(row.get("recompute"))) and spared == "none":
        found.append("recompute of norms, activations and latent projections not counted")
    return found


def _runs_in(row: Mapping[str, Any], accelerator: Accelerator | None) -> str:
    _lacks(row, "the row", "precision")
    name = precision(str(row["precision"]))
    if accelerator is None:
        return name
    name = "fp16" if name == "bf16" and "bf16" not in accelerator.peak else name
    if name not in accelerator.peak:
        raise MendableError(f"{accelerator.name or row['hardware']['gpu']} has no {name} units", f"it has {', '.join(accelerator.peak)}")
    return name


def _global_batch(row: Mapping[str, Any], layout: Layout | None) -> int:
    """Sequences of one step: as written, or by its tokens, or by its microbatches."""
    batch = row["batch"]
    if batch.get("global_batch_seqs"):
        return int(batch["global_batch_seqs"])
    if batch.get("global_batch_tokens") and row["model"].get("seq_len"):
        return round(float(batch["global_batch_tokens"]) / int(row["model"]["seq_len"]))
    if batch.get("micro_batch_seqs") and batch.get("grad_accum") and layout is not None:
        return int(batch["micro_batch_seqs"]) * int(batch["grad_accum"]) * layout.data
    raise MendableError("the case lacks 'global_batch_seqs' in `batch`")


def _model(written: Mapping[str, Any]) -> Transformer:
    _lacks(written, "model", "layers", "hidden", "heads", "ffn_hidden", "vocab", "seq_len")
    moe, mla = written.get("moe"), written.get("mla")
    experts = latent = None
    if moe:
        experts = Experts(
            count=int(moe["experts"]),
            active=int(moe["top_k"]),
            ffn=int(moe["expert_ffn_hidden"]),
            shared=1 if moe.get("shared_expert_ffn_hidden") else 0,
            shared_ffn=int(moe.get("shared_expert_ffn_hidden") or 0) or None,
            first_dense=int(moe.get("leading_dense_layers") or 0),
            every=int(moe.get("moe_layer_every") or 1),
        )
    if mla:
        latent = LatentAttention(
            query_rank=int(mla["q_lora_rank"]) if mla.get("q_lora_rank") else None,
            key_value_rank=int(mla["kv_lora_rank"]),
            rotary_head=int(mla["qk_rope_head_dim"]),
            value_head=int(mla["v_head_dim"]),
        )
    kv, gated = written.get("kv_heads"), bool(written.get("gated_mlp", False))
    return Transformer(
        name=str(written.get("name", "")),
        layers=int(written["layers"]),
        hidden=int(written["hidden"]),
        heads=int(written["heads"]),
        key_value_heads=None if kv is None else int(kv),
        head_size=None if written.get("head_dim") is None else int(written["head_dim"]),
        ffn=int(written["ffn_hidden"]),
        gated=gated,
        vocabulary=int(written["vocab"]),
        tied_embeddings=bool(written.get("tied_embeddings", True)),
        positions="rotary" if gated else "learned",
        biases=not gated,
        norm="rms" if gated else "layer",
        sequence=int(written["seq_len"]),
        experts=experts,
        latent_attention=latent,
        # Models cut down to a few layers run without the prediction layers that their originals have, as their peaks of memory show.
        prediction_heads=0 if written.get("layer_reduced_proxy") else int(written.get("mtp_layers") or 0),
    )


def _layout(row: Mapping[str, Any], divided: Sharding, spared: Recompute, assumed: list[str]) -> Layout:
    parallel, batch, name = row["parallel"], row["batch"], str(row["id"])
    known = str(row.get("source")) in ("zero-bubble", "hagemann")
    # The catalogue's rows of these two sources say schedule and kernel in their names alone.
    notes = f"{row.get('schedule_notes', '')} {name.partition('-')[2] if known else ''}".lower()
    tensor, pipeline, context = (int(parallel.get(key) or 1) for key in ("tp", "pp", "cp"))
    virtual = int(parallel.get("vpp") or 1)
    data = int(parallel.get("dp") or 0)
    accelerators = int(row.get("num_gpus") or 0) or tensor * pipeline * context * data
    if not accelerators:
        raise MendableError("the case lacks 'num_gpus', and 'dp' in `parallel` from which it would follow")
    data = data or max(accelerators // (tensor * pipeline * context), 1)
    if tensor * pipeline * context * data != accelerators:
        raise MendableError(f"tp x cp x pp x dp = {tensor * context * pipeline * data} is not num_gpus = {accelerators}")
    split = parallel.get("sp")
    if split is None and tensor > 1 and int(row.get("year") or 2020) >= 2023 and divided != "none":
        split = True
        assumed.append("sequence parallelism on")
    order = schedule(notes, virtual, pipeline)
    if pipeline > 1 and "fsdp2" in str(parallel.get("sharding")):
        # In a pipeline, weights stay gathered from the first forward to the last backward pass, and gradients are reduced once.
        # Source: pytorch/torchtitan at 9dec370, torchtitan/parallelisms/parallelize_llama.py (`reshard_after_forward`).
        divided = "zero1"
    return Layout(
        tensor=tensor,
        context=context,
        pipeline=pipeline,
        virtual=2 if order == "zb_v" else virtual if pipeline > 1 else 1,
        stage_layers=tuple(map(int, parallel["stage_layers"])) if parallel.get("stage_layers") else None,
        data=data,
        expert=int(parallel.get("ep") or 1),
        expert_tensor=None if parallel.get("etp") is None else int(parallel["etp"]),
        microbatch=_microbatch(batch, data, pipeline, assumed),
        schedule=order,
        sharding=divided,
        sequence_parallel=bool(split) and tensor > 1,
        recompute=spared,
        recompute_layers=None if row.get("recompute_layers") is None else int(row["recompute_layers"]),
    )


def _microbatch(batch: Mapping[str, Any], data: int, pipeline: int, assumed: list[str]) -> int:
    if batch.get("micro_batch_seqs"):
        return int(batch["micro_batch_seqs"])
    if batch.get("local_batch_seqs_per_dp") and pipeline > 1:
        # torchtitan's default: as many microbatches as stages (torchtitan/parallelisms/pipelining_utils.py at 9dec370).
        assumed.append("as many microbatches as stages")
        return max(int(batch["local_batch_seqs_per_dp"]) // pipeline, 1)
    if batch.get("grad_accum"):
        return max(int(batch.get("global_batch_seqs") or 0) // (data * int(batch["grad_accum"])), 1)
    assumed.append(_ONE)
    return 1


def _interleaved_somehow(row: Mapping[str, Any], layout: Layout) -> bool:
    """Whether a pipelined case says that it interleaves, or that nobody knows, but not how much."""
    if layout.pipeline == 1 or layout.schedule != "1f1b" or int(row["parallel"].get("vpp") or 1) > 1:
        return False
    name = str(row["id"]) if row.get("source") == "zero-bubble" else ""
    said = f"{row.get('schedule_notes', '')} {row.get('notes', '')} {name}".lower()
    if re.search(r"(no|not|without) interleav", said):
        return False
    unknown = "vpp" not in row["parallel"] and re.search("vpp|interleaving", " ".join(map(str, row.get("assumed") or ())))
    return bool(re.search("interleaved", said) or unknown)


def _fastest(job: Job, layout: Layout, machines: Machines, interleaved: bool, microbatch: bool) -> Layout:
    """With as many chunks per stage, and the microbatch of those that fit, as are predicted fastest: who publishes a run has tuned it."""
    choices = [layout]
    if microbatch:
        sizes = [size for size in (1, 2, 4, 8) if job.global_batch % (layout.data * size) == 0]
        choices = [tried for tried in (replace(layout, microbatch=size) for size in sizes) if _fits(job, tried, machines)] or choices
    if interleaved:
        choices = [tried for choice in choices for tried in _interleavings(job, choice, machines)]
    return min(choices, key=lambda tried: clock(job, tried, machines).total)


def _fits(job: Job, layout: Layout, machines: Machines) -> bool:
    use = memory_use(job, layout, machines)
    return use.total_bytes <= use.capacity_bytes


def _interleavings(job: Job, layout: Layout, machines: Machines) -> list[Layout]:
    microbatches = job.global_batch // (layout.data * layout.microbatch)
    each = -(-job.model.layers // layout.pipeline)
    choices = [layout]
    if microbatches % layout.pipeline == 0:
        for virtual in range(2, each + 1):
            tried = changed(layout, virtual=virtual, schedule="interleaved")
            refused = divisibility(tried, job.model, global_batch=job.global_batch, accelerators=machines.accelerators)
            if each % virtual == 0 and refused is None:
                choices.append(tried)
    return choices


def _fewest_recomputed(job: Job, layout: Layout, machines: Machines) -> Layout:
    """Full recompute of the fewest layers that fit: who leaves some of them alone does it to save time."""
    most = -(-job.model.layers // (layout.pipeline * layout.virtual))
    tried = (replace(layout, recompute_layers=count) for count in range(1, most))
    return next((fewer for fewer in tried if _fits(job, fewer, machines)), layout)


def _least_recompute(job: Job, layout: Layout, machines: Machines) -> Layout:
    kinds: tuple[Recompute, ...] = ("none", "full") if job.software.fused_attention else ("none", "selective", "full")
    for kind in kinds:
        tried = replace(layout, recompute=kind)
        if _fits(job, tried, machines):
            return _fewest_recomputed(job, tried, machines) if kind == "full" else tried
    return replace(layout, recompute="full")


def rows(document: Any, architectures: Mapping[str, Any] | None = None) -> tuple[Mapping[str, Any], ...]:
    """The rows of a file of measurements, each with all that `case` reads written out.

    Args:
        document: a list of rows (each whole, or naming its model); or a file of the catalogue, `step-*`.
        architectures: name -> architecture, for rows that only name their model.

    Raises:
        MendableError: it is neither.
    """
    if isinstance(document, list):
        return tuple(_whole(row, architectures or {}) for row in document if isinstance(row, Mapping))
    if not isinstance(document, Mapping) or "case_source" not in document:
        raise MendableError("a file of measurements is a list of cases, or a mapping with `case_source` and `rows`")
    shared = {"source": document["case_source"], "split": document["split"]}
    models, hardware = document["models"], document["hardware"]
    return tuple(
        {**row, **shared, "model": {"name": row["model"], **models[row["model"]]}, "hardware": hardware[row["hardware"]]}
        for row in document["rows"]
    )


def memory_cases(name: str, document: Mapping[str, Any], find: Find) -> tuple[Case, ...]:
    """The cases of a file `memory-NAME.yaml` of the catalogue: peaks, or what fits, written with the fields of the domain's classes.

    Raises:
        MendableError: its accelerator is not known.
    """
    machines = nodes_of_eight(str(document.get("accelerator", name)), find)
    models = {key: _written_out(fields) for key, fields in document["models"].items()}
    generation = str(document.get("software", "megatron-2023"))
    found = []
    for row in document["rows"]:
        said = row if isinstance(row, Mapping) else dict(zip(document["columns"], row, strict=True))
        split = document["split"]
        if isinstance(split, Mapping):
            split = next(which for which, members in split.items() if said["model"] in members)
        degrees = ("tensor", "pipeline", "data", "microbatch", "sequence_parallel", "recompute")
        layout = Layout(**said["layout"]) if "layout" in said else Layout(**{key: said[key] for key in degrees}, sharding="zero1")
        named = str(said.get("software", generation))
        software = replace(find("software", named), **document.get("settings", {}), **said.get("settings", {}))
        job = Job(
            model=models[said["model"]],
            sequence=int(said["sequence"]),
            global_batch=int(said["global_batch"]),
            precision=str(said.get("precision", "bf16")),
            software=with_kernels(software, str(said.get("kernel", "")), name),
        )
        called = said.get("id") or "-".join(str(said[key]) for key in ("model", "kernel", "sequence", "global_batch", *degrees))
        stage = 0 if document.get("rank") == "first" else None
        peaks = (Peak(size=float(said[key]) * GIB, without=without, stage=stage) for key, without in _peaks(name) if key in said)
        found.append(
            Case(
                name=str(called),
                source=name,
                split=split,
                job=job,
                layout=layout,
                machines=machines(layout.accelerators),
                measured=Measured(peak=next(peaks, None), fitted=outcome(said)),
            )
        )
    return tuple(found)


def _peaks(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Columns of memory, and what they leave out."""
    return (("allocated_gib", ALLOCATED), ("peak_gib", RESERVED), ("peak_gb", ALLOCATED if name.startswith("zero-bubble") else RESERVED))


def _written_out(fields: Mapping[str, Any]) -> Transformer:
    parts = {"experts": Experts, "latent_attention": LatentAttention}
    return Transformer(**{key: parts[key](**value) if key in parts else value for key, value in fields.items()})


def architectures(documents: Iterable[Any]) -> dict[str, Any]:
    """Name -> architecture of every model that the documents write out."""
    found: dict[str, Any] = {}
    for document in documents:
        if isinstance(document, list):
            written = [row["model"] for row in document if isinstance(row, Mapping) and isinstance(row.get("model"), Mapping)]
            found |= {str(model["name"]): model for model in written if model.get("name")}
        elif isinstance(document, Mapping) and "case_source" in document:
            found |= {name: {"name": name, **model} for name, model in document["models"].items()}
    return found


_A100 = {
    "gpu": "A100",
    "gpu_sku": "A100-SXM4-80GB",
    "gpu_memory_GB": 80,
    "nvlink_gen": 3,
    "gpus_per_node": 8,
    "nics_per_node": 8,
    "nic_Gbps": 200,
}
_CARDS = {
    "a100": _A100,
    "h100": {"gpu": "H100", "nvlink_gen": 4, "gpus_per_node": 8},
    "b200": {"gpu": "B200", "nvlink_gen": 5, "gpus_per_node": 8},
}


def _whole(row: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with its parts in their places: rows that say whether a layout fits write their degrees flat."""
    if isinstance(row.get("model"), Mapping) or "tp" not in row:
        return row
    named = str(row.get("model"))
    model = known.get(named)
    if model is None:
        return row
    hagemann = named.startswith("hagemann-")
    held_out = not hagemann or not named.endswith("13b")
    card = str(row.get("gpu", "")).lower()
    return {
        "source": "hagemann-fit" if hagemann else "unnamed",
        "split": "held_out" if held_out else "calibration",
        **row,
        "model": {**model, "seq_len": row.get("seq_len", model.get("seq_len"))},
        "hardware": row.get("hardware") or next((about for start, about in _CARDS.items() if card.startswith(start)), {"gpu": card}),
        "parallel": {key: row.get(key) for key in ("tp", "pp", "cp", "vpp", "dp", "ep", "etp", "sharding")}
        | {"sp": row.get("sequence_parallel")},
        "batch": {key: row.get(key) for key in ("micro_batch_seqs", "global_batch_seqs")},
    }
