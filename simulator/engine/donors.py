"""What the nodes' owner does: changes of the number of nodes, one after the other, and how long before they are known."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator

from simulator.engine.streams import Streams, exponential
from simulator.reliability import Always, Availability, Replay, Schedule, ScheduledNodes, Spot


def changes(availability: Availability, nodes: int, streams: Streams) -> Iterator[ScheduledNodes]:
    """The nodes that are there, from 0 s on; endless for those that nobody plans.

    Args:
        nodes: of the whole cluster.
    """
    match availability:
        case Always():
            yield ScheduledNodes(at=0.0, nodes=nodes)
        case Schedule():
            yield from availability.changes
        case Spot():
            yield from _spot(availability, nodes, streams)
        case Replay():
            yield from _replay(availability, nodes, streams)


def notice(availability: Availability) -> float:
    """How long before a change it is known [s]."""
    return availability.notice if isinstance(availability, Spot | Replay) else math.inf


def _spot(availability: Spot, nodes: int, streams: Streams) -> Iterator[ScheduledNodes]:
    stream = streams.stream("spot", 4)
    up = (availability.up / math.gamma(1 + 1 / availability.up_shape), 1 / availability.up_shape)
    down = (availability.down / math.gamma(1 + 1 / availability.down_shape), 1 / availability.down_shape)

    def lasts(scale: float, power: float) -> float:
        return float(scale * exponential(stream.row()[0]) ** power)

    yield ScheduledNodes(at=0.0, nodes=nodes)
    turns = [(lasts(*up), node, True) for node in range(nodes)]
    heapq.heapify(turns)
    there = nodes
    while True:
        at, node, was_up = turns[0]
        heapq.heapreplace(turns, (at + lasts(*(down if was_up else up)), node, not was_up))
        there += -1 if was_up else 1
        yield ScheduledNodes(at=at, nodes=there)


def _replay(availability: Replay, nodes: int, streams: Streams) -> Iterator[ScheduledNodes]:
    trace = availability.trace
    start = streams.stream("trace", 4).row()[0] * trace.length if availability.start == "random" else availability.start % trace.length
    counts = [availability.nodes(change.nodes, nodes) for change in trace.changes]
    there = counts[max(place for place, change in enumerate(trace.changes) if change.at <= start)]
    yield ScheduledNodes(at=0.0, nodes=there)
    for lap in itertools.count() if len(set(counts)) > 1 else ():
        for change, count in zip(trace.changes, counts, strict=True):
            at = change.at + lap * trace.length - start
            if at > 0 and count != there:
                there = count
                yield ScheduledNodes(at=at, nodes=there)
