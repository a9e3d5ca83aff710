"""`simulator flows`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.errors import Problem


@click.command("flows")
@click.argument("case", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to show the answer.")
def command(case: Path, form: str) -> None:
    """Say when each flow of CASE has ended, flows sharing links by max-min fairness at every moment.

    CASE is a JSON file (- for standard input) with `links`, each [name, from, to, bytes per second, seconds of latency], and `flows`,
    each [source, target, bytes, start in seconds, [numbers of the links that it crosses]]. A flow claims bandwidth once the latency of its
    path has passed. `changes`, where given, are [moment in seconds, number of a link, bytes per second from then on]: a link that
    degrades, dies (0) or comes back; a flow that never ends has no finish.
    """
    import numpy as np

    from simulator.errors import Problem, ProblemsError
    from simulator.interconnect import completion_times

    shown = "standard input" if str(case) == "-" else str(case)
    try:
        text = sys.stdin.read() if str(case) == "-" else case.read_text(encoding="utf-8")
        read = json.loads(text)
    except OSError as error:
        raise ProblemsError((Problem(what=f"cannot be read: {error.strerror}", file=shown),)) from None
    except json.JSONDecodeError as error:
        raise ProblemsError((Problem(what=f"is not JSON: {error.msg}", file=shown, line=error.lineno, column=error.colno),)) from None
    except (UnicodeDecodeError, RecursionError):
        raise ProblemsError((Problem(what="is not JSON in UTF-8", file=shown),)) from None
    problems = tuple(_problems(read, shown))
    if problems:
        raise ProblemsError(problems[:_MOST])
    links, flows = read["links"], read["flows"]
    offsets = np.concatenate([[0], np.cumsum([len(flow[4]) for flow in flows], dtype=np.int64)]).astype(np.int64)
    crossed = np.array([link for flow in flows for link in flow[4]], dtype=np.int64)
    size, start = (np.array([flow[column] for flow in flows], dtype=float) for column in (2, 3))
    capacity, latency = (np.array([link[column] for link in links], dtype=float) for column in (3, 4))
    ended_at = completion_times(size, start, offsets, crossed, capacity, latency, [tuple(change) for change in read.get("changes", [])])
    finish = [float(ended) if ended < math.inf else None for ended in ended_at]
    if form == "json":
        click.echo(json.dumps({"finish_s": finish}, allow_nan=False))
        return
    named = read.get("nodes")
    click.echo(f"{'flow':>8}  {'from':16} {'to':16} {'bytes':>16} {'start s':>14} {'finish s':>16}")
    for number, (flow, ended) in enumerate(zip(flows, finish, strict=True)):
        ends = [_name(named, end) for end in flow[:2]]
        click.echo(f"{number:>8}  {ends[0]:16} {ends[1]:16} {flow[2]:>16.10g} {flow[3]:>14.8g} {_told(ended):>16}")
    if finish:
        click.echo(f"all have ended after {float(ended_at.max()):.10g} s" if None not in finish else "some never end")


_MOST = 100
"""More problems are not told: they have one cause."""

_FORMS = {
    "links": "[name, from, to, bytes per second, seconds of latency]",
    "flows": "[source, target, bytes, start in seconds, [links]]",
}


def _problems(read: Any, file: str) -> Sequence[Problem]:
    from simulator.errors import Problem

    found: list[Problem] = []

    def report(path: str, what: str, mend: str = "") -> None:
        found.append(Problem(what=what, mend=mend, path=path, file=file))

    if not isinstance(read, dict):
        report("", "a mapping with links and flows is expected", 'write {"links": [..], "flows": [..]}')
        return found
    for key, form in _FORMS.items():
        rows = read.get(key)
        if not isinstance(rows, list):
            report(key, f"a list of {form} is expected")
        else:
            bad = [number for number, row in enumerate(rows) if not isinstance(row, list) or len(row) != 5]
            for number in bad:
                report(f"{key}.{number}", f"{form} is expected")
    if found:
        return found
    for number, (*_, rate, latency) in enumerate(read["links"]):
        if not _is_number(rate) or rate <= 0:
            report(f"links.{number}", f"a rate of {rate!r}", "write a number of bytes per second above 0")
        if not _is_number(latency) or latency < 0:
            report(f"links.{number}", f"a latency of {latency!r}", "write a number of seconds, 0 or more")
    known = range(len(read["links"]))
    for number, (_, _, size, start, route) in enumerate(read["flows"]):
        if not _is_number(size) or size < 0:
            report(f"flows.{number}", f"a size of {size!r}", "write a number of bytes, 0 or more")
        if not _is_number(start) or start < 0:
            report(f"flows.{number}", f"a start at {start!r}", "write a number of seconds, 0 or more")
        if not isinstance(route, list):
            report(f"flows.{number}", "a list of links is expected as the fifth item")
            continue
        for link in route:
            if isinstance(link, bool) or not isinstance(link, int) or link not in known:
                report(f"flows.{number}", f"there is no link {link!r}", f"links are numbered from 0 to {len(known) - 1}")
    changes = read.get("changes", [])
    for number, change in enumerate(changes if isinstance(changes, list) else [changes]):
        form = "[moment in seconds, link, bytes per second] is expected"
        if not isinstance(change, list) or len(change) != 3 or not all(_is_number(item) and item >= 0 for item in change):
            report(f"changes.{number}", form)
        elif change[1] not in known:
            report(f"changes.{number}", f"there is no link {change[1]!r}", f"links are numbered from 0 to {len(known) - 1}")
    return found


def _told(ended: float | None) -> str:
    return "never" if ended is None else f"{ended:.10g}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _name(names: Any, end: Any) -> str:
    """The name of an end that is given by its place in `nodes`."""
    if isinstance(names, list) and isinstance(end, int) and 0 <= end < len(names):
        return str(names[end])
    return str(end)
