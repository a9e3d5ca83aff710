"""The sentences that people quote say what the comparisons say, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.outcome import Bill, Comparison, Outcome, RunTime
from simulator.report.headline import headlines, warnings

DAY = 86400.0


def said(outcome: Outcome) -> str:
    return "\n".join(paragraph.text for paragraph in headlines(outcome))


def compared(
    outcome: Outcome,
    difference: float,
    interval: tuple[float, float],
    ratio: float | None,
    *,
    ratio_interval: tuple[float, float] | None = None,
) -> str:
    pair = Comparison(
        a="donated-96", b="hyperscaler-on-demand", quantity="wall_clock_s", difference=difference * DAY,
        interval=(interval[0] * DAY, interval[1] * DAY), ratio=ratio, ratio_interval=ratio_interval,
    )  # fmt: skip
    return said(replace(outcome, comparisons=(pair,)))


def test_the_sentence(flagship: Outcome) -> None:
    expected = (
        "donated-96 is 10.8 ± 0.2 times slower than hyperscaler-on-demand "
        "and costs the project $12.0k instead of $1.07M (same 100 random streams)."
    )
    assert expected in said(flagship)


def test_a_donation_that_costs_nothing(flagship: Outcome) -> None:
    bill = Bill(
        total_usd=5.0,
        items_usd={"electricity": 5.0},
        payer_usd={"project": 0.0, "donor": 5.0},
        usd_per_million_tokens=1.0,
        donation_worth_usd=7.0,
    )
    donated = replace(flagship.alternatives[2], bill=bill)
    text = said(replace(flagship, alternatives=(flagship.alternatives[0], donated)))
    assert "costs the project $0 instead of $1.07M" in text
    assert "The donation behind donated-96 is worth $7.00 at market price, and costs those who give it $5.00 in cash." in text


@pytest.mark.parametrize(
    ("difference", "interval", "ratio", "ratio_interval", "expected"),
    [
        (22.0, (20.0, 24.0), 3.12, (2.9, 3.3), "is 3.1 ± 0.2 times slower than hyperscaler-on-demand"),
        (22.0, (20.0, 24.0), 3.12, None, "is 3.12 times slower than hyperscaler-on-demand (by 22 ± 2 d)"),
        (-7.0, (-7.4, -6.6), 0.25, (0.24, 0.26), "is 4.0 ± 0.2 times faster than hyperscaler-on-demand"),
        (0.5, (0.4, 0.6), 1.05, (1.04, 1.06), "is 5 ± 1% slower than hyperscaler-on-demand"),
        (0.1, (-0.3, 0.5), 1.01, (0.97, 1.05), "by more than chance (-7.20 h to +12.0 h at 95%)"),
        (0.0, (0.0, 0.0), 1.0, (1.0, 1.0), "is as fast as hyperscaler-on-demand"),
        (3.0, (2.0, 4.0), None, None, "is 3.00 d slower than hyperscaler-on-demand"),
        (20.0, (20.0, 20.0), 3.0, (3.0, 3.0), "is 3.000 ± <0.001 times slower"),
    ],
)  # fmt: skip
def test_wording_follows_the_interval(
    flagship: Outcome,
    difference: float,
    interval: tuple[float, float],
    ratio: float | None,
    ratio_interval: tuple[float, float] | None,
    expected: str,
) -> None:
    assert expected in compared(flagship, difference, interval, ratio, ratio_interval=ratio_interval)


def unfinished(run: RunTime | None, share: float) -> RunTime:
    assert run
    return replace(run, p_unfinished=share)


def test_no_ratio_is_quoted_for_a_run_that_may_not_finish(flagship: Outcome) -> None:
    first, _, donated, *_ = flagship.alternatives
    outcome = replace(flagship, alternatives=(first, replace(donated, run=unfinished(donated.run, 0.3))))
    text = said(outcome)
    assert "times slower" not in text
    assert "cannot be compared in time with hyperscaler-on-demand, because donated-96 does not always finish" in text
    assert "donated-96 MAY NOT FINISH: it reaches its last token in 70.0% of the 100 replications" in warnings(outcome)[0].text


def test_each_alternative_speaks_for_itself_without_comparisons(flagship: Outcome) -> None:
    text = said(replace(flagship, comparisons=()))
    assert "hyperscaler-on-demand takes 10.4 d (P10–P90 9.98–10.9 d)" in text
    assert "donated-96 takes 112 d" in text
    assert "gpt3-2020" not in text


def test_a_sweep_names_the_quickest_and_the_cheapest_that_finish(swept: Outcome) -> None:
    text = said(swept)
    assert "6 of 8 points can be done, 5 of them finish in every replication." in text
    assert "The quickest: base [count 256, kind on_demand] takes" in text
    assert "The cheapest to the project: base [count 64, kind spot] takes" in text
