"""Measure what one accelerator does with the operations that training is made of; needs PyTorch and nothing of the simulator.

    pip install torch
    python benchmarks/measure_accelerator.py --out measured.json            a few minutes on a GPU
    python benchmarks/measure_accelerator.py --device cpu --quick --out measured.json
    simulator calibrate measured.json --accelerator h100-sxm --out accelerators/mine.yaml

Matrix products (of fp8 too, where the device has them), fused causal attention forward and backward, kernels that only move bytes, the time
between two dependent kernels, whole transformer layers with their optimizer, and collectives among the accelerators of the node. Each time
is the median of several; measure the machine idle, since whatever else it does is in them.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import measured_shapes
import torch
from torch import distributed, multiprocessing
from torch.nn import functional

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
LONGEST_S = 0.5
"""Of one repetition; slower shapes are measured fewer times."""


class Clock:
    """Seconds of a call on one device: events on a GPU, the wall clock elsewhere."""

    def __init__(self, device: str, repeats: int) -> None:
        self.device, self.repeats, self.gpu = device, repeats, device.startswith("cuda")

    def __call__(self, call: Callable[[], object], calls: int = 1) -> float:
        """The median of several repetitions of `calls` calls, per call."""
        call()
        once = self.once(call, 1)
        repeats = max(3, min(self.repeats, int(LONGEST_S / max(once, 1e-9))))
        return statistics.median(self.once(call, calls) / calls for _ in range(repeats))

    def once(self, call: Callable[[], object], calls: int) -> float:
        """Seconds of `calls` calls."""
        if self.gpu:
            before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            before.record()
            for _ in range(calls):
                call()
            after.record()
            torch.cuda.synchronize()
            return before.elapsed_time(after) * 1e-3
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - start


def fits(device: str, size: float) -> bool:
    """Whether so many bytes are free, with a margin."""
    return not device.startswith("cuda") or size < 0.7 * torch.cuda.mem_get_info()[0]


def streams(clock: Clock, largest: float) -> list[dict[str, float]]:
    """Scaling 32-bit numbers in place: as many bytes read as written, more of them than a GPU's caches hold."""
    found, size = [], 2**24 if clock.gpu else 2**18
    while 4 * size <= largest and fits(clock.device, 4 * size):
        data = torch.ones(size, device=clock.device)
        found.append({"bytes": 8.0 * size, "seconds": clock(lambda data=data: data.mul_(1.0))})
        size = int(size * 1.5)
    return found


def launch(clock: Clock) -> dict[str, float]:
    """Seconds from one tiny kernel to the next that needs its result."""
    data = torch.ones(1, device=clock.device)
    return {"seconds": clock(lambda: data.add_(1.0), calls=1000)}


def products(clock: Clock, precision: torch.dtype, quick: bool) -> list[dict[str, float]]:
    """Matrix products (m x k) times (k x n)."""
    found = []
    name = next(name for name, known in PRECISIONS.items() if known is precision)
    for m, n, k in measured_shapes.products(quick, name):
        if not fits(clock.device, 2.0 * measured_shapes.product_bytes((m, n, k), name)):
            continue
        a = torch.randn(m, k, device=clock.device, dtype=precision)
        b = torch.randn(n, k, device=clock.device, dtype=precision)
        found.append({"m": m, "n": n, "k": k, "seconds": clock(lambda a=a, b=b: functional.linear(a, b))})
    return found


def low_products(clock: Clock, quick: bool) -> list[dict[str, object]]:
    """Products of 8-bit factors, scaled as a whole, written in bf16; none where the device or PyTorch has no such product."""
    if not hasattr(torch, "float8_e4m3fn") or not hasattr(torch, "_scaled_mm"):
        return []
    one = torch.ones((), device=clock.device)
    found: list[dict[str, object]] = []
    for m, n, k in measured_shapes.products(quick, "fp8"):
        if not fits(clock.device, 2.0 * measured_shapes.product_bytes((m, n, k), "fp8")):
            continue
        a = torch.randn(m, k, device=clock.device).to(torch.float8_e4m3fn)
        b = torch.randn(n, k, device=clock.device).to(torch.float8_e4m3fn).t()

        def multiply(a: torch.Tensor = a, b: torch.Tensor = b) -> object:
            return torch._scaled_mm(a, b, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)

        try:
            seconds = clock(multiply)
        except (RuntimeError, NotImplementedError):
            break  # the device has no such product: not for the first shape, and for none that follows
        found.append({"m": m, "n": n, "k": k, "precision": "fp8", "seconds": seconds})
    return found


def collectives(gpu: bool, accelerators: int, repeats: int, quick: bool) -> list[dict[str, object]]:
    """Collectives among accelerators of this node (processes, on a CPU), one process each; none where there is only one."""
    found: list[dict[str, object]] = []
    for ranks in measured_shapes.groups(accelerators) if accelerators > 1 else []:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "found.json")
            arguments = (ranks, gpu, repeats, quick, str(Path(folder, "meet")), str(out))
            multiprocessing.spawn(one_rank, arguments, nprocs=ranks)
            found += json.loads(out.read_text(encoding="utf-8"))
    return found


def one_rank(rank: int, ranks: int, gpu: bool, repeats: int, quick: bool, meet: str, out: str) -> None:
    """What one process of a group does; the first writes the medians down."""
    device = f"cuda:{rank}" if gpu else "cpu"
    if gpu:
        torch.cuda.set_device(rank)
    distributed.init_process_group("nccl" if gpu else "gloo", init_method=f"file://{meet}", rank=rank, world_size=ranks)
    clock, found = Clock(device, repeats), []
    for operation in measured_shapes.OPERATIONS:
        for size in measured_shapes.messages(quick):
            given, got = measured_shapes.share(operation, size, ranks)
            sent, received = torch.ones(given, device=device), torch.ones(got, device=device)
            calls = {
                "all_reduce": lambda sent=sent: distributed.all_reduce(sent),
                "all_gather": lambda sent=sent, received=received: distributed.all_gather_into_tensor(received, sent),
                "reduce_scatter": lambda sent=sent, received=received: distributed.reduce_scatter_tensor(received, sent),
                "all_to_all": lambda sent=sent, received=received: distributed.all_to_all_single(received, sent),
            }
            try:
                # Every rank repeats as often as the others: a number of its own would leave them waiting.
                seconds = statistics.median(clock.once(calls[operation], 1) for _ in range(max(3, repeats // 3)))
            except (RuntimeError, NotImplementedError):
                if gpu:
                    raise
                break  # gloo has not all of them
            found.append({"operation": operation, "ranks": ranks, "bytes": size, "seconds": seconds})
    if rank == 0:
        Path(out).write_text(json.dumps(found), encoding="utf-8")
    distributed.destroy_process_group()


def attention(clock: Clock, precision: torch.dtype, quick: bool) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Fused causal attention, forward and backward."""
    lengths, heads, batches = (
        ((64, 128, 256, 512), (2, 4), (1, 2, 3)) if quick else ((512, 1024, 2048, 4096, 8192, 16384), (8, 16, 32), (1, 4))
    )
    forward, backward = [], []
    for sequences, length, count, size in itertools.product(batches, lengths, heads, (64, 128)):
        if sequences * length * count > (4e3 if quick else 1.2e6):
            continue
        shape = (sequences, count, length, size)
        query, key, value = (torch.randn(shape, device=clock.device, dtype=precision, requires_grad=True) for _ in range(3))
        row = {"sequences": sequences, "length": length, "heads": count, "key_value_heads": count, "head_size": size}

        def attend(query: torch.Tensor = query, key: torch.Tensor = key, value: torch.Tensor = value) -> torch.Tensor:
            return functional.scaled_dot_product_attention(query, key, value, is_causal=True)

        with torch.no_grad():
            forward.append(row | {"seconds": clock(attend)})
        out, inputs = attend(), (query, key, value)
        gradient = torch.ones_like(out)

        def back(out: torch.Tensor = out, inputs: tuple[torch.Tensor, ...] = inputs, gradient: torch.Tensor = gradient) -> object:
            return torch.autograd.grad(out, inputs, gradient, retain_graph=True)

        backward.append(row | {"seconds": clock(back)})
    return forward, backward


class Layer(torch.nn.Module):
    """A plain transformer layer: norm, attention, norm, feed-forward with GeLU; no biases, no dropout."""

    def __init__(self, hidden: int, heads: int, ffn: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = torch.nn.LayerNorm(hidden, bias=False), torch.nn.LayerNorm(hidden, bias=False)
        self.qkv, self.out = torch.nn.Linear(hidden, 3 * hidden, bias=False), torch.nn.Linear(hidden, hidden, bias=False)
        self.up, self.down = torch.nn.Linear(hidden, ffn, bias=False), torch.nn.Linear(ffn, hidden, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, hidden = x.shape
        query, key, value = self.qkv(self.first(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, hidden))
        wide: torch.Tensor = functional.gelu(self.up(self.second(x)))
        return x + self.down(wide)


def layers(clock: Clock, precision: torch.dtype, quick: bool) -> list[dict[str, float]]:
    """Whole layers: forward, backward, and Adam on as many 32-bit parameters."""
    shapes = ((128, 2, 128, 2), (256, 4, 256, 1)) if quick else ((2048, 16, 2048, 4), (4096, 32, 4096, 2), (8192, 64, 2048, 1))
    found = []
    for hidden, heads, length, batch in shapes:
        layer = Layer(hidden, heads, 4 * hidden).to(clock.device, precision)
        x = torch.randn(batch, length, hidden, device=clock.device, dtype=precision, requires_grad=True)
        with torch.no_grad():
            forward = clock(lambda layer=layer, x=x: layer(x))
        gradient = torch.ones_like(x)

        def both(layer: Layer = layer, x: torch.Tensor = x, gradient: torch.Tensor = gradient) -> None:
            layer(x).backward(gradient)
            layer.zero_grad(set_to_none=True)
            x.grad = None

        whole = clock(both)
        parameters = sum(each.numel() for each in layer.parameters())
        master = torch.zeros(parameters, device=clock.device, requires_grad=True)
        master.grad = torch.ones_like(master)
        adam = torch.optim.AdamW([master], lr=1e-4, fused=clock.gpu or None)
        found.append(
            {
                "hidden": hidden, "heads": heads, "key_value_heads": heads, "ffn": 4 * hidden, "sequence": length, "microbatch": batch,
                "parameters": parameters, "forward_s": forward, "backward_s": max(whole - forward, 1e-9), "optimizer_s": clock(adam.step),
            }
        )  # fmt: skip
    return found


def device_facts(device: str) -> dict[str, str]:
    """What was measured, when, and with which software."""
    facts = {"name": platform.processor() or platform.machine(), "date": datetime.date.today().isoformat(), "torch": torch.__version__}
    if device.startswith("cuda"):
        found = torch.cuda.get_device_properties(device)
        facts |= {"name": found.name, "cuda": str(torch.version.cuda or torch.version.hip), "memory_bytes": str(found.total_memory)}
    return facts


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked.add_argument("--precision", choices=sorted(PRECISIONS), default="bf16")
    asked.add_argument("--repeats", type=int, default=30, help="measurements of each shape")
    asked.add_argument("--quick", action="store_true", help="few and small shapes: to try it")
    asked.add_argument("--ranks", type=int, default=torch.cuda.device_count(), help="accelerators of the node; 0 or 1: no collectives")
    asked.add_argument("--out", type=Path, required=True)
    given = asked.parse_args()
    torch.manual_seed(0)
    clock, precision = Clock(given.device, given.repeats), PRECISIONS[given.precision]
    forward, backward = attention(clock, precision, given.quick)
    measured = {
        "format": 1,
        "precision": given.precision,
        "device": device_facts(given.device),
        "launch": launch(clock),
        "streams": streams(clock, 2.0**26 if given.quick else 2.0**33),
        "products": [*products(clock, precision, given.quick), *low_products(clock, given.quick)],
        "attention_forward": forward,
        "attention_backward": backward,
        "layers": layers(clock, precision, given.quick),
        "collectives": collectives(clock.gpu, given.ranks, given.repeats, given.quick),
    }
    given.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in measured.items() if isinstance(rows, list))
    print(f"wrote {given.out}: {counts}")


if __name__ == "__main__":
    main()
