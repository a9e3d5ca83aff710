"""The one executor: any plan, on any interconnect, with all groups at once -> hops and the busiest link."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.collectives.plan import Plan, Ranks, Round
from simulator.interconnect import Interconnect


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a plan costs for any size: time = (latency of its hops) + size * `per_byte`.

    Args:
        near, far: hops on the critical path inside a scale-up domain, and between domains (a mean over rings: not always whole).
        wire: sum of the links' own latencies along that path [s].
        per_byte: time that the busiest links need per byte of the operation's size [s/B].
        link: the busiest of them.
    """

    near: float
    far: float
    wire: float
    per_byte: float
    link: int


def execute(
    plan: Plan, groups: Ranks, network: Interconnect, capacity: NDArray[np.float64], seen: dict[bytes, Messages] | None = None
) -> Cost:
    """Price a plan that every group carries out at the same time.

    With messages of one size all flows have ended once the busiest link has carried its bytes, and none earlier: the least max–min rate
    is min over links of capacity / flows, and it only grows as flows end. So a round takes max over links (bytes / capacity).

    Args:
        groups: accelerators of each group, shape (groups, ranks).
        capacity: achievable rate of each link [B/s].
        seen: messages of rounds already laid on the same groups and network, to be shared between plans.
    """
    seen = {} if seen is None else seen
    near = far = wire = per_byte = 0.0
    total, flows = np.zeros(len(capacity)), np.zeros(len(capacity))
    slowest, link = -1.0, 0
    for round_ in plan.rounds:
        key, source, target, weight = _pairs(round_, plan.ranks)
        messages = seen.get(key) or seen.setdefault(key, _lay(source, target, weight, groups, network))
        load = messages.load * (round_.width * plan.unit * round_.repeat)
        if plan.pipelined:
            total += load
            flows += messages.load
        else:
            busy = load / _left(capacity, messages.load, network)
            worst = int(np.argmax(busy))
            per_byte += float(busy[worst])
            if busy[worst] > slowest:
                slowest, link = float(busy[worst]), worst
        steps = round_.steps
        hops = messages.mean if round_.chained else messages.worst
        near, far, wire = near + steps * hops[0], far + steps * hops[1], wire + steps * hops[2]
    if plan.pipelined:
        busy = total / _left(capacity, flows, network)
        link = int(np.argmax(busy))
        per_byte = float(busy[link])
    return Cost(near=near, far=far, wire=wire, per_byte=per_byte, link=link)


def _left(capacity: NDArray[np.float64], flows: NDArray[np.float64], network: Interconnect) -> NDArray[np.float64]:
    """What each link has for so many flows [B/s], neighbours having theirs."""
    return capacity if network.shared is None else capacity * network.shared.left(flows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Messages:
    """Messages of a round as flows: how often each link is crossed, and (hops inside, hops between, wire latency) of a message: the mean
    over a group (of the worst group), and the worst message."""

    load: NDArray[np.float64]
    mean: tuple[float, float, float]
    worst: tuple[float, float, float]


@functools.lru_cache(maxsize=4096)
def _pairs(round_: Round, ranks: int) -> tuple[bytes, Ranks, Ranks, NDArray[np.int64]]:
    """Messages with equal ends as one with a weight: (key of the set, source, target, weight)."""
    pairs, weight = np.unique((round_.source + 2 * ranks) * (3 * ranks) + round_.target + 2 * ranks, return_counts=True)
    source, target = np.divmod(pairs, 3 * ranks)
    return pairs.tobytes() + weight.tobytes(), source - 2 * ranks, target - 2 * ranks, weight


def _lay(source: Ranks, target: Ranks, weight: NDArray[np.int64], groups: Ranks, network: Interconnect) -> Messages:
    if min(source.min(), target.min()) < -groups.shape[1]:
        return _lay_tree(source, target, groups, network)
    share, weights = weight / weight.sum(), weight.astype(float)
    load = np.zeros(len(network.capacity))
    mean, near, far = (0.0, 0.0, 0.0), 0.0, 0.0
    most, between_any = -1.0, False
    block = max(1, _BLOCK // len(weight))
    for first in range(0, len(groups), block):
        some = groups[first : first + block]
        ends = [(np.where(end >= 0, some[:, end], -1) if end.min() < 0 else some[:, end]).ravel() for end in (source, target)]
        offsets, links = network.paths(*ends)
        hops = np.diff(offsets)
        load += np.bincount(links, weights=np.repeat(np.tile(weights, len(some)), hops), minlength=len(load))
        flow = np.repeat(np.arange(len(hops)), hops)
        wire = np.bincount(flow, weights=network.latency[links], minlength=len(hops))
        between = np.bincount(flow, weights=network.scale_out[links], minlength=len(hops)) > 0
        mean_far, mean_wire = (values.reshape(len(some), -1) @ share for values in (between, wire))
        group = int(np.argmax(mean_wire + mean_far))
        if mean_wire[group] + mean_far[group] > most:
            most = float(mean_wire[group] + mean_far[group])
            mean = (1.0 - float(mean_far[group]), float(mean_far[group]), float(mean_wire[group]))
        if between.any():
            between_any, far = True, max(far, float(wire[between].max()))
        near = max(near, float(wire.max()))
    worst = (0.0, 1.0, far) if between_any else (1.0, 0.0, near)
    return Messages(load=load, mean=mean, worst=worst)


def _lay_tree(source: Ranks, target: Ranks, groups: Ranks, network: Interconnect) -> Messages:
    """Messages to (or from) switches that reduce: every link up to the highest switch of a group carries one message of it, and so does
    the link back.

    Assumes: routes that climb and descend by equally many links, as in trees.
    """
    up = bool(target.min() < 0)
    member, switch = (source, target) if up else (target, source)
    load, wire = np.zeros(len(network.capacity)), 0.0
    for one in np.unique(switch):
        ends = groups[:, member[switch == one]]
        first = np.broadcast_to(ends[:, :1], ends.shape)
        lengths = np.diff(network.paths(ends.ravel(), first.ravel())[0]).reshape(ends.shape)
        distant = np.broadcast_to(np.take_along_axis(ends, lengths.argmax(axis=1)[:, None], axis=1), ends.shape)
        # In a tree one of the two lies on the other side of the highest switch.
        reached = np.diff(network.paths(ends.ravel(), distant.ravel())[0]).reshape(ends.shape)
        over = np.where(reached > lengths, distant, first)
        offsets, links = network.paths(*((ends.ravel(), over.ravel()) if up else (over.ravel(), ends.ravel())))
        flow = np.repeat(np.arange(ends.size), np.diff(offsets))
        between = network.scale_out[links]
        flow, links = flow[between], links[between]
        count = np.bincount(flow, minlength=ends.size)
        place = np.arange(len(flow)) - (np.cumsum(count) - count)[flow]
        half = 2 * place < count[flow] if up else 2 * place >= count[flow]
        flow, links = flow[half], links[half]
        wire = max(wire, float(np.bincount(flow, weights=network.latency[links], minlength=ends.size).max()))
        once = np.unique(flow // ends.shape[1] * len(load) + links) % len(load)
        load += np.bincount(once, minlength=len(load))
    return Messages(load=load, mean=(0.0, 1.0, wire), worst=(0.0, 1.0, wire))


_BLOCK = 1 << 16
"""Flows laid at once: what fits in a cache is several times as fast."""
