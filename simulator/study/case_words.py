"""The words of published runs for precision, sharding, recompute and schedule -> the simulator's own. Text in, text out."""

from __future__ import annotations

import re

from simulator.errors import MendableError
from simulator.parallelism import Recompute, Schedule, Sharding

_PRECISIONS: tuple[tuple[str, str], ...] = (
    ("fp4", "(nv|mx)?fp4"), ("fp8", "(mx)?fp8|float8|e[45]m[23]"), ("int8", "int8"), ("bf16", "bf16|bfloat16|amp|mixed"),
    ("fp16", "fp16|float16|half|16"), ("tf32", "tf32"), ("fp32", "fp32|float32"),
)  # fmt: skip
"""Precision -> how it is written, narrowest first."""


def precision(written: str) -> str:
    """What matrix products run in: the narrowest precision that is named before a comma, a bracket or a "with".

    >>> precision("bf16+fp8"), precision("MXFP8"), precision("bfloat16, fp32 optimizer"), precision("16-mixed")
    ('fp8', 'fp8', 'bf16', 'bf16')

    Raises:
        MendableError: it names none.
    """
    words = re.findall("[a-z0-9]+", re.split(r"[,;(]|\bwith\b", written.lower().strip())[0])
    for name, pattern in _PRECISIONS:
        if any(re.fullmatch(pattern, word) for word in words):
            return name
    raise MendableError(f"the simulator cannot say precision {written[:40]!r}", f"known: {', '.join(name for name, _ in _PRECISIONS)}")


_SHARDINGS: tuple[Sharding, ...] = ("none", "zero1", "zero2", "zero3")
"""By the stage of ZeRO."""


def sharding(written: str) -> Sharding:
    """What is divided over the data-parallel ranks; nothing where the run does not say.

    >>> sharding("ZeRO-3"), sharding("stage2"), sharding("FULL_SHARD"), sharding("distributed_optimizer"), sharding("not stated")
    ('zero3', 'zero2', 'zero3', 'zero1', 'none')

    Raises:
        MendableError: it cannot be said.
    """
    said = written.lower()
    for kind in _SHARDINGS:
        if said == kind or f"({kind})" in said or said.startswith(f"{kind} "):
            return kind
    stage = re.match(r"(?:zero|deepspeed|sharding)?[\s_-]*(?:zero|stage)?[\s_-]*([0-3])\b", said)
    if stage:
        return _SHARDINGS[int(stage[1])]
    if said.startswith("fsdp-zero2-like"):
        return "zero1"  # weights stay gathered: one gather and one scatter per step
    if unstated(said) or re.match(r"(ddp|none|no[\s_-]?shard|replicated|data[\s_-]parallel)\b", said):
        return "none"
    if re.match(r"dist", said):
        return "zero1"
    if re.match(r"(shard[\s_-]?grad[\s_-]?op)\b", said):
        return "zero2"
    if re.match(r"(megatron[\s_-])?(fsdp|fsdp-full|fsdp2|hsdp|full[\s_-]?shard|hybrid[\s_-]?shard)\b", said) and "between" not in said:
        return "zero3"
    raise MendableError(
        f"the simulator cannot say sharding {written[:40]!r}",
        "known: none, zero1, zero2, zero3, fsdp; weights are divided over all replicas",
    )


_CHEAP = frozenset({"layernorm", "rmsnorm", "norm", "moe_act", "swiglu", "mla_up_proj"})
"""Modules of `--recompute-modules` that leave the core of attention alone and cost a per cent or two.

Source: NVIDIA/Megatron-LM at 022bcb5, megatron/core/transformer/moe/README.md, "Checkpointing"."""


def modules(written: str) -> frozenset[str]:
    """The modules that a run recomputes, where it names them.

    >>> sorted(modules("selective: mla_up_proj, moe_act")), modules("selective (core attention)")
    (['mla_up_proj', 'moe_act'], frozenset())
    """
    named = re.match(r"(?:selective|modules)\s*:\s*(.+)", written.lower())
    return frozenset(re.findall("[a-z_]{3,}", named[1])) if named else frozenset()


def recompute(written: str) -> Recompute:
    """What is computed again in the backward pass; nothing where the run does not say.

    >>> recompute("gradient checkpointing"), recompute("selective (per-op SAC)"), recompute("selective: moe_act"), recompute("off")
    ('full', 'selective', 'none', 'none')

    Raises:
        MendableError: it cannot be said.
    """
    said, named = written.lower(), modules(written)
    if (named and named <= _CHEAP) or re.match(r"(none|no|off|unknown|false)\b|not\b", said) or re.search(r"\b(off|disabled)\b", said):
        return "none"
    if of_some_layers(said) or re.match(r"(full|true\b|yes\b|on\b|all\b|(gradient|activation)s?[\s_-]*checkpoint)", said):
        return "full"
    # MaxText's `minimal` keeps every product without a batch dimension, so that attention's core is repeated. Source:
    # google/maxtext at 76bd53b, MaxText/layers/models.py.
    core = not named or bool(named & {"core_attn", "attention"})
    if said.startswith(("selective", "minimal")) and core and not re.search("custom|remat", said):
        return "selective"
    raise MendableError(f"the simulator cannot say recompute {written[:40]!r}", "known: none, selective (the core of attention), full")


def of_some_layers(written: str) -> bool:
    """Whether some layers are recomputed and others not."""
    return "layer subset" in written.lower()


def unstated(written: str) -> bool:
    """Whether a run says that it does not say."""
    return bool(re.match("not stated|unknown|none stated", written.lower()))


_SCHEDULES: tuple[tuple[str, Schedule], ...] = (
    ("dualpipe", "dualpipe"), ("zb-?v", "zb_v"), ("zb-?h1", "zb_h1"), ("zb-?h2", "zb_h2"), ("zb-?1p", "zb_h1"), ("zb-?2p", "zb_h2"),
    ("gpipe", "gpipe"),
)  # fmt: skip
"""What a row's notes name -> schedule. # Assumes: what the zero-bubble paper's search finds within the memory of 1F1B (ZB-1p), and within
twice that (ZB-2p), is as good as its schedules by hand."""


def schedule(notes: str, virtual: int, pipeline: int) -> Schedule:
    """The schedule that notes name, in lower case; 1F1B or interleaved 1F1B where they name none.

    >>> schedule("zb-v, 2 chunks", 2, 4), schedule("", 2, 4), schedule("dualpipe", 1, 1)
    ('zb_v', 'interleaved', '1f1b')
    """
    if pipeline == 1:
        return "1f1b"
    named = next((schedule for pattern, schedule in _SCHEDULES if re.search(rf"\b{pattern}\b", notes)), None)
    return named or ("interleaved" if virtual > 1 else "1f1b")
