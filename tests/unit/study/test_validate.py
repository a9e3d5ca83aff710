"""Predictions beside measurements: nothing that is predicted is an input, nothing is dropped, rows of unknown sources are read."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from simulator.cli import cli
from simulator.errors import MendableError, ProblemsError
from simulator.hardware import Software
from simulator.outcome import Validation
from simulator.report.figures import drawn
from simulator.report.markdown import document
from simulator.report.terminal import screen
from simulator.report.validation import TITLE, validation_sections
from simulator.scenario import entry
from simulator.step import memory_use
from simulator.step.uncertainty import sigma, spread
from simulator.study.cases import case, memory_cases
from simulator.study.validate import summary, validate

ROW = {
    "id": "a-run",
    "source": "somebody",
    "split": "held_out",
    "year": 2024,
    "model": {
        "name": "llama-8b", "layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "head_dim": 128, "ffn_hidden": 14336,
        "gated_mlp": True, "vocab": 128256, "seq_len": 8192, "tied_embeddings": False,
    },
    "hardware": {"gpu": "H100", "gpu_sku": "H100-SXM5-80GB 700W", "gpu_memory_GB": 80, "gpus_per_node": 8, "nics_per_node": 8,
                 "nic_Gbps": 400, "nvlink_gen": 4, "peak_tflops": {"bf16": 989.4}},
    "num_gpus": 16,
    "parallel": {"tp": 2, "pp": 2, "dp": 4, "vpp": 1, "sharding": "dist_opt(zero1)", "sp": True},
    "batch": {"micro_batch_seqs": 1, "global_batch_seqs": 64},
    "precision": "bf16",
    "recompute": "none",
    "measured": {"iteration_time_s": 4.0, "memory_peak_GiB": 50.0},
}  # fmt: skip


def of(tmp_path: Path, *rows: object) -> Validation:
    path = tmp_path / "cases.yaml"
    path.write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
    return validate(path)


def changed(**fields: object) -> dict[str, object]:
    return ROW | fields


def test_measured_fields_are_not_inputs(tmp_path: Path) -> None:
    poisons = (
        {"iteration_time_s": 1e-3, "memory_peak_GiB": 1.0},
        {"iteration_time_s": 1e6, "memory_peak_GiB": 1e6, "tokens_per_s": 1.0, "mfu_pct": 99.0, "tflops_per_gpu_model": 1.0},
    )
    plain = of(tmp_path, ROW)
    for poison in poisons:
        other = of(tmp_path, changed(measured=poison, iteration_time_s_derived=7.0, slower_than_other_release=True))
        assert [(each.quantity, each.predicted, each.interval) for each in other.cases] == [
            (each.quantity, each.predicted, each.interval) for each in plain.cases
        ]
        assert all(each.error != known.error for each, known in zip(other.cases, plain.cases, strict=True))


def test_the_poison_reaches_every_shipped_case_in_vain() -> None:
    """What was measured is read by `study.measured` alone: a case without it is the same question."""
    from simulator.scenario import measurements
    from simulator.study.cases import rows

    for file in measurements():
        if "case_source" not in file.document:
            continue
        for row in rows(file.document)[:3]:
            bare = {key: value for key, value in row.items() if key not in ("measured", "iteration_time_s_derived")}
            try:
                asked, plain = case(row, entry), case(bare, entry)
            except MendableError:
                continue
            assert (asked.job, asked.layout, asked.generation) == (plain.job, plain.layout, plain.generation)
            assert plain.measured.seconds is None


def test_recompute_of_a_subset_of_layers_is_of_the_fewest_that_fit() -> None:
    parallel = {"tp": 1, "pp": 1, "dp": 16, "sharding": "fsdp(zero3)"}
    asked = case(
        changed(recompute="selective (layer subset)", parallel=parallel, batch={"micro_batch_seqs": 2, "global_batch_seqs": 64}), entry
    )
    fewest = asked.layout.recompute_layers
    assert fewest is not None
    assert 1 < fewest < 32
    for count, fitting in ((fewest, True), (fewest - 1, False)):
        use = memory_use(asked.job, replace(asked.layout, recompute_layers=count), asked.machines)
        assert (use.total_bytes <= use.capacity_bytes) == fitting
    assert f"recompute of {fewest} layers of each chunk, the fewest that fit" in asked.assumed
    told = case(changed(recompute="full", recompute_layers=5), entry)
    assert told.layout.recompute_layers == 5


def test_recompute_that_is_not_stated_is_the_least_that_fits() -> None:
    """Nothing, else what costs least, else all of as few layers as fit."""
    parallel = {"tp": 1, "pp": 1, "dp": 16, "sharding": "fsdp(zero3)"}
    few, many = (
        case(changed(recompute="not stated", parallel=parallel, batch={"micro_batch_seqs": size, "global_batch_seqs": 64}), entry).layout
        for size in (1, 2)
    )
    assert few.recompute == "none"
    assert many.recompute == "full"
    assert many.recompute_layers is not None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hardware": {"gpu": "Abacus 3000", "gpus_per_node": 8}}, "no accelerator of the catalogue is called like 'Abacus 3000'"),
        ({"batch": {}}, "lacks 'global_batch_seqs'"),
        ({"hardware": {"gpu": "MI250X", "gpus_per_node": 8}, "precision": "fp8"}, "mi250x has no fp8 units; it has fp32"),
        ({"recompute": "selective (my own)"} | {"recompute": "every third layer"}, "cannot say recompute"),
        ({"num_gpus": 24}, "is not num_gpus"),
        ({"parallel": {"tp": 3, "pp": 1, "dp": 4}, "num_gpus": 12}, "tensor 3 does not divide"),
        ({"model": None}, "cannot be read"),
        ({"measured": {}}, "no step time, memory or outcome"),
    ],
)
def test_what_cannot_be_predicted_is_listed_and_counts_against_coverage(tmp_path: Path, fields: dict[str, object], reason: str) -> None:
    found = of(tmp_path, changed(**fields), changed(measured={"iteration_time_s": 3.2}))
    assert found.cases[0].predicted is None
    assert reason in found.cases[0].reason
    assert found.cases[1].predicted is not None
    everything = next(each for each in found.summary.errors if each.by == "all")
    assert (everything.cases, everything.predicted) == (2, 1)
    assert everything.coverage is not None
    assert everything.coverage <= 0.5


def test_everything_wrong_with_a_row_is_told_at_once(tmp_path: Path) -> None:
    model = {key: value for key, value in ROW["model"].items() if key not in ("layers", "vocab")}
    fields = {"model": model, "recompute": "every third layer", "precision": "posit8", "batch": {"micro_batch_seqs": 1}, "num_gpus": 24}
    (found,) = of(tmp_path, changed(**fields, hardware={"gpus_per_node": 8})).cases
    reasons = (
        "lacks 'layers' and 'vocab' in `model`", "lacks 'gpu' in `hardware`", "cannot say recompute 'every third layer'; known: none",
        "is not num_gpus = 24", "cannot say precision 'posit8'", "lacks 'global_batch_seqs'",
    )  # fmt: skip
    assert all(reason in found.reason for reason in reasons), found.reason


@pytest.mark.parametrize("given", [None, "", "about 8", [1, 2], {}, -1, 1e30, True])
def test_whatever_stands_in_a_field_a_row_is_read_or_refused(given: object) -> None:
    """And nothing else: no field, wrong or missing, ends in an error of the program."""
    for part, inside in ROW.items():
        for field in (None, *inside) if isinstance(inside, dict) else (None,):
            for row in (
                changed(**{part: given if field is None else {**inside, field: given}}),
                {k: v for k, v in ROW.items() if k != part},
            ):
                with contextlib.suppress(MendableError):
                    case(row, entry)


def test_a_field_that_is_no_number_is_named() -> None:
    with pytest.raises(MendableError, match=r"model.layers is 'sixty', a number is expected; model.vocab is '\[1\]'"):
        case(changed(model=ROW["model"] | {"layers": "sixty", "vocab": [1]}), entry)


@pytest.mark.parametrize(
    ("fields", "as_if"),
    [
        ({"precision": "bfloat16, fp32 optimizer"}, {}),
        ({"precision": "BF16+FP8"}, {"precision": "fp8"}),
        ({"parallel": ROW["parallel"] | {"sharding": "ZeRO-1"}}, {}),
        ({"parallel": ROW["parallel"] | {"sharding": "stage2"}}, {"parallel": ROW["parallel"] | {"sharding": "zero2"}}),
        ({"parallel": ROW["parallel"] | {"sharding": "not stated"}}, {"parallel": ROW["parallel"] | {"sharding": "ddp"}}),
        ({"recompute": "activation checkpointing"}, {"recompute": "full"}),
        ({"recompute": "gradient checkpointing off"}, {}),
        ({"recompute": "selective: mla_up_proj"}, {}),
        ({"recompute": "minimal"}, {"recompute": "selective"}),
        ({"batch": {"micro_batch_seqs": 1, "grad_accum": 16}}, {}),
        ({"batch": {"micro_batch_seqs": 1, "global_batch_tokens": 64 * 8192}}, {}),
        ({"num_gpus": None}, {}),
    ],
)  # fmt: skip
def test_other_spellings_ask_the_same(fields: dict[str, object], as_if: dict[str, object]) -> None:
    written, meant = case(changed(**fields), entry), case(changed(**as_if), entry)
    assert (written.job, written.layout, written.machines.count) == (meant.job, meant.layout, meant.machines.count)


@pytest.mark.parametrize("recompute", ["selective: mlp, moe", "selective (custom)", "remat custom: query kept"])
def test_recompute_that_lies_between_is_refused(recompute: str) -> None:
    with pytest.raises(MendableError, match="cannot say recompute"):
        case(changed(recompute=recompute), entry)


def test_what_is_not_read_is_told() -> None:
    assert (
        "not read: parallel.tensor, batch.gbs"
        in case(changed(parallel=ROW["parallel"] | {"tensor": 4}, batch=ROW["batch"] | {"gbs": 64}), entry).assumed
    )
    plain = {"gpu": "H100", "nvlink_gen": 4, "nic_Gbps": 400}
    assert case(changed(hardware=plain), entry).assumed[-2:] == (
        "8 accelerators per node",
        "software megatron-2023 in place of its own (Megatron-LM of 2024)",
    )


def test_export_variants_have_fewer_links() -> None:
    rates = [
        case(changed(hardware={"gpu": gpu, "gpus_per_node": 8}), entry).machines.node.scale_up.rate
        for gpu in ("A800", "H800", "A100", "H100")
    ]
    assert rates == [200e9, 200e9, 300e9, 450e9]


def test_a_slice_of_a_pod_is_one_fabric() -> None:
    def of_chips(count: int, gpu: str, inside: int) -> int | None:
        fields = {
            "num_gpus": count,
            "parallel": {"dp": count, "sharding": "fsdp"},
            "batch": {"micro_batch_seqs": 1, "global_batch_seqs": count},
        }
        found = case(changed(**fields, hardware={"gpu": gpu, "gpus_per_node": inside}), entry)
        return found.machines.node.scale_up.domain

    assert [of_chips(64, "TPU v5p", 4), of_chips(256, "TPU v6e", 8), of_chips(512, "TPU v5e", 8)] == [64, 256, 256]


def test_a_fabric_that_nobody_knows_may_be_said() -> None:
    with pytest.raises(MendableError, match="write scale_up_GBps"):
        case(changed(hardware={"gpu": "Gaudi2", "gpus_per_node": 8}), entry)
    said = case(changed(hardware={"gpu": "Gaudi2", "gpus_per_node": 8, "scale_up_GBps": 262.5}), entry)
    assert said.machines.node.scale_up.rate == 262.5e9


def test_cores_are_not_taken_for_chips() -> None:
    with pytest.raises(MendableError, match="counts cores of Trainium"):
        case(changed(hardware={"gpu": "Trainium1 NeuronCore-v2", "gpus_per_node": 32}), entry)


OF_2021 = {"year": 2021, "hardware": {"gpu": "A100", "gpu_sku": "A100-SXM4-80GB", "gpus_per_node": 8, "nvlink_gen": 3}}


@pytest.mark.parametrize(
    ("fields", "generation"),
    [
        ({}, "megatron-2023"),
        ({"year": 2025}, "megatron-2025"),
        ({"year": 2025, "precision": "fp8"}, "nemo-2025"),
        ({"framework": "NeMo 24.05"}, "nemo-2024"),
        ({"framework": "torchtitan", "parallel": {"dp": 16, "sharding": "fsdp"}, "num_gpus": 16}, "torchtitan-2024"),
        ({"framework": "torchtitan", "parallel": {"dp": 16, "sharding": "fsdp"}, "num_gpus": 16, "year": 2025}, "torchtitan-2025"),
        ({"parallel": {"dp": 16, "sharding": "fsdp"}, "num_gpus": 16}, "fsdp-2023"),
        ({"software": "nemo-2025"}, "nemo-2025"),
        ({"framework": "MaxText", "hardware": {"gpu": "TPU v5e", "gpus_per_node": 8}}, "maxtext-2023"),
        ({"framework": "MaxText (JAX)"}, "nemo-2024"),  # on a GPU, where XLA calls the same libraries as others
        ({"framework": "Megatron-DeepSpeed", "parallel": {"tp": 2, "pp": 2, "dp": 4}, "num_gpus": 16}, "deepspeed-2022"),
        ({"year": None}, "megatron-2023"),
        ({"framework": "DeepSpeed 0.14, HF transformers", "parallel": {"dp": 16, "sharding": "ZeRO-2"}, "num_gpus": 16}, "deepspeed-2024"),
        ({"framework": "DeepSpeed", "parallel": {"dp": 16, "sharding": "ZeRO-3"}, "num_gpus": 16}, "deepspeed-2024"),
        ({"framework": "DeepSpeed", "parallel": {"dp": 16, "sharding": "ZeRO-3"}, "num_gpus": 16} | OF_2021, "deepspeed-2021"),
        ({"framework": "Hugging Face Accelerate", "parallel": {"dp": 16, "sharding": "fsdp"}, "num_gpus": 16}, "transformers-2024"),
        ({"framework": "transformers, Trainer", "parallel": {"dp": 16}, "num_gpus": 16}, "transformers-2024"),
        ({"framework": "Transformer Engine"}, "nemo-2024"),
        ({"reference": "https://huggingface.co/some/model"}, "megatron-2023"),
    ],
)
def test_unknown_sources_choose_their_software_by_what_they_say(fields: dict[str, object], generation: str) -> None:
    assert case(changed(**fields), entry).generation == generation


def test_transformers_keeps_its_eager_norm_and_repeats_keys_unless_its_attention_is_flash_attention() -> None:
    def of(kernel: str, sharding: str = "fsdp") -> Software:
        told = {"framework": "transformers", "parallel": {"dp": 16, "sharding": sharding}, "num_gpus": 16, "kernel": kernel}
        return case(changed(**told), entry).job.software

    assert [(each.fused_attention, each.fused_softmax, each.repeats_keys) for each in map(of, ("", "flash-attention 2", "eager"))] == [
        (True, False, True),
        (True, True, False),
        (False, False, True),
    ]
    assert not any(of(kernel).fused_norm or of(kernel).fused_elementwise for kernel in ("", "flash-attention 2", "eager"))
    # Autocast of replicas keeps and reduces gradients in fp32, FSDP reduces 16 bit.
    assert [of("", sharding).gradient_bytes for sharding in ("ddp", "fsdp")] == [4, 2]


def test_a_board_with_a_lower_limit_is_slower() -> None:
    """Products as measured between 700 and 500 W, attention as the cube root of the power."""
    slow = case(changed(hardware=ROW["hardware"] | {"gpu_sku": "H100-SXM5-80GB 600W (2.9 TB/s)"}), entry).machines.node.accelerator
    usual = case(ROW, entry).machines.node.accelerator
    assert slow.memory_bandwidth == 2.9e12
    assert slow.power == 600
    assert slow.kernels is not None
    assert usual.kernels is not None
    assert slow.kernels.matrix.sustained == pytest.approx(usual.kernels.matrix.sustained * (600 / 700) ** 0.79)
    assert slow.kernels.attention_forward == pytest.approx(usual.kernels.attention_forward * (600 / 700) ** (1 / 3))


def test_a_board_of_the_catalogue_is_taken_as_it_is() -> None:
    told = changed(hardware=ROW["hardware"] | {"gpu_sku": "H100 96GB HBM2e 500W (custom, 2.4 TB/s)", "gpu_memory_GB": 96})
    assert case(told, entry).machines.node.accelerator == entry("accelerators", "h100-sxm-96gb")


def test_what_a_row_says_of_its_precision_and_year_switches_the_software() -> None:
    rowwise = changed(source="torchtitan", precision="fp8-rowwise")
    assert case(rowwise, entry).job.precision == "fp8"
    assert case(rowwise, entry).job.software.scaling == "row"
    assert case(changed(source="torchtitan", precision="fp8"), entry).job.software.scaling == "tensor"
    assert not case(changed(source="llm-foundry"), entry).job.software.recomputes_last
    ampere = changed(source="llm-foundry", hardware=ROW["hardware"] | {"gpu": "A100", "gpu_sku": "A100-SXM4-80GB", "nvlink_gen": 3})
    assert case(ampere, entry).job.software.recomputes_last


def test_a_degree_of_interleaving_that_nobody_printed_is_the_fastest() -> None:
    """Who publishes a run has tuned it; what is said to run 1F1B does."""
    from simulator.step import clock

    parallel = {"tp": 2, "pp": 4, "dp": 2, "sharding": "dist_opt(zero1)", "sp": True}
    plain = case(changed(parallel=parallel, schedule_notes="1F1B"), entry)
    found = case(changed(parallel=parallel, schedule_notes="interleaved"), entry)
    assert plain.layout.virtual == 1
    assert found.layout.virtual in (2, 4, 8)
    assert any("fastest degree" in each for each in found.assumed)
    assert clock(found.job, found.layout, found.machines).total < clock(plain.job, plain.layout, plain.machines).total
    assert case(changed(parallel=parallel, assumed=["vpp"]), entry).layout == found.layout


def test_a_microbatch_that_nobody_printed_is_the_fastest_that_fits() -> None:
    """Small ones leave one microbatch behind which all gradients have to hide; the largest do not fit."""
    parallel = {"tp": 8, "pp": 1, "dp": 2, "sharding": "dist_opt(zero1)", "sp": True}
    found = case(changed(batch={"global_batch_seqs": 16}, parallel=parallel), entry)
    assert found.layout.microbatch > 1
    assert found.assumed[:1] == (f"microbatch {found.layout.microbatch}, the fastest that fits",)


def test_what_frameworks_do_unasked_is_done() -> None:
    """nanotron balances its stages by products, logits included; FSDP2 in a pipeline keeps weights gathered; compilation fuses passes."""
    parallel = {"tp": 1, "pp": 2, "dp": 8, "vpp": 1, "sharding": "zero1"}
    assert case(changed(source="nanotron", parallel=parallel), entry).job.software.split == "cost"
    piped = parallel | {"sharding": "fsdp2(zero3)"}
    titan = case(changed(source="torchtitan", parallel=piped, batch={"local_batch_seqs_per_dp": 8, "global_batch_seqs": 64}), entry)
    assert (titan.layout.sharding, titan.layout.microbatch) == ("zero1", 4)
    assert titan.job.software.fused_elementwise
    assert not case(changed(notes="torch.compile off"), entry).job.software.fused_elementwise
    assert case(changed(notes="float8 + AsyncTP"), entry).job.software.overlap_tensor > 0
    assert case(changed(id="torchtitan-asynctp-8b-vanilla", source="torchtitan"), entry).job.software.overlap_tensor == 0
    assert case(changed(id="torchtitan-asynctp-8b-asynctp", source="torchtitan"), entry).job.software.overlap_tensor > 0


def test_jobs_take_equal_shares_of_racks() -> None:
    rack = {"gpu": "GB200", "gpus_per_node": 4, "nvlink_domain": 72, "nvlink_gen": 5, "nics_per_node": 4, "nic_Gbps": 400}
    for used, domain in ((64, 72), (128, 64), (144, 72), (2304, 72)):
        asked = changed(hardware=rack, num_gpus=used, parallel=ROW["parallel"] | {"dp": used // 4}, batch={"global_batch_seqs": used})
        assert case(asked, entry).machines.node.scale_up.domain == domain


def test_layers_may_be_split_unevenly_by_who_ran_it() -> None:
    asked = changed(model=ROW["model"] | {"layers": 61}, num_gpus=16, parallel={"tp": 1, "pp": 16, "dp": 1, "vpp": 1})
    assert case(asked, entry).layout.pipeline == 16
    told = [6, *[3] * 14, 13]
    asked = asked | {"parallel": asked["parallel"] | {"stage_layers": told}}
    assert case(asked, entry).layout.stage_layers == tuple(told)


def test_outcomes_of_memory_are_read_flat(tmp_path: Path) -> None:
    flat = {
        "id": "flat", "model": "llama2-7b", "seq_len": 4096, "num_gpus": 8, "tp": 1, "pp": 1, "dp": 8, "micro_batch_seqs": 64,
        "global_batch_seqs": 512, "recompute": "none", "kernel": "flash_attention2", "sequence_parallel": False, "gpu": "A100-80GB",
        "sharding": "zero1", "precision": "bf16", "outcome": "oom",
    }  # fmt: skip
    found = of(
        tmp_path, flat, flat | {"id": "small", "micro_batch_seqs": 1, "outcome": "fits"}, flat | {"outcome": "other_error: no kernel"}
    )
    assert [(each.quantity, each.predicted, each.error) for each in found.cases[:2]] == [("fits", False, 0.0), ("fits", True, 0.0)]
    assert found.cases[2].predicted is None


def test_an_empty_folder_and_a_scenario_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="holds no YAML file"):
        validate(tmp_path)
    (tmp_path / "other.yaml").write_text("question: why\n", encoding="utf-8")
    with pytest.raises(MendableError, match="list of cases"):
        validate(tmp_path)


@pytest.fixture(scope="module")
def shipped() -> Validation:
    return validate()


def test_json_is_the_contract(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump([ROW]), encoding="utf-8")
    done = CliRunner().invoke(cli, ["validate", "--cases", str(tmp_path), "--format", "json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.output)
    assert set(answer) == {"cases", "summary"}
    assert [each["quantity"] for each in answer["cases"]] == ["step_time_s", "memory_bytes"]
    for each in answer["cases"]:
        assert {"id", "quantity", "predicted", "measured", "error", "interval", "split", "evidence"} <= set(each)
        assert each["interval"][0] < each["predicted"] < each["interval"][1]
        assert each["error"] == pytest.approx(each["predicted"] / each["measured"] - 1)


def test_every_shipped_case_is_told(shipped: Validation) -> None:
    from simulator.scenario import measurements

    written = sum(len(file.document["rows"]) for file in measurements())
    assert len(shipped.cases) >= written
    told = screen(TITLE, validation_sections(shipped), width=110)
    assert "held out" in told
    text = document(TITLE, validation_sections(shipped), "figures")
    assert "figures/predicted-measured.svg" in text
    assert all(each.id in text.replace("\\", "") for each in shipped.cases if each.predicted is not None and each.quantity == "step_time_s")
    assert drawn(validation_sections(shipped))["predicted-measured.svg"].startswith("<svg")


def test_accuracy_and_coverage(shipped: Validation) -> None:
    """Better than the constant MFU where nothing was fitted, and intervals that hold what they promise."""
    held_out = next(each for each in shipped.summary.errors if (each.by, each.quantity, each.split) == ("all", "step_time_s", "held_out"))
    assert held_out.mean_error is not None
    assert held_out.baseline_mean_error is not None
    assert held_out.mean_error < 0.65 * held_out.baseline_mean_error
    inside = [
        each.interval[0] <= each.measured <= each.interval[1]
        for each in shipped.cases
        if each.quantity == "step_time_s" and each.split == "held_out" and each.interval is not None and each.measured is not None
    ]
    assert 0.8 < sum(inside) / len(inside) < 0.99


def test_blind_runs_are_told_apart(shipped: Validation) -> None:
    """They count in no figure of the others, and every one of them is listed, predicted or not."""
    blind = [each for each in shipped.cases if each.split == "blind" and each.quantity == "step_time_s"]
    told = {each.split: each for each in shipped.summary.errors if (each.by, each.quantity) == ("all", "step_time_s")}
    assert told["blind"].cases == len(blind) > 150
    assert len({each.source for each in blind}) == 17
    assert {each.source for each in blind if each.predicted is not None} <= {each.source for each in shipped.summary.first_look}
    assert not {each.source for each in blind} & {each.source for each in shipped.cases if each.split != "blind"}
    assert told["blind"].mean_error is not None
    assert told["blind"].baseline_mean_error is not None
    assert told["blind"].mean_error < told["blind"].baseline_mean_error
    text = document(TITLE, validation_sections(shipped), "figures")
    assert f"Step time, held out, blind: {told['blind'].predicted} of {told['blind'].cases} cases predicted" in text


def test_orders_of_the_measured_layouts(shipped: Validation) -> None:
    """Of 3.6B and 175B; the layouts of 39.1B with tensor parallelism over two are measured slower than any model of them says."""
    found = {each.model: each.spearman for each in shipped.summary.orders if each.source == "vtrain-multi"}
    assert found.keys() == {"gpt-3.6B", "gpt-39.1B", "gpt-175B"}
    assert all(value is not None and value > 0.85 for model, value in found.items() if model != "gpt-39.1B")


def test_a_summary_of_nothing_is_empty() -> None:
    assert summary(()).errors == ()


def test_a_fabric_of_aws_has_its_latency() -> None:
    """EFA by name; what other fabrics add is not told apart."""
    efa, ib, none = (
        case(changed(hardware=ROW["hardware"] | {"fabric": fabric}), entry).machines.network.latency.max()  # type: ignore[operator]
        for fabric in ("AWS p5, EFA 3.2 Tb/s", "InfiniBand NDR", "")
    )
    assert ib == none == case(changed(), entry).machines.network.latency.max()
    assert efa > 5 * ib


def test_a_peak_of_the_first_rank_is_told_of_the_first_stage() -> None:
    document = {
        "split": "held_out", "software": "nanotron-2025", "rank": "first",
        "models": {"tiny": {"layers": 16, "hidden": 2048, "heads": 32, "ffn": 8192, "vocabulary": 131072, "sequence": 4096}},
        "rows": [{"id": "a", "model": "tiny", "sequence": 4096, "global_batch": 8, "peak_gb": 9.0,
                  "layout": {"pipeline": 2, "data": 4, "microbatch": 2, "sharding": "zero1"}}],
    }  # fmt: skip
    first, worst = (memory_cases("nanotron-h100", {**document, "rank": rank}, entry)[0].measured.peak for rank in ("first", None))
    assert first is not None
    assert worst is not None
    assert (first.stage, worst.stage) == (0, None)


def test_software_that_is_not_in_the_catalogue_widens_the_interval() -> None:
    """The row says what it ran on: the same step time, more doubt where that is another."""
    own, other = (case(changed(framework=name), entry) for name in ("Megatron-LM", "PaddlePaddle"))
    assert (own.job.software.stands_in, other.job.software.stands_in) == (False, True)
    assert own.generation == other.generation
    widths = [sigma(spread(one.job, one.layout, one.machines)) for one in (own, other)]
    assert widths[0] < widths[1]
