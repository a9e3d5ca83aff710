"""The command line as a user meets it: output, exit codes, no traceback."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FAST = "scenarios/gpt3-bookkeeping.yaml"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run() -> Run:
    def call(*arguments: str, code: int | None = 0, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "simulator", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return call


def test_help_and_version(run: Run) -> None:
    assert "run" in run("--help").stdout
    assert run("--version").stdout.strip()
    for command in ("run", "check", "explain", "sweep", "init", "list", "show", "schema"):
        assert "Usage" in run(command, "--help").stdout


def test_bookkeeping_meets_its_expectations(run: Run) -> None:
    answer = json.loads(run("run", FAST, "--format", "json").stdout)
    assert answer["expectations"]
    assert all(line["met"] for line in answer["expectations"])
    assert {alternative["step"]["kind"] for alternative in answer["alternatives"]} == {"given"}


def test_same_bytes_for_any_number_of_workers(run: Run) -> None:
    arguments = ("run", "scenarios/gpt-neox-20b.yaml", "--replications", "12", "--format", "json")
    assert run(*arguments, "--workers", "1").stdout == run(*arguments, "--workers", "2").stdout


def test_another_seed_is_another_answer(run: Run) -> None:
    arguments = ("run", "scenarios/gpt-neox-20b.yaml", "--replications", "3", "--format", "json")
    assert run(*arguments, "--seed", "1").stdout != run(*arguments, "--seed", "2").stdout


def test_out_directory_holds_every_format(run: Run, tmp_path: Path) -> None:
    run("run", FAST, "--out", str(tmp_path / "reports"))
    written = {path.name for path in (tmp_path / "reports").iterdir()}
    assert written >= {f"gpt3-bookkeeping.{end}" for end in ("json", "csv", "md", "html")}
    page = (tmp_path / "reports" / "gpt3-bookkeeping.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert 'src="http' not in page
    rows = list(csv.DictReader((tmp_path / "reports" / "gpt3-bookkeeping.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["name"] for row in rows] == ["at-28-tflops", "as-measured"]


def test_out_file_takes_its_format_from_the_ending(run: Run, tmp_path: Path) -> None:
    run("run", FAST, "--out", str(tmp_path / "answer.json"))
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["scenario"] == "gpt3-bookkeeping"
    assert "ending" in run("run", FAST, "--out", str(tmp_path / "answer.docx"), code=2).stderr
    assert "directory" in run("run", FAST, "--format", "json", "--out", str(tmp_path), code=2).stderr
    (tmp_path / "file").write_text("in the way")
    assert run("run", FAST, "--out", str(tmp_path / "file" / "answer.json"), code=2).stderr


def test_missed_expectation_is_code_4(run: Run) -> None:
    done = run("run", FAST, "--set", "as-measured.training.step.flop_rate=10 TFLOP/s", code=4)
    assert "as-measured" in done.stdout


def test_invalid_scenario_is_code_3(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(Path(ROOT / FAST).read_text(encoding="utf-8").replace("300B tokens", "300").replace("count: 1250", "count: none"))
    done = run("run", str(bad), code=3)
    assert f"{bad}:" in done.stderr
    assert "2 problems" in done.stderr
    assert done.stdout == ""


def test_wrong_usage_is_code_2(run: Run) -> None:
    for arguments in (("run",), ("rnu",), ("run", FAST, "--format", "docx"), ("show", "h100-smx"), ("list", "gpus"), ("sweep", FAST)):
        assert run(*arguments, code=2).stderr
    assert "h100-sxm" in run("show", "h100-smx", code=2).stderr


def test_no_colour_codes_when_piped_or_asked_not_to(run: Run) -> None:
    assert "\x1b[" not in run("run", FAST).stdout
    assert "\x1b[" in run("run", FAST, FORCE_COLOR="1").stdout
    assert "\x1b[" not in run("run", FAST, NO_COLOR="1", FORCE_COLOR="1").stdout


def test_init_writes_a_scenario_that_runs(run: Run, tmp_path: Path) -> None:
    run("init", "mine.yaml", cwd=tmp_path)
    assert "there" in run("init", "mine.yaml", cwd=tmp_path, code=2).stderr
    answer = json.loads(run("run", "mine.yaml", "--replications", "2", "--format", "json", cwd=tmp_path).stdout)
    assert any(alternative["feasible"] for alternative in answer["alternatives"])


def test_one_alternative_alone(run: Run) -> None:
    answer = json.loads(run("run", FAST, "--alternative", "as-measured", "--format", "json").stdout)
    assert [alternative["name"] for alternative in answer["alternatives"]] == ["as-measured"]
    assert all(line["path"].startswith("as-measured.") for line in answer["expectations"])
    assert "as-measured" in run("run", FAST, "--alternative", "as-mesured", code=2).stderr


def test_a_starter_with_its_schema(run: Run, tmp_path: Path) -> None:
    run("init", "mine.yaml", "--schema", cwd=tmp_path)
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=mine.schema.json")
    assert json.loads((tmp_path / "mine.schema.json").read_text(encoding="utf-8"))["type"] == "object"
    run("check", "mine.yaml", cwd=tmp_path)


def test_list_and_show(run: Run) -> None:
    assert "accelerators" in run("list").stdout
    assert "h100-sxm" in run("list", "accelerators").stdout.split()
    assert "source" in run("show", "h100-sxm").stdout


def test_explain_names_formula_and_source(run: Run) -> None:
    told = run("explain", FAST, "--alternative", "at-28-tflops").stdout
    assert "FLOP/token" in told
    assert "1.5 USD/h" in told or "1.50 USD/h" in told
    assert "did you mean step" in run("explain", FAST, "stepp", code=2).stderr


def test_schema_is_json(run: Run) -> None:
    assert json.loads(run("schema").stdout)["$schema"].startswith("https://json-schema.org/")


def test_sweep_places_every_alternative(run: Run) -> None:
    answer = json.loads(
        run("sweep", "scenarios/gpt-neox-20b.yaml", "--axis", "cluster.count=12,24", "--replications", "2", "--format", "json").stdout
    )
    assert {json.dumps(alternative["point"]) for alternative in answer["alternatives"]} == {
        json.dumps({"cluster.count": count}) for count in ("12", "24")
    }


def test_sweep_with_an_invalid_point_runs_nothing(run: Run) -> None:
    done = run("sweep", FAST, "--axis", "cluster.count=0,1250", code=3)
    assert "count" in done.stderr
    assert done.stdout == ""
