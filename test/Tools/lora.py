#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What umber-interp and umber-compile do with --lora that is not what it computes, which
test/CPU/merged.py checks.

    lora.py FOLDER
"""

import pathlib
import shutil
import subprocess
import sys

TESTS = pathlib.Path(__file__).parent.parent


def run(*args):
    return subprocess.run(list(map(str, args)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def take(*args):
    done = run(*args)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout.decode()


def refuse(words, tool, *args):
    done = run(tool, *args)
    lines = done.stderr.decode(errors="replace").splitlines()
    assert done.returncode == 1, f"{args}: status {done.returncode}"
    assert len(lines) == 1, f"{args}: {lines}"
    assert lines[0].startswith(f"{tool}: error: ") and words in lines[0], lines[0]
    assert not done.stdout, f"{args}: printed {done.stdout!r}"


def make(kind, out, *options):
    take(sys.executable, TESTS / "tools" / f"make_{kind}.py", out, *options)
    return out


def check_refusals(folder, model):
    adapter = make("adapter", folder / "a")
    out = folder / "no.umb"
    interp = ["umber-interp", model, "--prompt-ids=1,2"]
    compiler = ["umber-compile", model, "--bits=32", "-o", out]
    for tool in (interp, compiler):
        for bad in ("x", "", "nan", "inf", "1e99", "1x"):
            refuse(f"expected PATH or PATH:SCALE, found '{adapter}:{bad}'", *tool, "--lora",
                   f"{adapter}:{bad}")
        refuse(f"{folder / 'none'}: No such file", *tool, "--lora", folder / "none")
        refuse("blk.0.attn_q: expected a matrix of ", *tool, "--lora", adapter, "--lora",
               make("adapter", folder / "wide", "--hidden", "48"))
        refuse("blk.2.attn_q: expected a matrix that the model has, found none", *tool,
               "--lora", make("adapter", folder / "deep", "--layers", "3"))
        refuse("expected an adapter for a model of architecture llama, found one for qwen2",
               *tool, "--lora", make("adapter", folder / "q.gguf", "--form", "gguf", "--arch",
                                     "qwen2"))
    refuse("--lora: expected --prompt-ids with it", "umber-interp", model, "--lora", adapter)
    refuse("--lora: expected a later --compile-to than import", *compiler, "--emit=mlir",
           "--compile-to=import", "--lora", adapter)
    # What one of F32 cannot hold.
    refuse("expected finite weights, found ", *compiler, "--lora",
           f"{make('adapter', folder / 'huge', '--size', '1e19')}:1e19")
    left = [path.name for path in folder.glob("no*") if path.suffix != ".partial"]
    assert not left, left


def check_paths(folder, model):
    """A colon may be a path's, too."""
    shutil.copytree(folder / "a", folder / "a:2")
    interp = ["umber-interp", model, "--prompt-ids=1,2", "-n", "3", "--json", "--lora"]
    once, twice, half = (take(*interp, folder / f"a{scale}") for scale in ("", ":2.0", ":0.5"))
    assert len({once, twice, half}) == 3
    assert take(*interp, folder / "a:2") == once
    assert take(*interp, folder / "a:2:0.5") == half


def check_compressed(folder, model):
    """There is nothing to add to, and a line says so."""
    ir = folder / "compressed.mlir"
    take("umber-compile", model, "--bits=4", "--calibrate=none", "--fast", "--emit=mlir",
         "--compile-to=compress", "-o", ir)
    refuse("expected a plain, stored matrix to merge adapters into, found ", "umber-compile",
           ir, "--bits=32", "--lora", folder / "a", "-o", folder / "no.umb")
    assert not (folder / "no.umb").exists()


def check_identity(folder, model):
    adapter = folder / "a"
    base, merged, again, other = (folder / f"{name}.umb"
                                  for name in ("base", "merged", "again", "other"))
    compiler = ["umber-compile", model, "--isa=x86-64-v3", "--max-tokens=8"]
    take(*compiler, "-o", base)
    take(*compiler, "--lora", adapter, "-o", merged)
    take(*compiler, "--lora", adapter, "-o", again)
    take(*compiler, "--lora", f"{adapter}:0.5", "-o", other)
    assert merged.read_bytes() == again.read_bytes()
    for_base, for_merged = folder / "for-base.umb", folder / "for-merged.umb"
    take("umber-adapter", adapter, "--base", base, "-o", for_base)
    take("umber-adapter", adapter, "--base", merged, "-o", for_merged)
    takes = {(base, for_base), (merged, for_merged), (again, for_merged)}
    for package in (base, merged, again, other):
        for fitted in (for_base, for_merged):
            done = run("umber-adapter", fitted, "--base", package, "-o", folder / "out.umb")
            assert (done.returncode == 0) == ((package, fitted) in takes), (package, fitted)
    # Which knows nothing of a base.
    take("umber-adapter", adapter, "--base", other, "-o", folder / "out.umb")


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = make("model", folder / "m.gguf")
    check_refusals(folder, model)
    check_paths(folder, model)
    check_compressed(folder, model)
    check_identity(folder, model)


if __name__ == "__main__":
    main()
