#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares compiled code with the interpreter on a small random model.

    agree.py FOLDER [--isa NAME --run 'COMMAND OF UMBER-RUN'] [--passes PIPELINE]
             [--repeat TIMES] [make_model.py's options]

For f32 and f16, f32 with caches of 8 and 4 bits, or after the passes of a pipeline of umber-opt's, and every
instruction set that this processor has, or for the one that is named and that the
command runs, perhaps in an emulator: the last prompt position's logits and the greedy
tokens of umber-run are those of umber-interp on the same IR, and agree to the bit for
any number of threads and whichever of them is first between two barriers. Sessions
that are decoded together get what each gets alone, as a test of the conformance suite
finds on every package. DERIVED in the pipeline stands for a folder. The prompt is a
sentence, so many times.

Where inputs of products are quantized, one f32 rounded otherwise may move an input
that is halfway between two integers, which changes logits by a hundredth. What is
compiled must then agree as closely as ever with the interpreter on the same IR or on
one whose embedding is scaled by next to 1.
"""

import argparse
import array
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SENTENCE = "the cat and the other cat sat in the sun; "
# By the body's bits and the cache's. f32 sums in another order; narrower caches also
# round, and where a sum decides which way, the difference is a step of the type.
TOLERANCE = {(32, 32): 2e-4, (16, 16): 2e-3, (32, 8): 5e-3, (32, 4): 1e-2}
# Close tokens are not compared where one quantized input may decide between them.
QUANTIZED_MARGIN = 5e-2
QUANTIZED = "umber.quantize "
# By what Linux calls the features that tell them apart.
INSTRUCTION_SETS = {
    "x86-64-v3": {"avx2"},
    "x86-64-v4": {"avx512_vnni"},
    "x86-64-v4-vbmi": {"avx512_vnni", "avx512vbmi"},
    "x86-64-v4-amx": {"avx512_vnni", "avx512vbmi", "amx_int8"},
}
SCALES = [1 + step * 2.0**-23 for step in (1, -1, 2, -2, 3, -3)]


def run(*command, **variables):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          env={**os.environ, **variables})
    return done.stdout


def logits(path):
    values = array.array("f")
    values.frombytes(pathlib.Path(path).read_bytes())
    return values


def instruction_sets():
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return [isa for isa, needs in INSTRUCTION_SETS.items() if needs <= set(flags)]


def check_bits(folder, bits, kv_bits, repeat, umber_run, isas):
    ir = str(folder / f"m{bits}-kv{kv_bits}.mlir")
    run("umber-compile", str(folder / "m.gguf"), f"--bits={bits}", f"--kv-bits={kv_bits}",
        "--emit=mlir", "--compile-to=quantize", "-o", ir)
    check(folder, ir, bits, kv_bits, repeat, umber_run, isas)


def check_passes(folder, passes, repeat, umber_run, isas):
    before, ir = str(folder / "before.mlir"), str(folder / "after.mlir")
    derived = folder / "derived"
    shutil.rmtree(derived, ignore_errors=True)
    # As imported: adapters are attached behind the passes.
    run("umber-compile", str(folder / "m.gguf"), "--bits=32", "--emit=mlir",
        "--compile-to=import", "-o", before)
    pipeline = passes.replace("DERIVED", str(derived))
    run("umber-opt", before, f"--pass-pipeline=builtin.module({pipeline})", "-o", ir)
    assert "umber.derived" in pathlib.Path(ir).read_text()
    check(folder, ir, 32, 32, repeat, umber_run, isas)


def references(ir):
    """The IR, and where it quantizes inputs, some with other roundings."""
    yield ir
    text = pathlib.Path(ir).read_text()
    for scale in SCALES if QUANTIZED in text else []:
        near = ir.replace(".mlir", ".near.mlir")
        changed = re.sub(r"(umber\.embed @embed\[%\w+\])",
                         rf"\1 {{scale = {scale:.9f} : f32}}", text)
        assert changed != text
        pathlib.Path(near).write_text(changed)
        yield near


def check(folder, ir, bits, kv_bits, repeat, umber_run, isas):
    tolerance = TOLERANCE[bits, kv_bits]
    name, package = pathlib.Path(ir).stem, folder / "m.umb"
    run("umber-compile", ir, f"--bits={bits}", f"--kv-bits={kv_bits}", "--max-tokens=16",
        "--isa=" + ",".join(isas), "-o", str(package))
    quantized = QUANTIZED in pathlib.Path(ir).read_text()
    (folder / "prompt").write_text(SENTENCE * repeat)
    out = str(folder / "out.f32")

    def compiled(isa, threads, turns=""):
        answer = json.loads(run(
            *umber_run, str(package), "-f", str(folder / "prompt"), "--raw", "-n", "12",
            "--temp", "0", "--ignore-eos", "--json", "--isa", isa, "-t", str(threads),
            "--logits", out, UMBER_CPU_TURNS=turns))
        return answer, logits(out)

    def interpreted(ir, prompt_ids):
        answer = json.loads(run(
            "umber-interp", ir, "--prompt-ids", ",".join(map(str, prompt_ids)), "-n",
            "12", "--chunk", "16", "--json", "--logits", out))
        return answer, logits(out)

    for isa in isas:
        first, first_logits = compiled(isa, 1)
        for near, reference_ir in enumerate(references(ir)):
            reference, expected = interpreted(reference_ir, first["prompt_ids"])
            assert len(expected) == len(first_logits), (len(expected), len(first_logits))
            worst = max(abs(a - b) for a, b in zip(expected, first_logits))
            scale = max(1.0, max(map(abs, expected)))
            if worst <= tolerance * scale:
                break
        assert worst <= tolerance * scale, f"{isa}, {name}: {worst}"
        least = QUANTIZED_MARGIN if quantized else 4 * tolerance
        steps = next((i for i, margin in enumerate(reference["margins"])
                      if margin < least * scale), 12)
        assert first["ids"][:steps] == reference["ids"][:steps], (first, reference)
        print(f"{isa}, {name}: largest difference {worst:.1e}, {steps} steps"
              + (f", reference {near}" if near else ""))
        for threads, turns in [(2, ""), (2, "ascending"), (2, "descending"), (3, ""),
                               (5, "ascending"), (5, "descending")]:
            again, again_logits = compiled(isa, threads, turns)
            assert again_logits == first_logits, f"{isa}, {threads} threads {turns}"
            assert again["ids"] == first["ids"], f"{isa}, {threads} threads {turns}"
    # Beside umber-run, and like it on the best instruction set. The whole suite runs on a
    # few packages (test/Integration); what depends on shapes is this one of its tests.
    suite = str(pathlib.Path(umber_run[-1]).with_name("umber-cts"))
    passed = run(*umber_run[:-1], suite,
                 "--gtest_filter=*BatchTest.GivesWhatEachSessionGetsAlone/cpu*",
                 UMBER_CTS_PACKAGE=str(package), UMBER_CPU_TURNS="descending")
    assert b"GivesWhatEachSessionGetsAlone" in passed, passed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--isa")
    parser.add_argument("--run", default="umber-run")
    parser.add_argument("--passes")
    parser.add_argument("--repeat", type=int, default=3)
    options, model_options = parser.parse_known_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    run(sys.executable, str(HERE.parent / "tools" / "make_model.py"),
        str(options.folder / "m.gguf"), *model_options)
    isas = [options.isa] if options.isa else instruction_sets()
    umber_run = shlex.split(options.run)
    if options.passes:
        check_passes(options.folder, options.passes, options.repeat, umber_run, isas)
        return
    for bits, kv_bits in TOLERANCE:
        check_bits(options.folder, bits, kv_bits, options.repeat, umber_run, isas)


if __name__ == "__main__":
    main()
