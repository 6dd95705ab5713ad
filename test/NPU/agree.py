#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a neural engine's programs with the interpreter on a small random model.

    agree.py FOLDER [--compile "OPTIONS OF UMBER-COMPILE"] [--phases PHASE,PHASE]
             [--set "OP ATTRIBUTE"] [make_model.py's options]

The logits of umber-sim are those of umber-interp on the same IR. They have the same
bits for any number of threads, whatever steps a prompt is cut into, and for engines
with other buffers, for which matrices, rows and columns are cut otherwise. The programs
are free of races and deadlocks. Roundings of products' inputs as in test/CPU/agree.py.
"""

import argparse
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "CPU"))
from agree import logits, references, run  # noqa: E402

# Sums of products are in another order, and the cache's elements round.
TOLERANCE = 2e-3
DEVICE = ROOT / "targets" / "NPU" / "configs" / "ane-a17-like.json"
ADAPTERS = "--adapter-rank"
# Sections' keys with other values.
TILINGS = [
    {"kernel_buffer": {"slots": 2}},
    {"kernel_buffer": {"bytes": 32768}, "array": {"cores": 1}},
    {"kernel_buffer": {"bytes": 16384, "slots": 3}, "array": {"cores": 2, "columns_per_core": 8}},
    {"scratchpad": {"bytes": 262144}},
]


def describe(folder, changes):
    """A description's file, with changed values; without changes the name of it."""
    if not changes:
        return DEVICE.stem
    config = json.loads(DEVICE.read_text())
    for section, values in changes.items():
        for key, value in values.items():
            config[section][key]["value"] = value
    path = folder / "device.json"
    path.write_text(json.dumps(config))
    return str(path)


def ids(count):
    return ",".join(str(37 * i % 257) for i in range(count))


def set_attribute(ir, op, attribute):
    text = pathlib.Path(ir).read_text()
    # An op has a dictionary of attributes in its line, or gets one.
    changed = re.sub(rf"({op} [^{{\n]*) \{{", rf"\1 {{{attribute}, ", text)
    if changed == text:
        changed = re.sub(rf"({op} [^{{\n]*\])( :)", rf"\1 {{{attribute}}}\2", text)
    assert changed != text, f"no {op} in {ir}"
    pathlib.Path(ir).write_text(changed)


class Model:
    def __init__(self, folder, ir, options):
        self.folder, self.ir, self.options = folder, ir, options
        self.package = str(folder / "m.umb")

    def compile(self, changes):
        run("umber-compile", self.ir, "--target=npu:" + describe(self.folder, changes),
            "--max-tokens=16", *self.options, "-o", self.package)

    def simulated(self, phase, *options):
        out = str(self.folder / "sim.f32")
        run("umber-sim", self.package, "--phase=" + phase, "--tokens=" + ids(1000),
            "--logits=" + out, *options)
        return logits(out)

    def interpreted(self, ir, tokens):
        out = str(self.folder / "interp.f32")
        run("umber-interp", ir, "--prompt-ids", ids(tokens), "-n", "1", "--chunk", "16",
            "--logits", out)
        return logits(out)


def check_phase(model, phase):
    """Returns the logits."""
    kind, number = phase.replace("@", ":").split(":")
    tokens = int(number) + (kind == "decode")
    found = model.simulated(phase, "-t", "1")
    for near, ir in enumerate(references(model.ir)):
        expected = model.interpreted(ir, tokens)
        assert len(expected) == len(found), (len(expected), len(found))
        worst = max(abs(a - b) for a, b in zip(expected, found))
        scale = max(1.0, max(map(abs, expected)))
        if worst <= TOLERANCE * scale:
            break
    assert worst <= TOLERANCE * scale, f"{phase}: {worst}"
    print(f"{phase}: largest difference {worst:.1e}, reference {near}", flush=True)
    for options in (["-t", "3"], ["--chunk=1"], ["--chunk=7", "-t", "2"]):
        assert model.simulated(phase, *options) == found, f"{phase} {options}"
    return found


def check_races(model, phases):
    positions = {int(p.replace("@", ":").split(":")[1]) for p in phases}
    for position in {0, *positions}:
        for tokens in (1, 5, 16):
            run("umber-npu-check", model.package, f"--position={position}",
                f"--tokens={tokens}", "--outputs=3")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--compile", default="")
    parser.add_argument("--set", action="append", default=[], help="an attribute that ops "
                        "are given, as 'umber.attention window = 9 : i64'")
    parser.add_argument("--phases", default="prefill:21,decode@21")
    options, model_options = parser.parse_known_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    gguf, ir = str(options.folder / "m.gguf"), str(options.folder / "m.mlir")
    run(sys.executable, str(HERE.parent / "tools" / "make_model.py"), gguf, "--context",
        "700", *model_options)
    asked = options.compile.split()
    run("umber-compile", gguf, "--emit=mlir", "--compile-to=quantize", "-o", ir,
        *(o for o in asked if not o.startswith(ADAPTERS)))
    for change in options.set:
        set_attribute(ir, *change.split(" ", 1))
    # Of what has been done to the model, the cache's type alone is asked for again.
    model = Model(options.folder, ir,
                  [o for o in asked if o.startswith((ADAPTERS, "--kv-bits"))])
    phases = options.phases.split(",")
    model.compile({})
    expected = [check_phase(model, phase) for phase in phases]
    check_races(model, phases)
    for changes in TILINGS:
        model.compile(changes)
        for phase, logits_of in zip(phases, expected):
            assert model.simulated(phase) == logits_of, f"{phase}: {changes}"
        check_races(model, phases)


if __name__ == "__main__":
    main()
