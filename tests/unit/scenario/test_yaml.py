"""Plain scalars by YAML 1.2's core schema, positions, and what `flow` writes."""

import pytest
import yaml

from simulator.errors import ProblemsError
from simulator.scenario import yaml_events
from simulator.scenario.written import Text, Written, at, flow
from simulator.scenario.yaml_events import parse, read, resolve

TEXT = Text("t.yaml", "t.yaml")


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("y", "y"), ("true", True), ("False", False), ("TRUE", True), ("null", None),
        ("~", None),
        ("", None), ("1:30", "1:30"), ("010", 10), ("0o10", 8), ("0x1F", 31), ("0b1", "0b1"), ("1_000", "1_000"), ("-7", -7), ("+7", 7),
        ("12e-6", 12e-6), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-", "-"), (".", "."), ("1.2.3", "1.2.3"),
        ("2021-06-01", "2021-06-01"),
        ("300B tokens", "300B tokens"), ("<", "<"), ("=", "="),
    ],
)  # fmt: skip
def test_plain_scalars(plain: str, value: object) -> None:
    found = resolve(plain)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_are_text() -> None:
    assert [item.value for item in parse("['1', \"true\", '', 1]", TEXT).value] == ["1", "true", "", 1]  # type: ignore[union-attr]


def test_positions_of_keys_and_values() -> None:
    document = parse("a:\n  b: {c: [x, 'yy']}\nd: &v >-\n  folded\ne: *v\n", TEXT)
    place = lambda path: (at(document, path).line, at(document, path).column, at(document, path).width)  # noqa: E731
    assert place("a.b.c.1") == (2, 14, 4)
    assert document.entries["a"].keys["b"].column == 3
    assert place("d")[:2] == (3, 4)
    assert place("e") == place("d")
    assert place("a.nowhere")[:2] == (1, 1)


def test_windows_line_ends_and_byte_order_mark() -> None:
    document = read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", TEXT)
    assert (document.entries["b"].value, at(document, "b").line) == (2, 2)


@pytest.mark.parametrize(
    "source",
    [
        "auto",
        "'1'",
        "1",
        "1.5",
        "true",
        "'true'",
        "{a: [1, 'b c', null], d.e: x}",
        '"a: b"',
        "'#'",
        "''",
        "[a, {b: 'c, d'}]",
        "'0x1'",
        "- ",
    ],
)
def test_flow_is_read_back(source: str) -> None:
    written = parse(source, TEXT)
    assert plain(parse(flow(written), TEXT)) == plain(written)


def test_the_parser_without_the_c_library_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "a: &x [1, '1', {b: yes}]\nc: *x\nd: |\n  text\n"
    fast = parse(source, TEXT)
    monkeypatch.setattr(yaml_events, "_LOADER", yaml.SafeLoader)
    slow = parse(source, Text("t.yaml", "slow"))
    assert plain(fast) == plain(slow)
    for path in ("a", "a.2.b", "c", "d"):
        assert (at(fast, path).line, at(fast, path).column) == (at(slow, path).line, at(slow, path).column)
    for broken in ("[" * 500, "a: b: c", "\t- x", '"open'):
        with pytest.raises(ProblemsError):
            parse(broken, TEXT)


def plain(written: Written) -> object:
    match written.value:
        case dict() as entries:
            return {key: plain(value) for key, value in entries.items()}
        case tuple() as items:
            return [plain(item) for item in items]
    return written.value
