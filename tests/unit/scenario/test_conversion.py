"""What is converted reads back as it was, with where it comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli.import_command import command
from simulator.errors import ProblemsError
from simulator.model import Transformer
from simulator.scenario import entries, entry
from simulator.scenario.conversion import model_entry
from simulator.scenario.writing import entry_text

CONFIG = {
    "model_type": "qwen2", "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 3, "num_attention_heads": 8,
    "num_key_value_heads": 2, "vocab_size": 1000, "max_position_embeddings": 128,
}  # fmt: skip


@pytest.mark.parametrize("name", entries("models")[::7])
def test_an_entry_reads_back(name: str, tmp_path: Path) -> None:
    known: Transformer = entry("models", name)
    path = tmp_path / f"{name}.yaml"
    path.write_text(entry_text(known))
    assert entry("models", str(path)) == replace(known, sources=known.sources and dict(known.sources))


def test_import_writes_an_entry_with_its_source(tmp_path: Path) -> None:
    config, out = tmp_path / "config.json", tmp_path / "models" / "mine.yaml"
    config.write_text(json.dumps(CONFIG))
    done = CliRunner().invoke(command, ["hf", str(config), "--name", "mine", "--out", str(out)])
    assert done.exit_code == 0, done.output
    model = entry("models", str(out))
    assert (model.name, model.layers, model.key_value_heads, model.sequence) == ("mine", 3, 2, 128)
    assert model.source.startswith("converted from config.json, sha256 ")
    assert "288 parameters of biases of queries, keys and values" in model.notes
    shown = CliRunner().invoke(command, ["hf", str(config)])
    assert shown.exit_code == 0
    assert "layers: 3\n" in shown.output
    assert CliRunner().invoke(command, ["hf", str(config), "--name", "other", "--out", str(out)]).exit_code == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"model_type": "resnet"}'])
def test_what_is_no_configuration_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ProblemsError, match=r"config\.json"):
        model_entry(path, name="", sequence=None, ignored=())
