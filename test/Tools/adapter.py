#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What umber-adapter writes, prints and refuses.

    adapter.py FOLDER
"""

import json
import pathlib
import shutil
import subprocess
import sys

TESTS = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(TESTS / "tools"))
from hostile import Attack


def run(*args):
    return subprocess.run(["umber-adapter", *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)


def take(*args):
    done = run(*args)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    assert not done.stderr, f"{args}: {done.stderr}"
    return done.stdout.decode("utf-8")


def refuse(words, *args):
    done = run(*args)
    lines = done.stderr.decode(errors="replace").splitlines()
    assert done.returncode == 1, f"{args}: status {done.returncode}"
    assert len(lines) == 1, f"{args}: {lines}"
    assert lines[0].startswith("umber-adapter: error: ") and words in lines[0], lines[0]
    assert not done.stdout, f"{args}: printed {done.stdout!r}"


def info(path):
    return json.loads(take("info", "--json", path))


def make(out, *options):
    subprocess.run([sys.executable, TESTS / "tools" / "make_adapter.py", out, *options],
                   check=True)
    return out


def make_package(folder, *options):
    gguf, package = folder / "m.gguf", folder / f"m{len(options)}.umb"
    subprocess.run([sys.executable, TESTS / "tools" / "make_model.py", gguf, *options],
                   check=True)
    subprocess.run(["umber-compile", gguf, "--max-tokens=8", "-o", package], check=True,
                   stderr=subprocess.DEVNULL)
    return package


def check_forms(folder):
    for form, order, base in (("peft", "hugging-face", ""), ("gguf", "gguf", "llama")):
        for dtype, stored in (("F32", "F16"), ("F16", "F16"), ("BF16", "BF16")):
            made = make(folder / f"{form}-{dtype}", "--form", form, "--dtype", dtype)
            package = folder / f"{form}-{dtype}.umb"
            assert take(made, "-o", package) == ""
            before, after = info(made), info(package)
            assert before["row_order"] == order and before["architecture"] == base, before
            assert before["base"] == "umber/tiny" and before["base_hash"] == "", before
            assert before["name"] == (f"peft-{dtype}" if form == "peft" else "a random adapter")
            assert len(before["sites"]) == 14, before
            site = before["sites"][6]
            assert site == {"site": "blk.0.ffn_down", "dtype": dtype, "rank": 4, "inputs": 52,
                            "outputs": 40, "scale": 2.0, "bytes": 4 * (52 + 40) *
                            (4 if dtype == "F32" else 2)}, site
            # All but the stored type is kept.
            assert {site.pop("dtype") for site in after["sites"]} == {stored}, after
            for key in ("name", "base", "architecture", "row_order", "base_hash"):
                assert before[key] == after[key], (before, after)
            assert after["bytes"] == sum(site["bytes"] for site in after["sites"])
            for old, new in zip(before["sites"], after["sites"]):
                assert all(old[key] == new[key] for key in new if key != "bytes"), (old, new)
    # A package of a package is the same.
    take(folder / "peft-F32.umb", "-o", folder / "again.umb")
    assert (folder / "again.umb").read_bytes() == (folder / "peft-F32.umb").read_bytes()
    take(folder / "peft-F32.umb", "--name", "an other", "-o", folder / "again.umb")
    assert info(folder / "again.umb")["name"] == "an other"
    # Values that F16 has no room for.
    take(make(folder / "large", "--size", "1e5"), "-o", folder / "large.umb")
    assert {site["dtype"] for site in info(folder / "large.umb")["sites"]} == {"BF16"}
    root = make(folder / "root", "--rslora", "--rank", "4", "--alpha", "3", "--modules", "q,up")
    assert [site["scale"] for site in info(root)["sites"]] == [1.5] * 4
    lines = take("info", root).splitlines()
    assert lines[0].split() == ["name", "'root'"] and lines[2].split() == \
        ["base", "hash", "unknown"], lines
    assert [line.split()[:3] for line in lines[-4:]] == \
        [[f"blk.{layer}.{name}", "F32", "4"] for layer in (0, 1) for name in ("attn_q", "ffn_up")]


def check_base(folder):
    model = make_package(folder)
    adapter = make(folder / "a", "--form", "gguf")
    out = folder / "based.umb"
    take(adapter, "--base", model, "-o", out)
    based = info(out)
    assert len(based["base_hash"]) == 16 and int(based["base_hash"], 16) != 0, based
    # The same model again, but no other.
    take(out, "--base", model, "-o", folder / "again.umb")
    assert out.read_bytes() == (folder / "again.umb").read_bytes()
    other = make_package(folder, "--seed", "2")
    refuse(f"{other}: expected the model that the adapter is for, found another",
           out, "--base", other, "-o", folder / "no.umb")
    refuse(f"{model}: expected the adapter's architecture, 'qwen2', found 'llama'",
           make(folder / "b", "--form", "gguf", "--arch", "qwen2"), "--base", model,
           "-o", folder / "no.umb")
    refuse(f"{model}: expected a model with 'blk.2.attn_q', which the adapter is for, found 2 "
           "layers", make(folder / "c", "--layers", "3"), "--base", model,
           "-o", folder / "no.umb")
    refuse(f"{out}: expected a model, found an adapter", adapter, "--base", out,
           "-o", folder / "no.umb")
    refuse("No such file", adapter, "--base", folder / "none.umb", "-o", folder / "no.umb")
    refuse(f"{model}: expected an adapter, found a model", model, "-o", folder / "no.umb")
    done = subprocess.run(["umber-run", out, "-p", "the"], stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"is not a model but an adapter" in done.stderr, done
    assert not (folder / "no.umb").exists()


def check_refusals(folder):
    adapter = folder / "peft-F32"
    refuse("IN is required", "-o", folder / "no.umb")
    refuse("-o is required", adapter)
    refuse("FILE is required", "info")
    refuse("info takes a file and --json, found IN too", adapter, "info", adapter)
    refuse("info takes a file and --json, found --name too", "--name", "x", "info", adapter)
    refuse(f"{folder / 'none'}: No such file", folder / "none", "-o", folder / "no.umb")
    refuse(f"{folder / 'none'}: No such file", "info", folder / "none")
    refuse("no/such/folder/a.umb: cannot create a file there", adapter, "-o",
           folder / "no" / "such" / "folder" / "a.umb")
    refuse("expected a regular file or none, found a directory", adapter, "-o", folder)
    refuse("/adapter_config.json: No such file", folder, "-o", folder / "no.umb")
    broken = folder / "dora"
    shutil.copytree(adapter, broken)
    config = json.loads((broken / "adapter_config.json").read_text())
    (broken / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    refuse(f"{broken}/adapter_config.json: 'use_dora': expected none, found 'true', which is "
           "not supported", broken, "-o", folder / "no.umb")
    # Finite as F32, and as nothing else.
    huge = folder / "huge"
    shutil.copytree(adapter, huge)
    weights = bytearray((huge / "adapter_model.safetensors").read_bytes())
    weights[-4:] = b"\xff\xff\x7f\x7f"
    (huge / "adapter_model.safetensors").write_bytes(weights)
    refuse(f"{huge}: site 'blk.1.ffn_down': expected values that fit in BF16, found a larger one",
           huge, "-o", folder / "no.umb")
    assert not list(folder.glob("no*")), list(folder.glob("no*"))


def check_hostile(folder):
    for form, options in (("gguf", ["--dtype", "F16"]), ("umb", [])):
        small = ["--form", "gguf", "--layers", "1", "--modules", "q", "--rank", "2", *options]
        file = make(folder / "small.gguf", *small)
        if form == "umb":
            take(file, "-o", folder / "small.umb")
            file = folder / "small.umb"
        data = file.read_bytes()
        attack = Attack(folder / form, "." + form, lambda path, where=folder / form: [
            "umber-adapter", path, "-o", str(where / "out.umb")])
        attack.run(data, "the file as it is", must_refuse=False)
        assert attack.taken == 1, "expected the good file to be taken"
        attack.truncate(data, 40, len(data) // 2)
        attack.flip(data, 100, len(data))


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    check_forms(folder)
    check_base(folder)
    check_refusals(folder)
    check_hostile(folder)


if __name__ == "__main__":
    main()
