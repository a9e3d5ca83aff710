"""Validation as sections: predicted beside measured, calibration and held-out apart, beside the constant MFU."""

from __future__ import annotations

from collections import Counter

from simulator.outcome import ErrorSummary, ValidatedCase, Validation
from simulator.report.numbers import NOTHING, count, data, duration
from simulator.report.section import Block, Figure, Paragraph, Point, Points, Section, Table, note

TITLE = "Validation: predicted against measured"

_SPLITS = {"held_out": "held out", "blind": "held out, blind", "calibration": "calibration"}
_QUANTITIES = {"step_time_s": "Step time", "memory_bytes": "Memory", "fits": "What fits"}


def validation_sections(validation: Validation) -> tuple[Section, ...]:
    """All that a reader is told of a validation."""
    found = [
        _summary(validation),
        *(_errors(validation, quantity) for quantity in _QUANTITIES if quantity != "fits"),
        _fits(validation),
        _orders(validation),
        _plot(validation),
        _history(validation),
        _unpredicted(validation),
        _cases(validation),
    ]
    return tuple(section for section in found if section is not None)


def _signed(value: float | None) -> str:
    return NOTHING if value is None else f"{value * 100:+.1f} %"


def _plain(value: float | None, digits: int = 1) -> str:
    return NOTHING if value is None else f"{value * 100:.{digits}f} %"


def _chosen(validation: Validation, quantity: str, by: str, split: str) -> list[ErrorSummary]:
    return [each for each in validation.summary.errors if (each.quantity, each.by, each.split) == (quantity, by, split)]


def _summary(validation: Validation) -> Section:
    """The whole in a few lines."""
    blocks: list[Block] = []
    for split, told in _SPLITS.items():
        for all_of in _chosen(validation, "step_time_s", "all", split):
            parts = [
                f"Step time, {told}: {all_of.predicted} of {all_of.cases} cases predicted,",
                f"mean error {_plain(all_of.mean_error)} (median {_plain(all_of.median_error)}, bias {_signed(all_of.bias)});",
                f"a constant MFU per accelerator and precision: {_plain(all_of.baseline_mean_error)}.",
            ]
            by_source = validation.summary.coverage_by_source.get(split)
            if by_source is not None:
                low, high = validation.summary.coverage_interval[split]
                known = all_of.coverage * all_of.cases / all_of.predicted if all_of.coverage is not None and all_of.predicted else None
                parts.append(
                    f"The 90 % intervals hold {_plain(known, 0)} of what was predicted, {_plain(all_of.coverage, 0)} of all cases, "
                    f"{_plain(by_source, 0)} with every source weighing the same "
                    f"({_plain(low, 0)} to {_plain(high, 0)} when sources are drawn again)."
                )
            blocks.append(Paragraph(text=" ".join(parts), tone="plain" if split == "calibration" else "headline"))
    blocks.append(
        note(
            "Error: predicted / measured - 1; bias: its median; mean and median errors are of its size. Held out: no constant was fitted "
            "on these cases; blind: written down, all sources of them, before any was predicted. Constant MFU: model FLOP over time and "
            "peak, the median of the calibration cases of that accelerator and precision. Intervals: hierarchical, spread within and "
            "between sources from calibration sources left out one at a time, wider where evidence is thin, by as much as blind sources "
            "showed at their first look (simulator/step/uncertainty.py): of intervals those are no test any more. A case that cannot be "
            "predicted counts as not covered."
        )
    )
    return Section(name="summary", heading="In short", blocks=tuple(blocks))


_COLUMNS = ("of", "split", "cases", "predicted", "bias", "median", "mean", "worst", "covered", "constant MFU: bias", "mean")


def _row(each: ErrorSummary) -> tuple[str, ...]:
    return (
        each.name,
        _SPLITS[each.split],
        count(each.cases),
        count(each.predicted),
        _signed(each.bias),
        _plain(each.median_error),
        _plain(each.mean_error),
        _signed(each.worst),
        _plain(each.coverage, 0),
        _signed(each.baseline_bias),
        _plain(each.baseline_mean_error),
    )


def _errors(validation: Validation, quantity: str) -> Section | None:
    """By source, accelerator and family."""
    tables = []
    for by, caption in (("source", "By source"), ("family", "Dense models and mixtures of experts"), ("accelerator", "By accelerator")):
        found = [_row(each) for split in _SPLITS for each in _chosen(validation, quantity, by, split)]
        columns = _COLUMNS if quantity == "step_time_s" else _COLUMNS[:9]
        if found:
            rows = tuple(row[: len(columns)] for row in found)
            tables.append(Table(columns=columns, rows=rows, caption=caption, keys=2, brief=by != "accelerator"))
    return Section(name=quantity, heading=_QUANTITIES[quantity], blocks=tuple(tables)) if tables else None


def _fits(validation: Validation) -> Section | None:
    found = [each for split in _SPLITS for each in _chosen(validation, "fits", "source", split)]
    if not found:
        return None
    rows = tuple(
        (
            each.name,
            _SPLITS[each.split],
            count(each.cases),
            count(each.predicted),
            _plain(each.right),
            _plain(each.commonest),
            _signed(each.bias),
        )
        for each in found
    )
    columns = ("of", "split", "cases", "predicted", "right", "always the commoner", "admitted less refused")
    return Section(name="fits", heading=_QUANTITIES["fits"], blocks=(Table(columns=columns, rows=rows, keys=2),))


def _orders(validation: Validation) -> Section | None:
    """Whether the faster layout is said to be faster."""
    rows = tuple(
        (
            each.source,
            each.model,
            count(each.cases),
            NOTHING if each.spearman is None else f"{each.spearman:.2f}",
            NOTHING if each.baseline_spearman is None else f"{each.baseline_spearman:.2f}",
            _plain(each.regret),
            _plain(each.worst_regret),
            count(each.groups),
        )
        for each in validation.summary.orders
    )
    if not rows:
        return None
    columns = ("source", "model", "layouts", "Spearman", "constant MFU", "regret", "worst", "groups")
    told = note(
        "Spearman: rank correlation of predicted and measured step times within one model. Regret: what choosing the layout that is "
        "predicted fastest costs over the fastest measured, mean over groups at equal accelerators and batch."
    )
    return Section(name="orders", heading="Order of layouts", blocks=(Table(columns=columns, rows=rows, keys=2, brief=False), told))


def _plot(validation: Validation) -> Section | None:
    points = [
        Point(name=_SPLITS[each.split], x=float(each.measured), y=float(each.predicted))
        for split in ("calibration", "blind", "held_out")
        for each in validation.cases
        if each.split == split and each.quantity == "step_time_s" and each.measured and each.predicted
    ]
    if not points:
        return None
    figure = Figure(
        name="predicted-measured",
        alt=f"Predicted against measured step times of {len(points)} published runs, on logarithmic axes",
        caption="Step times; the dashed lines are equality and 20 % to either side.",
        picture=Points(points=tuple(points), x="measured step time [s]", y="predicted step time [s]", guides=(0.8, 1.0, 1.2)),
    )
    return Section(name="plot", heading="Predicted against measured", blocks=(figure,))


def _unpredicted(validation: Validation) -> Section | None:
    """Every case without a prediction, with the reason."""
    missing = Counter((each.source, _SPLITS[each.split], each.reason) for each in validation.cases if each.predicted is None)
    if not missing:
        return None
    rows = tuple((source, split, count(cases), reason) for (source, split, reason), cases in sorted(missing.items()))
    table = Table(columns=("source", "split", "cases", "why not"), rows=rows, numeric=False, keys=2)
    return Section(name="unpredicted", heading="Not predicted", blocks=(table,))


def _cases(validation: Validation) -> Section:
    rows = tuple(_case(each) for each in validation.cases if each.predicted is not None and each.quantity != "fits")
    columns = ("case", "quantity", "split", "predicted", "measured", "error", "90 % interval", "evidence")
    table = Table(columns=columns, rows=rows, numeric=False, brief=False)
    return Section(name="cases", heading="Every case", blocks=(table,))


def _case(each: ValidatedCase) -> tuple[str, ...]:
    shown = duration if each.quantity == "step_time_s" else data
    low, high = each.interval or (0.0, 0.0)
    return (
        each.id,
        _QUANTITIES[each.quantity].lower(),
        _SPLITS[each.split],
        shown(float(each.predicted or 0)),
        shown(float(each.measured or 0)),
        _signed(each.error),
        f"{shown(float(low))} – {shown(float(high))}",
        each.evidence,
    )


def _history(validation: Validation) -> Section | None:
    """Each source at first look and now."""
    now = {each.name: each for each in validation.summary.errors if (each.quantity, each.by) == ("step_time_s", "source")}
    rows = tuple(
        (
            first.source,
            _SPLITS[now[first.source].split],
            first.commit,
            count(first.cases),
            _plain(first.median_error),
            _signed(first.worst),
            count(now[first.source].predicted),
            _plain(now[first.source].median_error),
            _signed(now[first.source].worst),
        )
        for first in validation.summary.first_look
        if first.source in now
    )
    if not rows:
        return None
    columns = ("source", "split", "first look", "cases", "median", "worst", "cases now", "median now", "worst now")
    told = note(
        "The first look alone was blind. No constant is fitted on a held-out case, but rules were written after its errors had been seen: "
        "how much a run interleaves that does not say, and its microbatch; which switches its notes name, and what its framework does "
        "unasked (stages, collectives, optimizer and memory of nanotron, FSDP in a pipeline; PyTorch's checkpoints, context parallelism, "
        "8-bit casts and losses); what recompute by operation repeats, how racks are shared; what the router of a mixture computes, on "
        "which tokens, and the copies and small kernels of its dispatch (Megatron-Core 0.11); what others measured on the 500 W H100 of "
        "torchtitan; that DeepSpeed's pipeline casts and adds bf16 gradients in fp32 and sends one way after the other (mtnlg, "
        "vtrain-multi). The layouts of nemo-launcher are those of the release whose table it prints, not of a later one; its tables of two "
        "earlier releases came later. Of the blind sources changed how they are read (links of A800 and H800, a TPU's slice as one "
        "fabric, words for precision, sharding and recompute, recompute of as few layers as fit where nobody states it, and that none of "
        "Pax's smallest models had flash attention); then what transformers' models and DeepSpeed's ZeRO do (deepspeed-a800), that "
        "attention stays in 16 bit beside fp4 and int8 products, and what had run with default kernels: AMD's, Google's and consumer parts "
        "have published ones since, TPUs what MaxText's source says. How wide intervals are without measured kernels, for other software "
        "and for mixtures of experts was taken from them after the look."
    )
    table = Table(columns=columns, rows=rows, keys=3, brief=False)
    return Section(name="history", heading="At first look and now", blocks=(table, told))
