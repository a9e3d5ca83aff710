"""Flows that come and go, and links that fail and return, under max–min fair sharing.

Three things keep an event cheap: flows over equal routes are one weighted flow; what ends at the same moment is one event; and only those
shares are solved again that the event can have moved. The last rests on a theorem: rates are max–min fair if and only if no link is
overloaded and every flow has a *bottleneck*, a full link on which nobody has more per weight. So the shares of a few routes are solved
with all others held, and whoever is without a bottleneck afterwards (or stands in the way of somebody who is) joins the few, until every
route that an affected link carries has one. What an event does not reach is neither solved nor looked at.

Source: Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2 (a vector of rates is max–min fair if and only if each session has a
bottleneck).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.sharing import max_min_rates

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]

_ROUNDING = 1e-12
"""Times, rates and loads that differ by less (relative) are the same."""


def completion_times(
    sizes: _Floats,
    starts: _Floats,
    offsets: _Ints,
    links: _Ints,
    capacity: _Floats,
    latency: _Floats,
    changes: Sequence[tuple[float, int, float]] = (),
) -> _Floats:
    """When each flow has ended [s], rates being max–min fair at every moment; infinite for a flow that never does.

    A flow claims bandwidth once the latency of its path has passed; its last byte arrives with its last share of bandwidth.

    Args:
        sizes: of each flow [B]; starts: when it is sent [s].
        offsets, links: paths as in `max_min_rates`; capacity [B/s] and latency [s] of each link.
        changes: (moment [s], link, capacity from then on [B/s]): a link that degrades, dies (0) or comes back.

    Accuracy: exact for fluid flows, up to rounding; no slow start, no queues, no loss; routes stay as they are.
    """
    sizes, path = np.asarray(sizes, dtype=float), np.asarray(links, dtype=np.int64)
    flows, hops = len(sizes), np.diff(offsets)
    owner = np.repeat(np.arange(flows), hops)
    arrive = np.asarray(starts, dtype=float) + np.bincount(owner, weights=np.asarray(latency, dtype=float)[path], minlength=flows)
    ended = np.where((sizes > 0) & (hops > 0), np.inf, arrive)
    waiting = np.flatnonzero(np.isinf(ended))
    if not len(waiting):
        return ended
    waiting = waiting[np.argsort(arrive[waiting], kind="stable")]
    route, routes = _routes(waiting, offsets, path, flows)
    # Only links that are crossed matter, numbered anew.
    crossed, numbers = np.unique(np.concatenate(routes), return_inverse=True)
    bounds = np.concatenate([[0], np.cumsum([len(taken) for taken in routes])])
    shares = _Shares(bounds, numbers, np.asarray(capacity, dtype=float)[crossed])
    due, head = arrive[waiting].tolist(), 0
    changing, change = sorted(changes), 0
    # Members of a route all progress alike: each ends once the bytes served per member reach its threshold, the least of them first.
    members: list[list[tuple[float, int]]] = [[] for _ in routes]
    served, since = np.zeros(len(routes)), np.zeros(len(routes))
    threshold, ends = np.full(len(routes), np.inf), np.full(len(routes), np.inf)
    while True:
        now = min(
            float(ends.min()),
            due[head] if head < len(due) else np.inf,
            changing[change][0] if change < len(changing) else np.inf,
        )
        if now == np.inf:
            return ended
        late = now * (1 + _ROUNDING)
        touched = np.flatnonzero(ends <= late).tolist()
        for row in touched:
            heap, rate = members[row], float(shares.rate[row])
            reached = max(heap[0][0], served[row] + rate * (late - since[row]))
            while heap and heap[0][0] <= reached:
                ended[heapq.heappop(heap)[1]] = now
        while head < len(due) and due[head] <= late:
            flow = int(waiting[head])
            row = int(route[flow])
            heapq.heappush(members[row], (float(served[row] + shares.rate[row] * (now - since[row]) + sizes[flow]), flow))
            touched.append(row)
            head += 1
        altered = []
        while change < len(changing) and changing[change][0] <= late:
            place = int(np.searchsorted(crossed, changing[change][1]))
            if place < len(crossed) and crossed[place] == changing[change][1]:
                shares.capacity[place] = changing[change][2]
                altered.append(place)
            change += 1
        rows = np.unique(np.array(touched, dtype=np.int64))
        shares.weight[rows] = [len(members[row]) for row in rows]
        threshold[rows] = [members[row][0][0] if members[row] else np.inf for row in rows]
        before, moved = shares.settle(rows, np.array(altered, dtype=np.int64))
        served[moved] += before * (now - since[moved])
        since[moved] = now
        left, rates = np.maximum(threshold[moved] - served[moved], 0.0), shares.rate[moved]
        ends[moved] = now + np.divide(left, rates, out=np.full(len(moved), np.inf), where=rates > 0)


def _routes(flows: _Ints, offsets: _Ints, links: _Ints, count: int) -> tuple[_Ints, list[_Ints]]:
    """Which route each of these flows takes, and the links of each different route."""
    known: dict[bytes, int] = {}
    route = np.full(count, -1, dtype=np.int64)
    routes: list[_Ints] = []
    for flow in flows:
        taken = links[offsets[flow] : offsets[flow + 1]]
        route[flow] = known.setdefault(taken.tobytes(), len(known))
        if len(known) > len(routes):
            routes.append(taken)
    return route, routes


class _Shares:
    """Max–min fair rates of weighted routes, kept up to date as weights and capacities change.

    Args:
        offsets, links: route i crosses `links[offsets[i]:offsets[i + 1]]`.
        capacity: of each link [B/s].

    `rate` is that of one flow of the route; a route of weight 0 is not there. `capacity` and `weight` may be changed before `settle`.
    """

    def __init__(self, offsets: _Ints, links: _Ints, capacity: _Floats) -> None:
        self.capacity, self.offsets, self.links = capacity, offsets, links
        routes = len(offsets) - 1
        self.weight = np.zeros(routes)
        self.rate = np.zeros(routes)
        self._bottleneck = np.full(routes, -1, dtype=np.int64)
        self._chosen = np.zeros(routes, dtype=bool)
        self._affected = np.zeros(len(capacity), dtype=bool)
        self._place = np.zeros(len(capacity), dtype=np.int64)
        # Routes over each link: `_crossing[_first[link]:_first[link + 1]]`.
        owner = np.repeat(np.arange(routes), np.diff(offsets))
        self._crossing = owner[np.argsort(links, kind="stable")]
        self._first = np.concatenate([[0], np.cumsum(np.bincount(links, minlength=len(capacity)))]).astype(np.int64)

    def settle(self, routes: _Ints, links: _Ints) -> tuple[_Floats, _Ints]:
        """Make the rates fair again after the weights of `routes` and the capacities of `links` have changed.

        Returns the former rates of the routes whose rate or weight may have changed, and these routes.
        """
        weight, rate, chosen, affected = self.weight, self.rate, self._chosen, self._affected
        moved, before = [routes], [rate[routes]]
        chosen[routes] = True
        affected[links] = True
        affected[self._of(routes)[1]] = True
        few = routes[weight[routes] > 0]
        rate[routes[weight[routes] == 0]] = 0.0
        active = int(np.count_nonzero(weight))
        while True:
            owner, path = self._of(few)
            affected[path] = True
            crossed = np.flatnonzero(affected)
            self._place[crossed] = np.arange(len(crossed))
            place, crossing = self._over(crossed)
            there = weight[crossing] > 0
            place, crossing = place[there], crossing[there]
            capacity = self.capacity[crossed]
            if len(few):
                held = ~chosen[crossing]
                other = crossing[held]
                free = capacity - np.bincount(place[held], weights=weight[other] * rate[other], minlength=len(crossed))
                np.maximum(free, 0.0, out=free)
                bounds = np.searchsorted(owner, np.arange(len(few) + 1))
                rate[few] = max_min_rates(bounds, self._place[path], free, weight[few]) / weight[few]
            wanting = self._wanting(crossed, place, crossing, capacity)
            if not len(wanting):
                break
            if len(few) + len(wanting) > active / 4:
                # The event reaches far: solving for all at once is cheaper than to find out how far.
                wanting = np.flatnonzero((weight > 0) & ~chosen)
            chosen[wanting] = True
            moved.append(wanting)
            before.append(rate[wanting])
            few = np.concatenate([few, wanting])
        all_moved = np.concatenate(moved)
        chosen[all_moved] = False
        affected[crossed] = False
        return np.concatenate(before), all_moved

    def _wanting(self, crossed: _Ints, place: _Ints, crossing: _Ints, capacity: _Floats) -> _Ints:
        """Routes that must be solved, too: those left without a bottleneck, and those that have more where one of the few is held up."""
        weight, rate, chosen = self.weight, self.rate, self._chosen
        share = rate[crossing]
        load = np.bincount(place, weights=weight[crossing] * share, minlength=len(crossed))
        most = np.zeros(len(crossed))
        np.maximum.at(most, place, share)
        full = load >= capacity * (1 - _ROUNDING)
        over = load > capacity * (1 + _ROUNDING)
        fits = full & ~over
        good = fits[place] & (share >= most[place] * (1 - _ROUNDING))
        mine = self._bottleneck[crossing]
        # A route not chosen whose bottleneck no affected link is keeps it; others need one among the affected links.
        lost = np.zeros(len(weight), dtype=bool)
        lost[crossing[chosen[crossing]]] = True
        lost[crossing[(mine == crossed[place]) & ~good]] = True
        self._bottleneck[crossing[good & lost[crossing]]] = crossed[place[good & lost[crossing]]]
        lost[crossing[good]] = False
        lost[crossing[over[place]]] = True
        new = np.flatnonzero(lost & ~chosen)
        stuck = lost & chosen
        if stuck.any():
            # The least share of a stuck route on each full link: who has more there makes room.
            held = stuck[crossing] & full[place]
            least = np.full(len(crossed), np.inf)
            np.minimum.at(least, place[held], share[held])
            rivals = crossing[~chosen[crossing] & (share > least[place] * (1 + _ROUNDING))]
            new = np.unique(np.concatenate([new, rivals]))
        return new

    def _of(self, routes: _Ints) -> tuple[_Ints, _Ints]:
        """Links of these routes: (position of the route, link)."""
        position, at = _ranges(self.offsets, routes)
        return position, self.links[at]

    def _over(self, links: _Ints) -> tuple[_Ints, _Ints]:
        """Routes over these links: (position of the link, route)."""
        position, at = _ranges(self._first, links)
        return position, self._crossing[at]


def _ranges(offsets: _Ints, rows: _Ints) -> tuple[_Ints, _Ints]:
    """Entries of some rows of a table in rows: (position of the row in `rows`, place of the entry)."""
    first = offsets[rows]
    counts = offsets[rows + 1] - first
    position = np.repeat(np.arange(len(rows)), counts)
    ends = np.cumsum(counts)
    return position, np.arange(int(counts.sum())) + (first - ends + counts)[position]
