#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The test model at 3.5 bits on a simulated neural engine, against the CPU, for golden
prompts with an adapter and without.

    golden_npu.py UMBER-COMPILE UMBER-RUN FOLDER [--prompts N] [--tokens N]

FOLDER has what compressed_model.py made. With plain activations all sums are exact to f32:
logits are within 1e-2, and greedy tokens are the same (none of these is a closer call).
Rounded activations carry a last bit on (docs/numerics.md): logits are as near as the same
model is to itself, scaled by some last bits. Exits with 77 without a model.
"""

import argparse
import array
import json
import pathlib
import statistics
import subprocess
import tempfile

import compressed_model

HERE = pathlib.Path(__file__).parent
ENGINE = "npu:ane-a17-like"
TOLERANCE = 1e-2
# Of docs/numerics.md's drift, 0.13 to 0.34 in the root mean square with an outlier.
DRIFT, LARGEST_DRIFT = 0.4, 1.0


def run(runner, package, device, prompt, tokens, folder, lora):
    file, logits = folder / "prompt", folder / "logits.f32"
    file.write_text(prompt)
    # Adapters in the engine's 16 bits on both.
    adapter = [f"--lora={lora}", "--lora-bits=16"] if lora else []
    done = subprocess.run(
        [runner, package, f"--device={device}", "-f", file, "--raw", "-n", str(tokens),
         "--temp", "0", "--ignore-eos", "--json", "--logits", logits, *adapter],
        check=True, stdout=subprocess.PIPE)
    values = array.array("f")
    values.frombytes(logits.read_bytes())
    return json.loads(done.stdout), values


def compile_both(compiler, made, folder, kind, *options):
    """The packages by their device's name."""
    return {"cpu": made / f"{kind}.umb",
            ENGINE: compressed_model.compile_for(compiler, made, kind, folder / f"{kind}.umb",
                                                 f"--target={ENGINE}", *options)}


def compare(runner, packages, case, tokens, folder, lora):
    """The answers on the CPU and on the engine, and the prompts' last logits."""
    (cpu, expected), (npu, found) = (
        run(runner, packages[device], device, case["prompt"], tokens, folder, lora)
        for device in ("cpu", ENGINE))
    assert npu["prompt_ids"] == cpu["prompt_ids"] == case["prompt_ids"], case["prompt"]
    assert len(found) == len(expected) > 0, case["prompt"]
    return cpu, npu, [a - b for a, b in zip(found, expected)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("compiler")
    parser.add_argument("runner")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--prompts", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=8)
    args = parser.parse_args()
    compressed_model.need(args.folder)
    cases = json.loads((HERE / "golden" / "smollm2-135m-greedy.json").read_text())
    cases = cases[:args.prompts]
    with tempfile.TemporaryDirectory() as name:
        folder, lora = pathlib.Path(name), args.folder / "lora"
        # The engine's scratchpad has room for so many plain rows.
        plain = compile_both(args.compiler, args.folder, folder, "plain", "--max-tokens=16")
        worst, speed = 0.0, float("inf")
        for adapter in (None, lora):
            for case in cases:
                cpu, npu, errors = compare(args.runner, plain, case, args.tokens, folder,
                                           adapter)
                worst = max(worst, *map(abs, errors))
                assert worst <= TOLERANCE, f"{case['prompt']!r}: logits differ by {worst}"
                assert npu["ids"] == cpu["ids"], f"{case['prompt']!r}: {npu['ids']}, {cpu['ids']}"
                speed = min(speed, npu["timings"]["predicted_per_second"])
        print(f"plain: {2 * len(cases)} runs of {args.tokens} tokens, logits within "
              f"{worst:.1e}, at least {speed:.1f} tokens/s")

        rounded = compile_both(args.compiler, args.folder, folder, "rounded")
        drifts = []
        for adapter in (None, lora):
            for case in cases:
                _, _, errors = compare(args.runner, rounded, case, 1, folder, adapter)
                drifts.append(statistics.fmean(e * e for e in errors) ** 0.5)
        print("rounded: root mean squares " + ", ".join(f"{d:.2f}" for d in drifts))
        assert statistics.median(drifts) <= DRIFT and max(drifts) <= LARGEST_DRIFT, drifts


if __name__ == "__main__":
    main()
