#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adapters against PEFT itself: compares the test model with adapters that PEFT has
trained with what PEFT computed in f32 (golden/make_peft.py): logits within 2e-3, and
greedy tokens equal up to the first step that PEFT decided by less than 0.01. Adapters
are active in umber-run, for each instruction set, and in umber-interp, and merged by
umber-compile.

    golden_peft.py UMBER-COMPILE UMBER-RUN UMBER-INTERP

The model is UMBER_TEST_MODEL; exits with 77, which CTest takes as skipped, without.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from golden_run import CLOSE_CALL, GOLDEN, SKIPPED, TOLERANCE, instruction_sets, read_floats

# umber-interp decodes slowly, and does again what it did for the prompt.
INTERPRETED_STEPS = 4


def loras(case):
    options = []
    for name, scale in case["adapters"]:
        path = str(GOLDEN / "peft" / name)
        options += ["--lora", path if scale == 1 else f"{path}:{scale}"]
    return options


def check(where, case, logits, ids):
    """The largest difference of a logit."""
    worst = max(abs(logits[int(token)] - expected)
                for token, expected in case["logits"].items())
    assert worst <= TOLERANCE, f"{where}: logits differ by {worst}"
    margins = case["margins"][:len(ids)]
    sure = next((i for i, m in enumerate(margins) if m < CLOSE_CALL), len(margins))
    assert ids[:sure] == case["greedy_ids"][:sure], f"{where}: {ids}"
    return worst


def answer(command, folder):
    logits = folder / "logits.f32"
    done = subprocess.run([*command, "--json", "--logits", logits], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout), read_floats(logits)


def check_run(runner, package, folder, case, isa, adapters):
    prompt = folder / "prompt"
    prompt.write_text(case["prompt"])
    found, logits = answer(
        [runner, package, "-f", prompt, "--raw", "-n", str(len(case["greedy_ids"])),
         "--temp", "0", "--ignore-eos", "--isa", isa, "-t", "2", *adapters], folder)
    where = f"{case['adapters']}, {case['prompt']!r}, {isa}"
    assert found["prompt_ids"] == case["prompt_ids"], where
    return check(where, case, logits, found["ids"])


def check_interp(interpreter, model, folder, case):
    ids = ",".join(map(str, case["prompt_ids"]))
    found, logits = answer(
        [interpreter, model, f"--prompt-ids={ids}", f"-n={INTERPRETED_STEPS}",
         *loras(case)], folder)
    where = f"{case['adapters']}, {case['prompt']!r}, umber-interp"
    return check(where, case, logits, found["ids"])


def compile_model(compiler, model, package, *options):
    subprocess.run([compiler, model, "--bits=32", "-o", package, *options], check=True)
    return package


def main():
    model = os.environ.get("UMBER_TEST_MODEL")
    if not model:
        print("skipped: UMBER_TEST_MODEL is not set")
        sys.exit(SKIPPED)
    compiler, runner, interpreter = sys.argv[1:]
    cases = json.loads((GOLDEN / "peft.json").read_text())["cases"]
    plain = {case["prompt"]: case for case in cases if not case["adapters"]}
    settings = []
    for case in cases:
        if case["adapters"] not in settings:
            settings.append(case["adapters"])
        if case["adapters"]:
            # An adapter that is forgotten is seen.
            effect = max(abs(plain[case["prompt"]]["logits"].get(token, value) - value)
                         for token, value in case["logits"].items())
            assert effect > 100 * TOLERANCE, effect
    isas = instruction_sets()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        package = compile_model(compiler, model, folder / "model.umb")
        for setting in settings:
            chosen = [case for case in cases if case["adapters"] == setting]
            for isa in isas:
                worst = max(check_run(runner, package, folder, case, isa, loras(case))
                            for case in chosen)
                print(f"{setting}, {isa}: largest logit error {worst:.2e}", flush=True)
            worst = check_interp(interpreter, model, folder, chosen[-1])
            print(f"{setting}, umber-interp: largest logit error {worst:.2e}", flush=True)
        chosen = [case for case in cases if case["adapters"] == settings[-1]]
        merged = compile_model(compiler, model, folder / "merged.umb",
                               f"--isa={isas[0]}", *loras(chosen[0]))
        worst = max(check_run(runner, merged, folder, case, isas[0], [])
                    for case in chosen)
        print(f"{settings[-1]}, merged: largest logit error {worst:.2e}")


if __name__ == "__main__":
    main()
