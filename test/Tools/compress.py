#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""umber-compile with --bits below 16, seen through the interpreter.

    compress.py FOLDER
"""

import array
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SHAPE = ["--hidden=96", "--heads=6", "--kv-heads=2", "--head-dim=16", "--ffn=160"]


class Session:
    def __init__(self, folder):
        self.folder = folder

    def compile(self, name, *flags, to="quantize"):
        """The IR, and what was said on standard error."""
        ir = self.folder / f"{name}.mlir"
        done = subprocess.run(
            ["umber-compile", str(self.folder / "m.gguf"), "--emit=mlir",
             f"--compile-to={to}", "-o", str(ir), *flags],
            stderr=subprocess.PIPE, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return ir, done.stderr

    def report(self, name, *flags):
        path = self.folder / f"{name}.json"
        self.compile(name, f"--report=json:{path}", *flags)
        return json.loads(path.read_text())

    def refuse(self, words, name, *flags):
        done = subprocess.run(
            ["umber-compile", str(self.folder / "m.gguf"), "--emit=mlir",
             "--compile-to=quantize", "-o", str(self.folder / f"{name}.mlir"), *flags],
            stderr=subprocess.PIPE, text=True, timeout=300)
        assert done.returncode == 1, done
        assert words in done.stderr.splitlines()[-1], done.stderr

    def logits(self, name, *flags):
        ir, _ = self.compile(name, *flags)
        out = self.folder / "logits"
        subprocess.run(["umber-interp", str(ir), "--prompt-ids=1,5,9,2,30,7",
                        f"--logits={out}"], check=True, stdout=subprocess.DEVNULL)
        values = array.array("f")
        values.frombytes(out.read_bytes())
        return values


def distance(values, reference):
    """Squares of the difference, over those of the reference."""
    assert len(values) == len(reference)
    return (sum((a - b) ** 2 for a, b in zip(values, reference))
            / sum(b ** 2 for b in reference))


def check_function(s):
    """Every bit brings the logits nearer to the model's; inputs and cache cost little."""
    reference = s.logits("f32", "--bits=32")
    last = 2
    for bits, most in ((2.5, 1.2), (3.5, 0.6), (5, 0.12), (8, 0.008)):
        error = distance(s.logits("b", f"--bits={bits}"), reference)
        print(f"{bits} bits: {error:.2e}")
        assert error < min(last, most), (bits, error, last)
        last = error
    plain = s.logits("f16", "--bits=16")
    assert distance(plain, reference) < 1e-5
    alone = {flags: distance(s.logits("a", "--bits=16", *flags), reference)
             for flags in (("--activation-bits=8",), ("--kv-bits=8",),
                           ("--embedding-bits=8",))}
    for flags, error in alone.items():
        print(f"{flags}: {error:.2e}")
        assert 1e-6 < error < 2e-3, (flags, error)


def check_defaults(s):
    """Inputs and cache of 8 bits belong to a compressed body, and can be had without."""
    text = s.compile("d", "--bits=4")[0].read_text()
    assert "umber.quantize" in text and "xi8>" in text
    text = s.compile("d", "--bits=4", "--activation-bits=32", "--kv-bits=32",
                     "--embedding-bits=16")[0].read_text()
    assert "umber.quantize %" not in text and "xf32>" in text
    assert "@embed from \"token_embd.weight\" : tensor<268x96xf16>\n" in text
    text = s.compile("d", "--bits=16")[0].read_text()
    for word in ("umber.quantize", "umber.derived", "rotation"):
        assert word not in text, word
    text = s.compile("d", "--bits=16", "--activation-bits=8")[0].read_text()
    # Seven products in each of two layers read four inputs; the head reads one.
    assert text.count("umber.quantize %") == 2 * 4 + 1, text
    two, four = (s.report("c", "--bits=3.5", f"--bit-choices={choices}")
                 for choices in ("2,4", "2,3,4"))
    assert {m["bits"] for m in two["matrices"]} == {2, 4, 8}
    assert {m["bits"] for m in four["matrices"]} == {2, 3, 4, 8}
    assert two["body_bytes"] <= 3.5 * two["body_weights"] / 8


def check_report(s):
    """The table has every matrix, and the last line the totals of the JSON."""
    path = s.folder / "r.json"
    _, said = s.compile("r", "--bits=3", f"--report=json:{path}")
    report = json.loads(path.read_text())
    matrices = report["matrices"]
    lines = said.splitlines()
    table = lines[lines.index(next(l for l in lines if l.startswith("matrix "))) + 1:-1]
    assert [l.split()[0] for l in table] == [m["name"] for m in matrices]
    for line, matrix in zip(table, matrices):
        name, rows, columns, encoding, bits, error, size = line.split()
        assert [encoding, int(bits), int(size)] == \
            [matrix["encoding"], matrix["bits"], matrix["bytes"]], line
        assert abs(float(error) - matrix["error"]) <= 0.01 * matrix["error"], line
    assert lines[-1] == (
        f"{s.folder / 'r.mlir'}: {report['parameters']} parameters; body "
        f"{report['body_bits_per_weight']:.3f} bits per weight; model "
        f"{report['model_bytes']} bytes"), lines[-1]
    vectors = 4 * (report["parameters"]
                   - sum(m["rows"] * m["columns"] for m in matrices))
    assert report["model_bytes"] == vectors + sum(m["bytes"] for m in matrices)
    plain = s.report("p", "--bits=16")
    assert plain["body_bits_per_weight"] >= 16
    assert all(m["encoding"] == "f16" and m["error"] is None for m in plain["matrices"])


def check_recipe(s):
    """A saved recipe builds the same again, and an edited one what it says."""
    recipe = s.folder / "recipe.json"
    first = s.report("one", "--bits=3.5", f"--save-recipe={recipe}")
    second = s.report("two", f"--recipe={recipe}")
    assert first["matrices"] == second["matrices"]
    one, two = (s.folder / f"{name}.mlir.derived" for name in ("one", "two"))
    assert sorted(os.listdir(one)) == sorted(os.listdir(two))
    for name in os.listdir(one):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    widths = json.loads(recipe.read_text())
    widths["bits"].update({"embed": 4, "l0.attn.q": 8, "l1.ffn.up": 1, "l1.attn.v": 16})
    recipe.write_text(json.dumps(widths))
    edited = {m["name"]: m["bits"] for m in s.report("two", f"--recipe={recipe}")["matrices"]}
    assert edited == widths["bits"]


def check_recovery(s):
    """Corrections bring the logits nearer, leave the palettes as they are, are counted, and
    a recipe has their ranks."""
    reference = s.logits("f32", "--bits=32")
    flags, recipe = ["--bits=2.5", "--bit-choices=2,3"], s.folder / "recover.json"
    plain, recovered, full = (
        distance(s.logits("v", *flags, *more), reference)
        for more in ([], ["--recover-rank=12", "--recover-all"],
                     ["--recover-rank=4096", "--recover-all"]))
    print(f"without corrections {plain:.2e}, with {recovered:.2e}, at full rank {full:.2e}")
    # What is left at full rank is of inputs, embedding and cache.
    assert recovered < plain and full < 0.01 * plain
    eight = distance(s.logits("v", *flags, "--recover-rank=12", "--recover-all",
                              "--recover-bits=8"), reference)
    print(f"with corrections in 8 bits {eight:.2e}")
    assert eight < plain and eight < 1.1 * recovered
    before = s.report("one", *flags)
    first = s.report("two", *flags, "--recover-rank=12", "--recover-all",
                     f"--save-recipe={recipe}")
    factors = [m for m in first["matrices"] if ".recover_" in m["name"]]
    done = {m["name"]: m["recovery"] for m in first["matrices"] if "recovery" in m}
    assert done and len(factors) == 2 * len(done)
    assert first["body_bytes"] == before["body_bytes"] + sum(f["bytes"] for f in factors)
    assert first["body_bytes"] == before["body_bytes"] + sum(d["bytes"] for d in done.values())
    total = first["recovery"]
    assert total["bytes"] == sum(d["bytes"] for d in done.values())
    assert 0 < total["recovered_loss"] < total["loss"] and "recovery" not in before
    assert 0 <= total["bits_loss"] <= total["loss"]
    # Every matrix counts once, and none is wider coded to lose more.
    assert total["largest"].startswith("l")
    assert 0 <= total["others_recovered_loss"] <= total["others_loss"] <= total["loss"]
    assert 0 <= total["others_bits_loss"] <= total["bits_loss"]
    assert abs(total["bits"] - first["body_bits_per_weight"]) < 1e-9, total
    half = s.report("half", *flags, "--recover-rank=12", "--recover-all", "--recover-bits=8")
    scales = sum(2 * 2 * 12 for _ in done)
    assert half["recovery"]["bytes"] == total["bytes"] / 2 + scales
    assert half["recovery"]["loss"] == total["loss"]
    assert half["recovery"]["recovered_loss"] < 1.05 * total["recovered_loss"]
    for matrix in first["matrices"]:
        if matrix["name"] in done:
            said = done[matrix["name"]]
            assert said["done"] and said["error"] < matrix["error"] and said["gain"] > 0, said
    # The same files hold the palettes.
    one, two = (s.folder / f"{name}.mlir.derived" for name in ("one", "two"))
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path
    ranks = json.loads(recipe.read_text())["recover"]
    assert ranks == {name: 12 for name in done}
    second = s.report("three", f"--recipe={recipe}")
    assert [m["name"] for m in second["matrices"]] == [m["name"] for m in first["matrices"]]
    three = s.folder / "three.mlir.derived"
    assert sorted(os.listdir(two)) == sorted(os.listdir(three))
    for name in os.listdir(two):
        assert (two / name).read_bytes() == (three / name).read_bytes(), name
    # By default, bytes go to what gains most by them.
    chosen = s.report("c", *flags, "--recover-rank=12")
    for matrix in chosen["matrices"]:
        if "recovery" in matrix:
            said = matrix["recovery"]
            assert said["done"] == (said["gain"] >= said["bits_gain"]), said


def check_speed_setting(s):
    """--fast is another setting: what is finished under one is not taken for the other.

    Without statistics there is nothing to refine, and the errors are equal."""
    names = []
    for flags in ([], ["--fast"]):
        ir, _ = s.compile("speed", "--bits=3.5", "--bit-choices=3", *flags)
        names.append(set(re.findall(r'@l0\.\S+ from "(\S+)".*palette', ir.read_text())))
    assert len(names[0]) == len(names[1]) == 7 and not names[0] & names[1], names


def check_folder(s):
    """What is finished is kept under names of its own, and no other file is touched."""
    derived = s.folder / "k.mlir.derived"
    derived.mkdir()
    others = {"note.txt": b"mine", "l0.0123ABCD": b"also mine", "x.tmp-12": b"and this"}
    for name, data in others.items():
        (derived / name).write_bytes(data)
    (derived / "l0.attn.q.0123ABCD.tmp-99").write_bytes(b"UMBDERV1, cut short")
    ir, _ = s.compile("k", "--bits=4")
    found = {path.name for path in derived.iterdir()}
    assert others.keys() <= found
    for name, data in others.items():
        assert (derived / name).read_bytes() == data
    # The rest is what the IR names, and no more.
    text = ir.read_text()
    assert all(f'"{name}"' in text for name in found - others.keys()), found
    assert len(found) > 15
    # Another width leaves nothing of the old one.
    ir, _ = s.compile("k", "--bits=2.8")
    text = ir.read_text()
    assert all(f'"{path.name}"' in text for path in derived.iterdir()
               if path.name not in others)

    (s.folder / "f.mlir.derived").write_text("a file")
    s.refuse("f.mlir.derived: ", "f", "--bits=4")
    assert (s.folder / "f.mlir.derived").read_text() == "a file"

    # A failure before anything is finished leaves no folder.
    s.refuse("--bits", "g", "--bits=99")
    assert not (s.folder / "g.mlir.derived").exists()
    # What has been finished is there after one.
    s.refuse("expected at least", "g", "--bits=1")
    assert any((s.folder / "g.mlir.derived").iterdir())


def check_lock(s):
    """Two compilations do not share a folder at the same time."""
    derived = s.folder / "l.mlir.derived"
    derived.mkdir()
    folder = os.open(derived, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    s.refuse("l.mlir.derived: expected no other umber-compile to work in this folder, "
             "found one", "l", "--bits=4")
    os.close(folder)
    s.compile("l", "--bits=4")


def check_statistics(s):
    """--stats keeps all that another budget needs of text and matrices."""
    kept = s.folder / "statistics"
    s.compile("kept", "--bits=3", f"--stats={kept}")

    def files():
        return {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}

    before = files()
    # Inputs, outputs and errors.
    assert sum(name.startswith("l0.attn.q.") for name in before) == 3, before
    s.compile("kept", "--bits=3.5", f"--stats={kept}")
    assert files() == before


def check_dumps(s):
    """Every dumped phase can be run: its parameters stay."""
    dumps = s.folder / "dumps"
    s.compile("m", "--bits=4", f"--dump-phases-to={dumps}")
    phases = sorted(path.name for path in dumps.glob("*.mlir"))
    assert phases == ["0.import.mlir", "1.compress.mlir", "2.quantize.mlir"], phases
    for phase in phases:
        subprocess.run(["umber-interp", str(dumps / phase), "--prompt-ids=1,2"],
                       check=True, stdout=subprocess.DEVNULL)
    assert not (s.folder / "m.mlir.derived").exists()


def check_progress(s):
    """A bar on a terminal, lines elsewhere, and nothing for what takes no time."""
    stages = ["import", "compress", "sample", "calibrate", "measure", "palettize",
              "embeddings", "quantize", "tune"]
    _, said = s.compile("t", "--bits=4", "--tune-steps=2")
    lines = said.splitlines()[:len(stages)]
    assert lines == [f"umber-compile: {stage}" for stage in stages], said
    _, said = s.compile("t", "--bits=16")
    assert said == "", said

    terminal, other = os.openpty()
    done = subprocess.Popen(["umber-compile", str(s.folder / "m.gguf"), "--emit=mlir",
                             "--bits=4", "--tune-steps=2", "--compile-to=quantize", "-o",
                             str(s.folder / "t.mlir")], stderr=other)
    os.close(other)
    shown = b""
    try:
        while data := os.read(terminal, 65536):
            shown += data
    except OSError:  # the other end is closed
        pass
    assert done.wait() == 0
    bar, _, rest = shown.decode().partition("matrix ")
    steps = [step for step in bar.split("\r\033[K") if step]
    percents = [int(re.match(r"\[=* *\] (\d+)%", step).group(1)) for step in steps]
    assert percents == sorted(percents) and percents[-1] <= 100, steps
    assert [name for name in stages if any(f", {name}" in step for step in steps)] \
        == stages, steps
    # The bar is gone before the summary.
    assert bar.endswith("\r\033[K") and "\033" not in rest, shown


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    maker = HERE.parent / "tools" / "make_model.py"
    subprocess.run([sys.executable, maker, folder / "m.gguf", *SHAPE], check=True)
    session = Session(folder)
    for check in (check_function, check_defaults, check_report, check_recipe, check_recovery,
                  check_speed_setting, check_statistics, check_folder, check_lock, check_dumps,
                  check_progress):
        print(check.__doc__)
        check(session)


if __name__ == "__main__":
    main()
