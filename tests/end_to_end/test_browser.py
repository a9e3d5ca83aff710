"""The HTML report in a real browser where there is one; its source by a parser everywhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from golden.page import Page

from simulator.outcome import Outcome
from simulator.report.html import html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=4000",
)  # fmt: skip


def by_parser(page: str) -> None:
    """What holds without a browser: well formed, no script, and nothing asked of the network."""
    read = Page(page)
    assert read.problems == []
    assert "script" not in read.tags
    assert [address for address in read.asked if address != "data:,"] == []
    assert "default-src 'none'" in page


def browse(folder: Path, page: str) -> str:
    """The document after the browser has laid it out."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [str(BROWSER), *QUIET, f"--user-data-dir={folder / 'profile'}", "--window-size=1280,2000", "--dump-dom", file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def widths(folder: Path, page: str, width: int) -> dict[str, float]:
    """Measures of the page in a frame of `width` pixels: whole width, pictures with no size, smallest text."""
    measure = """
      const d = f.contentDocument, w = f.contentWindow, pictures = [...d.querySelectorAll('figure svg')];
      const small = [...d.querySelectorAll('p, td, th, figcaption')].map(e => parseFloat(w.getComputedStyle(e).fontSize));
      out.textContent = JSON.stringify({whole: d.documentElement.scrollWidth, pictures: pictures.length,
        empty: pictures.filter(s => s.getBoundingClientRect().height < 20).length, smallest: Math.min(...small)});
    """
    frame = f'<pre id="out"></pre><iframe id="f" width="{width}" height="900" style="border:0"></iframe>'
    source = json.dumps(page).replace("</", "<\\/")
    shown = browse(folder, f"<!doctype html><body>{frame}<script>f.onload = () => {{ {measure} }}; f.srcdoc = {source};</script>")
    found = re.search(r'<pre id="out">(.*?)</pre>', shown)
    assert found
    return dict(json.loads(found[1]))


@pytest.fixture(scope="module")
def page(flagship: Outcome) -> str:
    return html(flagship)


def test_page_is_whole(page: str) -> None:
    by_parser(page)


def test_page_in_a_browser(page: str, tmp_path: Path) -> None:
    if BROWSER is None:
        by_parser(page)
        return
    shown = browse(tmp_path, page)
    assert "10.8 ± 0.2 times slower" in shown
    assert Page(shown).text == Page(page).text


@pytest.mark.parametrize("width", [400, 1280])
def test_page_fits_the_screen(page: str, tmp_path: Path, width: int) -> None:
    if BROWSER is None:
        by_parser(page)
        assert 'name="viewport" content="width=device-width' in page
        return
    measured = widths(tmp_path, page, width)
    assert measured["whole"] <= width
    assert measured["pictures"] > 8
    assert measured["empty"] == 0
    assert measured["smallest"] >= 12
