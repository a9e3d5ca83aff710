"""The report as one HTML file: styles and pictures inside, no script, no outside request; reads on a phone, on paper and aloud."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from simulator.outcome import Outcome
from simulator.report.figures import svg
from simulator.report.section import Figure
from simulator.report.sections import sections, title

_XMLNS = (' xmlns="http://www.w3.org/2000/svg"', ' xmlns:xlink="http://www.w3.org/1999/xlink"')


def html(outcome: Outcome) -> str:
    """The report as a page; every text is escaped by the template, the pictures escape their own."""
    environment = Environment(
        loader=PackageLoader("simulator.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("page.html.j2")
    return page.render(outcome=outcome, title=title(outcome), sections=sections(outcome), inline=_inline) + "\n"


def _inline(figure: Figure) -> Markup:
    """The drawing as part of a page, where the namespaces of a file of its own are not needed."""
    drawing = svg(figure)
    for namespace in _XMLNS:
        drawing = drawing.replace(namespace, "", 1)
    return Markup(drawing)
