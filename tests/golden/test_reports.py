"""Every shipped scenario, answered whole through the command line: its report under `reports/` is the golden file.

`pytest tests/golden/test_reports.py --update-golden` writes the reports anew; look at the difference before committing it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
REPORTS = ROOT / "reports"
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:[eE][-+]?\d+)?(?![\w.])")


def settled(text: str) -> str:
    """`text` as it is on any machine: six significant digits, no versions of libraries."""
    text = re.sub(r"\b(numpy|simpy|networkx)(\"?:? \"?| \| )[\d.]+\w*", r"\1", text)
    return _NUMBER.sub(lambda number: f"{float(number[0]):.6g}", text)


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: path.stem)
def test_report_is_what_the_simulator_says_now(file: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    out = REPORTS if request.config.getoption("--update-golden") else tmp_path
    command = [sys.executable, "-m", "simulator", "run", str(file.relative_to(ROOT)), "--workers", "1", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for suffix in (".json", ".csv", ".md"):
        said, kept = ((folder / f"{file.stem}{suffix}").read_text(encoding="utf-8") for folder in (out, REPORTS))
        assert settled(said) == settled(kept), f"reports/{file.stem}{suffix} is out of date; see the docstring of this file"
    page = (out / f"{file.stem}.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert 'href="http' not in page
    _holds_the_contract(json.loads((out / f"{file.stem}.json").read_text(encoding="utf-8")))


def test_no_report_without_a_scenario() -> None:
    names = {file.stem for file in SCENARIOS} | {"validation"}
    assert {path.stem for path in REPORTS.glob("*.md")} <= names


def _holds_the_contract(answer: dict[str, object]) -> None:
    """Names and partitions of the machine-readable answer."""
    assert list(answer)[:5] == ["schema_version", "scenario", "question", "date", "provenance"]
    alternatives = answer["alternatives"]
    assert isinstance(alternatives, list)
    assert any(alternative["feasible"] for alternative in alternatives)
    for alternative in alternatives:
        if not alternative["feasible"]:
            assert alternative["reason"]
            assert alternative["step"] is alternative["run"] is alternative["bill"] is None
            continue
        totals = (
            (alternative["step"]["time_s"], alternative["step"]["parts_s"]),
            (alternative["run"]["wall_clock_s"]["mean"], alternative["run"]["parts_s"]),
            (alternative["bill"]["total_usd"], alternative["bill"]["items_usd"]),
            (alternative["bill"]["total_usd"], alternative["bill"]["payer_usd"]),
            (alternative["energy"]["total_mwh"], alternative["energy"]["parts_mwh"]),
        )
        for total, parts in totals:
            assert sum(parts.values()) == pytest.approx(total, rel=1e-9, abs=1e-9)
        if alternative["memory"]:
            assert sum(alternative["memory"]["parts_bytes"].values()) == pytest.approx(alternative["memory"]["total_bytes"], rel=1e-9)
            assert alternative["memory"]["total_bytes"] <= alternative["memory"]["capacity_bytes"]
        low, high = alternative["step"]["interval_s"]
        assert low <= alternative["step"]["time_s"] <= high
        clock = alternative["run"]["wall_clock_s"]
        assert clock["p10"] <= clock["p50"] <= clock["p90"]
