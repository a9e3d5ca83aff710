"""The house rules that a tool can hold: style, types, arrows between rooms. Part of the one test command, so that nobody runs another."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "style": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "arrows": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
}


@pytest.mark.parametrize("rule", COMMANDS)
def test_rule_holds(rule: str) -> None:
    done = subprocess.run([sys.executable, *COMMANDS[rule]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "networkx", "simpy", "yaml", "rich", "altair", "jinja2")
    code = f"import sys, simulator.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_randomness_arrives_as_an_argument() -> None:
    """No room draws from a global stream: neither `random` nor functions of `numpy.random` that carry hidden state."""
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "simulator").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.startswith(("import random", "from random")) or any(f"np.random.{f}(" in line for f in ("rand", "normal", "seed", "random"))
    ]
    assert not guilty


def test_only_the_cli_touches_the_outside() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in (ROOT / "simulator").rglob("*.py")
        if "cli" not in path.relative_to(ROOT).parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in ("os.environ", "os.getenv", "sys.exit", "sys.argv")
        if word in line
    ]
    assert not guilty


def test_the_package_is_what_is_tested() -> None:
    found = importlib.util.find_spec("simulator")
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).is_relative_to(ROOT)
