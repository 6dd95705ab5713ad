#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The test model at 3.5 bits on a simulated neural engine: greedy tokens are those of
the CPU, for a prompt and what follows, with an adapter and without. Both packages are
made of one module.

    golden_npu.py UMBER-COMPILE UMBER-RUN [--module MODULE] [--prompts N] [--tokens N]
                  [--keep FOLDER]

The model is UMBER_TEST_MODEL; exits with 77, which CTest takes as skipped, without.
MODULE is one that --compile-to=quantize wrote; without, the model is compressed fast.
"""

import argparse
import array
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ENGINE = "npu:ane-a17-like"
SKIPPED = 77
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


def margin(logits):
    best = sorted(logits, reverse=True)[:2]
    return best[0] - best[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("compiler")
    parser.add_argument("runner")
    parser.add_argument("--module", type=pathlib.Path)
    parser.add_argument("--prompts", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=8)
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    model = os.environ.get("UMBER_TEST_MODEL")
    if not model and not args.module:
        print("skipped: UMBER_TEST_MODEL is not set")
        sys.exit(SKIPPED)
    cases = json.loads((HERE / "golden" / "smollm2-135m-greedy.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or pathlib.Path(name)
        module, lora = args.module, folder / "lora"
        if not module:
            module = folder / "model.mlir"
            subprocess.run([args.compiler, model, "--bits=3.5", "--fast", "--kv-bits=8",
                            "--compile-to=quantize", "--emit=mlir", "-o", module], check=True)
        packages = {"cpu": folder / "cpu.umb", ENGINE: folder / "npu.umb"}
        for target, options in [("cpu", [f"--isa={cpu_isa()}"]),
                                (ENGINE, [f"--target={ENGINE}"])]:
            if not packages[target].exists():
                subprocess.run([args.compiler, module, *options, "-o", packages[target]],
                               check=True)
        subprocess.run([sys.executable, HERE.parent / "tools" / "make_adapter.py", lora,
                        "--rank", "8", "--size", "0.01", "--dtype", "F16", *SHAPES], check=True)
        speeds, worst, different = [], 0.0, []
        for adapter in (None, lora):
            for case in cases[:args.prompts]:
                (cpu, expected), (npu, found) = (
                    run(args.runner, packages[device], device, case["prompt"], args.tokens,
                        folder, adapter) for device in ("cpu", ENGINE))
                where = f"{case['prompt']!r}, {'with' if adapter else 'without'} an adapter"
                assert npu["prompt_ids"] == cpu["prompt_ids"] == case["prompt_ids"], where
                assert len(found) == len(expected), where
                worst = max(worst, max(abs(a - b) for a, b in zip(found, expected)))
                speeds.append(npu["timings"]["predicted_per_second"])
                if npu["ids"] != cpu["ids"]:
                    different.append(f"{where}: {npu['ids']}, on the CPU {cpu['ids']}; "
                                     f"its first margin {margin(expected):.4f}")
        print(f"{2 * args.prompts} runs of {args.tokens} tokens, last prompt logits within "
              f"{worst:.2e}, at least {min(speeds):.1f} tokens/s")
        assert not different, "\n".join(different)


if __name__ == "__main__":
    main()
