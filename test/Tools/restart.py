#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kills umber-compile at random moments and starts it again.

    restart.py FOLDER mlir|package [KILLS]

What the second run writes is what an undisturbed one does, to the byte; it makes nothing
again that was finished, and leaves nothing else behind. So does a run on any number of
threads.
"""

import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
# What a process that is killed while it writes its output leaves beside it.
UNFINISHED = re.compile(r"m\.(mlir|umb)\.tmp-[0-9]+")


def command(kind, threads=2):
    out = ["--emit=mlir", "--compile-to=quantize", "-o", "m.mlir"]
    if kind == "package":
        out = ["--max-tokens=8", "--isa=x86-64-v3", "-o", "m.umb"]
    return ["umber-compile", "../m.gguf", "--bits=2.7", "--tune-steps=10", f"--threads={threads}",
            "--save-recipe=recipe.json", "--report=json:report.json", *out]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not UNFINISHED.fullmatch(path.name)}


def finish(folder, kind, threads=2):
    started = time.monotonic()
    subprocess.run(command(kind, threads), cwd=folder, check=True, timeout=600,
                   stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def fresh(folder):
    """Always the same, because IR names folders."""
    path = folder / "run"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def finished_parameters(run):
    """When each was written."""
    return {path.name: path.stat().st_mtime_ns
            for folder in ("m.mlir.derived", "m.umb.partial")
            for path in (run / folder).glob("*") if ".tmp-" not in path.name}


def main():
    folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
    kills = int((sys.argv[3:] or [20])[0])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, HERE.parent / "tools" / "make_model.py",
                    folder / "m.gguf", "--hidden=144", "--heads=6", "--kv-heads=2",
                    "--head-dim=24", "--ffn=300", "--layers=3"], check=True)
    run = fresh(folder)
    seconds = finish(run, kind)
    expected = contents(run)
    assert not (run / "m.umb.partial").exists(), expected.keys()

    for threads in (1, 3, 5):
        run = fresh(folder)
        finish(run, kind, threads)
        assert contents(run) == expected, f"{threads} threads"

    rng = random.Random(7)
    early = late = 0
    for i in range(kills):
        run = fresh(folder)
        moment = rng.uniform(0, seconds)
        process = subprocess.Popen(command(kind), cwd=run, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.kill()
        process.wait()
        before = finished_parameters(run)
        finish(run, kind)
        after = finished_parameters(run)
        again = {name for name in before.keys() & after.keys()
                 if before[name] != after[name]}
        assert not again, f"kill {i}: made again: {again}"
        found = contents(run)
        assert found == expected, f"kill {i} after {moment:.3f} s: " + ", ".join(
            name for name in found.keys() | expected.keys()
            if found.get(name) != expected.get(name))
        early += not before
        late += bool(before)
    print(f"{early} kills before, {late} after something was finished")


if __name__ == "__main__":
    main()
