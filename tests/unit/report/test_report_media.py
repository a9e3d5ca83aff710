"""Each medium: what it must never do, whatever the outcome holds."""

from __future__ import annotations

import csv as reader
import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from golden.page import Page
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import MendableError
from simulator.outcome import Alternative, Outcome, Provenance, RunTime, Summary, Term
from simulator.report.csv import csv
from simulator.report.explain import explain
from simulator.report.figures import pictures
from simulator.report.html import html
from simulator.report.markdown import markdown
from simulator.report.numbers import number
from simulator.report.terminal import terminal

HOSTILE = "<script>alert(1)</script> | a*b_c_ `x` [y](http://evil.example/) \x1b[31m\n# \"'&\u202e=SUM(A1)"
EMPTY = Outcome(
    scenario="empty", question="", date="2024-01-01", alternatives=(), provenance=Provenance(version="0", seed=0, inputs={}, assumptions=())
)


@pytest.fixture(scope="module")
def page(flagship: Outcome) -> str:
    return html(flagship)


def hostile(outcome: Outcome) -> Outcome:
    """The outcome with a hostile text wherever a scenario's author can put one."""
    first, *others = outcome.alternatives
    assert first.step
    assert first.bill
    parts = {f"{HOSTILE} {k}": v for k, v in first.step.parts_s.items()}
    cursed = replace(
        first,
        name=HOSTILE,
        accelerator=HOSTILE,
        assumptions=(HOSTILE,),
        step=replace(first.step, parts_s=parts),
        bill=replace(first.bill, payer_usd={HOSTILE: first.bill.total_usd}),
        terms=(Term(path=f"a.{HOSTILE}", value=HOSTILE, formula=HOSTILE, source=HOSTILE),),
        drawing=replace(
            first.drawing,
            network=tuple(replace(level, name=HOSTILE) for level in first.drawing.network),
            log=tuple(replace(entry, cause=HOSTILE if entry.cause else "", what=HOSTILE) for entry in first.drawing.log),
            pipeline=tuple(replace(bar, label=HOSTILE) for bar in first.drawing.pipeline),
        ),
    )
    infeasible = replace(others[-1], name=f"{HOSTILE} 2", reason=HOSTILE)
    comparisons = tuple(replace(c, b=HOSTILE) for c in outcome.comparisons)
    source = replace(outcome.provenance, assumptions=(HOSTILE,), inputs={HOSTILE: "0" * 64}, overrides=(HOSTILE,))
    return replace(
        outcome,
        question=HOSTILE,
        scenario=HOSTILE,
        alternatives=(cursed, *others[:-1], infeasible),
        comparisons=comparisons,
        provenance=source,
    )


def test_html_is_well_formed_and_silent_and_shows_hostile_text_as_text(flagship: Outcome, swept: Outcome) -> None:
    for outcome in (swept, hostile(flagship), EMPTY):
        page = Page(html(outcome))
        assert page.problems == []
        assert {"script", "iframe", "object", "img"} & page.tags == set()
        assert [address for address in page.asked if address != "data:,"] == []
        assert len(page.ids) == len(set(page.ids))
        if "<script>" in outcome.question:
            assert any("<script>alert(1)</script> | a*b_c_" in piece for piece in page.text)
            assert any("<script>" in piece for piece in page.drawn)


def test_html_is_the_same_twice_and_small(flagship: Outcome, page: str) -> None:
    assert page == html(flagship)
    assert len(page.encode()) < 600_000


def test_every_figure_says_what_it_shows(page: str) -> None:
    drawn = re.findall(r"<svg [^>]*>", page)
    assert len(drawn) > 8
    assert all(re.search(r'role="img" aria-label="[^"]{20,}', tag) for tag in drawn)


def test_pictures_are_files_of_their_own(flagship: Outcome) -> None:
    files = pictures(hostile(flagship))
    linked = re.findall(r"!\[.*\]\(shown/(.*?)\)$", markdown(hostile(flagship), figures="shown"), re.M)
    assert sorted(linked) == sorted(files)
    for text in files.values():
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


def test_markdown_tables_keep_their_columns(flagship: Outcome) -> None:
    text = markdown(hostile(flagship))
    for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1
    assert "<script" not in text.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\[y(?<!\\)\]\(", text)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_name_survives(name: str) -> None:
    outcome = replace(EMPTY, question=name, alternatives=(Alternative(name=name, feasible=False, reason=name),))
    (row,) = reader.DictReader(io.StringIO(csv(outcome)))
    assert row["feasible"] == "false"
    for line in terminal(outcome, width=60, colour=False).splitlines():
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)
    assert markdown(outcome).startswith("# ")
    assert explain(outcome, name)


def test_terminal_has_no_colour_unless_asked(flagship: Outcome) -> None:
    plain = terminal(hostile(flagship), width=100, colour=False)
    assert "\x1b" not in plain
    coloured = terminal(flagship, width=100, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == terminal(flagship, width=100, colour=False).split()


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_terminal_keeps_to_its_width(flagship: Outcome, swept: Outcome, width: int) -> None:
    for outcome in (flagship, swept):
        assert max(map(len, terminal(outcome, width=width, colour=False).splitlines())) <= max(width, 40)


def test_terminal_and_csv_load_no_chart_library() -> None:
    code = "import sys\nfrom simulator.report import csv, explain, markdown, terminal\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"vl_convert", "altair", "jinja2", "numpy"} & set(loaded) == set()


def test_csv_has_one_row_each_and_empty_cells_where_nothing_is_known(flagship: Outcome) -> None:
    rows = list(reader.DictReader(io.StringIO(csv(flagship))))
    assert [row["name"] for row in rows] == [a.name for a in flagship.alternatives]
    lost = rows[-1]
    assert lost["feasible"] == "false"
    assert {name for name, cell in lost.items() if cell} == {"name", "feasible", "reason", "accelerator", "accelerators"}
    first = flagship.alternatives[0]
    assert first.run
    assert float(rows[0]["run.wall_clock_s.p90"]) == first.run.wall_clock_s.p90
    assert "nan" not in csv(flagship).lower()


def test_csv_has_the_same_fixed_columns_for_any_outcome(flagship: Outcome, swept: Outcome) -> None:
    fixed = csv(EMPTY).strip().split(",")
    for outcome in (flagship, swept):
        header = csv(outcome).splitlines()[0].split(",")
        assert [name for name in header if name in fixed] == fixed


def test_csv_runs_no_formula(flagship: Outcome) -> None:
    cursed = replace(flagship, alternatives=(replace(flagship.alternatives[0], name="=HYPERLINK(1)"),))
    (row,) = reader.DictReader(io.StringIO(csv(cursed)))
    assert row["name"] == "'=HYPERLINK(1)"


def test_empty_outcome_gives_a_report_in_every_medium() -> None:
    for text in (terminal(EMPTY, width=80, colour=False), markdown(EMPTY), html(EMPTY)):
        assert "There are no alternatives" in text
        assert "None" not in text
    assert explain(EMPTY) == ""


def test_a_run_that_does_not_finish_is_said_loudly(flagship: Outcome, page: str) -> None:
    for text in (terminal(flagship, width=200, colour=False), markdown(flagship), page):
        assert "donor-growing MAY NOT FINISH" in text
        assert "88.0% of the 100 replications" in text
        assert "UNFINISHED" in text


def test_infeasible_alternatives_carry_reason_and_mend_in_the_table(flagship: Outcome, page: str) -> None:
    assert re.search(r'<td class="blocked" rowspan="\d+">Not possible: memory of the worst rank .* pipeline: 32 would fit</td>', page)
    assert "**Not possible: memory of the worst rank" in markdown(flagship)


def test_explain_refuses_a_name_it_does_not_know(flagship: Outcome) -> None:
    with pytest.raises(MendableError, match="did you mean 'donated-96'"):
        explain(flagship, "donated-69")


def test_a_figure_that_does_not_exist_is_a_dash(flagship: Outcome) -> None:
    bare = Outcome(
        scenario="s", question="Why?", date="2024-01-01", provenance=EMPTY.provenance, alternatives=(Alternative(name="a", feasible=True),)
    )
    for text in (terminal(bare, width=80, colour=False), markdown(bare), html(bare)):
        assert "a has no figures." in text


def test_zero_everywhere_divides_by_nothing(flagship: Outcome) -> None:
    zero = Summary(mean=0.0, p10=0.0, p50=0.0, p90=0.0)
    run = RunTime(
        wall_clock_s=zero, parts_s={"productive": 0.0}, goodput=0.0, interruptions=zero, interruptions_by_cause={}, accelerator_hours=0.0,
        replications=1, p_unfinished=1.0, monte_carlo_error_s=0.0,
    )  # fmt: skip
    outcome = replace(flagship, alternatives=(replace(flagship.alternatives[0], run=run), replace(flagship.alternatives[1], run=run)))
    assert "DOES NOT FINISH" in html(outcome)
    assert "DOES NOT FINISH" in terminal(outcome, width=80, colour=False)


@given(st.floats(min_value=1e-3, max_value=1e14))
@settings(max_examples=50)
def test_numbers_are_right_to_three_digits(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=5.1e-3)
