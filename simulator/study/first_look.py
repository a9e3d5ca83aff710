"""How far each source's step times were off when they were first predicted: kept, so that no later figure is taken for a first one."""

from __future__ import annotations

from collections.abc import Mapping

FIRST_LOOK: Mapping[str, tuple[str, int, float, float]] = {
    "dgxc": ("4264367", 88, 0.049, 0.476),
    "fms-fsdp": ("4264367", 8, 0.117, -0.191),
    "hagemann": ("4264367", 70, 0.035, -0.188),
    "internevo": ("4264367", 19, 0.015, -0.084),
    "korthikanti22": ("4264367", 9, 0.017, -0.027),
    "llama3": ("4264367", 2, 0.497, 0.653),
    "llm-foundry": ("4264367", 41, 0.070, -0.287),
    "megatron-2020": ("4264367", 12, 0.024, 0.117),
    "megatron-sc21": ("4264367", 10, 0.029, -0.058),
    "megatron-sc21-t2": ("4264367", 12, 0.186, -0.781),
    "mtnlg": ("4264367", 3, 0.174, -0.197),
    "nanotron": ("4264367", 31, 0.111, -0.644),
    "nemo-24.07": ("4264367", 10, 0.060, 0.108),
    "nemo-launcher": ("4264367", 11, 0.167, -0.340),
    "simumax-b200": ("4264367", 43, 0.042, -0.180),
    "torchtitan": ("4264367", 12, 0.166, -0.446),
    "vtrain-multi": ("4264367", 56, 0.066, -0.357),
    "zero-bubble": ("4264367", 12, 0.081, 0.134),
    "torchao": ("b81d6bf", 4, 0.155, -0.215),
    "bigscience": ("37fcadd", 55, 0.114, -0.309),
    "megatron-core-h100": ("61cab2b", 9, 0.262, 0.518),
    "megatron-core-llama-readme": ("61cab2b", 3, 0.278, 0.285),
    "moe-folding": ("61cab2b", 39, 0.151, 0.418),
    "nemotron4": ("61cab2b", 6, 0.112, 0.264),
    "flagperf": ("37fcadd", 22, 0.121, -0.243),
    "jax-pax": ("37fcadd", 10, 0.108, -0.459),
    "llm-c": ("37fcadd", 4, 0.092, 0.320),
    "maxtext-tpu": ("37fcadd", 5, 2.262, 5.135),
    "megatron-bridge": ("37fcadd", 35, 0.241, 0.819),
    "megatron-moe-readme": ("37fcadd", 1, 0.081, 0.081),
    "mlperf": ("37fcadd", 2, 0.109, 0.141),
    "nanogpt": ("37fcadd", 2, 0.379, 0.467),
    "primus-amd": ("37fcadd", 8, 0.194, -0.300),
    "rocm-te": ("37fcadd", 6, 0.191, -0.627),
    "swissai-gh200": ("37fcadd", 5, 0.072, -0.169),
    "tinyllama": ("37fcadd", 1, 0.057, -0.057),
    "torchao-mi300x": ("37fcadd", 3, 0.622, -0.639),
    "tpu-recipes": ("37fcadd", 1, 3.853, 3.853),
    "deepspeed-a800": ("bf8db82", 6, 0.383, -0.422),
    "paddle": ("bf8db82", 24, 0.173, -0.362),
}
"""Source -> commit, cases predicted, median size of the error, worst error. Calibration sources had been fitted on by then; held-out
ones had not. The blind sources were predicted by that commit from the rows of 661046a; two of them could not be read at 37fcadd.

Not every case of then is one of now: fms-fsdp's six with a recompute of its own were taken for ones without, and SimuMax's latent
attention for a plain one.
"""
