"""Every section of a report, in order. To add one: write a function `Outcome -> Section | None` and name it in `SECTIONS`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from simulator.outcome import Alternative, Comparison, Outcome, Parts
from simulator.report.drawn import network, pipeline, progress
from simulator.report.facts import FIGURES, layout_text, memory_text, step_text
from simulator.report.headline import called, headlines, others_usd, project_usd, series, unfinished, warnings
from simulator.report.numbers import (
    NOTHING,
    clean,
    count,
    data,
    duration,
    duration_range,
    energy,
    figure,
    mass,
    money,
    number,
    percent,
    share,
    signed,
    time_unit,
    tokens,
    words,
)
from simulator.report.section import (
    Block,
    Figure,
    Line,
    Lines,
    Paragraph,
    Range,
    Ranges,
    Section,
    Stack,
    Stacks,
    Table,
    note,
)

_ABREAST = 6
"""Alternatives that stand side by side as columns; more become rows."""

_DRAWN = 24
"""Bars in one picture."""


def _named(outcome: Outcome) -> tuple[str, ...]:
    return tuple(called(a) for a in outcome.alternatives)


def answer(outcome: Outcome) -> Section:
    """The sentences that people quote, and the warnings that must go with them."""
    said = [*warnings(outcome), *headlines(outcome)]
    if outcome.comparisons:
        said.append(
            Paragraph(
                text="Ratios are of means over replications; ± is their 95% confidence interval: how well the simulation knows its own "
                "means, not how well its model knows the world. That is in the step-time interval and in the P10–P90 of each alternative.",
                tone="note",
            )
        )
    return Section(name="answer", heading="Answer", blocks=tuple(said) or (Paragraph(text="There are no alternatives.", tone="note"),))


def expectations(outcome: Outcome) -> Section | None:
    """What the scenario expects, and whether it came so."""
    if not outcome.expectations:
        return None
    rows = tuple(
        (clean(e.path), clean(e.condition), NOTHING if e.value is None else figure(e.value, e.path), "met" if e.met else "MISSED")
        for e in outcome.expectations
    )
    missed = sum(not e.met for e in outcome.expectations)
    verdict = (
        Paragraph(text=f"{missed} of {len(rows)} expectations were missed.", tone="warning")
        if missed
        else Paragraph(text="All expectations were met.", tone="good")
    )
    return Section(
        name="expectations",
        heading="Expectations",
        blocks=(verdict, Table(columns=("figure", "expected", "found", "verdict"), rows=rows, numeric=False)),
    )


def _is_long_sweep(outcome: Outcome) -> bool:
    """Whether the table of the sweep, which has the axes as columns, says it all."""
    return len(outcome.alternatives) > _ABREAST and all(a.point for a in outcome.alternatives)


def glance(outcome: Outcome) -> Section | None:
    """The table: every figure of every alternative, with the reason where there is none."""
    alternatives = outcome.alternatives
    if not alternatives or _is_long_sweep(outcome):
        return None
    if len(alternatives) <= _ABREAST:
        rows = [(heading, [text(a) for a in alternatives]) for heading, text, _ in FIGURES]
        table = Table(
            columns=("", *_named(outcome)),
            rows=tuple((heading, *(cell or NOTHING for cell in cells)) for heading, cells in rows if any(cells)),
            blocked={i: f"Not possible: {clean(a.reason)}" for i, a in enumerate(alternatives, start=1) if not a.feasible},
        )
    else:
        shown = [(heading, text) for heading, text, kept in FIGURES if kept]
        reasons = any(not a.feasible for a in alternatives)
        table = Table(
            columns=("alternative", *(heading for heading, _ in shown), *(["why not"] if reasons else [])),
            rows=tuple(
                (called(a), *(text(a) or NOTHING for _, text in shown), *([clean(a.reason)] if reasons else [])) for a in alternatives
            ),
        )
    blocks: list[Block] = [table]
    ranges = tuple(
        Range(name=called(a), low=w.p10, middle=w.p50, high=w.p90, note=f"{duration(w.p50)}{' unfinished' if unfinished(a) else ''}")
        for a in alternatives
        if a.run and (w := a.run.wall_clock_s)
    )
    if 1 < len(ranges) <= _DRAWN:
        longest = max(r.high for r in ranges)
        size, unit = time_unit(longest)
        scaled = tuple(Range(name=r.name, low=r.low / size, middle=r.middle / size, high=r.high / size, note=r.note) for r in ranges)
        alt = "Wall-clock: " + "; ".join(f"{r.name} {duration_range(r.low, r.high)}" for r in ranges)
        blocks.append(
            Figure(
                name="wall-clock",
                alt=alt,
                caption="Wall-clock of the run: P10 to P90 over replications; the mark is the median.",
                picture=Ranges(ranges=scaled, axis=f"wall-clock [{unit}]"),
            )
        )
        bills = [(a, project_usd(a), sum(others_usd(a).values())) for a in alternatives if a.bill]
        if bills:
            stacks = tuple(
                Stack(
                    name=called(a),
                    parts={"project": ours or 0.0, "others": theirs},
                    note=f"{money(ours or 0.0)}{f' + {money(theirs)}' if theirs else ''}",
                )
                for a, ours, theirs in bills
            )
            blocks.append(_stacks("who-pays", "Cash cost of the run by who pays: the project, and others such as a donor.", stacks, "USD"))
    blocks.append(
        note(
            "MFU: model FLOP (6 × active matrix parameters × tokens, plus full attention) per second over the dense peak "
            "of the main matrix precision. HFU adds recomputed FLOP. Goodput: ideal time of the accepted tokens over wall-clock. "
            "Held: spares and idle machines included. Layout: TP tensor, CP context, PP pipeline, VP virtual chunks, EP expert, DP data. "
            "The step's 90% interval is the model's own prediction error; wall-clock percentiles are over replications, "
            "that error and the random failures included where both were drawn."
        )
    )
    return Section(name="alternatives", heading="The alternatives", blocks=tuple(blocks))


_QUANTITIES = {
    "wall_clock_s": "wall-clock",
    "project_usd": "cost to the project",
    "total_usd": "whole bill",
    "energy_mwh": "energy",
    "operational_kg": "carbon",
}


def comparisons(outcome: Outcome) -> Section | None:
    """Differences between alternatives on the same random numbers: a row per pair, a column per figure."""
    if not outcome.comparisons:
        return None
    by_name = {a.name: called(a) for a in outcome.alternatives}
    pairs: dict[tuple[str, str], dict[str, Comparison]] = {}
    for c in outcome.comparisons:
        pairs.setdefault((c.a, c.b), {})[c.quantity] = c
    quantities = list(dict.fromkeys(c.quantity for c in outcome.comparisons))
    references = {b for _, b in pairs}
    rows = []
    for (a, b), found in pairs.items():
        name = by_name.get(a, clean(a)) if len(references) == 1 else f"{by_name.get(a, clean(a))} − {by_name.get(b, clean(b))}"
        rows.append((name, *(_compared(found[q]) if q in found else NOTHING for q in quantities)))
    against = by_name.get(next(iter(references)), "") if len(references) == 1 else ""
    return Section(
        name="comparisons",
        heading=f"Against {against}" if against else "Comparisons",
        blocks=(
            Table(columns=("", *(_QUANTITIES.get(q, words(q)) for q in quantities)), rows=tuple(rows)),
            note(
                "Difference of the means over replications, its 95% interval, and × the ratio of the means; ≈ where the difference "
                "is not beyond chance. Paired on common random numbers: replication i of both sees the same random streams. "
                "The interval holds sampling error only."
            ),
        ),
    )


def _compared(comparison: Comparison) -> str:
    low, high = comparison.interval
    if low == high == comparison.difference == 0:
        return "no difference"
    unsure = "≈ " if low <= 0 <= high else ""
    ratio = f", ×{number(comparison.ratio)}" if comparison.ratio else ""
    interval = f"{_difference(comparison, low)} to {_difference(comparison, high)}"
    return f"{unsure}{_difference(comparison, comparison.difference)} ({interval}){ratio}"


def _difference(comparison: Comparison, value: float) -> str:
    name = comparison.quantity
    if re.search(r"_s(\.|$)", name):
        text = duration(value)
    elif "usd" in name:
        text = money(value)
    elif "mwh" in name:
        text = energy(value)
    elif "_kg" in name:
        text = mass(value)
    else:
        text = number(value)
    return signed(text, value)


def sweep(outcome: Outcome) -> Section | None:
    """The alternatives of a sweep by their place on its axes."""
    swept = [a for a in outcome.alternatives if a.point]
    if not swept:
        return None
    axes = list(dict.fromkeys(axis for a in swept for axis in a.point))
    columns = [(heading, text) for heading, text, kept in FIGURES if kept]
    if any(not a.feasible for a in swept):
        columns.append(("why not", lambda a: clean(a.reason) or None))
    several = len({series(a) for a in swept}) > 1
    head = ("alternative", *axes) if several else tuple(axes)
    rows = tuple(
        (
            *([series(a)] if several else []),
            *(clean(a.point.get(axis, NOTHING)) for axis in axes),
            *(text(a) or NOTHING for _, text in columns),
        )
        for a in swept
    )
    blocks: list[Block] = [Table(columns=(*map(clean, head), *(heading for heading, _ in columns)), rows=rows, keys=len(head))]
    for axis in axes:
        others = [x for x in axes if x != axis]
        drawn: tuple[tuple[str, str, Callable[[Alternative], float | None]], ...] = (
            ("wall-clock", "wall-clock P50 [d]", lambda a: a.run.wall_clock_s.p50 / 86400 if a.run else None),
            ("cost", "cost to the project [USD]", project_usd),
        )
        for name, title, value in drawn:
            lines: dict[str, list[tuple[float, float]]] = {}
            for a in swept:
                x, y = _leading_number(a.point.get(axis, "")), value(a)
                if x is not None and y is not None:
                    rest = ", ".join(f"{o.rsplit('.', 1)[-1]} {a.point.get(o, NOTHING)}" for o in others)
                    lines.setdefault(clean(", ".join(filter(None, (series(a) if several else "", rest))) or outcome.scenario), []).append(
                        (x, y)
                    )
            if any(len({x for x, _ in points}) > 1 for points in lines.values()):
                picture = Lines(lines=tuple(Line(name=n, points=tuple(sorted(p))) for n, p in lines.items()), x=clean(axis), y=title)
                alt = f"{title} over {clean(axis)}: " + "; ".join(
                    f"{line.name} " + ", ".join(f"{number(x)}: {number(y)}" for x, y in line.points) for line in picture.lines
                )
                blocks.append(
                    Figure(
                        name=f"sweep-{re.sub(r'[^a-z0-9]+', '-', axis.lower())}-{name}",
                        alt=alt,
                        caption=f"{title[0].upper()}{title[1:]} over {clean(axis)}.",
                        picture=picture,
                    )
                )
    return Section(name="sweep", heading="The sweep", blocks=tuple(blocks))


def _leading_number(text: str) -> float | None:
    found = re.match(r"\s*[-+]?\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?", text)
    return float(found[0].replace("_", "")) if found else None


def _parts_table(
    alternatives: Iterable[tuple[Alternative, Parts]],
    written: Callable[[float], str],
    *,
    brief: bool,
    caption: str = "",
    shares: bool = True,
) -> Table:
    """Parts by alternative, the total last; alternatives side by side while they are few."""
    shown = list(alternatives)
    names = list(dict.fromkeys(part for _, parts in shown for part in parts))
    totals = [sum(parts.values()) for _, parts in shown]

    def cell(parts: Parts, name: str, total: float) -> str:
        if name not in parts:
            return NOTHING
        text = written(parts[name])
        return f"{text} ({share(parts[name] / total)})" if shares and total and parts[name] else text

    body = [[words(name), *(cell(parts, name, total) for (_, parts), total in zip(shown, totals, strict=True))] for name in names]
    body.append(["total", *(written(total) for total in totals)])
    columns = ("", *(called(a) for a, _ in shown))
    if len(shown) <= _ABREAST:
        return Table(columns=columns, rows=tuple(map(tuple, body)), caption=caption, total=True, brief=brief)
    turned = tuple(zip(*body, strict=True))
    return Table(
        columns=("alternative", *turned[0]),
        rows=tuple((name, *row) for name, row in zip(columns[1:], turned[1:], strict=True)),
        caption=caption,
        brief=brief,
    )


def _stacks(name: str, caption: str, stacks: Sequence[Stack], unit: str, *, share: bool = False) -> Figure:
    if len(stacks) > _DRAWN:
        caption, stacks = f"{caption} The first {_DRAWN} of {len(stacks)} are drawn.", stacks[:_DRAWN]
    alt = f"{caption} " + "; ".join(f"{s.name}: {s.note}" + _largest(s.parts) for s in stacks)
    return Figure(name=name, alt=alt, caption=caption, picture=Stacks(stacks=tuple(stacks), unit=unit, share=share))


def _largest(parts: Mapping[str, float]) -> str:
    total = sum(parts.values())
    if not total:
        return ""
    top = sorted(parts.items(), key=lambda item: -item[1])[:3]
    return f" ({', '.join(f'{words(part)} {share(value / total)}' for part, value in top if value > 0)})"


_NOT_PREDICTED = {"given": "stated by the scenario, not predicted", "anchored": "the model's, scaled to a measurement"}


def step(outcome: Outcome) -> Section | None:
    """Where the time of a step goes."""
    shown = [(a, a.step) for a in outcome.alternatives if a.step]
    if not shown:
        return None
    stacks = [Stack(name=called(a), parts=s.parts_s, note=duration(s.time_s)) for a, s in shown]
    told = [f"{called(a)}: the step is {_NOT_PREDICTED.get(s.kind, clean(s.kind))}." for a, s in shown if s.kind != "modelled"]
    return Section(
        name="step",
        heading="Where a step goes",
        blocks=(
            *(Paragraph(text=text) for text in told),
            _stacks(
                "step-parts",
                "One optimizer step on healthy machines: critical path of the slowest rank, as shares.",
                stacks,
                "s",
                share=True,
            ),
            _parts_table([(a, s.parts_s) for a, s in shown], duration, brief=True),
            note("Communication counts only where it is exposed, i.e. not hidden under computation. Shares are of the whole step."),
        ),
    )


def wall_clock(outcome: Outcome) -> Section | None:
    """Where the time of the run goes, and what stopped it."""
    shown = [(a, a.run) for a in outcome.alternatives if a.run]
    if not shown:
        return None
    stacks = [Stack(name=called(a), parts=r.parts_s, note=duration(r.wall_clock_s.mean)) for a, r in shown]
    causes = [(a, r.interruptions_by_cause) for a, r in shown]
    blocks: list[Block] = [
        _stacks("run-parts", "Mean wall-clock of the run by what it was spent on, as shares.", stacks, "s", share=True),
        _parts_table([(a, r.parts_s) for a, r in shown], duration, brief=True),
        note("Goodput is the ideal time of the accepted tokens over the wall-clock; every other part is badput. Means over replications."),
    ]
    if any(sum(parts.values()) for _, parts in causes):
        blocks.append(
            _parts_table(causes, number, brief=False, caption="Interruptions that were not planned, by cause (mean per run)", shares=False)
        )
    lost = [(a, r.lost_s_by_cause) for a, r in shown]
    if any(parts for _, parts in lost):
        blocks.append(_parts_table(lost, duration, brief=False, caption="Wall-clock that each cause took (mean per run)", shares=False))
    return Section(name="wall-clock", heading="Where the wall-clock goes", blocks=tuple(blocks))


def memory(outcome: Outcome) -> Section | None:
    """Memory against capacity."""
    shown = [(a, a.memory) for a in outcome.alternatives if a.memory]
    if not shown:
        return None
    stacks = [
        Stack(name=called(a), parts={k: v / 1e9 for k, v in m.parts_bytes.items()}, note=memory_text(m), limit=m.capacity_bytes / 1e9)
        for a, m in shown
    ]
    return Section(
        name="memory",
        heading="Memory",
        blocks=(
            _stacks("memory-parts", "Device memory of the worst rank at its peak; the dark mark is the capacity.", stacks, "GB"),
            _parts_table([(a, m.parts_bytes) for a, m in shown], data, brief=False),
        ),
    )


def _machines(shown: Sequence[tuple[Alternative, Parts]], caption: str) -> Iterable[Table]:
    """Money for machines by part or cause, where anybody paid any."""
    if any(parts for _, parts in shown):
        yield _parts_table(shown, money, brief=False, caption=caption, shares=False)


def bill(outcome: Outcome) -> Section | None:
    """What is paid, for what and by whom."""
    shown = [(a, a.bill) for a in outcome.alternatives if a.bill]
    if not shown:
        return None
    stacks = [Stack(name=called(a), parts=b.items_usd, note=money(b.total_usd)) for a, b in shown]
    worth = [f"{called(a)} {money(b.donation_worth_usd)}" for a, b in shown if b.donation_worth_usd is not None]
    return Section(
        name="bill",
        heading="The bill",
        blocks=(
            _stacks("bill-items", "Cash cost of the run by item, whoever pays.", stacks, "USD"),
            _parts_table([(a, b.items_usd) for a, b in shown], money, brief=True, caption="By item"),
            _parts_table([(a, b.payer_usd) for a, b in shown], money, brief=True, caption="By payer", shares=False),
            *_machines([(a, b.machines_by_part_usd) for a, b in shown], "The machines, by what they were held for"),
            *_machines([(a, b.machines_by_cause_usd) for a, b in shown], "Of that, what each cause of interruptions took"),
            *([Paragraph(text=f"Worth of what is given, at market price (in no total above): {'; '.join(worth)}.")] if worth else []),
            note("Items are cash costs and each has a payer. Cost per million tokens: the whole bill over the tokens trained on."),
        ),
    )


def energy_and_carbon(outcome: Outcome) -> Section | None:
    """Energy by use, and emissions."""
    shown = [(a, a.energy) for a in outcome.alternatives if a.energy]
    if not shown:
        return None
    stacks = [Stack(name=called(a), parts=e.parts_mwh, note=energy(e.total_mwh)) for a, e in shown]
    blocks: list[Block] = [
        _stacks("energy-parts", "Energy drawn from the grid by use; cooling and losses (PUE) included.", stacks, "MWh"),
        _parts_table([(a, e.parts_mwh) for a, e in shown], energy, brief=False),
    ]
    emitted = [(a, a.carbon) for a in outcome.alternatives if a.carbon]
    if emitted:
        rows = tuple((called(a), mass(c.operational_kg), NOTHING if c.embodied_kg is None else mass(c.embodied_kg)) for a, c in emitted)
        blocks.append(
            Table(
                columns=("alternative", "of the electricity", "of making the machines (share)"),
                rows=rows,
                caption="Emissions, CO2e",
                brief=False,
            )
        )
    return Section(name="energy", heading="Energy and carbon", blocks=tuple(blocks))


def phases(outcome: Outcome) -> Section | None:
    """The phases of a run, each with its own layout, step and memory."""
    rows = [
        (
            called(a),
            clean(p.name),
            tokens(p.tokens),
            layout_text(p.layout),
            count(p.layout.global_batch) if p.layout else NOTHING,
            step_text(p.step),
            percent(p.step.mfu),
            data(p.memory.total_bytes) if p.memory else NOTHING,
        )
        for a in outcome.alternatives
        for p in a.phases
    ]
    if not rows:
        return None
    columns = ("alternative", "phase", "tokens of the phase", "layout", "global batch", "step time (90% interval)", "MFU", "memory")
    return Section(name="phases", heading="Phases", blocks=(Table(columns=columns, rows=tuple(rows)),))


def provenance(outcome: Outcome) -> Section:
    """What is needed to get the same bytes again, and what the answer rests on."""
    source = outcome.provenance
    resting: dict[str, list[str]] = {clean(text): [] for text in source.assumptions}
    for a in outcome.alternatives:
        for text in dict.fromkeys(map(clean, a.assumptions)):
            resting.setdefault(text, []).append(called(a))
    feasible = [called(a) for a in outcome.alternatives if a.feasible]
    settings = [
        ("scenario", clean(outcome.scenario)),
        ("date of prices and facts", clean(outcome.date)),
        ("simulator", clean(source.version)),
        ("seed", str(source.seed)),
    ]
    settings += [("--set", clean(o)) for o in source.overrides] + [(clean(k), clean(v)) for k, v in source.libraries.items()]
    rows = [
        (str(i), text, "all" if not names or names == feasible else ", ".join(names))
        for i, (text, names) in enumerate(resting.items(), start=1)
    ]
    libraries = ", ".join(f"{clean(k)} {clean(v)}" for k, v in source.libraries.items())
    overrides = ", ".join(map(clean, source.overrides))
    blocks: list[Block] = [
        Paragraph(
            text=f"simulator {clean(source.version)}, seed {source.seed}, facts of {clean(outcome.date)}, {len(source.inputs)} input files"
            f"{f', --set {overrides}' if overrides else ''}{f'; {libraries}' if libraries else ''}. "
            f"It rests on {len(rows)} stated assumptions.",
            tone="note",
        ),
        Table(columns=("setting", "value"), rows=tuple(settings), numeric=False, brief=False),
    ]
    if rows:
        blocks.append(
            Table(
                columns=("#", "assumption", "alternatives"),
                rows=tuple(rows),
                caption="Assumptions, defaults and unverified figures",
                numeric=False,
                brief=False,
            )
        )
    if source.inputs:
        digests = tuple((clean(path), clean(digest)) for path, digest in source.inputs.items())
        blocks.append(Table(columns=("input", "sha256"), rows=digests, caption="Inputs", numeric=False, brief=False))
    return Section(name="provenance", heading="Assumptions and provenance", blocks=tuple(blocks))


SECTIONS: tuple[Callable[[Outcome], Section | None], ...] = (
    answer,
    expectations,
    glance,
    comparisons,
    sweep,
    step,
    wall_clock,
    memory,
    bill,
    energy_and_carbon,
    phases,
    pipeline,
    network,
    progress,
    provenance,
)
"""The order of a report."""


def sections(outcome: Outcome) -> tuple[Section, ...]:
    """The sections that have something to say."""
    return tuple(section for make in SECTIONS if (section := make(outcome)) is not None)


def title(outcome: Outcome) -> str:
    """The question, or the scenario's name where it asks none."""
    return clean(outcome.question.strip()) or clean(outcome.scenario)
