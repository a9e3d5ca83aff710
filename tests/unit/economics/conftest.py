"""A node and a price list with round numbers."""

from __future__ import annotations

import datetime

import pytest

from simulator.economics import PriceList, PriceRow
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp

HOUR = 3600.0


@pytest.fixture(scope="session")
def node() -> Node:
    chip = Accelerator(name="chip", source="test", peak={"bf16": 1e14}, memory=80e9, memory_bandwidth=2e12, power=400.0, launched="2020-01")
    return Node(
        name="box",
        source="test",
        accelerator=chip,
        accelerators=8,
        scale_up=ScaleUp(kind="switch", rate=300e9),
        nics=8,
        nic_rate=25e9,
        power=NodePower(rated=6000.0, training=5000.0, idle=1000.0),
        embodied=4000.0,
        life=4 * 365.25 * 86400.0,
    )


@pytest.fixture(scope="session")
def prices() -> PriceList:
    def row(day: str, vendor: str, **columns: float) -> PriceRow:
        hourly = {name: usd / HOUR for name, usd in columns.items()}
        return PriceRow(accelerator="chip", date=datetime.date.fromisoformat(day), vendor=vendor, source="test", **hourly)

    return PriceList(
        name="market",
        source="test",
        rows=(
            row("2020-01-01", "old", on_demand=4.0, reserved_1y=3.0, reserved_3y=2.0),
            row("2021-01-01", "dear", on_demand=3.5),
            row("2021-01-01", "cheap", on_demand=3.2),
            row("2022-01-01", "new", on_demand=2.0, spot=1.0),
        ),
    )
