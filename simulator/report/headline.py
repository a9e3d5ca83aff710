"""The sentences that people quote, computed from the comparisons and worded no stronger than their intervals."""

from __future__ import annotations

from simulator.outcome import Alternative, Comparison, Outcome
from simulator.report.numbers import clean, duration, duration_interval, money, number, percent, plus_minus, time_unit
from simulator.report.section import Paragraph, Tone

PROJECT = "project"
"""The payer whose bill the headlines compare."""

_MOST = 8


def series(alternative: Alternative) -> str:
    """The alternative's name, without its place in a sweep."""
    name = alternative.name.split(" [", 1)[0] if alternative.point else alternative.name
    return clean(name)


def called(alternative: Alternative) -> str:
    """What a reader calls it: its name, in a sweep with the last word of each axis."""
    place = ", ".join(f"{axis.rsplit('.', 1)[-1]} {value}" for axis, value in alternative.point.items())
    return f"{series(alternative)} [{clean(place)}]" if place else series(alternative)


def project_usd(alternative: Alternative) -> float | None:
    """What falls to the project [USD]; the whole bill where no payer is called so."""
    if alternative.bill is None:
        return None
    payers = alternative.bill.payer_usd
    return payers.get(PROJECT, 0.0 if payers else alternative.bill.total_usd)


def others_usd(alternative: Alternative) -> dict[str, float]:
    """What falls to each other payer [USD]."""
    return {payer: usd for payer, usd in alternative.bill.payer_usd.items() if payer != PROJECT} if alternative.bill else {}


def is_wall_clock(comparison: Comparison) -> bool:
    """Whether the comparison is of the whole time of the run."""
    return "wall_clock_s" in comparison.quantity


def unfinished(alternative: Alternative) -> bool:
    """Whether some replications never reached their last token."""
    return alternative.run is not None and alternative.run.p_unfinished > 0


def warnings(outcome: Outcome) -> list[Paragraph]:
    """What a reader must not miss: runs that do not finish, and alternatives that cannot be done."""
    found = []
    for alternative in outcome.alternatives:
        run = alternative.run
        if run is not None and run.p_unfinished > 0:
            never = run.p_unfinished >= 1
            share = "in none of the" if never else f"in {percent(1 - run.p_unfinished)} of the"
            found.append(
                f"{called(alternative)} {'DOES NOT FINISH' if never else 'MAY NOT FINISH'}: it reaches its last token {share} "
                f"{run.replications} replications. Where it gave up, its wall-clock, bill and energy end: no model was made."
            )
    blocked = [a for a in outcome.alternatives if not a.feasible]
    found += [f"{called(a)} cannot be done as asked: {clean(a.reason)}." for a in blocked[:_MOST]]
    if len(blocked) > _MOST:
        found.append(f"{len(blocked) - _MOST} more alternatives cannot be done as asked; the table gives the reasons.")
    return [Paragraph(text=text, tone="warning") for text in found]


def answer(alternative: Alternative) -> str:
    """One alternative in a sentence."""
    name, said = called(alternative), []
    if alternative.run is not None:
        wall = alternative.run.wall_clock_s
        verb = "gives up after" if alternative.run.p_unfinished >= 1 else "takes"
        said.append(f"{verb} {duration_interval(wall.p50, wall.p10, wall.p90, 'P10–P90 ')}")
        said.append(f"spends {percent(alternative.run.goodput)} of it on work that counts")
    elif alternative.step is not None:
        said.append(f"needs {duration(alternative.step.time_s)} a step")
    if alternative.step is not None:
        said.append(f"runs at {percent(alternative.step.mfu)} MFU")
    cost = project_usd(alternative)
    if cost is not None:
        payers = [f"{clean(payer)} {money(usd)}" for payer, usd in others_usd(alternative).items() if usd]
        said.append(f"costs the project {money(cost)}" + (f" ({', '.join(payers)})" if payers else ""))
    listed = ", ".join(said[:-1]) + f" and {said[-1]}" if len(said) > 1 else said[0] if said else "has no figures"
    return f"{name} {listed}."


def headlines(outcome: Outcome) -> list[Paragraph]:
    """The quotable sentences: the reference first, then each pair that was compared; without comparisons each alternative by itself."""
    known = {a.name: a for a in outcome.alternatives}
    pairs = list(dict.fromkeys((c.a, c.b) for c in outcome.comparisons if c.a in known and c.b in known))
    tone: Tone = "headline"
    if any(a.point for a in outcome.alternatives):
        return [Paragraph(text=text, tone=tone) for text in _of_sweep(outcome)]
    feasible = [a for a in outcome.alternatives if a.feasible]
    if not pairs:
        said = [Paragraph(text=answer(a), tone=tone) for a in feasible[:_MOST]]
        more = len(feasible) - _MOST
        return said + ([Paragraph(text=f"{more} more alternatives: see the table.", tone="note")] if more > 0 else [])
    references = list(dict.fromkeys(b for _, b in pairs))
    said = [Paragraph(text=answer(known[name]), tone=tone) for name in references[:1]]
    sentences = [_versus(known[a], known[b], outcome.comparisons) for a, b in pairs]
    said += [Paragraph(text=text, tone=tone) for text in sentences[:_MOST] if text]
    if len(sentences) > _MOST:
        said.append(Paragraph(text=f"And {len(sentences) - _MOST} more: see the comparisons.", tone="note"))
    for alternative in feasible:
        worth = alternative.bill.donation_worth_usd if alternative.bill else None
        if worth is not None:
            paid = sum(others_usd(alternative).values())
            cash = f", and costs those who give it {money(paid)} in cash" if paid else ""
            text = f"The donation behind {called(alternative)} is worth {money(worth)} at market price{cash}."
            said.append(Paragraph(text=text, tone=tone))
    return said


def _of_sweep(outcome: Outcome) -> list[str]:
    """How many points can be done, and which of those that always finish is the quickest and which the cheapest."""
    points = outcome.alternatives
    finishing = [a for a in points if a.feasible and a.run is not None and not unfinished(a)]
    said = [f"{sum(a.feasible for a in points)} of {len(points)} points can be done, {len(finishing)} of them finish in every replication."]
    quickest = min(finishing, key=lambda a: a.run.wall_clock_s.p50 if a.run else 0.0, default=None)
    cheapest = min((a for a in finishing if a.bill), key=lambda a: project_usd(a) or 0.0, default=None)
    if quickest is not None:
        said.append(f"The quickest: {answer(quickest)}")
    if cheapest is not None and cheapest is not quickest:
        said.append(f"The cheapest to the project: {answer(cheapest)}")
    return said


def _versus(a: Alternative, b: Alternative, comparisons: tuple[Comparison, ...]) -> str:
    """`a` against `b`: time, then money; empty where there is nothing to say."""
    wall = next((c for c in comparisons if c.a == a.name and c.b == b.name and is_wall_clock(c)), None)
    said = []
    if unfinished(a) or unfinished(b):
        which = " and ".join(called(x) for x in (a, b) if unfinished(x))
        said.append(f"cannot be compared in time with {called(b)}, because {which} does not always finish")
    elif wall is not None:
        said.append(_slower(wall))
    ours, theirs = project_usd(a), project_usd(b)
    if ours is not None and theirs is not None:
        same = money(ours) == money(theirs)
        said.append(f"costs the project {money(ours)}" + (", as much as the other" if same else f" instead of {money(theirs)}"))
    if not said:
        return ""
    replications = min((x.run.replications for x in (a, b) if x.run is not None), default=0)
    streams = f" (same {replications} random streams)" if replications and wall is not None else ""
    return f"{called(a)} {' and '.join(said)}{streams}."


def _slower(wall: Comparison) -> str:
    """The clause on time: a ratio with its interval, a percentage near one, or that no difference was found."""
    low, high = wall.interval
    other = clean(wall.b)
    if low == 0 == high:
        return f"is as fast as {other}"
    if low <= 0 <= high:
        return f"is neither faster nor slower than {other} by more than chance ({duration(low)} to +{duration(high)} at 95%)"
    word = "slower" if wall.difference > 0 else "faster"
    if wall.ratio is None or wall.ratio <= 0:
        return f"is {duration(abs(wall.difference))} {word} than {other}"
    interval = wall.ratio_interval
    if wall.difference < 0:
        ratio = 1 / wall.ratio
        interval = (1 / interval[1], 1 / interval[0]) if interval and interval[0] > 0 else None
    else:
        ratio = wall.ratio
    if ratio < 1.5:
        share = plus_minus((ratio - 1) * 100, ((interval[0] - 1) * 100, (interval[1] - 1) * 100)) if interval else number((ratio - 1) * 100)
        return f"is {share}% {word} than {other}"
    if interval:
        return f"is {plus_minus(ratio, interval)} times {word} than {other}"
    size, unit = time_unit(wall.difference)
    by = plus_minus(abs(wall.difference) / size, (low / size, high / size))
    return f"is {number(ratio)} times {word} than {other} (by {by} {unit})"
