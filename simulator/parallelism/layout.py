"""How the work is split: degrees of each kind of parallelism, and the groups of ranks that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from simulator.spec import require

Schedule = Literal["gpipe", "1f1b", "interleaved", "zb_h1", "zb_h2", "zb_v", "dualpipe"]
Sharding = Literal["none", "zero1", "zero2", "zero3"]
Recompute = Literal["none", "selective", "full"]
Offload = Literal["optimizer", "optimizer_nvme", "activations"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Degrees of parallelism. tensor · context · pipeline · data = accelerators used; expert · expert_tensor · pipeline divides them.

    Args:
        virtual: model chunks per pipeline stage (interleaved schedule; 2 for zb_v).
        stage_layers: layers of each chunk in the order of the model, such as [11, 5]; as equal as they can be where absent.
        expert_tensor: tensor degree inside an expert; `tensor` where absent.
        microbatch: sequences per microbatch and data-parallel rank.
        sharding: of optimizer states (zero1), and gradients (zero2), and weights (zero3, FSDP) over the data-parallel ranks.
        sequence_parallel: activations outside the tensor-parallel blocks are split over the tensor ranks.
        recompute: which activations are computed again in the backward pass.
        recompute_layers: layers of each chunk that `full` recompute is for, the others keep everything; all of them where absent.
        offload: what is kept in the host's memory: `optimizer` (Adam's states, updated there; or `optimizer_nvme`, on its drives) and
            `activations` (fetched back layer by layer).
        tensor, pipeline, data: degrees of tensor, pipeline and data parallelism.
        context: ranks among which one sequence is split.
        expert: ranks among which the experts of a layer are spread; inside tensor · context · data.
        schedule: order of forward and backward passes on a stage. `zb_h1`, `zb_h2` and `zb_v` compute the gradients of weights later than
            those of inputs; `dualpipe` sends microbatches from both ends through two copies of the model.
    """

    tensor: int = 1
    context: int = 1
    pipeline: int = 1
    virtual: int = 1
    stage_layers: tuple[int, ...] | None = None
    data: int = 1
    expert: int = 1
    expert_tensor: int | None = None
    microbatch: int = 1
    schedule: Schedule = "1f1b"
    sharding: Sharding = "none"
    sequence_parallel: bool = False
    recompute: Recompute = "none"
    recompute_layers: int | None = None
    offload: tuple[Offload, ...] = ()

    def __post_init__(self) -> None:
        for name in ("tensor", "context", "pipeline", "virtual", "data", "expert", "microbatch"):
            require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}, at least 1 is expected")
        require(
            self.virtual == 1 or self.schedule in ("interleaved", "zb_v"),
            f"virtual {self.virtual} needs an interleaved schedule, not {self.schedule}",
            "write schedule: interleaved",
        )
        require(
            self.schedule != "interleaved" or (self.virtual > 1 and self.pipeline > 1),
            "an interleaved schedule needs virtual and pipeline of at least 2",
            "write schedule: 1f1b",
        )
        twice = len(set(self.offload)) < len(self.offload) or {"optimizer", "optimizer_nvme"} <= set(self.offload)
        require(not twice, f"offload names a place for the same thing twice: {', '.join(self.offload)}", "name each once")
        require(self.schedule != "zb_v" or self.virtual == 2, "the zb_v schedule has 2 chunks per stage", "write virtual: 2")
        again = self.recompute_layers
        require(again is None or again >= 1, f"recompute_layers is {again}, at least 1 is expected", "write recompute: none")
        require(
            again is None or self.recompute == "full",
            f"recompute_layers says nothing of recompute {self.recompute}",
            "write recompute: full",
        )
        require(
            again is None or "activations" not in self.offload,
            "activations go to the host layer by layer, of which recompute_layers keeps some whole and some not",
            "leave out recompute_layers or offload of activations",
        )
        chunks, told = self.pipeline * self.virtual, self.stage_layers
        if told is not None:
            what = f"stage_layers has {len(told)} numbers, pipeline {self.pipeline} x virtual {self.virtual} asks for {chunks}"
            require(len(told) == chunks, what, "write one number for each chunk, in the order of the model")
            require(min(told) >= 0, "stage_layers has a negative number")

    @property
    def updates_on_host(self) -> bool:
        """Whether the optimizer's states are kept off the accelerators, and updated there."""
        return any(kept != "activations" for kept in self.offload)

    def computed_again(self, layers: int) -> int:
        """Layers whose forward pass runs again, of a chunk with so many."""
        if self.recompute != "full":
            return 0
        return layers if self.recompute_layers is None else min(layers, self.recompute_layers)

    @property
    def accelerators(self) -> int:
        """Accelerators used."""
        return self.tensor * self.context * self.pipeline * self.data


def changed(layout: Layout, **change: Any) -> Layout:
    """The layout with some fields changed; its stages are as equal as they can be where the number of its chunks is another."""
    chunks = change.get("pipeline", layout.pipeline) * change.get("virtual", layout.virtual)
    kept = layout.stage_layers if chunks == layout.pipeline * layout.virtual else None
    return replace(layout, **{"stage_layers": kept, **change})
