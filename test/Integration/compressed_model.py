#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compresses the test model once, for all tests that compare a device with the CPU.

    compressed_model.py UMBER-COMPILE FOLDER

writes to FOLDER: model.mlir, at 3.5 bits, before activations are quantized; packages of it
for the CPU, plain.umb with plain activations and rounded.umb with quantized ones; and lora,
an adapter of random values. The model is UMBER_TEST_MODEL; exits with 77, which CTest takes
as skipped, without.
"""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SKIPPED = 77
# What the packages of a kind are compiled with, whatever the target.
KINDS = {"plain": ["--activation-bits=32", "--kv-bits=16"], "rounded": ["--kv-bits=8"]}
# SmolLM2-135M's shapes.
SHAPES = ["--layers", "30", "--hidden", "576", "--heads", "9", "--kv-heads", "3",
          "--head-dim", "64", "--ffn", "1536"]


def cpu_isa():
    """One that uses no more of the processor than the devices' numerics need."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return "x86-64-v3" if "avx2" in flags else "aarch64"


def need(folder):
    """Skips a test without what this has made."""
    if not os.environ.get("UMBER_TEST_MODEL") or not (folder / "rounded.umb").exists():
        print("skipped: UMBER_TEST_MODEL is not set, or integration.compressed-model has not run")
        sys.exit(SKIPPED)


def compile_for(compiler, folder, kind, out, *options):
    """Compiles the compressed model to `out` for what the options say."""
    subprocess.run([compiler, folder / "model.mlir", *KINDS[kind], *options, "-o", out],
                   check=True)
    return out


def main():
    compiler, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    model = os.environ.get("UMBER_TEST_MODEL")
    if not model:
        print("skipped: UMBER_TEST_MODEL is not set")
        sys.exit(SKIPPED)
    folder.mkdir(parents=True)
    subprocess.run([compiler, model, "--bits=3.5", "--fast", "--compile-to=compress",
                    "--emit=mlir", "-o", folder / "model.mlir"], check=True)
    subprocess.run([sys.executable, HERE.parent / "tools" / "make_adapter.py",
                    folder / "lora", "--rank", "8", "--size", "0.01", "--dtype", "F16", *SHAPES],
                   check=True)
    for kind in KINDS:
        compile_for(compiler, folder, kind, folder / f"{kind}.umb", f"--isa={cpu_isa()}")


if __name__ == "__main__":
    main()
