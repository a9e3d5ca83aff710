"""What tests of several rooms share: golden files and the sample outcomes that reports are shown on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from golden.sample_outcome import flagship_outcome, swept_outcome

from simulator.outcome import Outcome

GOLDEN = Path(__file__).parent / "golden"
_FLOAT = re.compile(r"(?<![\w.])-?\d+\.\d+(?:[eE][-+]?\d+)?(?![\w.])")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden/* from what the code says now; look at the diff before committing"
    )


def rounded(text: str) -> str:
    """`text` with every decimal number at six significant digits: golden files hold on another CPU family and library version."""
    return _FLOAT.sub(lambda m: f"{float(m[0]):.6g}" if len(re.sub(r"\D", "", m[0].lower().split("e")[0])) > 6 else m[0], text)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with `tests/golden/<name>`, or write that file where `--update-golden` is given."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(rounded(text), encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} does not exist; run pytest --update-golden and read what it wrote"
        assert rounded(text) == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def flagship() -> Outcome:
    """Five alternatives, one of them infeasible, with comparisons, expectations, phases and drawings."""
    return flagship_outcome()


@pytest.fixture(scope="session")
def swept() -> Outcome:
    """A sweep over two axes with one infeasible point and one that does not always finish."""
    return swept_outcome()
