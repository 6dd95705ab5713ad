#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that passes keep the function of a model, in the interpreter.

    keep_function.py FOLDER PASSES [make_model.py's options]

PASSES is a pipeline of umber-opt's. The logits after it are the model's but for f32's
rounding, and a second run makes no file again and gives the same IR.
"""

import array
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-4


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def logits(ir, out):
    run("umber-interp", str(ir), "--prompt-ids=1,5,9,2,30,7", f"--logits={out}")
    values = array.array("f")
    values.frombytes(pathlib.Path(out).read_bytes())
    return values


def main():
    folder, passes = pathlib.Path(sys.argv[1]), sys.argv[2]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model, before, after, again = (str(folder / name) for name in
                                   ("m.gguf", "before.mlir", "after.mlir", "again.mlir"))
    run(sys.executable, str(HERE.parent / "tools" / "make_model.py"), model, *sys.argv[3:])
    run("umber-compile", model, "--bits=32", "--emit=mlir", "--compile-to=compress",
        "-o", before)
    derived = folder / "derived"
    pipeline = f"--pass-pipeline=builtin.module({passes.replace('DERIVED', str(derived))})"
    run("umber-opt", before, pipeline, "-o", after)
    made = {path: path.stat().st_mtime_ns for path in derived.iterdir()}
    run("umber-opt", before, pipeline, "-o", again)
    assert made and made == {path: path.stat().st_mtime_ns for path in derived.iterdir()}
    assert pathlib.Path(after).read_bytes() == pathlib.Path(again).read_bytes()
    assert pathlib.Path(after).read_bytes() != pathlib.Path(before).read_bytes()
    expected, actual = logits(before, folder / "a"), logits(after, folder / "b")
    assert len(expected) == len(actual)
    worst = max(abs(a - e) for a, e in zip(actual, expected))
    scale = max(abs(e) for e in expected)
    assert worst <= TOLERANCE * scale, f"worst difference {worst} of logits up to {scale}"


if __name__ == "__main__":
    main()
