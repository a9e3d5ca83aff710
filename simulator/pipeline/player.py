"""The one player of every pipeline schedule: seconds in, timeline out, by longest path.

The slots of a schedule are laid out in rows such that whatever a slot waits for stands in an earlier row. A row is then played for all
stages at once: start = max(own previous end, arrival of the input). Many microbatches repeat the same rows; once two periods differ by one
constant everywhere, all later ones do (the recurrence is linear in max-plus algebra), and only that constant is added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.outcome import Bar
from simulator.pipeline.dualpipe import DualPipe
from simulator.pipeline.gpipe import GPipe
from simulator.pipeline.interleaved import Interleaved
from simulator.pipeline.one_forward_one_backward import OneForwardOneBackward
from simulator.pipeline.slot import PHASES
from simulator.pipeline.zero_bubble_h1 import ZeroBubbleH1
from simulator.pipeline.zero_bubble_h2 import ZeroBubbleH2
from simulator.pipeline.zero_bubble_v import ZeroBubbleV
from simulator.spec import Kinds, kind_of, require

AnySchedule = GPipe | OneForwardOneBackward | Interleaved | ZeroBubbleH1 | ZeroBubbleH2 | ZeroBubbleV | DualPipe
"""Every pipeline schedule; the union is the registry."""

Schedule = Annotated[AnySchedule, Kinds()]

SCHEDULES: Mapping[str, AnySchedule] = {kind_of(kind): kind() for kind in get_args(AnySchedule)}
"""Name as written in a layout -> schedule."""

_ALIKE = 1e-12
"""Two periods are taken as alike when their times differ by a constant within this share of the time played so far."""

_NUMBERS = {phase: number for number, phase in enumerate(PHASES)}
_LABELS = {"input": "input gradient", "weight": "weight gradient", "joint_forward": "forward", "joint_backward": "backward"} | {
    phase: phase for phase in ("forward", "backward")
}
"""As a picture names the phases."""

_TURNS = {"forward": 0, "joint_forward": 0, "backward": 1, "joint_backward": 1, "input": 1, "weight": 2}

Indices = NDArray[np.intp]
_Floats = NDArray[np.float64]
Seconds = float | Sequence[float] | Sequence[Sequence[float]] | _Floats


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A schedule as played [s].

    `compute_s + transfer_s + bubble_s` is `total_s`: the work of the busiest stage; what transfers between stages add to the whole; the
    rest, which is filling, draining and waiting for slower stages. Where stages begin the next step on their own (`staggered` schedules),
    the whole is the longest time from a stage's first slot to its last: steps follow one another at that pace.

    Args:
        stage_start_s: per stage, when its first slot begins.
        stage_busy_s: per stage, computing and (where transfers block) sending.
        stage_end_s: per stage, when its last backward is done and sent.
        in_flight: per stage, microbatches (times chunks, each 1/virtual of a stage) whose activations it holds at its peak.
        bars: the first slots in order of time; empty unless asked for.
    """

    total_s: float
    compute_s: float
    transfer_s: float
    bubble_s: float
    stage_busy_s: tuple[float, ...]
    stage_start_s: tuple[float, ...]
    stage_end_s: tuple[float, ...]
    in_flight: tuple[int, ...]
    bars: tuple[Bar, ...] = ()

    @property
    def stage_idle_s(self) -> tuple[float, ...]:
        """Per stage, what it is not busy of the whole [s]."""
        return tuple(self.total_s - busy for busy in self.stage_busy_s)

    @property
    def bubble(self) -> float:
        """Idle ÷ ideal: (stages − 1) ÷ microbatches for 1F1B with equal stages, divided by the chunks where interleaved."""
        return self.bubble_s / self.compute_s if self.compute_s else 0.0


def play(
    schedule: AnySchedule,
    *,
    stages: int,
    virtual: int = 1,
    microbatches: int,
    forward: Seconds,
    backward: Seconds,
    weight: Seconds = 0.0,
    transfer: Seconds = 0.0,
    overlapped: bool = True,
    bars: int = 0,
) -> Timeline:
    """Play a schedule.

    Args:
        forward, backward: time of one microbatch [s]: of a chunk for all alike, per stage (each chunk of it), or per stage and chunk (the
            chunks of a second copy of the model behind those of the first).
        weight: of `backward`, the gradients of weights, which some schedules compute later; likewise.
        transfer: from each stage to the next one [s], the last to the first included; the same for all, or one per stage.
        overlapped: transfers run beside compute; otherwise a stage is held while it sends.
        bars: how many bars to return at most, the earliest first; asking for any plays every microbatch.

    Raises:
        MendableError: counts that the schedule cannot run, negative or misshapen durations.

    Accuracy: exact for the model stated: durations without jitter, one slot at a time on a stage, unlimited buffers.
        # Assumes: a blocking send holds the sender only; the receive rides in the same exchange (Megatron's send-forward-receive-backward).
    Source: the schedules; equal stages without transfers give (stages − 1) · (forward + backward) of bubble, arXiv:2104.04473, section 2.2.

    >>> played = play(OneForwardOneBackward(), stages=4, microbatches=8, forward=1.0, backward=2.0)
    >>> played.total_s, played.bubble
    (33.0, 0.375)
    """
    schedule.check(stages, virtual, microbatches)
    chunks, each = virtual * schedule.copies, microbatches / schedule.copies
    ahead, back = _seconds(forward, (stages, chunks), "forward"), _seconds(backward, (stages, chunks), "backward")
    later = _seconds(weight, (stages, chunks), "weight")
    require(bool((later <= back).all()), "weight takes longer than the backward pass that it is part of", "give a part of backward")
    pace = _pace(ahead, back, later, _seconds(transfer, (stages, 1), "transfer")[:, 0], overlapped, _crossings(schedule, stages, virtual))
    table, ends, added = _converged(schedule, stages, virtual, microbatches, pace, whole=bars > 0)
    last = ends[-1].reshape(2, stages) + added[:, None]
    first = _starts(table, ends, pace)
    span = last - first if schedule.staggered else last
    total, without = float(span[0].max()), float(span[1].max())
    compute = float(each * (ahead + back).sum(axis=1).max())
    return Timeline(
        total_s=total,
        compute_s=compute,
        transfer_s=total - without,
        bubble_s=without - compute,
        stage_busy_s=tuple((each * pace.work[0, : 2 * ahead.size].reshape(-1, stages).sum(axis=0)).tolist()),
        stage_start_s=tuple(first[0].tolist()),
        stage_end_s=tuple(last[0].tolist()),
        in_flight=tuple(schedule.in_flight(stage, stages, virtual, microbatches) for stage in range(stages)),
        bars=_bars(table, ends, pace, bars),
    )


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """Seconds by kind of slot, in the order phase (of `PHASES`), chunk, stage, and one more for idle; row 1 without transfers.

    Args:
        work: slot [s], the blocking send after it included.
        send: the blocking send alone [s].
        lag: from the end of the predecessor to the arrival of its output [s]; None where every one is zero.
    """

    work: _Floats
    send: _Floats
    lag: _Floats | None


def _pace(
    forward: _Floats, backward: _Floats, weight: _Floats, transfer: _Floats, overlapped: bool, crossings: tuple[Indices, Indices, Indices]
) -> _Pace:
    """Durations by kind of slot; all but `transfer` have shape [stages, chunks].

    Args:
        crossings: see `_crossings`.
    """
    stages = len(forward)
    nothing = np.zeros(forward.size + 1)
    # A joint backward stands for the pair, of which the forward serves the other chunk.
    kinds = (forward, backward, backward - weight, weight, np.zeros_like(forward), backward + forward[:, ::-1])
    compute = np.concatenate((*(phase.T.ravel() for phase in kinds), (0.0,)))
    before, after = np.zeros(forward.size), np.zeros(forward.size)  # where the data enters and the loss is computed, nothing crosses
    sending, receiving, link = crossings
    after[sending] = before[receiving] = transfer[link]
    # A forward receives over the link before it and sends over the one after it; a backward the other way round; weights stay.
    beside = after.reshape(-1, stages)[::-1].ravel()
    received = np.concatenate((before, after, after, nothing[1:], before, after, nothing[:1]))
    sent = np.concatenate((after, before, before, nothing[1:], nothing[1:], before + beside, nothing[:1]))
    send = np.zeros_like(compute) if overlapped else sent
    lag = np.stack((received, np.zeros_like(compute))) if overlapped and transfer.any() else None
    return _Pace(work=np.stack((compute + send, compute)), send=np.stack((send, np.zeros_like(compute))), lag=lag)


@lru_cache(maxsize=128)
def _crossings(schedule: AnySchedule, stages: int, virtual: int) -> tuple[Indices, Indices, Indices]:
    """Where a microbatch goes from one stage to another: the part that it leaves, the part that it enters, and the link between."""
    found = [
        (one * stages + source, other * stages + target, source if target == (source + 1) % stages else target)
        for route in schedule.routes(stages, virtual)
        for (source, one), (target, other) in pairwise(route)
        if source != target
    ]
    sending, receiving, link = np.array(found, dtype=np.intp).reshape(-1, 3).T
    return sending, receiving, link


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """Rows that further microbatches only lengthen: first and last row, and how many rows back the state reaches at its end."""

    first: int
    last: int
    reach: int


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A schedule in rows.

    Args:
        kind: per row and stage, the kind of slot (see `_Pace`), doubled along the stages for the play without transfers.
        source: per row and stage, where the predecessor's end stands in the flat array of ends; 0 where there is none. Doubled likewise.
        microbatch: per row and stage; -1 where idle.
        stretches: those that repeat; empty where the table is too short to show them all.
        repeat: rows per period of a stretch.
    """

    kind: NDArray[np.intp]
    source: NDArray[np.intp]
    microbatch: NDArray[np.intp]
    stretches: tuple[_Stretch, ...]
    repeat: int


@lru_cache(maxsize=128)
def _table(schedule: AnySchedule, stages: int, virtual: int, microbatches: int) -> _Table:
    """Lay a schedule out in rows: each slot as early as it can be if every slot took one row.

    Raises:
        ArithmeticError: the schedule waits for itself.
    """
    # A slot's number is (turn · microbatches + microbatch) · parts + part, where a part is chunk · stages + stage, and the turns are
    # forward, backward (whole, or of the input alone) and weights.
    parts = stages * virtual * schedule.copies
    before, after = np.full(parts, -1), np.full(parts, -1)
    for route in schedule.routes(stages, virtual):
        held = [chunk * stages + stage for stage, chunk in route]
        before[held[1:]], after[held[:-1]] = held[:-1], held[1:]
    slots = [schedule.order(stage, stages, virtual, microbatches) for stage in range(stages)]
    orders = [
        [(_TURNS[phase] * microbatches + index) * parts + chunk * stages + stage for _, index, chunk, phase in order]
        for stage, order in enumerate(slots)
    ]
    number = np.arange(3 * microbatches * parts)
    turn, microbatch, part = number // (microbatches * parts), number // parts % microbatches, number % parts
    other = np.where(turn == 0, before[part], np.where(turn == 1, after[part], -1))
    ends = np.arange(number.size)  # a joint forward is done when the backward beside it is
    for order, done in zip(slots, orders, strict=True):
        for place, slot in enumerate(order):
            if slot.phase == "joint_forward":
                ends[done[place]] = done[place + 1]
    needs = np.where(other >= 0, ends[number - part + other], -1)
    row = np.array(_rows(orders, needs.tolist(), stages))
    there = np.concatenate([np.array(order, dtype=np.intp) for order in orders])
    if (row[there] < 0).any():
        stuck = int((row[there] < 0).sum())
        raise ArithmeticError(f"the {schedule.kind} schedule waits for itself: {stuck} slots of {len(there)} cannot run")
    phase = np.concatenate([np.array([_NUMBERS[slot.phase] for slot in order], dtype=np.intp) for order in slots])
    row, part, microbatch, needs = row[there], part[there], microbatch[there], needs[there]
    count, idle, stage, waits = int(row.max()) + 1, len(PHASES) * parts, part % stages, needs >= 0
    kind, distance = np.full((count, stages), idle), np.zeros((count, stages), np.intp)
    source, index = np.zeros((count, stages), np.intp), np.full((count, stages), -1)
    reached = np.full(3 * microbatches * parts, -1)
    reached[there] = row
    kind[row, stage] = phase * parts + part
    index[row, stage] = microbatch
    distance[row, stage] = np.where(waits, row - reached[needs], 0)
    source[row, stage] = np.where(waits, (reached[needs] + 2) * 2 * stages + needs % parts % stages, 0)
    each, stretches = schedule.period(stages)
    repeat = schedule.slots * virtual * each // stretches
    return _Table(
        kind=np.hstack((kind, kind + idle + 1)),
        source=np.hstack((source, np.where(source > 0, source + stages, 0))),
        microbatch=index,
        stretches=_stretches(kind, distance, repeat, stretches),
        repeat=repeat,
    )


def _rows(orders: list[list[int]], needs: list[int], stages: int) -> list[int]:
    """The earliest row of each slot after its predecessor and after the one before it on its stage; -1 for slots that can never run."""
    rows = [-1] * len(needs)
    at, reached, waiting, ready = [0] * stages, [-1] * stages, [-1] * stages, list(range(stages))
    while ready:
        stage = ready.pop()
        order, row = orders[stage], reached[stage]
        for position in range(at[stage], len(order)):
            slot = order[position]
            needed = needs[slot]
            if needed >= 0:
                arrived = rows[needed]
                if arrived < 0:
                    at[stage], waiting[stage] = position, needed
                    break
                row = max(row, arrived)
            row += 1
            rows[slot] = row
            for other in ((stage + 1) % stages, (stage - 1) % stages):
                if waiting[other] == slot:
                    waiting[other] = -1
                    ready.append(other)
        else:
            at[stage] = len(order)
        reached[stage] = row
    return rows


def _stretches(kind: NDArray[np.intp], distance: NDArray[np.intp], repeat: int, expected: int) -> tuple[_Stretch, ...]:
    """The stretches of rows that repeat and are long enough to compare two periods; empty unless as many as expected are found."""
    same = ((kind[repeat:] == kind[:-repeat]) & (distance[repeat:] == distance[:-repeat])).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(((False,), same, (False,)))))
    found = []
    for first, past in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        reach = max(int(distance[first:].max()), 1)
        if past - first >= reach:
            found.append(_Stretch(first=first, last=past - 1 + repeat, reach=reach))
    return tuple(found) if len(found) == expected else ()


def _ends(table: _Table, pace: _Pace, known: _Floats) -> _Floats:
    """When each slot ends, by row and stage [s], first with and then without transfers; two rows stand before the first: never, and zero.

    Args:
        known: rows played before.
    """
    done = len(known)
    kinds, sources = table.kind[done - 2 :], table.source[done - 2 :]
    ends = np.empty((len(table.kind) + 2, kinds.shape[1]))
    ends[:done] = known
    arrived, work = np.empty(kinds.shape[1]), pace.work.reshape(-1).take(kinds)
    take, later, add, previous = ends.reshape(-1).take, np.maximum, np.add, ends[done - 1]
    if pace.lag is None:
        for needed, length, end in zip(sources, work, ends[done:], strict=True):
            take(needed, None, arrived, "clip")
            later(arrived, previous, out=arrived)
            previous = add(arrived, length, end)
    else:
        for needed, lag, length, end in zip(sources, pace.lag.reshape(-1).take(kinds), work, ends[done:], strict=True):
            take(needed, None, arrived, "clip")
            add(arrived, lag, arrived)
            later(arrived, previous, out=arrived)
            previous = add(arrived, length, end)
    return ends


def _converged(
    schedule: AnySchedule, stages: int, virtual: int, microbatches: int, pace: _Pace, whole: bool
) -> tuple[_Table, _Floats, _Floats]:
    """A table played, its ends, and what is to be added to the last of them for the microbatches left out (with and without transfers) [s].

    Few microbatches are played where their periods show themselves alike, otherwise more of them, at last all.
    """
    each, _ = schedule.period(stages)
    fill = stages if schedule.copies == 1 else 4 * stages
    first = max(3 * each, each * -(-(fill + 4) // each))
    played = microbatches if whole or microbatches <= 3 * first else first  # a failed attempt costs more than it could save there
    ends = np.repeat(((-math.inf,), (0.0,)), 2 * stages, axis=1)
    while True:
        table = _table(schedule, stages, virtual, played)
        ends = _ends(table, pace, ends)
        if played == microbatches:
            return table, ends, np.zeros(2)
        left = (microbatches - played) // each
        growth = _growth(ends, table, stages)
        if growth and left % growth[0] == 0:
            return table, ends, growth[1] * (left // growth[0])
        ends = ends[: table.stretches[0].last + 3 if table.stretches else 2]
        played = min(microbatches, played + each * (left % growth[0]) if growth else 2 * played)


def _growth(ends: _Floats, table: _Table, stages: int) -> tuple[int, _Floats] | None:
    """Periods after which every stretch is where it was plus a constant, and the sum of these constants, with and without transfers [s].

    One period is not always enough: a round trip through several stages that decides the pace carries as many microbatches,
    at most one per stage.
    """
    if not table.stretches:
        return None
    most = min((stretch.last - stretch.first - stretch.reach + 1) // table.repeat for stretch in table.stretches)
    most = min(most, stages)
    small = _ALIKE * float(ends[-1].max())
    for periods in range(1, most + 1):
        added = np.zeros(2)
        for stretch in table.stretches:
            late = slice(stretch.last + 3 - stretch.reach, stretch.last + 3)
            early = slice(late.start - periods * table.repeat, late.stop - periods * table.repeat)
            change = (ends[late] - ends[early]).reshape(stretch.reach, 2, -1)
            low, high = change.min(axis=(0, 2)), change.max(axis=(0, 2))
            if ((high - low) > small).any():
                break
            added += (low + high) / 2
        else:
            return periods, added
    return None


def _starts(table: _Table, ends: _Floats, pace: _Pace) -> _Floats:
    """When the first slot of each stage begins, with and without transfers [s]; shape [2, stages]."""
    stages = table.microbatch.shape[1]
    row, lane = (table.microbatch >= 0).argmax(axis=0), np.arange(stages)
    kinds = table.kind[row, lane]
    return np.stack((ends[row + 2, lane] - pace.work[0, kinds], ends[row + 2, lane + stages] - pace.work[1, kinds]))


def _bars(table: _Table, ends: _Floats, pace: _Pace, limit: int) -> tuple[Bar, ...]:
    """The first `limit` slots in order of time, sends left out."""
    if limit <= 0:
        return ()
    stages = table.microbatch.shape[1]
    kinds = table.kind[:, :stages]
    done = ends[2:, :stages] - pace.send[0].take(kinds)
    start = done - (pace.work[0] - pace.send[0]).take(kinds)
    parts = pace.work.shape[1] // len(PHASES)
    _part_joint(kinds, start, done, pace, parts)
    start = np.maximum.accumulate(start)  # slots that take no time stay in their order whatever rounding says
    rows, lanes = np.nonzero(table.microbatch >= 0)
    chosen = np.argsort(start[rows, lanes], kind="stable")[:limit]
    return tuple(
        Bar(
            lane=int(lane),
            label=_LABELS[PHASES[kinds[row, lane] // parts]],
            microbatch=int(table.microbatch[row, lane]),
            start_s=float(start[row, lane]),
            end_s=float(done[row, lane]),
        )
        for row, lane in zip(rows[chosen], lanes[chosen], strict=True)
    )


def _part_joint(kinds: NDArray[np.intp], start: _Floats, done: _Floats, pace: _Pace, parts: int) -> None:
    """Draw joint slots one after the other: the forward first. Changes `start` and `done`."""
    joint = kinds // parts == _NUMBERS["joint_forward"]
    for lane in np.flatnonzero(joint.any(axis=0)):
        busy = np.flatnonzero(kinds[:, lane] < len(PHASES) * parts)
        places = np.flatnonzero(joint[busy, lane])
        ahead, back = busy[places], busy[places + 1]
        forward = kinds[ahead, lane] % parts
        start[ahead, lane] = start[back, lane]
        done[ahead, lane] = start[back, lane] = start[back, lane] + (pace.work[0] - pace.send[0])[forward]


def _seconds(value: Seconds, shape: tuple[int, int], what: str) -> _Floats:
    """Durations of shape [stages, chunks] from a number, one per stage, or all of them.

    Raises:
        MendableError: another shape, or a duration that is negative or not finite.
    """
    given = np.asarray(value, dtype=np.float64)
    fits = given.shape in ((), shape[:1], shape)
    require(fits, f"{what} has the shape {given.shape}", f"give one time, {shape[0]} (one per stage), or {shape[0]} x {shape[1]}")
    require(bool(np.isfinite(given).all() and (given >= 0).all()), f"{what} holds a time that is negative or not finite")
    return np.broadcast_to(given[:, None] if given.ndim == 1 else given, shape)
