"""Who gets how much of shared links: max–min fair rates, and flows that come and go under them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def max_min_rates(
    offsets: NDArray[np.int64],
    links: NDArray[np.int64],
    capacity: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Weighted max–min fair rate of each flow [B/s]: nobody can gain but at the cost of somebody who has no more per weight.

    Progressive filling that fixes in each round every *local* bottleneck: a link whose fair share is the least along the path of each
    of its flows. Few rounds are needed, where filling by the global minimum needs one per distinct rate.

    Args:
        offsets, links: flow i crosses `links[offsets[i]:offsets[i + 1]]`; a flow that crosses none has an infinite rate.
        capacity: of each link [B/s].
        weights: a flow of weight 2 counts as two flows on the same path; 1 each where absent.

    Accuracy: exact up to rounding.
    Source: Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2 (max–min fair flow control).
    """
    flows = len(offsets) - 1
    weight = np.ones(flows) if weights is None else np.asarray(weights, dtype=float)
    rates = np.full(flows, np.inf)
    remaining = np.array(capacity, dtype=float)
    flow = np.repeat(np.arange(flows), np.diff(offsets))
    link = np.asarray(links)
    # Entries sorted by flow (as given) and by link; both orders shrink together as flows are fixed.
    by_link = np.argsort(link, kind="stable")
    while len(flow):
        load = np.bincount(link, weights=weight[flow], minlength=len(remaining))
        share = np.divide(remaining, load, out=np.full(len(remaining), np.inf), where=load > 0)
        starts = np.flatnonzero(np.diff(flow, prepend=-1))
        least = np.empty(flows)
        least[flow[starts]] = np.minimum.reduceat(share[link], starts)
        ordered = link[by_link]
        firsts = np.flatnonzero(np.diff(ordered, prepend=-1))
        crossed = ordered[firsts]
        tightest = np.minimum.reduceat(least[flow[by_link]], firsts)
        full = np.zeros(len(remaining), dtype=bool)
        full[crossed[tightest >= share[crossed]]] = True
        fixed = np.zeros(flows, dtype=bool)
        fixed[flow[full[link]]] = True
        rates[fixed] = least[fixed] * weight[fixed]
        leaving = fixed[flow]
        remaining -= np.bincount(link[leaving], weights=rates[flow[leaving]], minlength=len(remaining))
        np.maximum(remaining, 0.0, out=remaining)
        keep = ~leaving
        position = np.cumsum(keep) - 1
        by_link = position[by_link[keep[by_link]]]
        flow, link = flow[keep], link[keep]
    return rates


def completion_times(
    sizes: NDArray[np.float64],
    starts: NDArray[np.float64],
    offsets: NDArray[np.int64],
    links: NDArray[np.int64],
    capacity: NDArray[np.float64],
    latency: NDArray[np.float64],
) -> NDArray[np.float64]:
    """When each flow has ended [s], rates being max–min fair at every moment.

    A flow claims bandwidth once the latency of its path has passed; its last byte arrives with its last share of bandwidth.

    Args:
        sizes: of each flow [B]; starts: when it is sent [s].
        offsets, links: paths as in `max_min_rates`; capacity [B/s] and latency [s] of each link.

    Accuracy: exact for fluid flows; no slow start, no queues, no loss.
    """
    flows = len(sizes)
    hops = np.diff(offsets)
    flow = np.repeat(np.arange(flows), hops)
    arrive = np.asarray(starts, dtype=float) + np.bincount(flow, weights=latency[links], minlength=flows)
    left = np.array(sizes, dtype=float)
    ended = np.where(left > 0, np.inf, arrive)
    waiting = np.flatnonzero(left > 0)
    waiting = waiting[np.argsort(arrive[waiting], kind="stable")]
    active = np.zeros(flows, dtype=bool)
    now, head = 0.0, 0
    while head < len(waiting) or active.any():
        if not active.any():
            now = arrive[waiting[head]]
        while head < len(waiting) and arrive[waiting[head]] <= now:
            active[waiting[head]] = True
            head += 1
        chosen = np.flatnonzero(active)
        entries = active[flow]
        bounds = np.concatenate([[0], np.cumsum(hops[chosen])])
        rates = max_min_rates(bounds, links[entries], capacity)
        needed = left[chosen] / rates
        step = float(needed.min())
        until = arrive[waiting[head]] if head < len(waiting) else np.inf
        if now + step * (1 + 1e-12) < until:
            # Flows that end together but for rounding are one event.
            over = needed <= step * (1 + 1e-12)
            now += step
        else:
            step = until - now
            over = needed <= step * (1 + 1e-12)
            now = until
        left[chosen] -= rates * step
        ended[chosen[over]] = now
        active[chosen[over]] = False
    return ended
