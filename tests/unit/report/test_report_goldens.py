"""The reports of the sample outcomes, word by word."""

from __future__ import annotations

from collections.abc import Callable

from golden.page import Page

from simulator.outcome import Outcome
from simulator.report.csv import csv
from simulator.report.explain import explain
from simulator.report.html import html
from simulator.report.markdown import markdown
from simulator.report.terminal import terminal

Golden = Callable[[str, str], None]


def test_terminal(flagship: Outcome, golden: Golden) -> None:
    golden("flagship-terminal.txt", terminal(flagship, width=120, colour=False))


def test_terminal_of_a_sweep(swept: Outcome, golden: Golden) -> None:
    golden("sweep-terminal.txt", terminal(swept, width=100, colour=False))


def test_markdown(flagship: Outcome, golden: Golden) -> None:
    golden("flagship-markdown.md", markdown(flagship, figures="flagship"))


def test_csv(flagship: Outcome, golden: Golden) -> None:
    golden("flagship.csv", csv(flagship))


def test_explain(flagship: Outcome, golden: Golden) -> None:
    golden("flagship-explain.txt", explain(flagship))


def test_html_structure(flagship: Outcome, golden: Golden) -> None:
    golden("flagship-html.txt", "\n".join(Page(html(flagship)).outline) + "\n")
