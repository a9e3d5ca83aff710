"""Who gets how much of shared links: max–min fair rates."""

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
    flows, count = len(offsets) - 1, len(capacity)
    hops = np.diff(offsets)
    weight = np.ones(flows) if weights is None else np.asarray(weights, dtype=float)
    rates = np.full(flows, np.inf)
    remaining = np.array(capacity, dtype=float)
    flow, link = np.repeat(np.arange(flows), hops), np.asarray(links)
    heavy = weight[flow]
    least, fixed = np.empty(flows), np.zeros(flows, dtype=bool)
    # Entries (flow, link) stay in order of flows as those of fixed flows leave.
    while len(flow):
        load = np.bincount(link, weights=heavy, minlength=count)
        share = np.full(count, np.inf)
        np.divide(remaining, load, out=share, where=load > 0)
        first = np.empty(len(flow), dtype=bool)
        first[0] = True
        np.not_equal(flow[1:], flow[:-1], out=first[1:])
        starts = np.flatnonzero(first)
        least[flow[starts]] = np.minimum.reduceat(share[link], starts)
        tightest = np.full(count, np.inf)
        np.minimum.at(tightest, link, least[flow])
        fixed[flow[(tightest >= share)[link]]] = True
        leaving = fixed[flow]
        gone = flow[leaving]
        rates[gone] = least[gone] * weight[gone]
        remaining -= np.bincount(link[leaving], weights=rates[gone], minlength=count)
        np.maximum(remaining, 0.0, out=remaining)
        keep = ~leaving
        flow, link, heavy = flow[keep], link[keep], heavy[keep]
    return rates
