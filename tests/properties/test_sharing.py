"""Laws of max–min fair sharing, over random flows on random links."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.interconnect import completion_times, max_min_rates


@st.composite
def flows(draw):
    """Paths as rows of offsets and links, capacities, weights."""
    links = draw(st.integers(1, 8))
    paths = draw(st.lists(st.sets(st.integers(0, links - 1), min_size=1, max_size=links), min_size=1, max_size=12))
    capacity = np.array(draw(st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0, 7.5]), min_size=links, max_size=links)))
    weights = np.array(draw(st.lists(st.sampled_from([1.0, 1.0, 2.0, 0.5]), min_size=len(paths), max_size=len(paths))))
    offsets = np.concatenate([[0], np.cumsum([len(path) for path in paths])])
    return offsets, np.array([link for path in paths for link in sorted(path)]), capacity, weights


def loads(offsets, links, rates, count):
    return np.bincount(links, weights=np.repeat(rates, np.diff(offsets)), minlength=count)


@settings(max_examples=50, deadline=None)
@given(flows())
def test_no_link_carries_more_than_it_can_and_nobody_could_have_more(case):
    offsets, links, capacity, weights = case
    rates = max_min_rates(offsets, links, capacity, weights)
    load = loads(offsets, links, rates, len(capacity))
    assert (rates > 0).all()
    assert (load <= capacity * (1 + 1e-12)).all()
    fair = rates / weights
    owner = np.repeat(np.arange(len(rates)), np.diff(offsets))
    for flow in range(len(rates)):
        crossed = links[offsets[flow] : offsets[flow + 1]]
        assert any(
            load[link] >= capacity[link] * (1 - 1e-12) and fair[flow] >= fair[owner[links == link]].max() * (1 - 1e-12) for link in crossed
        )


@settings(max_examples=30, deadline=None)
@given(flows(), st.floats(0.25, 64.0), st.randoms(use_true_random=False))
def test_scaling_and_renaming_change_nothing(case, factor, shuffler):
    offsets, links, capacity, weights = case
    rates = max_min_rates(offsets, links, capacity, weights)
    np.testing.assert_allclose(max_min_rates(offsets, links, capacity * factor, weights), rates * factor, rtol=1e-12)
    np.testing.assert_allclose(max_min_rates(offsets, links, capacity, weights * factor), rates, rtol=1e-12)
    names = list(range(len(capacity)))
    shuffler.shuffle(names)
    renamed = np.empty(len(capacity))
    renamed[names] = capacity
    np.testing.assert_allclose(max_min_rates(offsets, np.array(names)[links], renamed, weights), rates, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(flows())
def test_a_flow_of_weight_two_is_two_flows(case):
    offsets, links, capacity, _ = case
    weights = np.ones(len(offsets) - 1)
    weights[0] = 2.0
    first = links[: offsets[1]]
    split = max_min_rates(np.concatenate([[0], offsets + len(first)])[:], np.concatenate([first, links]), capacity)
    whole = max_min_rates(offsets, links, capacity, weights)
    np.testing.assert_allclose(np.concatenate([[split[0] + split[1]], split[2:]]), whole, rtol=1e-12)


def test_equal_flows_get_equal_rates_and_flows_without_links_all_they_want():
    rates = max_min_rates(np.array([0, 1, 2, 2]), np.array([0, 0]), np.array([10.0]))
    assert rates.tolist() == [5.0, 5.0, np.inf]


@settings(max_examples=30, deadline=None)
@given(flows(), st.floats(0.5, 8.0))
def test_bytes_are_conserved_and_time_scales(case, factor):
    offsets, links, capacity, weights = case
    count = len(offsets) - 1
    starts, sizes, latency = np.arange(count) * 0.25, 10.0 * weights, np.zeros(len(capacity))
    ended = completion_times(sizes, starts, offsets, links, capacity, latency)
    owner = np.repeat(np.arange(count), np.diff(offsets))
    for link in np.unique(links):
        crossing = owner[links == link]
        assert sizes[crossing].sum() <= capacity[link] * (ended[crossing].max() - starts[crossing].min()) * (1 + 1e-9)
    for flow in range(count):
        alone = sizes[flow] / capacity[links[offsets[flow] : offsets[flow + 1]]].min()
        assert ended[flow] >= starts[flow] + alone * (1 - 1e-9)
    again = completion_times(sizes * factor, starts, offsets, links, capacity * factor, latency)
    np.testing.assert_allclose(again, ended, rtol=1e-9)


def solved_anew(sizes, starts, offsets, links, capacity, changes=()):
    """Completion times the plain way: all shares solved again at every event."""
    left, ended, capacity, hops = sizes.astype(float), np.full(len(sizes), np.inf), capacity.copy(), np.diff(offsets)
    pending = sorted({*starts.tolist(), *(moment for moment, _, _ in changes)})
    now = 0.0
    for until in [*pending, np.inf]:
        while True:
            here = np.flatnonzero((starts <= now) & np.isinf(ended))
            if not len(here) or now == until:
                break
            bounds = np.concatenate([[0], np.cumsum(hops[here])])
            rates = max_min_rates(bounds, links[np.isin(np.repeat(np.arange(len(sizes)), hops), here)], capacity)
            with np.errstate(divide="ignore"):
                step = min((left[here] / rates).min(), until - now)
            if np.isinf(step):
                return ended
            left[here] -= rates * step
            now += step
            ended[here[left[here] <= 1e-12 * sizes[here]]] = now
            if now >= until * (1 - 1e-12):
                break
        now = until
        for moment, link, rate in changes:
            if moment == until:
                capacity[link] = rate
    return ended


@settings(max_examples=50, deadline=None)
@given(flows(), st.data())
def test_shares_solved_where_an_event_reaches_are_those_solved_for_all(case, data):
    offsets, links, capacity, _ = case
    count = len(offsets) - 1
    starts = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.25]), min_size=count, max_size=count)))
    sizes = np.array(data.draw(st.lists(st.sampled_from([1.0, 3.0, 10.0, 10.5]), min_size=count, max_size=count)))
    change = st.tuples(st.sampled_from([0.25, 1.0, 2.0]), st.integers(0, len(capacity) - 1), st.sampled_from([0.0, 0.5, 4.0]))
    changes = data.draw(st.lists(change, max_size=3, unique_by=lambda c: c[:2]))
    # Some flows twice: equal routes are one weighted flow.
    twice = np.concatenate([offsets, offsets[1:] + offsets[-1]]), np.concatenate([links, links])
    sizes, starts = np.concatenate([sizes, sizes[::-1]]), np.concatenate([starts, starts])
    ended = completion_times(sizes, starts, *twice, capacity, np.zeros(len(capacity)), changes)
    np.testing.assert_allclose(ended, solved_anew(sizes, starts, *twice, capacity, changes), rtol=1e-9)


def test_a_dead_link_holds_its_flows_until_it_returns():
    offsets, links, capacity = np.array([0, 1, 2]), np.array([0, 1]), np.array([1.0, 1.0])
    sizes, starts, latency = np.array([2.0, 2.0]), np.zeros(2), np.zeros(2)
    flapping = completion_times(sizes, starts, offsets, links, capacity, latency, [(1.0, 0, 0.0), (4.0, 0, 0.5)])
    assert flapping.tolist() == [6.0, 2.0]
    dead = completion_times(sizes, starts, offsets, links, capacity, latency, [(1.0, 0, 0.0)])
    assert dead.tolist() == [np.inf, 2.0]


@settings(max_examples=30, deadline=None)
@given(flows())
def test_equal_flows_all_end_once_the_busiest_link_has_carried_its_bytes(case):
    offsets, links, capacity, _ = case
    count = len(offsets) - 1
    ended = completion_times(np.ones(count), np.zeros(count), offsets, links, capacity, np.zeros(len(capacity)))
    busiest = (np.bincount(links, minlength=len(capacity)) / capacity).max()
    np.testing.assert_allclose(ended.max(), busiest, rtol=1e-9)
    np.testing.assert_allclose(max_min_rates(offsets, links, capacity).min(), 1 / busiest, rtol=1e-12)


def test_latency_delays_the_start_and_a_flow_of_nothing_ends_at_once():
    offsets, links = np.array([0, 1, 2]), np.array([0, 0])
    ended = completion_times(np.array([10.0, 0.0]), np.array([1.0, 2.0]), offsets, links, np.array([5.0]), np.array([0.5]))
    assert ended.tolist() == [3.5, 2.5]
