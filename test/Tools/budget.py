#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the promise of --bits on random shapes and budgets.

    budget.py FOLDER [COUNT]

The body's bytes are never over the budget, and within 0.5 % of it; where the matrices
are too coarse for that, no matrix could be wider in what is left. Or an error names the
least budget: with that it works, and with less it does not. Bytes are counted here
again, from each matrix's shape and width.
"""

import json
import pathlib
import random
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PANEL_ROWS, TABLE_ROWS = 32, 16
MINIMUM = re.compile(r"expected at least ([0-9.]+) bits per weight, .*\((\d+) bytes\)")


def stored_bytes(rows, columns, bits):
    """Of a matrix in a package: codes, tables and scales of panels of 32 rows."""
    panels = -(-rows // PANEL_ROWS)
    if bits == 16:
        return panels * PANEL_ROWS * columns * 2
    codes = PANEL_ROWS * (-(-columns // 4) * 4) * bits // 8
    if bits == 8:
        return panels * (codes + PANEL_ROWS * 2)
    return panels * (codes + PANEL_ROWS // TABLE_ROWS * (2 ** bits + 2))


def usual_widths(bits, report):
    """What a budget chooses from; small matrices may need the smallest."""
    found = {matrix["bits"] for matrix in body_of(report)} if report else {1}
    if bits < 2.2 or (1 in found or bits >= 4.2 and 2 in found):
        return [1, 2, 3, 4]
    return [2, 3, 4, 8] if bits < 4.2 else [3, 4, 6, 8, 16]


def body_of(report):
    return [m for m in report["matrices"] if m["name"] not in ("embed", "output")]


def compile_(folder, bits, choices):
    command = ["umber-compile", str(folder / "m.gguf"), f"--bits={bits}", "--fast",
               "--emit=mlir", "--compile-to=compress", "-o", str(folder / "m.mlir"),
               f"--report=json:{folder / 'report.json'}"]
    if choices:
        command.append("--bit-choices=" + ",".join(map(str, choices)))
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=300)
    if done.returncode == 0:
        return json.loads((folder / "report.json").read_text()), ""
    error = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and error.startswith("umber-compile: error: "), done
    return None, error


def check(report, bits, widths):
    """Returns which part of the budget is used."""
    body = body_of(report)
    for matrix in body:
        shape = matrix["rows"], matrix["columns"]
        assert matrix["bytes"] == stored_bytes(*shape, matrix["bits"]), matrix
        assert matrix["bits"] in widths, matrix
    weights = sum(m["rows"] * m["columns"] for m in body if m["name"] != "rotation")
    used, budget = sum(m["bytes"] for m in body), bits * weights / 8
    assert (report["body_bytes"], report["body_weights"]) == (used, weights), report
    assert abs(report["body_bits_per_weight"] - 8 * used / weights) < 1e-9
    assert used <= budget, f"{used} bytes, over the budget of {budget}"
    if used < 0.995 * budget:
        # A rotation's few values are as good in the smallest width.
        for matrix in (m for m in body if m["name"] != "rotation"):
            for wider in (w for w in widths if w > matrix["bits"]):
                more = stored_bytes(matrix["rows"], matrix["columns"], wider)
                assert used - matrix["bytes"] + more > budget, \
                    f"{matrix} has room for {wider} bits in {budget - used} bytes"
    return used / budget


def check_error(folder, error, bits, widths, choices):
    found = MINIMUM.search(error)
    assert found, error
    least = float(found.group(1))
    assert least > bits, error
    if least <= 8:
        report, again = compile_(folder, least, choices)
        assert report, again
        assert report["body_bytes"] == int(found.group(2)), error
        check(report, least, widths)
        report, again = compile_(folder, least - 0.002, choices)
        assert not report and MINIMUM.search(again), again


def main():
    folder, count = pathlib.Path(sys.argv[1]), int((sys.argv[2:] or [30])[0])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = random.Random(5)
    fits = errors = 0
    for i in range(count):
        heads, dim = rng.randint(1, 6), 2 * rng.randint(4, 20)
        kv = rng.choice([n for n in range(1, heads + 1) if heads % n == 0])
        shape = {"hidden": rng.randint(24, 160), "layers": rng.randint(1, 5),
                 "heads": heads, "kv-heads": kv, "head-dim": dim,
                 "ffn": rng.randint(24, 260), "seed": i}
        arguments = [f"--{name}={value}" for name, value in shape.items()]
        if rng.random() < 0.5:
            arguments.append("--untied")
        subprocess.run([sys.executable, HERE.parent / "tools" / "make_model.py",
                        folder / "m.gguf", *arguments], check=True)
        bits = round(rng.uniform(1.5, 8), 3)
        choices = []
        if rng.random() < 0.5:
            choices = sorted(rng.sample([1, 2, 3, 4, 6, 8], rng.randint(2, 4)))
        report, error = compile_(folder, bits, choices)
        widths = choices or usual_widths(bits, report)
        if report:
            fits += 1
            part = check(report, bits, widths)
            print(f"{shape} {bits} {choices}: {100 * part:.2f} % of the budget")
        else:
            errors += 1
            print(f"{shape} {bits} {choices}: {error}")
            check_error(folder, error, bits, widths, choices)
        # The next model is another one; what is finished of this one is no use to it.
        shutil.rmtree(folder / "m.mlir.derived", ignore_errors=True)
    assert fits >= count // 2 and errors >= 1, (fits, errors)


if __name__ == "__main__":
    main()
