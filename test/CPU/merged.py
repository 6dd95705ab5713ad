#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a model with adapters with one whose matrices they were merged into.

    merged.py FOLDER [--adapter RANK[:SCALE]...] [--dtype F16] [--form peft]
              [--passes PIPELINE] [make_model.py's options]

Random adapters at all sites of a small random model: the logits of umber-run with
--lora are, within the numerics contract, those of the model that has W + scale B A in
the place of W, for one thread and for several, for prompts of one step and of many; so
are those of umber-interp with --lora on the model, before kernels are formed and
after, and those of what umber-compile --lora makes of it; with `--passes`, both models
go through that pipeline of umber-opt's first (DERIVED stands for a folder), as
compression does before it encodes anything. umber-run keeps adapters in 16 bits, and
then in 8, whose steps of 1/127 are seen.
"""

import argparse
import array
import json
import pathlib
import shutil
import struct
import subprocess
import sys

TOOLS = pathlib.Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))
import make_adapter  # noqa: E402
import make_model  # noqa: E402
from agree import instruction_sets  # noqa: E402
from gguf_writer import TYPE_F32  # noqa: E402

TOLERANCE = 2e-3
TOLERANCE_OF_8_BITS = 0.02  # of the largest effect
PROMPT = "the cat and the other cat sat in the sun; "


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def values_of(data, dtype):
    if dtype == "F32":
        return struct.unpack(f"<{len(data) // 4}f", data)
    if dtype == "F16":
        return struct.unpack(f"<{len(data) // 2}e", data)
    return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]


def interleaved(row, head):
    """Where Hugging Face's order has what GGUF's has at `row`."""
    at = row % head
    return row - at + at // 2 + at % 2 * (head // 2)


def merge(model, adapters, head):
    """Adds to the matrices of a GGUF; adapters are (arguments, scale)."""
    matrices = {tensor[0]: tensor for tensor in model.tensors}
    for args, factor in adapters:
        for _, name, (_, a_data), ((outputs, rank), b_data) in make_adapter.make(args):
            tensor = matrices[name + ".weight"]
            assert tensor[1] == TYPE_F32
            weights = list(struct.unpack(f"<{len(tensor[3]) // 4}f", tensor[3]))
            a, b = values_of(a_data, args.dtype), values_of(b_data, args.dtype)
            inputs = len(a) // rank
            swaps = (args.form == "peft" and args.arch == "llama"
                     and name.endswith(("attn_q", "attn_k")))
            scale = factor * args.alpha / (rank**0.5 if args.rslora else rank)
            for row in range(outputs):
                from_row = interleaved(row, head) if swaps else row
                for column in range(inputs):
                    weights[row * inputs + column] += scale * sum(
                        b[from_row * rank + r] * a[r * inputs + column] for r in range(rank))
            tensor[3] = struct.pack(f"<{len(weights)}f", *weights)


def compile_source(source, package, *options):
    # Other instruction sets' code would not be run.
    run("umber-compile", source, "--bits=32", "--kv-bits=32", "--max-tokens=16",
        "--isa", instruction_sets()[-1], "-o", str(package), *options)


def compile_model(gguf, package, passes):
    """Gives what was compiled: the model, or the IR behind the passes."""
    source = str(gguf)
    if passes:
        derived = gguf.with_suffix(".derived")
        shutil.rmtree(derived, ignore_errors=True)
        before, source = str(gguf) + ".before.mlir", str(gguf) + ".mlir"
        run("umber-compile", str(gguf), "--bits=32", "--emit=mlir", "--compile-to=import",
            "-o", before)
        pipeline = passes.replace("DERIVED", str(derived))
        run("umber-opt", before, f"--pass-pipeline=builtin.module({pipeline})", "-o", source)
    compile_source(source, package)
    return source


def lora_options(loras):
    return [part for lora in loras for part in ("--lora", lora)]


def read_floats(path):
    values = array.array("f")
    values.frombytes(path.read_bytes())
    return values


def interpreted(folder, source, repeat, loras):
    """umber-interp's logits on the model or IR, and on its kernels."""
    out, fused = folder / "interpreted", folder / "fused.mlir"
    compile_source(source, fused, "--emit=mlir", "--compile-to=fuse")
    (folder / "prompt").write_text(PROMPT * repeat)
    prompt = json.loads(run("umber-run", str(folder / "base.umb"), "-f",
                            str(folder / "prompt"), "--raw", "-n", "1", "--json"))
    for model in (source, str(fused)):
        run("umber-interp", model, "--chunk=7", "--logits", str(out),
            "--prompt-ids=" + ",".join(map(str, prompt["prompt_ids"])),
            *lora_options(loras))
        yield read_floats(out)


def logits(folder, package, repeat, threads, loras=(), bits=0):
    (folder / "prompt").write_text(PROMPT * repeat)
    out = folder / "logits"
    run("umber-run", str(package), "-f", str(folder / "prompt"), "--raw", "-n", "1",
        "--ignore-eos", "--temp", "0", "-t", str(threads), "--logits", str(out),
        "--lora-bits", str(bits), *lora_options(loras))
    return read_floats(out)


def difference(found, expected):
    assert len(found) == len(expected)
    return max(abs(a - b) for a, b in zip(found, expected))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--adapter", action="append", default=[])
    parser.add_argument("--dtype", default="F16")
    parser.add_argument("--form", default="peft")
    parser.add_argument("--passes")
    options, rest = parser.parse_known_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    gguf, merged = options.folder / "base.gguf", options.folder / "merged.gguf"
    shape = make_model.parse([str(gguf), "--type", "F32", *rest])

    adapters, loras = [], []
    for number, spec in enumerate(options.adapter or ["4"]):
        rank, _, scale = spec.partition(":")
        path = options.folder / f"adapter{number}"
        shutil.rmtree(path, ignore_errors=True)
        args = make_adapter.parse([
            str(path), "--form", options.form, "--arch", shape.arch,
            "--layers", str(shape.layers), "--hidden", str(shape.hidden),
            "--heads", str(shape.heads), "--kv-heads", str(shape.kv_heads),
            "--head-dim", str(shape.head_dim), "--ffn", str(shape.ffn),
            "--rank", rank, "--dtype", options.dtype, "--seed", str(number),
            "--size", "0.1"])
        make_adapter.write(args)
        adapters.append((args, float(scale or 1)))
        loras.append(f"{path}:{scale}" if scale else str(path))

    gguf.write_bytes(make_model.build(shape).build())
    model = make_model.build(shape)
    merge(model, adapters, shape.head_dim)
    merged.write_bytes(model.build())
    packages = [path.with_suffix(".umb") for path in (gguf, merged)]
    source, _ = [compile_model(model, package, options.passes)
                 for model, package in zip((gguf, merged), packages)]
    compiled = options.folder / "compiled.umb"
    compile_source(source, compiled, *lora_options(loras))

    for repeat in (1, 3):
        plain = logits(options.folder, packages[0], repeat, 1)
        expected = logits(options.folder, packages[1], repeat, 1)
        found = logits(options.folder, packages[0], repeat, 1, loras)
        effect = difference(plain, expected)
        for what, values in [
                ("umber-run", found),
                ("umber-compile", logits(options.folder, compiled, repeat, 1)),
                *zip(("umber-interp", "kernels"),
                     interpreted(options.folder, source, repeat, loras))]:
            worst = difference(values, expected)
            print(f"{json.dumps(options.adapter)}, {what}: {worst:.2e} of {effect:.2e}")
            assert worst <= TOLERANCE, (what, worst)
        assert effect > 50 * TOLERANCE, "the adapters do too little to be seen"
        found8 = logits(options.folder, packages[0], repeat, 1, loras, bits=8)
        worst8 = max(abs(a - b) for a, b in zip(found8, expected))
        print(f"of 8 bits: {worst8:.2e}")
        assert 0 < worst8 <= TOLERANCE_OF_8_BITS * effect, worst8
        for threads in (2, 3):
            assert found == logits(options.folder, packages[0], repeat, threads, loras)
        nothing = [lora.rpartition(":")[0] or lora for lora in loras]
        assert plain == logits(options.folder, packages[0], repeat, 2,
                               [lora + ":0" for lora in nothing])


if __name__ == "__main__":
    main()
