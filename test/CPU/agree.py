#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares compiled code with the interpreter on a small random model.

    agree.py FOLDER [--isa NAME --run 'COMMAND OF UMBER-RUN'] [make_model.py's options]

For f32 and f16, for f32 with caches of 8 and 4 bits, and every instruction set that this processor has, or for the one that
is named and that the command runs, perhaps in an emulator: the last prompt
position's logits and the greedy tokens of umber-run are those of umber-interp on the
same IR, and agree to the bit for any number of threads and whichever of them is first
between two barriers.
"""

import argparse
import array
import json
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PROMPT = "the cat and the other cat sat in the sun; " * 3
# By the body's bits and the cache's. f32 sums in another order; narrower caches also
# round, and where a sum decides which way, the difference is a step of the type.
TOLERANCE = {(32, 32): 2e-4, (16, 16): 2e-3, (32, 8): 5e-3, (32, 4): 1e-2}


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return done.stdout


def logits(path):
    values = array.array("f")
    values.frombytes(pathlib.Path(path).read_bytes())
    return values


def instruction_sets():
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    if "avx512_vnni" in flags:
        return ["x86-64-v3", "x86-64-v4"]
    return ["x86-64-v3"] if "avx2" in flags else []


def check_bits(folder, bits, kv_bits, umber_run, isas):
    name, tolerance = f"m{bits}-kv{kv_bits}", TOLERANCE[bits, kv_bits]
    ir, package = folder / f"{name}.mlir", folder / f"{name}.umb"
    compiler = ["umber-compile", str(folder / "m.gguf"), f"--bits={bits}",
                f"--kv-bits={kv_bits}"]
    run(*compiler, "--emit=mlir", "--compile-to=quantize", "-o", str(ir))
    run(*compiler, "--max-tokens=16", "-o", str(package))
    (folder / "prompt").write_text(PROMPT)
    out = str(folder / "out.f32")

    def compiled(isa, threads, turns=""):
        os.environ["UMBER_CPU_TURNS"] = turns
        answer = json.loads(run(
            *umber_run, str(package), "-f", str(folder / "prompt"), "--raw", "-n", "12",
            "--temp", "0", "--ignore-eos", "--json", "--isa", isa, "-t", str(threads),
            "--logits", out))
        return answer, logits(out)

    for isa in isas:
        first, first_logits = compiled(isa, 1)
        reference = json.loads(run(
            "umber-interp", str(ir), "--prompt-ids",
            ",".join(map(str, first["prompt_ids"])), "-n", "12", "--chunk", "16",
            "--json", "--logits", out))
        expected = logits(out)
        assert len(expected) == len(first_logits), (len(expected), len(first_logits))
        worst = max(abs(a - b) for a, b in zip(expected, first_logits))
        scale = max(1.0, max(map(abs, expected)))
        assert worst <= tolerance * scale, f"{isa}, {name}: {worst}"
        steps = next((i for i, margin in enumerate(reference["margins"])
                      if margin < 4 * tolerance * scale), 12)
        assert first["ids"][:steps] == reference["ids"][:steps], (first, reference)
        print(f"{isa}, {name}: largest difference {worst:.1e}, {steps} steps")
        for threads, turns in [(2, ""), (2, "ascending"), (2, "descending"), (3, ""),
                               (5, "ascending"), (5, "descending")]:
            again, again_logits = compiled(isa, threads, turns)
            assert again_logits == first_logits, f"{isa}, {threads} threads {turns}"
            assert again["ids"] == first["ids"], f"{isa}, {threads} threads {turns}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--isa")
    parser.add_argument("--run", default="umber-run")
    options, model_options = parser.parse_known_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    run(sys.executable, str(HERE.parent / "tools" / "make_model.py"),
        str(options.folder / "m.gguf"), *model_options)
    isas = [options.isa] if options.isa else instruction_sets()
    for bits, kv_bits in TOLERANCE:
        check_bits(options.folder, bits, kv_bits, shlex.split(options.run), isas)


if __name__ == "__main__":
    main()
