"""The sections that are pictures first: the pipeline, the network, one replication."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from simulator.outcome import Alternative, Bar, GroupTraffic, LogEntry, NetworkLevel, Outcome
from simulator.report.headline import called
from simulator.report.numbers import clean, count, data, data_rate, duration, number, percent, tokens, words
from simulator.report.section import Figure, Levels, Paragraph, Progress, Schedule, Section, Table, note

_PICTURES = 4
"""Different drawings of one kind in a report."""

_NETWORKS = 6
"""Different drawings of networks, which are small."""


def _sharing(outcome: Outcome, drawn: Callable[[Alternative], Hashable]) -> list[tuple[str, Alternative]]:
    """One alternative for each different drawing, beside the names of all that have the same; those without one are left out."""
    groups: dict[Hashable, list[Alternative]] = {}
    for a in outcome.alternatives:
        if drawn(a):
            groups.setdefault(drawn(a), []).append(a)
    return [(", ".join(called(a) for a in group), group[0]) for group in groups.values()]


def pipeline(outcome: Outcome) -> Section | None:
    """The timeline of one step through the pipeline."""
    drawn = _sharing(outcome, lambda a: a.drawing.pipeline)
    if not drawn:
        return None
    figures = [
        Figure(
            name=f"pipeline-{i}",
            alt=_timeline_alt(a.drawing.pipeline),
            caption=f"{names}: one row per pipeline stage, one bar per slot; what is white is the bubble.{_cut_text(a)}",
            picture=Schedule(bars=a.drawing.pipeline),
        )
        for i, (names, a) in enumerate(drawn[:_PICTURES], start=1)
    ]
    told = note(
        "Bubble: idle ÷ ideal time of a stage, (p−1)/m for 1F1B with p stages and m micro-batches, over the virtual chunks if interleaved."
    )
    return Section(name="pipeline", heading="The pipeline's timeline", blocks=(*figures, told))


def _cut_text(alternative: Alternative) -> str:
    """A sentence where the drawing holds only the beginning of a step."""
    bars, step = alternative.drawing.pipeline, alternative.step
    end = max(b.end_s for b in bars) - min(b.start_s for b in bars)
    return f" The first {duration(end)} of a step of {duration(step.time_s)}." if step and end < 0.8 * step.time_s else ""


def _timeline_alt(bars: tuple[Bar, ...]) -> str:
    lanes, end = len({b.lane for b in bars}), max(b.end_s for b in bars)
    span = end - min(b.start_s for b in bars)
    busy = sum(b.end_s - b.start_s for b in bars) / (span * lanes) if span else 0.0
    return f"Timeline of {lanes} pipeline stages over {duration(end)}: busy {percent(busy)} of the time drawn."


def network(outcome: Outcome) -> Section | None:
    """The levels of each network."""
    drawn = _sharing(outcome, lambda a: a.drawing.network)
    if not drawn:
        return None
    rows = tuple(
        (
            names,
            clean(level.name),
            count(level.links),
            data_rate(level.rate),
            data_rate(level.links * level.rate),
            f"{number(level.oversubscription)} : 1",
        )
        for names, a in drawn
        for level in a.drawing.network
    )
    figures = [
        Figure(
            name=f"network-{i}",
            alt="Network from the accelerators up: "
            + "; ".join(f"{clean(v.name)}, {count(v.links)} links of {data_rate(v.rate)}{_faulty_alt(v)}" for v in a.drawing.network),
            caption=f"{names}: width is the bandwidth of a level, per direction.{_strips_text(a)}",
            picture=Levels(levels=a.drawing.network),
        )
        for i, (names, a) in enumerate(drawn[:_NETWORKS], start=1)
    ]
    table = Table(
        columns=("alternative", "level", "links", "each, per direction", "together", "oversubscription"),
        rows=rows,
        brief=False,
        numeric=False,
    )
    return Section(
        name="network", heading="The network", blocks=(*figures, table, *_faults(drawn), *_neighbours(drawn), *_traffic(outcome))
    )


def _faulty_alt(level: NetworkLevel) -> str:
    """How many links of a level are below their rate, where some are."""
    return f", {count(level.faulty)} of them below it" if level.faulty else ""


def _strips_text(alternative: Alternative) -> str:
    """A sentence where links are drawn one by one."""
    faulty = any(level.faulty for level in alternative.drawing.network)
    return " Below each, its links side by side, those below their rate marked, dead ones black." if faulty else ""


def _faults(drawn: list[tuple[str, Alternative]]) -> tuple[Table, ...]:
    """Links below their rate, where there are any."""
    rows = tuple(
        (
            names,
            clean(level.name),
            f"{count(level.faulty)} of {count(level.links)}",
            clean(worst.name),
            percent(worst.left) if worst.left else "nothing: it is dead",
        )
        for names, a in drawn
        for level in a.drawing.network
        for worst in level.faults[:1]
    )
    table = Table(
        columns=("alternative", "level", "links below their rate", "the worst", "what is left of it"),
        rows=rows,
        caption="What is wrong with the network.",
        brief=False,
        numeric=False,
    )
    return (table,) if rows else ()


def _neighbours(drawn: list[tuple[str, Alternative]]) -> tuple[Table, ...]:
    """What others take of the links, where there are any."""
    rows = tuple((names, clean(level.name), percent(level.taken)) for names, a in drawn for level in a.drawing.network if level.taken)
    table = Table(
        columns=("alternative", "level", "most of one link"),
        rows=rows,
        caption="What neighbours take of the network.",
        brief=False,
        numeric=False,
    )
    return (table,) if rows else ()


def _traffic(outcome: Outcome) -> tuple[Table | Paragraph, ...]:
    """Which link holds up which groups."""
    told = _sharing(outcome, lambda a: a.drawing.traffic)
    if not told:
        return ()
    table = Table(
        columns=("alternative", "groups", "operation", "size", "ranks", "takes", "algorithm", "busiest link"),
        rows=tuple((names, *_told(traffic)) for names, a in told for traffic in a.drawing.traffic),
        caption="What the groups of ranks send, and the link that holds them up.",
        brief=False,
        numeric=False,
    )
    return table, note(
        "The slowest of each kind, priced with all groups at once and before anything hides it. Of several links that are as busy,"
        " the first stands here. Sizes as nccl-tests define them: the whole buffer that is reduced, gathered or scattered."
    )


def _told(traffic: GroupTraffic) -> tuple[str, ...]:
    return (
        words(traffic.groups),
        words(traffic.operation),
        data(traffic.size_bytes),
        count(traffic.ranks),
        duration(traffic.time_s),
        clean(traffic.algorithm),
        clean(traffic.bottleneck),
    )


def progress(outcome: Outcome) -> Section | None:
    """One replication as its operator would see it."""
    drawn = _sharing(outcome, lambda a: a.drawing.log[1:] and a.drawing.log)
    if not drawn:
        return None
    figures = [
        Figure(
            name=f"progress-{i}",
            alt=_progress_alt(names, a.drawing.log),
            caption=f"{names}: tokens done in one replication; dashed, all machines without a stop; marks, failures (of many, some); "
            "below, nodes at work.",
            picture=Progress(log=a.drawing.log, ideal=a.step.tokens_per_s if a.step else None),
        )
        for i, (names, a) in enumerate(drawn[:_PICTURES], start=1)
    ]
    return Section(name="progress", heading="One replication, lived", blocks=tuple(figures))


def _progress_alt(names: str, log: tuple[LogEntry, ...]) -> str:
    done, failures = log[-1], sum(bool(entry.cause) for entry in log)
    reached = f"{tokens(done.tokens)} tokens after {duration(done.time_s)}"
    return f"Tokens over time in one replication of {names}: {reached}, {failures} failures drawn."
