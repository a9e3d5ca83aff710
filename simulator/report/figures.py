"""Pictures of a report as static SVG: the same bytes for the same outcome, no script, no outside request.

Bars, intervals and lines are Vega-Lite specifications drawn by vl-convert (about a second to start, then 0.1 s each);
what a chart library draws badly (pipeline timeline, network, progress of a run) is written by hand.
Only the media that show pictures import this module.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import vl_convert

from simulator.outcome import Bar, LogEntry, NetworkLevel, Outcome
from simulator.report.numbers import clean, count, data_rate, number, percent, time_unit, words
from simulator.report.section import Figure, Levels, Lines, Picture, Points, Progress, Ranges, Schedule, Section, Stacks
from simulator.report.sections import sections

INK, FAINT, GRID = "#1b2733", "#5b6875", "#d9dfe5"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#882255",
    "#44aa99",
    "#999933",
    "#332288",
    "#aa4499",
)
"""Okabe and Ito's colours, then Paul Tol's: told apart by colour-blind readers too."""
_IDLE = "#b8c2cc"
_IDLE_WORDS = ("bubble", "idle", "wait", "fragment", "others")
_MOST_BARS = 3000
_WIDTH, _PLOT = 900.0, 620


def pictures(outcome: Outcome) -> dict[str, str]:
    """Every figure of the report as a file: `<name>.svg` -> its text; what `markdown(outcome, figures=...)` links."""
    return drawn(sections(outcome))


def drawn(made: Iterable[Section]) -> dict[str, str]:
    """Every figure of some sections as a file, as `pictures`."""
    found = [block for section in made for block in section.blocks if isinstance(block, Figure)]
    return {f"{figure.name}.svg": svg(figure) + "\n" for figure in found}


def svg(figure: Figure) -> str:
    """The figure as one SVG element with a text for those who cannot see it."""
    drawn = _drawn(figure.picture)
    # Ids of clip paths start from zero in every drawing; in one page they must differ.
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{figure.name}-", drawn)
    head, _, body = drawn.partition(">")
    return f'{head} role="img" aria-label="{escape(figure.alt)}">{body}'


def _drawn(picture: Picture) -> str:
    match picture:
        case Stacks():
            return _vega(_stacks(picture))
        case Ranges():
            return _vega(_ranges(picture))
        case Lines():
            return _vega(_lines(picture))
        case Points():
            return _vega(_points(picture))
        case Schedule():
            return _schedule(picture)
        case Levels():
            return _levels(picture)
        case Progress():
            return _progress(picture)


def _vega(spec: Mapping[str, Any]) -> str:
    config = {
        "font": FONT,
        "background": None,
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            "labelColor": INK, "labelFontSize": 12, "labelLimit": 230, "titleColor": FAINT, "titleFontSize": 12,
            "titleFontWeight": "normal", "gridColor": GRID, "domainColor": FAINT, "tickColor": FAINT,
        },
        "legend": {
            "labelColor": INK, "labelFontSize": 12, "labelLimit": 200, "title": None, "orient": "top", "columns": 5, "symbolType": "square",
        },
    }  # fmt: skip
    return str(vl_convert.vegalite_to_svg(json.dumps({**spec, "config": config}))).strip()


def _names(rows: Sequence[Any]) -> dict[str, Any]:
    """The vertical axis of bars: one row per name, in the order given."""
    return {
        "field": "name",
        "type": "nominal",
        "sort": [row.name for row in rows],
        "axis": {"title": None, "domain": False, "ticks": False, "grid": False},
    }


def colours(parts: Iterable[str]) -> dict[str, str]:
    """Part -> colour: what is idle is grey, the others take the palette in turn."""
    turns = iter(range(10_000))
    return {part: _IDLE if any(word in part for word in _IDLE_WORDS) else _PALETTE[next(turns) % len(_PALETTE)] for part in parts}


def _stacks(picture: Stacks) -> dict[str, Any]:
    shown = picture.stacks
    colour = colours(dict.fromkeys(part for stack in shown for part, value in stack.parts.items() if value > 0))
    order = {part: i for i, part in enumerate(colour)}
    bars = [
        {"name": stack.name, "part": words(part), "order": order[part], "value": value}
        for stack in shown
        for part, value in stack.parts.items()
        if value > 0
    ]
    ends = [
        {"name": stack.name, "note": stack.note, "end": 1.0 if picture.share else max(sum(stack.parts.values()), stack.limit or 0.0)}
        for stack in shown
    ]
    limits = [{"name": stack.name, "limit": stack.limit} for stack in shown if stack.limit is not None]
    money = picture.unit == "USD"
    number_format = ".0%" if picture.share else "$.2~s" if money else ",.3~f"
    axis = {
        "format": number_format,
        "tickCount": 6,
        "title": None if picture.share or money else picture.unit,
        "domain": False,
    }
    stacked = "normalize" if picture.share else "zero"
    scale = {"domain": [0, 1]} if picture.share else {"zero": True}
    y = _names(shown)
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": bars},
            "mark": {"type": "bar", "stroke": "white", "strokeWidth": 0.6},
            "encoding": {
                "y": y,
                "x": {"field": "value", "type": "quantitative", "stack": stacked, "axis": axis, "scale": scale},
                "color": {
                    "field": "part", "type": "nominal",
                    "scale": {"domain": [words(part) for part in colour], "range": list(colour.values())},
                },
                "order": {"field": "order", "type": "quantitative"},
            },
        },
        {
            "data": {"values": ends},
            "mark": {"type": "text", "align": "left", "dx": 7, "color": INK, "fontSize": 12},
            "encoding": {"y": y, "x": {"field": "end", "type": "quantitative"}, "text": {"field": "note"}},
        },
    ]  # fmt: skip
    if limits:
        layers.append(
            {
                "data": {"values": limits},
                "mark": {"type": "tick", "thickness": 3, "size": 26, "color": INK},
                "encoding": {"y": y, "x": {"field": "limit", "type": "quantitative"}},
            }
        )
    return {"width": _PLOT, "height": {"step": 30}, "layer": layers}


def _ranges(picture: Ranges) -> dict[str, Any]:
    shown = picture.ranges
    y = _names(shown)
    x = {"type": "quantitative", "axis": {"title": picture.axis, "tickCount": 6, "domain": False}, "scale": {"zero": True}}
    values = [{"name": r.name, "low": r.low, "middle": r.middle, "high": r.high, "note": r.note} for r in shown]
    return {
        "width": _PLOT,
        "height": {"step": 30},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "bar", "height": 12, "color": "#56b4e9", "minBandSize": 2},
                "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {"mark": {"type": "tick", "thickness": 3, "size": 20, "color": "#0b4a72"}, "encoding": {"y": y, "x": {"field": "middle", **x}}},
            {
                "mark": {"type": "text", "align": "left", "dx": 8, "color": INK, "fontSize": 12},
                "encoding": {"y": y, "x": {"field": "high", **x}, "text": {"field": "note"}},
            },
        ],
    }


def _lines(picture: Lines) -> dict[str, Any]:
    shown = picture.lines
    values = [{"name": line.name, "x": x, "y": y} for line in shown for x, y in line.points]
    names = [line.name for line in shown]
    money = picture.y.endswith("[USD]")
    return {
        "width": _PLOT,
        "height": 240,
        "data": {"values": values},
        "mark": {"type": "line", "point": {"size": 45, "filled": True}, "strokeWidth": 2.2},
        "encoding": {
            "x": {
                "field": "x", "type": "quantitative", "axis": {"title": picture.x, "tickCount": 7}, "scale": {"zero": False, "padding": 12},
            },
            "y": {
                "field": "y", "type": "quantitative", "axis": {"title": picture.y, "tickCount": 6, "format": "$.3~s" if money else ",.3~f"},
            },
            "color": {
                "field": "name", "type": "nominal", "legend": {} if len(names) > 1 else None,
                "scale": {"domain": names, "range": [_PALETTE[i % len(_PALETTE)] for i in range(len(names))]},
            },
        },
    }  # fmt: skip


def _points(picture: Points) -> dict[str, Any]:
    names = list(dict.fromkeys(point.name for point in picture.points))
    values = [{"name": point.name, "x": point.x, "y": point.y} for point in picture.points]
    ends = [bound for point in picture.points for bound in (point.x, point.y)]
    low, high = min(ends) / 1.3, max(ends) * 1.3
    scale = {"type": "log", "domain": [low, high], "nice": False}
    lines = [{"x": end, "line": f"{factor:g}", "y": end * factor} for factor in picture.guides for end in (low, high)]
    x = {"field": "x", "type": "quantitative", "scale": scale, "axis": {"title": picture.x, "tickCount": 5, "format": "~g"}}
    y = {"field": "y", "type": "quantitative", "scale": scale, "axis": {"title": picture.y, "tickCount": 5, "format": "~g"}}
    return {
        "width": 560,
        "height": 560,
        "layer": [
            {
                "data": {"values": lines},
                "mark": {"type": "line", "clip": True, "color": FAINT, "strokeWidth": 1, "strokeDash": [5, 4]},
                "encoding": {"x": x, "y": y, "detail": {"field": "line", "type": "nominal"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "size": 42, "opacity": 0.6, "clip": True},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {
                        "field": "name", "type": "nominal",
                        "scale": {"domain": names, "range": [_PALETTE[i % len(_PALETTE)] for i in range(len(names))]},
                    },
                    "shape": {
                        "field": "name", "type": "nominal",
                        "scale": {"domain": names, "range": ["circle", "triangle-up", "diamond"][: len(names)]},
                    },
                },
            },
        ],
    }  # fmt: skip


def _at(value: float) -> str:
    """A coordinate: two decimals are a fiftieth of a pixel."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _svg(height: float, body: Iterable[str], width: float = _WIDTH) -> str:
    size = f'width="{_at(width)}" height="{_at(height)}" viewBox="0 0 {_at(width)} {_at(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="12" fill="{INK}">{"".join(body)}</svg>'


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "", size: int = 0) -> str:
    look = (f' fill="{colour}"' if colour else "") + (f' font-size="{size}"' if size else "")
    return f'<text x="{_at(x)}" y="{_at(y)}" text-anchor="{anchor}"{look}>{escape(clean(text))}</text>'


def _rect(x: float, y: float, width: float, height: float, colour: str, more: str = "") -> str:
    return f'<rect x="{_at(x)}" y="{_at(y)}" width="{_at(max(width, 0.3))}" height="{_at(height)}" fill="{colour}"{more}/>'


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str = GRID, more: str = "") -> str:
    return f'<line x1="{_at(x1)}" y1="{_at(y1)}" x2="{_at(x2)}" y2="{_at(y2)}" stroke="{colour}"{more}/>'


def _ticks(high: float, about: int = 6) -> list[float]:
    """Round numbers from 0 up to `high`.

    >>> _ticks(10.4)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    if high <= 0:
        return [0.0]
    size = 10.0 ** math.floor(math.log10(high / about))
    step = next(size * nice for nice in (1, 2, 5, 10) if high / (size * nice) <= about)
    return [i * step for i in range(int(high / step + 1e-9) + 1)]


def _legend(items: Mapping[str, str], y: float, left: float) -> list[str]:
    drawn, x = [], left
    for name, colour in items.items():
        drawn += [_rect(x, y - 10, 12, 12, colour), _text(x + 17, y, words(name))]
        x += 34 + 6.6 * len(name)
    return drawn


def _time_axis(high: float, left: float, right: float, top: float, bottom: float) -> list[str]:
    size, unit = time_unit(high)
    drawn = []
    for tick in _ticks(high / size):
        x = left + (right - left) * tick * size / high
        drawn += [_rule(x, top, x, bottom), _text(x, bottom + 16, f"{tick:.6g}", "middle", FAINT)]
    return [*drawn, _text(right, bottom + 32, f"time [{unit}]", "end", FAINT)]


def _schedule(picture: Schedule) -> str:
    bars = picture.bars
    begin = min(bar.start_s for bar in bars)
    if len(bars) > _MOST_BARS:
        # The first part of a long step: cut at the moment by which as many bars as can be drawn have ended.
        cut = sorted(bar.end_s for bar in bars)[_MOST_BARS]
        bars = tuple(bar for bar in bars if bar.end_s <= cut)
    end = max(bar.end_s for bar in bars)
    lanes = sorted({bar.lane for bar in bars})
    row = {lane: i for i, lane in enumerate(lanes)}
    high = min(22.0, max(6.0, 420.0 / len(lanes)))
    left, right, top = 62.0, _WIDTH - 10, 30.0
    bottom = top + high * len(lanes) + 4
    scale = (right - left) / (end - begin or 1.0)
    colour = colours(dict.fromkeys(bar.label for bar in bars))
    drawn = [*_legend(colour, 14, left), *_time_axis(end - begin or 1.0, left, right, top, bottom)]
    every = max(1, math.ceil(14 / high))
    drawn += [_text(left - 8, top + high * (i + 0.5) + 4, f"stage {lane}", "end", FAINT, 11) for lane, i in row.items() if i % every == 0]
    drawn += [
        _slot(bar, left + (bar.start_s - begin) * scale, top + high * row[bar.lane] + 1, scale, high - 2, colour[bar.label]) for bar in bars
    ]
    return _svg(bottom + 38, drawn)


def _slot(bar: Bar, x: float, y: float, scale: float, high: float, colour: str) -> str:
    width = (bar.end_s - bar.start_s) * scale
    rect = _rect(x, y, width, high, colour, ' stroke="#fff" stroke-width=".5"')
    if width < 13 or high < 11 or bar.microbatch < 0:
        return rect
    dark = colour in ("#0072b2", "#882255", "#332288", "#aa4499", "#d55e00")
    return rect + _text(x + width / 2, y + high / 2 + 3.5, str(bar.microbatch), "middle", "#fff" if dark else INK, 10)


def _levels(picture: Levels) -> str:
    levels = picture.levels[::-1]
    widest = max(level.links * level.rate for level in levels) or 1.0
    faulty = any(level.faulty for level in levels)
    centre, half, high, gap = 190.0, 170.0, 26.0, 44.0 if faulty else 26.0
    drawn = []
    for i, level in enumerate(levels):
        y = 10 + i * (high + gap)
        width = max(4.0, 2 * half * level.links * level.rate / widest)
        if i:
            drawn.append(_rule(centre, y - gap + (18 if faulty else 0), centre, y, FAINT, ' stroke-width="1.5"'))
        over = level.oversubscription > 1.005
        drawn.append(_rect(centre - width / 2, y, width, high, "#e69f00" if over else "#0072b2", ' rx="3"'))
        told = f"{clean(level.name)}: {count(level.links)} × {data_rate(level.rate)} = {data_rate(level.links * level.rate)} per direction"
        drawn.append(_text(centre + half + 20, y + 11, told))
        ratio = f"oversubscribed {number(level.oversubscription)} : 1 against the level below" if over else "not oversubscribed"
        if level.taken:
            ratio += f"; neighbours take up to {percent(level.taken)} of a link (shaded)"
        drawn.append(_text(centre + half + 20, y + 27, ratio, "start", FAINT, 11))
        if level.taken:
            drawn.append(_rect(centre - width / 2, y, width * level.taken, high, INK, ' rx="3" fill-opacity=".35"'))
        if faulty:
            drawn += _cells(level, centre - half, y + high + 5, 2 * half)
        if level.faulty:
            drawn.append(_text(centre + half + 20, y + 42, _faults_told(level), "start", _FAULTY, 11))
    y = 10 + len(levels) * (high + gap)
    drawn += [_rule(centre, y - gap, centre, y, FAINT, ' stroke-width="1.5"'), _text(centre, y + 13, "accelerators", "middle", FAINT)]
    return _svg(y + 22, drawn, _WIDTH)


_FAULTY, _DEAD = "#d55e00", "#1b2733"
_CELLS = 64


def _cells(level: NetworkLevel, x: float, y: float, width: float) -> list[str]:
    """The links of a level side by side, many of them to a cell where there are many; a cell with a fault is marked."""
    cells = min(level.links, _CELLS)
    each = width / cells
    worst: dict[int, float] = {}
    for fault in level.faults:
        cell = min(fault.place * cells // level.links, cells - 1)
        worst[cell] = min(fault.left, worst.get(cell, 1.0))
    return [
        _rect(x + i * each, y, each - (1.0 if each > 3 else 0.5), 9, GRID if i not in worst else _FAULTY if worst[i] else _DEAD)
        for i in range(cells)
    ]


def _faults_told(level: NetworkLevel) -> str:
    """How many links are below their rate, and which is worst."""
    worst = level.faults[0]
    state = "dead" if not worst.left else f"at {percent(worst.left)}"
    if level.faulty == 1:
        return f"{clean(worst.name)} is {state}"
    return f"{count(level.faulty)} of {count(level.links)} below their rate, {clean(worst.name)} {state}"


def _progress(picture: Progress) -> str:
    log = _thinned(picture.log)
    end, most = max(entry.time_s for entry in log) or 1.0, max(entry.tokens for entry in log) or 1.0
    nodes = max(entry.nodes for entry in log)
    left, right, top, bottom = 72.0, _WIDTH - 14, 34.0, 264.0
    strip = 52.0 if nodes and len({entry.nodes for entry in log}) > 1 else 0.0

    def x(time: float) -> float:
        return left + (right - left) * time / end

    def y(tokens: float) -> float:
        return bottom - (bottom - top) * tokens / most

    size, unit = next(((s, u) for s, u in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")) if most >= s), (1.0, ""))
    drawn = _time_axis(end, left, right, top, bottom + strip)
    drawn += [
        _rule(left, y(tick * size), right, y(tick * size)) + _text(left - 8, y(tick * size) + 4, f"{tick:.6g}", "end", FAINT)
        for tick in _ticks(most / size)
    ]
    drawn.append(_text(left - 8, top - 10, f"{unit} tokens".strip(), "end", FAINT))
    if picture.ideal:
        reach = min(end, most / picture.ideal)
        drawn.append(_rule(x(0), y(0), x(reach), y(picture.ideal * reach), FAINT, ' stroke-dasharray="6 4" stroke-width="1.6"'))
    line = " ".join(f"{_at(x(entry.time_s))},{_at(y(entry.tokens))}" for entry in log)
    drawn.append(f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2.2" stroke-linejoin="round"/>')
    stops = dict.fromkeys(entry.cause for entry in log if entry.cause)
    causes = {cause: _PALETTE[1 + i % (len(_PALETTE) - 1)] for i, cause in enumerate(stops)}
    for entry in log:
        if entry.cause:
            drawn.append(_failure(x(entry.time_s), y(entry.tokens), causes[entry.cause]))
    drawn += _legend({"tokens done": "#0072b2"} | {f"stopped by {words(cause)}": colour for cause, colour in causes.items()}, 14, left)
    if strip:
        base, high = bottom + strip - 4, strip - 18
        steps = [f"{_at(x(0))},{_at(base)}"]
        for before, entry in zip(log, [*log[1:], log[-1]], strict=True):
            level = base - high * before.nodes / nodes
            steps += [f"{_at(x(before.time_s))},{_at(level)}", f"{_at(x(entry.time_s))},{_at(level)}"]
        drawn.append(f'<polygon points="{" ".join([*steps, f"{_at(x(end))},{_at(base)}"])}" fill="#56b4e9" fill-opacity=".45"/>')
        drawn.append(_text(left - 8, base - high + 6, f"{count(nodes)} nodes", "end", FAINT, 11))
    return _svg(bottom + strip + 40, drawn)


def _thinned(log: tuple[LogEntry, ...], most: int = 2000) -> tuple[LogEntry, ...]:
    """At most about `most` lines of the log, evenly spread, the last always among them."""
    every = math.ceil(len(log) / most)
    return log if every <= 1 else (*log[:-1:every], log[-1])


def _failure(x: float, y: float, colour: str) -> str:
    return f'<path d="M{_at(x)},{_at(y)}l-4.5,-8h9z" fill="{colour}" stroke="#fff" stroke-width=".7"/>'
