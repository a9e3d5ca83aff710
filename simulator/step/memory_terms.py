"""Where each byte comes from, for `explain`."""

from __future__ import annotations

from simulator import units
from simulator.outcome import MemoryUse, Term
from simulator.parallelism import Layout
from simulator.step.job import Job

_RAJBHANDARI = "Rajbhandari et al. 2020, arXiv:1910.02054, sections 3 and 5"
_KORTHIKANTI = "Korthikanti et al. 2022, arXiv:2205.05198, section 4"


def memory_terms(job: Job, layout: Layout, memory: MemoryUse) -> tuple[Term, ...]:
    """Each part of a memory use (see `memory_use`) with its formula and source."""
    parts, software = memory.parts_bytes, job.software
    wide = 4 if job.precision in ("fp32", "tf32") else 2
    kept = 4 if layout.sharding == "zero3" else wide  # fully sharded: only the fp32 master weights stay
    gradient = wide if wide == 4 else software.gradient_size(job.precision)
    states = 8 if wide == 4 or layout.sharding == "zero3" else 12
    allocated = memory.total_bytes - parts["fragmentation"] - parts["workspace"]
    level = ("none", "zero1", "zero2", "zero3").index(layout.sharding)

    again = "" if layout.recompute_layers is None else f" of {layout.recompute_layers} layers of each chunk"

    def sharded(sharded_from: int) -> str:
        return f" ({layout.sharding} over {layout.data * layout.context} ranks)" if level >= sharded_from else ""

    shown = {
        "weights": (f"{parts['weights'] / kept:.6g} parameters on the rank x {kept} B{sharded(3)}", _RAJBHANDARI),
        "gradients": (f"{parts['gradients'] / gradient:.6g} gradients on the rank x {gradient} B{sharded(2)}", _RAJBHANDARI),
        "optimizer": (f"{parts['optimizer'] / states:.6g} parameters on the rank x {states} B of Adam's states{sharded(1)}", _RAJBHANDARI),
        "activations": (
            f"microbatches in flight under {layout.schedule} x layers of the stage x what each keeps, {layout.microbatch} x"
            f" {job.sequence} tokens, recompute {layout.recompute}{again}; and what lives while one layer, or the logits, go backward",
            _KORTHIKANTI,
        ),
        "buffers": ("messages between stages, inputs gathered from the tensor ranks, weight gradients, copies to reduce", "counting"),
        "workspace": ("as the software states it", software.source_of("workspace")),
        "fragmentation": (
            f"({software.fragmentation:g} - 1) x {units.format(allocated, 'data', 3)} allocated"
            + (", and what collectives read while the host was ahead" if software.keeps_sent and layout.tensor > 1 else ""),
            software.source_of("fragmentation"),
        ),
    }
    return tuple(
        Term(path=f"memory.parts_bytes.{name}", value=size, unit="B", formula=shown[name][0], source=shown[name][1])
        for name, size in parts.items()
    )
