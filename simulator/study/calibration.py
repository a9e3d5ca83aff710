"""An accelerator's kernels from what `benchmarks/measure_accelerator.py` measured on it, and how far whole layers are from that."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.collectives import Operation, bus_bandwidth
from simulator.collectives.pricing import OPERATIONS
from simulator.collectives.tuning import SCALE_UP_EFFICIENCY
from simulator.errors import Problem, ProblemsError
from simulator.hardware import Accelerator, Kernels, MatrixKernels, Software, kernels_of, stream_time
from simulator.hardware.fitting import Array, Residual, fit_attention, fit_backward, fit_products, fit_stream, residual
from simulator.model import Transformer
from simulator.parallelism import Layout
from simulator.step import Job
from simulator.step.clock import UPDATE_BYTES
from simulator.step.layer import layer_pass

FORMAT = 1
"""Of the measurements."""

FEWEST = 16
"""Shapes of one kind below which nothing is fitted."""

_PRODUCT = ("m", "n", "k")
_ATTENTION = ("sequences", "length", "heads", "key_value_heads", "head_size")
_LAYER = ("hidden", "heads", "key_value_heads", "ffn", "sequence", "microbatch", "parameters")
_SIZES = {"fp8": 1.0, "fp32": 4.0, "tf32": 4.0}


@dataclass(frozen=True, kw_only=True)
class LayerCheck:
    """One whole layer: measured, and predicted with the kernels before and after [s]."""

    name: str
    measured: float
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The accelerator as calibrated, and how well the fits do.

    Args:
        told: what a reader should know of the fits, line by line.
        residuals: kind of operation -> residual on shapes held back.
        carried: what was not measured, and where it comes from instead.
    """

    accelerator: Accelerator
    told: tuple[str, ...]
    residuals: Mapping[str, Residual]
    carried: tuple[str, ...]
    layers: tuple[LayerCheck, ...]


def calibrate(measured: Mapping[str, Any], base: Accelerator, software: Software, *, origin: str) -> Calibration:
    """Fit the kernels of an accelerator.

    Args:
        measured: as `benchmarks/measure_accelerator.py` writes it.
        base: the data sheet, and the kernels that hold where nothing was measured.
        software: with which whole layers are predicted: that of the framework that measured them.
        origin: names the measurements in the result.

    Raises:
        ProblemsError: measurements that cannot be read, or too few of them.

    Accuracy: as `Calibration.residuals` and `Calibration.layers` say. A short measurement does not know the clock that hours of training
        leave (`sustained`), nor collectives: the first is carried over, the second belongs to the interconnect.
    """
    read = _Measured(measured, base)
    known = kernels_of(base)
    carried = [f"sustained {known.matrix.sustained:g} (a short measurement does not show it)"]
    residuals: dict[str, Residual] = {}
    share, launch = known.memory, known.launch
    streams = read.table("streams", ("bytes",), fewest=4)
    if streams is None:
        carried.append(f"memory {share:g}")
    else:
        rate, _, off = fit_stream(streams.columns[0], streams.seconds, streams.held)
        share = min(rate / base.memory_bandwidth, 1.0)
        residuals["streams"] = residual(off, streams.held)
    launched = read.launch()
    if launched is None:
        carried.append(f"launch {launch:g} s")
    else:
        launch = launched
    bandwidth = base.memory_bandwidth * share
    matrices: dict[bool, MatrixKernels] = {}
    for precision, products in read.products():
        size = _SIZES.get(precision, 2.0)
        kernels, found = _products(products, base.processors, peak=base.peak[precision], bandwidth=bandwidth, size=size)
        low = precision == "fp8"
        usual = known.matrix_fp8 if low and known.matrix_fp8 is not None else known.matrix
        matrices[low] = replace(kernels, sustained=usual.sustained)
        residuals[f"products {precision}"] = found
    attention = {
        "attention_forward": known.attention_forward,
        "attention_backward": known.attention_backward,
        "attention_length": known.attention_length,
        "attention_start": known.attention_start,
    }
    passes = {way: read.table(f"attention_{way}", _ATTENTION) for way in ("forward", "backward")}
    ahead, back = passes["forward"], passes["backward"]
    if ahead is None:
        carried.append("attention")
    else:
        peak = base.peak[read.precision]
        forward, residuals["attention forward"] = fit_attention(ahead.columns, ahead.seconds, ahead.held, peak=peak, bandwidth=bandwidth)
        ratio = known.attention_backward / known.attention_forward
        backward = forward.share * ratio
        if back is None:
            carried.append(f"attention backward at {ratio:.2f} of the forward rate")
        else:
            backward, residuals["attention backward"] = fit_backward(
                back.columns, back.seconds, back.held, forward, peak=peak, bandwidth=bandwidth
            )
        attention = {
            "attention_forward": forward.share,
            "attention_backward": backward,
            "attention_length": forward.length,
            "attention_start": forward.start,
        }
    if read.problems:
        raise ProblemsError(tuple(read.problems))
    kernels_found = Kernels(
        matrix=matrices.get(False, known.matrix),
        matrix_fp8=matrices.get(True, known.matrix_fp8),
        memory=share,
        launch=launch,
        attention_ported=known.attention_ported,
        sigma=known.sigma,
        calibrated_on=origin,
        **attention,
    )
    layers = tuple(_layer(row, read.precision, base, kernels_found, software) for row in read.layers())
    if read.problems:
        raise ProblemsError(tuple(read.problems))
    if layers:
        off = np.log([layer.after / layer.measured for layer in layers])
        kernels_found = replace(kernels_found, sigma=float(np.sqrt((off**2).mean())))
    told = [f"{kind}: {found}" for kind, found in residuals.items()]
    limits = {"products": kernels_found.matrix.share, "streams": kernels_found.memory}
    told += [f"{kind} come to {reached:.0%} of the data sheet, which may be wrong" for kind, reached in limits.items() if reached > 0.97]
    if layers:
        told.append(f"{len(layers)} whole layers, root mean square of log residuals {kernels_found.sigma:.1%}")
    told += _fabric(read)
    if read.problems:
        raise ProblemsError(tuple(read.problems))
    words = "; ".join((origin, *told, f"not measured: {', '.join(carried)}"))
    accelerator = replace(base, kernels=replace(kernels_found, calibrated_on=words))
    return Calibration(accelerator=accelerator, told=tuple(told), residuals=residuals, carried=tuple(carried), layers=layers)


def _fabric(read: _Measured) -> list[str]:
    """What the collectives inside the node say of its fabric: the bus bandwidth of the largest, and the rate that a node would state.

    A node states the rate of its links; collectives reach `SCALE_UP_EFFICIENCY` of it behind a switch. Of the groups with most ranks.
    """
    rows = read.rows("collectives")
    if not rows:
        return ["no collectives measured: the fabric is as the node states it"]
    columns = read.numbers("collectives", rows, ("ranks", "bytes", "seconds"))
    if columns is None:
        return []
    unknown = sorted({str(row.get("operation")) for row in rows} - set(OPERATIONS))
    if unknown:
        read.refuse("collectives", f"{', '.join(unknown)} is no operation", f"one of {', '.join(OPERATIONS)}")
        return []
    most = int(columns[0].max())
    found: dict[Operation, float] = {}
    for row, size, seconds in zip(rows, columns[1].tolist(), columns[2].tolist(), strict=True):
        operation: Operation = row["operation"]
        if int(row["ranks"]) == most and most > 1:
            found[operation] = max(found.get(operation, 0.0), bus_bandwidth(operation, most, size, seconds))
    shown = ", ".join(f"{operation} {rate / 1e9:.4g} GB/s" for operation, rate in found.items())
    rate = found.get("all_reduce", max(found.values(), default=0.0)) / SCALE_UP_EFFICIENCY["switch"]
    return [f"bus bandwidth among {most}: {shown}", f"the node's scale_up.rate would be {rate / 1e9:.4g} GB/s"]


@dataclass(frozen=True)
class _Table:
    columns: list[Array]
    seconds: Array
    held: NDArray[np.bool_]


class _Measured:
    """Reads measurements and keeps what is wrong with them."""

    def __init__(self, measured: Mapping[str, Any], base: Accelerator) -> None:
        self.measured, self.base = measured, base
        self.problems: list[Problem] = []
        if measured.get("format") != FORMAT:
            self.refuse("format", f"is {measured.get('format')!r}, {FORMAT} is expected", "measure with benchmarks/measure_accelerator.py")
        self.precision = str(measured.get("precision", "bf16"))
        if self.precision not in base.peak:
            self.refuse("precision", f"{base.name or 'the accelerator'} has no {self.precision} units", f"one of {', '.join(base.peak)}")
            raise ProblemsError(tuple(self.problems))

    def refuse(self, path: str, what: str, mend: str = "") -> None:
        self.problems.append(Problem(what=what, mend=mend, path=path))

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        rows = self.measured.get(name) or []
        if isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows):
            return rows
        self.refuse(name, "is not a list of measurements")
        return []

    def numbers(self, name: str, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[Array] | None:
        """One array per key; None where a number is missing or not positive."""
        for place, row in enumerate(rows):
            for key in keys:
                value = row.get(key)
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                    self.refuse(f"{name}.{place}.{key}", f"is {value!r}, a positive number is expected")
                    return None
        return [np.array([float(row[key]) for row in rows]) for key in keys]

    def table(self, name: str, keys: tuple[str, ...], fewest: int = FEWEST, rows: list[Mapping[str, Any]] | None = None) -> _Table | None:
        """Measured operations of one kind, None where there is none; of many, a quarter (by a hash of the shape) is held back."""
        rows = self.rows(name) if rows is None else rows
        if not rows:
            return None
        if len(rows) < fewest:
            self.refuse(name, f"has {len(rows)} measurements, at least {fewest} are needed")
            return None
        columns = self.numbers(name, rows, (*keys, "seconds"))
        if columns is None:
            return None
        held = np.zeros(len(rows), dtype=bool)
        if len(rows) < FEWEST:
            return _Table(columns[:-1], columns[-1], held)
        held = np.array([zlib.crc32(",".join(f"{row[key]:g}" for key in keys).encode()) % 4 == 0 for row in rows])
        held[0], held[1] = False, True  # never none and never all
        return _Table(columns[:-1], columns[-1], held)

    def products(self) -> list[tuple[str, _Table]]:
        """Matrix products by precision; the accelerator's matrices are described by those of the main one, and of fp8."""
        rows = self.rows("products")
        if not rows:
            self.refuse("products", "is missing or empty", "measure matrix products: nothing else says what training can reach")
        found = []
        for precision in (self.precision, "fp8"):
            chosen = [row for row in rows if row.get("precision", self.precision) == precision]
            table = self.table("products", _PRODUCT, rows=chosen) if chosen else None
            if table is not None and precision in self.base.peak:
                found.append((precision, table))
        return found

    def launch(self) -> float | None:
        row = self.measured.get("launch")
        if not isinstance(row, Mapping):
            return None
        values = self.numbers("launch", [row], ("seconds",))
        return None if values is None else float(values[0][0])

    def layers(self) -> list[Mapping[str, float]]:
        rows = self.rows("layers")
        keys = (*_LAYER, "forward_s", "backward_s", "optimizer_s")
        columns = self.numbers("layers", rows, keys) if rows else None
        return [] if columns is None else [dict(zip(keys, map(float, row), strict=True)) for row in zip(*columns, strict=True)]


def _products(table: _Table, processors: int | None, *, peak: float, bandwidth: float, size: float) -> tuple[MatrixKernels, Residual]:
    """The kernels of matrix products; a rate that falls with size only where it makes the shapes that were seen clearly better."""
    m, n, k = table.columns
    fitted = partial(fit_products, m, n, k, table.seconds, table.held, peak=peak, bandwidth=bandwidth, size=size, processors=processors)
    found = fitted(falling=False)
    if (2 * m * n * k).max() > 2e11:
        falling = fitted(falling=True)
        seen = ~table.held
        if np.median(np.abs(falling[2][seen])) < 0.9 * np.median(np.abs(found[2][seen])):
            found = falling
    return found[0], found[1]


def _layer(row: Mapping[str, float], precision: str, base: Accelerator, kernels: Kernels, software: Software) -> LayerCheck:
    """A layer as measured and as predicted, with the clock of a short measurement."""
    whole = {name: int(row[name]) for name in ("hidden", "heads", "key_value_heads", "ffn", "sequence", "microbatch")}
    model = Transformer(
        layers=1, hidden=whole["hidden"], heads=whole["heads"], key_value_heads=whole["key_value_heads"], ffn=whole["ffn"], vocabulary=1,
        sequence=whole["sequence"], positions="none",
    )  # fmt: skip
    # Layers ran the attention kernel that was measured beside them, whatever generation the software entry had.
    own = replace(software, native_attention=True)
    job = Job(model=model, sequence=whole["sequence"], global_batch=whole["microbatch"], precision=precision, software=own)

    def seconds(found: Kernels) -> float:
        fresh = replace(found, matrix=replace(found.matrix, sustained=1.0))
        machine = replace(base, kernels=fresh)
        through = layer_pass(job, Layout(microbatch=whole["microbatch"]), machine, lambda operation, size, dimension: 0.0, dense=False)
        return through.forward.total + through.backward.total + stream_time(machine, UPDATE_BYTES * row["parameters"])

    measured = row["forward_s"] + row["backward_s"] + row["optimizer_s"]
    name = f"hidden {whole['hidden']}, {whole['microbatch']} x {whole['sequence']} tokens"
    return LayerCheck(name=name, measured=measured, before=seconds(kernels_of(base)), after=seconds(kernels))
