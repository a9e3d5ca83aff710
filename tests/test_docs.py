"""The documentation holds: links resolve, commands run, YAML loads, generated pages are up to date.

What the word after a fence's language means:

    ```sh run             every line that begins with `simulator` exits 0 (`run exit=3`: the last with 3); pipes are cut off
    ```yaml scenario      a whole scenario
    ```yaml base          a part of `base`: laid over the starter scenario (`base date=2025-06-01`: of that day), it loads
    ```yaml entry=KIND    a catalogue entry of that kind
    .. file=PATH          the block is also written to that path, for the blocks after it on the same page

The blocks of one page share a folder, which begins with copies of `scenarios/` and `topologies/`.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import yaml

from simulator import cli, outcome
from simulator.engine import PARTS
from simulator.scenario import entry, load, starter

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(?P<mark>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=mark)[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
WORDS = {"run", "exit", "scenario", "base", "date", "entry", "file"}


class Block(NamedTuple):
    """A fenced block that a test reads."""

    language: str
    words: dict[str, str]
    body: str


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[Block]:
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        language, *words = fence["info"].split() or [""]
        yield Block(language, {word.partition("=")[0]: word.partition("=")[2] for word in words}, fence["body"])


def headings(page: Path) -> set[str]:
    """Anchors of a page as GitHub makes them."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip()) for line in prose.splitlines() if re.match(r"#+ ", line))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_internal_link_resolves(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(prose):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{ids(page)} links to {target}"
        assert not anchor or anchor in headings(file), f"{ids(page)} links to {target}: no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(index.read_text(encoding="utf-8"))}
    for page in (ROOT / "docs").rglob("*.md"):
        assert page in linked or page == index or page.parent.name == "decisions", f"{ids(page)} is not in docs/index.md"


def test_every_word_after_a_fence_is_known() -> None:
    for page in PAGES:
        for block in blocks(page):
            unknown = set(block.words) - WORDS
            assert not unknown, f"{ids(page)}: a fence says {unknown}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("scenarios", "topologies"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def simulator(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command line."""
    if arguments[0] in ("run", "explain", "sweep") and "--replications" not in arguments and "--help" not in arguments:
        arguments = [arguments[0], "--replications", "2", *arguments[1:]]
    monkeypatch.setattr(sys, "argv", ["simulator", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


def commands(body: str) -> Iterator[list[str]]:
    for line in body.replace("\\\n", " ").splitlines():
        if line.startswith("simulator "):
            words = shlex.split(line, comments=True)
            end = next((n for n, word in enumerate(words) if word[0] in "|>" or word in ("&&", "2>", "||", ";")), len(words))
            yield words[1:end]


def whole(part: str, date: str | None) -> str:
    """The starter scenario with a part of `base` laid over it, under a name of its own."""
    document: dict[str, Any] = yaml.safe_load(starter())
    document["date"] = date or str(document["date"])
    document["alternatives"] = {"as-documented": yaml.safe_load(part)}
    document.pop("expect")
    return yaml.safe_dump(document, sort_keys=False)


@pytest.mark.parametrize("page", [page for page in PAGES if any(block.words for block in blocks(page))], ids=ids)
def test_blocks_run_and_load(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for number, block in enumerate(blocks(page)):
        named = block.words.get("file")
        file = folder / (named or f"block-{number}.yaml")
        if block.language != "sh" and block.words:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(whole(block.body, block.words.get("date")) if "base" in block.words else block.body, encoding="utf-8")
            if "entry" in block.words:
                entry(block.words["entry"], str(file))
            elif "scenario" in block.words or "base" in block.words:
                load(file)
        if block.language == "sh" and "run" in block.words:
            listed = list(commands(block.body))
            codes = [simulator(arguments, monkeypatch) for arguments in listed]
            said = capsys.readouterr().err
            assert codes == [0] * (len(listed) - 1) + [int(block.words.get("exit", 0))], f"{block.body}\n{said}"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "docs" / "generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    assert generator().outdated() == [], "run: python docs/generate_reference.py"


def test_every_name_of_the_answer_is_told() -> None:
    """Field names of the JSON answer and parts of the ledger stand in the page that defines them."""
    page = (ROOT / "docs" / "reference" / "answer.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z0-9_]+)`", page))
    skipped = {"terms", "drawing"}
    classes = [value for value in vars(outcome).values() if isinstance(value, type) and dataclasses.is_dataclass(value)]
    inside = {outcome.Term, outcome.Bar, outcome.LinkFault, outcome.NetworkLevel, outcome.LogEntry, outcome.Drawing, outcome.Infeasible}
    names = {field.name for each in classes if each not in inside for field in dataclasses.fields(each)} - skipped
    assert names | set(PARTS) <= told, f"not told: {sorted((names | set(PARTS)) - told)}"
