#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The test model at 3.5 bits on a simulated neural engine, against the CPU, for golden
prompts with an adapter and without. Packages for both are made of one compressed model.

    golden_npu.py UMBER-COMPILE UMBER-RUN [--model MODEL] [--prompts N] [--tokens N]

With plain activations all sums are exact to f32: logits are within 1e-2, and greedy
tokens are the same (none of these is a closer call). Rounded
activations carry a last bit on (docs/numerics.md): logits are as near as the same model
is to itself, scaled by some last bits.

MODEL is UMBER_TEST_MODEL, or a module that --compile-to=compress wrote; exits with 77,
which CTest takes as skipped, without.
"""

import argparse
import array
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ENGINE = "npu:ane-a17-like"
SKIPPED = 77
TOLERANCE = 1e-2
# Of docs/numerics.md's drift, 0.13 to 0.34 in the root mean square with an outlier.
DRIFT, LARGEST_DRIFT = 0.4, 1.0
# SmolLM2-135M's shapes.
SHAPES = ["--layers", "30", "--hidden", "576", "--heads", "9", "--kv-heads", "3",
          "--head-dim", "64", "--ffn", "1536"]


def cpu_isa():
    """One that uses no more of the processor than the engine's numerics need."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return "x86-64-v3" if "avx2" in flags else "aarch64"


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


def compile_both(compiler, module, folder, name, *options):
    """The packages by their device's name."""
    packages = {}
    for device, target in [("cpu", f"--isa={cpu_isa()}"), (ENGINE, f"--target={ENGINE}")]:
        packages[device] = folder / f"{name}-{device.replace(':', '-')}.umb"
        subprocess.run([compiler, module, target, *options, "-o", packages[device]], check=True)
    return packages


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
    parser.add_argument("--model", default=os.environ.get("UMBER_TEST_MODEL"))
    parser.add_argument("--prompts", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=8)
    args = parser.parse_args()
    if not args.model:
        print("skipped: UMBER_TEST_MODEL is not set")
        sys.exit(SKIPPED)
    cases = json.loads((HERE / "golden" / "smollm2-135m-greedy.json").read_text())
    cases = cases[:args.prompts]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        module, lora = folder / "model.mlir", folder / "lora"
        if args.model.endswith(".mlir"):
            module = pathlib.Path(args.model)
        else:
            subprocess.run([args.compiler, args.model, "--bits=3.5", "--fast",
                            "--compile-to=compress", "--emit=mlir", "-o", module], check=True)
        subprocess.run([sys.executable, HERE.parent / "tools" / "make_adapter.py", lora,
                        "--rank", "8", "--size", "0.01", "--dtype", "F16", *SHAPES], check=True)

        # The engine's scratchpad has room for so many plain rows.
        plain = compile_both(args.compiler, module, folder, "plain", "--activation-bits=32",
                             "--kv-bits=16", "--max-tokens=16")
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

        rounded = compile_both(args.compiler, module, folder, "rounded", "--kv-bits=8")
        drifts = []
        for adapter in (None, lora):
            for case in cases:
                _, _, errors = compare(args.runner, rounded, case, 1, folder, adapter)
                drifts.append(statistics.fmean(e * e for e in errors) ** 0.5)
        print("rounded: root mean squares " + ", ".join(f"{d:.2f}" for d in drifts))
        assert statistics.median(drifts) <= DRIFT and max(drifts) <= LARGEST_DRIFT, drifts


if __name__ == "__main__":
    main()
