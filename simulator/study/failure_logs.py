"""Failure logs and availability traces as others write them -> what can be counted and fitted -> a set of failure classes."""

from __future__ import annotations

import csv
import datetime
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator import units
from simulator.errors import MendableError, Problem, ProblemsError
from simulator.reliability import Distribution, Exponential, FailureClass, FailureSet, Lognormal, Weibull
from simulator.reliability.fitting import Fitted, Rate, Spells, fit_exponential, fit_lognormal, fit_weibull, rate, shape_matters, with_p

FEWEST = 10
"""Failures below which no distribution is fitted, and the rate alone is told."""

LEVEL = 0.05
"""Of the tests that choose a distribution."""

PREEMPTION = "preemption"


@dataclass
class _Watched:
    """Spells under way and over."""

    rows: list[tuple[float, bool, float]] = field(default_factory=list)

    def add(self, start: float, stop: float, ended: bool, end: float) -> None:
        if stop > start:
            self.rows.append((stop - start, ended, end - start))

    def spells(self, resolution: float = 0.0) -> Spells:
        seconds, ended, limits = (np.array(column) for column in zip(*self.rows, strict=True)) if self.rows else (np.empty(0),) * 3
        return Spells(seconds=seconds.astype(float), ended=ended.astype(bool), limits=limits.astype(float), resolution=resolution)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause in a log.

    Args:
        of: `node`, or `job` where the log names no node.
        failures: counted.
        exposure: things × time [s].
        together: of the failures, how many came at the same instant as another.
        spells: times to failure, where the log tells them; None where it only tells counts.
        events: (when [s], node) of each failure of a table, in order of time.
    """

    name: str
    of: str
    failures: int
    exposure: float
    together: int
    spells: Spells | None
    events: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class FailureLog:
    """What a log says.

    Args:
        format: in words.
        span: observed [s].
        mean_nodes: over that time.
    """

    format: str
    span: float
    mean_nodes: float
    causes: tuple[Cause, ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A cause, its rate, and its distributions where they could be fitted."""

    cause: Cause
    rate: Rate
    exponential: Fitted | None
    weibull: Fitted | None
    lognormal: Fitted | None

    @property
    def chosen(self) -> Fitted | None:
        """Exponential times unless they do not fit and another is told from them: of those that fit, that of the least criterion."""
        others = [each for each in (self.weibull, self.lognormal) if each]
        other = min(others, key=lambda each: (each.p < LEVEL, each.aic), default=None)
        if self.exponential and other and shape_matters(self.exponential, other) < LEVEL and self.exponential.p < LEVEL:
            return other
        return self.exponential

    @property
    def distribution(self) -> Distribution:
        """That of the fit chosen; exponential where there is none."""
        match self.chosen:
            case Fitted(family="weibull", shape=shape):
                return Weibull(shape=shape)
            case Fitted(family="lognormal", shape=shape):
                return Lognormal(sigma=shape)
        return Exponential()

    @property
    def mtbf(self) -> float:
        """Mean time between failures of one thing, of the distribution chosen [s]."""
        chosen = self.chosen
        return chosen.mean if chosen and chosen.family != "exponential" else 1 / self.rate.per_second

    def told(self) -> str:
        """In a line: the counts, and how well what was fitted fits."""
        found, cause = self.rate, self.cause
        interval = f"95 % interval {_time(1 / found.high)} to {_time(1 / found.low) if found.low else 'any'}"
        text = f"{found.failures} failures in {found.seconds / 3600:.6g} {cause.of}-hours, mtbf {_time(1 / found.per_second)}, {interval}"
        if cause.together:
            text += f"; {cause.together} of them at the same instant as another"
        e, w, n = self.exponential, self.weibull, self.lognormal
        if not (e and w and n):
            return text + ("; no times to failure to fit a distribution to" if cause.spells is None else "; too few for a distribution")
        text += f"; exponential: {_fit(e)}; Weibull: shape {w.shape:.3f} ± {w.shape_error:.3f}, scale {_time(w.scale)} ± "
        text += f"{_time(w.scale_error)}, mean {_time(w.mean)}, {_fit(w)}; lognormal: sigma {n.shape:.3f} ± {n.shape_error:.3f}, median "
        text += f"{_time(n.scale)} ± {_time(n.scale_error)}, mean {_time(n.mean)}, {_fit(n)}; likelihood ratio p {shape_matters(e, w):.2g}"
        return f"{text}; chosen: {self.chosen.family if self.chosen else 'none'}"


def _fit(fitted: Fitted) -> str:
    return f"AIC {fitted.aic:.1f}, KS distance {fitted.distance:.3f}, p {fitted.p:.2g}"


def _time(seconds: float) -> str:
    return units.format(float(f"{seconds:.4g}"), "time")


# ------------------------------------------------------------------------------------------------------------------------------ reading


def read(text: str, *, nodes: int | None = None, span: float | None = None, new: bool = False) -> FailureLog:
    """A log in any of the formats known.

    - a table with a header, comma separated: `time`, `node`, `cause`; a unit in brackets in the header (`time [h]`), behind each time, or
      dates and times; no node: the job as a whole; or JSON with a list of such rows;
    - SkyPilot's spot traces: JSON with `metadata.gap_seconds` and `data`, instances at each tick;
    - Bamboo's: CSV without a header of milliseconds, `add` or `remove`, node; or lines of date, time, instances.

    Args:
        nodes: that were watched, of a table.
        span: watched, from time 0 or from the first row's date on, of a table [s].
        new: the nodes of a table were new at its start; where not, nothing is known of their age, and a node's first failure is counted
            in the rate and left out of the distribution.

    Raises:
        ProblemsError: what cannot be read, or is missing.
    """
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith(("{", "[")):
        try:
            data = json.loads(text)
        except ValueError as error:
            raise _problem(f"is not JSON: {error}") from None
        if isinstance(data, dict) and "data" in data:
            return _skypilot(data)
        rows = data.get("failures") if isinstance(data, dict) else data
        if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
            raise _problem("has no list of failures", 'write [{"time": "3 h", "node": "n17", "cause": "gpu"}, ..]')
        return _table([{str(k): str(v) for k, v in row.items() if v is not None} for row in rows], nodes, span, new)
    first = stripped.split("\n", 1)[0].strip()
    if re.fullmatch(r"\d+\s*,\s*(add|remove)\s*,.*", first):
        return _comings_and_goings(list(csv.reader(stripped.splitlines())))
    if re.fullmatch(r"\d{4}-\d\d-\d\d\s*,\s*[\d:]+\s*,\s*\d+", first):
        return _counts(list(csv.reader(stripped.splitlines(), skipinitialspace=True)))
    return _table([dict(row) for row in csv.DictReader(stripped.splitlines(), skipinitialspace=True)], nodes, span, new)


def _problem(what: str, mend: str = "") -> ProblemsError:
    return ProblemsError((Problem(what=what, mend=mend),))


_HEADER = re.compile(r"(?P<name>\w+)\s*(?:[\[(](?P<unit>[^\])]+)[\])])?")


def _table(rows: Sequence[dict[str, str]], nodes: int | None, span: float | None, new: bool) -> FailureLog:
    heads = {key: match for key in (rows[0] if rows else ()) if key and (match := _HEADER.fullmatch(key.strip()))}
    columns = {match["name"].lower(): (key, match["unit"]) for key, match in heads.items()}
    if missing := [name for name in ("time", "cause") if name not in columns]:
        raise _problem(f"the header has no {' and no '.join(missing)}", "write time [h],node,cause, or a unit behind each time")
    if nodes is None:
        raise _problem("a failure log does not tell how many nodes never failed", "say how many were watched: --nodes 2048")
    if span is None:
        raise _problem("a failure log does not tell how long nothing failed after its last row", "say how long it was kept: --span 54d")
    unit, key = columns["time"][1], columns["time"][0]
    times = _times([(row.get(key) or "").strip() for row in rows], unit)
    if times and not (min(times) >= 0 and max(times) <= span):
        raise _problem(
            f"times from {_time(min(times))} to {_time(max(times))}, of {_time(span)} watched", "say a --span that holds them all"
        )
    node_key, cause_key = columns.get("node", ("", ""))[0], columns["cause"][0]
    by_cause: dict[str, list[tuple[float, str]]] = {}
    for at, row in sorted(zip(times, rows, strict=True), key=lambda pair: pair[0]):
        by_cause.setdefault((row.get(cause_key) or "").strip() or "unknown", []).append((at, (row.get(node_key) or "").strip()))
    named = {node for events in by_cause.values() for _, node in events if node}
    if len(named) > nodes:
        raise _problem(f"{len(named)} nodes failed, of {nodes} watched", "say a larger --nodes")
    causes = tuple(_cause(name, events, nodes, span, new) for name, events in by_cause.items())
    return FailureLog(format="a table of failures", span=span, mean_nodes=nodes, causes=causes)


def _times(written: Sequence[str], unit: str | None) -> list[float]:
    """Times since the start of the log [s]."""
    try:
        if unit:
            size = units.parse(f"1 {unit}", "time")
            return [float(text) * size for text in written]
        if all(re.match(r"\d{4}-\d\d-\d\d", text) for text in written):
            dates = [datetime.datetime.fromisoformat(text) for text in written]
            return [(date - min(dates)).total_seconds() for date in dates]
        return [units.parse(text, "time") for text in written]
    except (ValueError, TypeError, MendableError) as error:
        raise _problem(f"a time cannot be read: {error}", "write time [h] in the header, or 3.5 h in each row") from None


def _cause(name: str, events: list[tuple[float, str]], nodes: int, span: float, new: bool) -> Cause:
    """Renewals of each node, or of the job.

    # Assumes: a node is as good as new after each failure, and watched from the first second to the last.
    """
    of = "node" if any(node for _, node in events) else "job"
    last: dict[str, float] = {}
    watched = _Watched()
    for at, node in events:
        if new or node in last:
            watched.add(last.get(node, 0.0), at, True, span)
        last[node] = at
    for at in last.values():
        watched.add(at, span, False, span)
    things = nodes if of == "node" else 1
    if new:
        watched.rows += [(span, False, span)] * (things - len(last))
    return Cause(
        name=name,
        of=of,
        failures=len(events),
        exposure=things * span,
        together=_together(at for at, _ in events),
        spells=watched.spells(),
        events=tuple(events),
    )


def _together(times: Iterable[float]) -> int:
    _, counts = np.unique(list(times), return_counts=True)
    return int(counts[counts > 1].sum())


def _skypilot(data: dict[str, object]) -> FailureLog:
    """Instances at each tick; of one instance, its spells too. The first spell's start is not known, and it is left out.

    Source: github.com/skypilot-org/spot-traces, the format of its README.
    """
    metadata, values = data.get("metadata"), data["data"]
    gap = metadata.get("gap_seconds") if isinstance(metadata, dict) else None
    if not (isinstance(gap, int | float) and gap > 0 and isinstance(values, list) and len(values) > 1):
        raise _problem("has no metadata.gap_seconds above 0, or no data")
    instances = np.asarray(values, dtype=float)
    span, drops = len(values) * float(gap), np.maximum(0.0, -np.diff(instances))
    spells = None
    if instances.max() == 1:
        edges = [0, *(np.flatnonzero(np.diff(instances)) + 1), len(values)]
        watched = _Watched()
        for begun, over in itertools.pairwise(edges[1:]):
            if instances[begun]:
                watched.add(begun * gap, over * gap, over < len(values), span)
        spells = watched.spells(float(gap))
    cause = Cause(
        name=PREEMPTION,
        of="node",
        failures=int(drops.sum()),
        exposure=float(instances.sum()) * gap,
        together=int(drops[drops > 1].sum()),
        spells=spells,
    )
    told = "SkyPilot's spot trace"
    return FailureLog(format=told, span=span, mean_nodes=float(instances.mean()), causes=(cause,))


def _comings_and_goings(rows: list[list[str]]) -> FailureLog:
    """Bamboo's CSV: every instance from its `add` to its `remove`.

    Source: github.com/uclasystem/bamboo, traces.
    """
    try:
        events = [(int(row[0]) / 1000, row[1].strip(), row[2].strip()) for row in rows if row]
    except (ValueError, IndexError) as error:
        raise _problem(f"a row cannot be read: {error}", "write milliseconds,add,node") from None
    start, end = events[0][0], events[-1][0]
    born: dict[str, float] = {}
    watched = _Watched()
    gone = []
    for at, what, node in events:
        if what == "add":
            born.setdefault(node, at)
        elif node in born:
            watched.add(born.pop(node), at, True, end)
            gone.append(at)
    for at in born.values():
        watched.add(at, end, False, end)
    spells = watched.spells()
    exposure = float(spells.seconds.sum())
    cause = Cause(name=PREEMPTION, of="node", failures=len(gone), exposure=exposure, together=_together(gone), spells=spells)
    told = "Bamboo's trace of instances"
    return FailureLog(format=told, span=end - start, mean_nodes=exposure / (end - start), causes=(cause,))


def _counts(rows: list[list[str]]) -> FailureLog:
    """Bamboo's text: the number of instances, in the order of the lines; every fall is so many preemptions.

    # Assumes: lines stand in the order in which they became true, also where a clock in them goes back a minute or two.
    """
    try:
        times = [datetime.datetime.fromisoformat(f"{row[0].strip()} {row[1].strip()}").timestamp() for row in rows if row]
        counts = np.array([int(row[2]) for row in rows if row], dtype=float)
    except (ValueError, IndexError) as error:
        raise _problem(f"a row cannot be read: {error}", "write 2021-12-11, 11:11:30, 55") from None
    span, drops = max(times) - min(times), np.maximum(0.0, -np.diff(counts))
    exposure = float((counts[:-1] * np.diff(times)).sum())
    if not (span > 0 and exposure > 0):
        raise _problem("tells of no time")
    cause = Cause(
        name=PREEMPTION, of="node", failures=int(drops.sum()), exposure=exposure, together=int(drops[drops > 1].sum()), spells=None
    )
    return FailureLog(format="Bamboo's trace of counts", span=span, mean_nodes=exposure / span, causes=(cause,))


# ------------------------------------------------------------------------------------------------------------------------------ fitting


def findings(log: FailureLog, seed: int = 0, samples: int = 200) -> tuple[Finding, ...]:
    """Rates and distributions, cause by cause, the most frequent first.

    Args:
        seed: of the samples that tell how good a fit is.
        samples: of them, at least.
    """
    answer = []
    for cause in sorted(log.causes, key=lambda each: (-each.failures, each.name)):
        exponential = _with_p(cause, fit_exponential, seed, samples)
        answer.append(
            Finding(
                cause=cause,
                rate=rate(cause.failures, cause.exposure),
                exponential=exponential,
                weibull=_with_p(cause, fit_weibull, seed, samples) if exponential else None,
                lognormal=_with_p(cause, fit_lognormal, seed, samples) if exponential else None,
            )
        )
    return tuple(answer)


def _with_p(cause: Cause, fit: Callable[[Spells], Fitted], seed: int, samples: int) -> Fitted | None:
    if cause.spells is None or cause.spells.failures < FEWEST:
        return None
    try:
        return with_p(cause.spells, fit, np.random.default_rng(seed), samples)
    except ValueError:
        return None


def failure_set(found: Sequence[Finding], *, detection: float, origin: str, log: FailureLog, replay: bool = False) -> FailureSet:
    """The set that the simulator reads back; causes without a failure are left out.

    Args:
        detection: from a failure to the decision to restart: no log of failures tells it [s].
        origin: where the log comes from, with its digest.
        replay: the failures of a table at their times and on their nodes, numbered by their names, in place of chance.
    """
    if replay and not all(each.cause.events for each in found if each.cause.failures):
        raise _problem(
            "is no table of failures: there are no times and nodes to replay", "leave --replay out; availability: trace replays it"
        )
    numbers = {name: number for number, name in enumerate(sorted({node for each in found for _, node in each.cause.events if node}))}
    classes = tuple(
        FailureClass(
            cause=each.cause.name,
            of="node" if each.cause.of == "node" else "job",
            mtbf=each.mtbf,
            **(_replayed(each.cause, numbers) if replay else {"distribution": each.distribution}),
            loses_node=each.cause.of == "node",
            detection=detection,
            source=f"{each.told()}; {origin}",
        )
        for each in found
        if each.cause.failures and math.isfinite(each.mtbf)
    )
    return FailureSet(
        source=f"fitted by the simulator to {origin}",
        classes=classes,
        sources={"classes.detection": "stated when the log was fitted, not in the log"},
        notes=("Replayed at the times of the log. " if replay else "")
        + f"{log.format}: {_time(log.span)}, {log.mean_nodes:.3g} nodes in the mean.",
    )


def _replayed(cause: Cause, numbers: Mapping[str, int]) -> dict[str, Any]:
    """When and where its failures strike; a node that one of them does not name is left to chance for all of them."""
    nodes = tuple(numbers.get(node, -1) for _, node in cause.events) if cause.of == "node" else ()
    return {"times": tuple(at for at, _ in cause.events), "nodes": nodes if -1 not in nodes else ()}
