#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Broken packages for a neural engine: umber-sim says what is wrong in one line.

    hostile_package.py FOLDER

EngineModelTest.cpp has those whose hashes fit.
"""

import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tools"))
from hostile import Attack  # noqa: E402


def compile_model(folder, name, *options):
    maker = HERE.parent / "tools" / "make_model.py"
    gguf, package = folder / f"{name}.gguf", folder / f"{name}.umb"
    subprocess.run([sys.executable, maker, gguf, *options], check=True)
    subprocess.run(["umber-compile", gguf, "--target=npu:ane-a17-like", "--max-tokens=4",
                    "-o", package], check=True, stderr=subprocess.DEVNULL)
    return package.read_bytes()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sim = Attack(folder, ".umb", lambda path: [
        "umber-sim", path, "--phase=decode@2", "--logits", str(folder / "out.f32")])
    check = Attack(folder, ".umb", lambda path: ["umber-npu-check", path])
    shape = ["--layers", "1", "--hidden", "16", "--heads", "2", "--ffn", "20"]
    data = compile_model(folder, "m", *shape)
    for attack in (sim, check):
        attack.run(data, "the package as it is", must_refuse=False)
        assert attack.taken == 1, "expected the good package to be taken"
    sim.truncate(data, 30, 4096)
    offset = int.from_bytes(data[8:16], "little")
    rng = random.Random(2)
    for i in range(120):
        broken, where = bytearray(data), rng.randrange(len(data))
        broken[where] ^= 1 << rng.randrange(8)
        # Padding between segments is nobody's.
        sim.run(bytes(broken), f"flip {i} at {where}", must_refuse=where >= offset)

    # Another model's metadata, with its hash.
    other = compile_model(folder, "n", *shape[:-1], "24")
    start = int.from_bytes(other[8:16], "little")
    for what, broken in (
            ("another model's metadata",
             data[:16] + other[16:32] + data[32:offset] + other[start:]),
            ("a CPU's package", cpu_package(folder))):
        for attack in (sim, check):
            attack.run(broken, what)
    print(f"refused {sim.refused}, took {sim.taken}")


def cpu_package(folder):
    package = folder / "cpu.umb"
    subprocess.run(["umber-compile", folder / "m.gguf", "--isa=x86-64-v3", "-o", package],
                   check=True, stderr=subprocess.DEVNULL)
    return package.read_bytes()


if __name__ == "__main__":
    main()
