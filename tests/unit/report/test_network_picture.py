"""The picture of a network: the same marks at 16 nodes and at 16 000, faults where they are."""

from __future__ import annotations

import re

import pytest

from simulator.outcome import LinkFault, NetworkLevel
from simulator.report.figures import svg
from simulator.report.section import Figure, Levels


def drawn(*levels: NetworkLevel) -> str:
    return svg(Figure(name="n", alt="a network", caption="", picture=Levels(levels=levels)))


def marked(text: str, colour: str) -> list[float]:
    """Left edges of the cells of a colour."""
    return [float(x) for x in re.findall(rf'<rect x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="9" fill="{colour}"', text)]


@pytest.mark.parametrize("nodes", [16, 16000])
def test_a_fault_stands_at_its_place_whatever_the_size(nodes):
    links = nodes * 8
    place = links // 4
    faults = (LinkFault(name="node4.nic0 -> leaf1", place=place, left=0.5),)
    text = drawn(NetworkLevel(name="nic-leaf", links=links, rate=50e9, oversubscription=1.0, faulty=1, faults=faults))
    (left,) = marked(text, "#d55e00")
    assert left == pytest.approx(20 + 340 / 4, abs=340 / 64)
    assert len(marked(text, "#d9dfe5")) == 63
    assert "node4.nic0 -&gt; leaf1 is at 50" in text
    assert len(text) < 12000


def test_dead_links_are_black_and_a_whole_network_has_no_strips():
    level = NetworkLevel(name="leaf-spine", links=8, rate=1e12, oversubscription=2.0)
    dead = LinkFault(name="leaf7 -> spine", place=7, left=0.0)
    text = drawn(NetworkLevel(name="leaf-spine", links=8, rate=1e12, oversubscription=2.0, faulty=3, faults=(dead,)))
    assert marked(text, "#1b2733") == [pytest.approx(20 + 340 * 7 / 8)]
    assert "3 of 8 below their rate, leaf7 -&gt; spine dead" in text
    assert 'height="9"' not in drawn(level)
    busy = drawn(NetworkLevel(name="leaf-spine", links=8, rate=1e12, oversubscription=2.0, taken=0.25))
    assert "neighbours take up to 25" in busy
