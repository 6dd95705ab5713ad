#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a GPU's code with the interpreter on a small random model.

    agree.py FOLDER [--device NAME] [--isa NAME,...] [--rows ROWS,...] [--bits BITS,...]
             [--passes PIPELINE] [--repeat TIMES] [make_model.py's options]

For f32 and f16, f32 with caches of 8 and 4 bits, or those of them that --bits names by
the body's and the cache's (32-8), or after the passes of a pipeline of umber-opt's: the
last prompt position's logits and the greedy tokens of umber-run on the device are those
of umber-interp on the same IR, and prompts that are taken a token at a time get the same
tokens. What is the same on the CPU is told in test/CPU/agree.py.
"""

import argparse
import itertools
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "CPU"))
import agree  # noqa: E402

TOKENS = "8"
# On Vulkan reads go through texel buffers and not.
ISAS = {"vulkan": ("spirv1.3-texels", "spirv1.3"), "cuda": ("ptx-sm_80",)}


def compiled(folder, package, device):
    out = str(folder / "out.f32")
    answer = json.loads(agree.run(
        "umber-run", str(package), "-f", str(folder / "prompt"), "--raw", "-n", TOKENS,
        "--temp", "0", "--ignore-eos", "--json", "--device", device, "--logits", out,
        UMBER_VULKAN_VALIDATION="1"))
    return answer, agree.logits(out)


def interpreted(folder, ir, prompt_ids):
    out = str(folder / "reference.f32")
    answer = json.loads(agree.run(
        "umber-interp", ir, "--prompt-ids", ",".join(map(str, prompt_ids)), "-n", TOKENS,
        "--chunk", "16", "--json", "--logits", out))
    return answer, agree.logits(out)


def check(folder, ir, bits, kv_bits, options):
    tolerance = agree.TOLERANCE[bits, kv_bits]
    quantized = agree.QUANTIZED in pathlib.Path(ir).read_text()
    (folder / "prompt").write_text(agree.SENTENCE * options.repeat)
    name = pathlib.Path(ir).stem
    isas = [options.isa] if options.isa else ISAS[options.device.split(":")[0]]
    earlier = None
    for rows, isa in zip(options.rows.split(","), itertools.cycle(isas)):
        package = folder / "m.umb"
        agree.run("umber-compile", ir, f"--bits={bits}", f"--kv-bits={kv_bits}",
                  f"--max-tokens={rows}", "--target=gpu", f"--isa={isa}", "-o",
                  str(package))
        first, first_logits = compiled(folder, package, options.device)
        # On CUDA a row's sums have the same order in steps of any size.
        if options.device.startswith("cuda"):
            assert earlier in (None, first_logits), f"{name}, {rows} rows: other bits"
            earlier = first_logits
        for near, reference_ir in enumerate(agree.references(ir)):
            reference, expected = interpreted(folder, reference_ir, first["prompt_ids"])
            assert len(expected) == len(first_logits), (len(expected), len(first_logits))
            worst = max(abs(a - b) for a, b in zip(expected, first_logits))
            scale = max(1.0, max(map(abs, expected)))
            if worst <= tolerance * scale:
                break
        assert worst <= tolerance * scale, f"{name}, {rows} rows: {worst}"
        least = agree.QUANTIZED_MARGIN if quantized else 4 * tolerance
        steps = next((i for i, margin in enumerate(reference["margins"])
                      if margin < least * scale), int(TOKENS))
        assert first["ids"][:steps] == reference["ids"][:steps], (first, reference)
        print(f"{name}, {rows} rows: largest difference {worst:.1e}, {steps} steps"
              + (f", reference {near}" if near else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--device", default="vulkan:0")
    parser.add_argument("--bits", default="32-32,16-16,32-8,32-4")
    parser.add_argument("--passes")
    parser.add_argument("--isa", help="what a package has code for, default: one after the "
                        "other of what the device takes")
    parser.add_argument("--rows", default="12,2",
                        help="what a step takes: prompts in chunks, some rows of the last "
                        "of them, and in steps of two rows")
    parser.add_argument("--repeat", type=int, default=1)
    options, model_options = parser.parse_known_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    agree.run(sys.executable, str(HERE.parent / "tools" / "make_model.py"),
              str(folder / "m.gguf"), *model_options)
    if options.passes:
        before, ir = str(folder / "before.mlir"), str(folder / "after.mlir")
        derived = folder / "derived"
        shutil.rmtree(derived, ignore_errors=True)
        agree.run("umber-compile", str(folder / "m.gguf"), "--bits=32", "--emit=mlir",
                  "--compile-to=import", "-o", before)
        pipeline = options.passes.replace("DERIVED", str(derived))
        agree.run("umber-opt", before, f"--pass-pipeline=builtin.module({pipeline})", "-o",
                  ir)
        check(folder, ir, 32, 32, options)
        return
    for pair in options.bits.split(","):
        bits, kv_bits = map(int, pair.split("-"))
        ir = str(folder / f"m{bits}-kv{kv_bits}.mlir")
        agree.run("umber-compile", str(folder / "m.gguf"), f"--bits={bits}",
                  f"--kv-bits={kv_bits}", "--emit=mlir", "--compile-to=quantize", "-o", ir)
        check(folder, ir, bits, kv_bits, options)


if __name__ == "__main__":
    main()
