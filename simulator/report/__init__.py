"""Outcomes -> reports. A report sees an `Outcome` and nothing else, so it cannot start to compute.

`sections.SECTIONS` is an ordered tuple of functions `Outcome -> Section | None`; each medium renders the same sections from one small
grammar (`section.py`). The sentences are made in `headline.py`, the figures of one alternative in `facts.py`, numbers become text in
`numbers.py`, pictures SVG in `figures.py`. The media live in modules of their own, and nothing is imported here, so that a terminal
never pays for charts:

- `report.terminal.terminal(outcome, width=, colour=)`: the short text, without figures;
- `report.markdown.markdown(outcome, figures="")`: one self-contained text; with `figures` (a folder relative to the text) it links the
  pictures that `report.figures.pictures(outcome)` draws;
- `report.html.html(outcome)`: one file with everything inside, no script and no outside request;
- `report.csv.csv(outcome)`: one row per alternative;
- `report.explain.explain(outcome, alternative)`: where each figure comes from.
"""
