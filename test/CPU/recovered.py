#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a package that has corrections with one that has none.

    recovered.py FOLDER [--recover-bits 8] [make_model.py's options]

Of a small random model. The corrections change what the package without them computes,
and their adapter, exported for the model's own weights and loaded beside that package,
changes it in the same way, within the rounding to 16 bits: alone and with another
adapter. All bytes of the code and of the weights are the same in both packages.
"""

import argparse
import array
import json
import pathlib
import struct
import subprocess
import sys

TOOLS = pathlib.Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))
import make_adapter  # noqa: E402
import make_model  # noqa: E402
from agree import instruction_sets  # noqa: E402

PROMPT = "the cat and the other cat sat in the sun; "
# Quantized inputs that are halfway between two integers would go either way. Other
# instruction sets' code would not be run.
FLAGS = ["--bits=3.5", "--bit-choices=2,4", "--activation-bits=32", "--kv-bits=32",
         "--fast", "--max-tokens=16", "--isa", instruction_sets()[-1]]
# Of the correction's effect: that of rounding A and B, moved and back, to 16 bits.
TOLERANCE = 2e-3


def run(*command, **more):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          check=True, **more).stdout


def refuse(words, *command):
    done = subprocess.run([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) == 1 and words in lines[0], done


def logits(folder, package, *loras, threads=2):
    out = folder / "logits"
    run("umber-run", package, "--lora-bits=16", "-p", PROMPT * 2, "--raw", "-n", "1",
        "--ignore-eos", "--temp", "0", "-t", threads, "--logits", out,
        *(part for lora in loras for part in ("--lora", lora)))
    values = array.array("f")
    values.frombytes(out.read_bytes())
    return values


def distance(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5


def metadata(package):
    return struct.unpack_from("<Q", package, 8)[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--recover-bits", default="16")
    options, rest = parser.parse_known_args()
    folder = options.folder
    folder.mkdir(parents=True)
    gguf = folder / "m.gguf"
    shape = make_model.parse([str(gguf), *rest])
    gguf.write_bytes(make_model.build(shape).build())
    plain, recovered, exported = folder / "plain.umb", folder / "with.umb", folder / "peft"
    run("umber-compile", gguf, "-o", plain, *FLAGS)
    said = subprocess.run(
        ["umber-compile", str(gguf), "-o", str(recovered), *FLAGS, "--recover-rank=12",
         "--recover-all", f"--recover-bits={options.recover_bits}"],
        stderr=subprocess.PIPE, text=True, check=True).stderr
    assert "\nrecovery: " in said and "the same bytes as weight bits (" in said, said

    # What is before the first one's metadata: its code and weights.
    one, two = plain.read_bytes(), recovered.read_bytes()
    assert one[32:metadata(one)] == two[32:metadata(one)]

    run("umber-adapter", "export", recovered, "-o", exported)
    config = json.loads((exported / "adapter_config.json").read_text())
    assert config["r"] == 12 and len(config["target_modules"]) == 7, config
    refuse("expected a new or empty folder", "umber-adapter", "export", recovered, "-o",
           exported)
    refuse("expected a model that was compiled with --recover-rank", "umber-adapter",
           "export", plain, "-o", folder / "none")
    assert not (folder / "none").exists()

    other = folder / "other"
    make_adapter.write(make_adapter.parse([
        str(other), "--arch", shape.arch, "--layers", str(shape.layers),
        "--hidden", str(shape.hidden), "--heads", str(shape.heads),
        "--kv-heads", str(shape.kv_heads), "--head-dim", str(shape.head_dim),
        "--ffn", str(shape.ffn), "--rank", "3", "--size", "0.1"]))
    for loras in ([], [f"{other}:0.5"]):
        without = logits(folder, plain, *loras)
        found = logits(folder, recovered, *loras)
        expected = logits(folder, plain, exported, *loras)
        effect, error = distance(without, expected), distance(found, expected)
        print(f"{loras}: {error:.1e} of {effect:.1e}")
        assert 0 < effect and error <= TOLERANCE * effect, (error, effect)
        for threads in (1, 3):
            assert found == logits(folder, recovered, *loras, threads=threads)
    # Of the model's own, with scales.
    assert logits(folder, recovered, f"{exported}:-1") != logits(folder, recovered)

    # Into a package, and back.
    run("umber-adapter", exported, "--base", recovered, "-o", folder / "a.umb")
    run("umber-adapter", "export", folder / "a.umb", "-o", folder / "again")
    names = "adapter_config.json", "adapter_model.safetensors"
    assert all((folder / "again" / name).exists() for name in names)
    first, again = (json.loads(run("umber-adapter", "info", "--json", folder / name))["sites"]
                    for name in ("peft", "again"))
    assert first == again, (first, again)


if __name__ == "__main__":
    main()
