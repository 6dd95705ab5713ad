# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pages of a small model with weights: what widths cost, and this machine's kernels.

    report_measured.py FOLDER
"""

import json
import pathlib
import subprocess
import sys

import browser

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path(sys.argv[1])
SHAPE = ["--hidden=96", "--layers=2", "--heads=6", "--kv-heads=2", "--head-dim=16", "--ffn=200"]


def run(*command):
    return subprocess.run([str(part) for part in command], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def compiled(name, *options):
    report = FOLDER / f"{name}.json"
    run("umber-compile", FOLDER / "m.gguf", f"--report=json:{report}", *options, "-o", FOLDER / f"{name}.umb")
    return json.loads(report.read_text(encoding="utf-8"))


def check_losses(open_page):
    """Of a model whose losses were measured, the proposal is the best of its size."""
    compiled("engine", "--bits=4", "--bit-choices=2,3,4,8", "--fast", "--target=npu:ane-a17-like")
    run("umber-report", FOLDER / "engine.umb", "-o", FOLDER / "engine.html")
    page = open_page(FOLDER / "engine.html")
    assert page.message() == "", page.message()
    assert page.total("loss") > 0
    assert "compiler's predictions" in page.text("#budget")
    page.run("for (const id of ['width-3', 'width-8']) document.getElementById(id).checked = true")
    page.fill("#goal-bits", 3.5)
    page.click("#solve-bits")
    assert page.find("#budget-result").get_attribute("data-reached") == "true", page.text("#budget-result")
    assert page.predicted("bits") <= 3.5
    proposed = page.predicted("loss")
    assert proposed > page.total("loss")
    page.click("#export")
    recipe = page.downloaded("recipe.json")
    (FOLDER / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    bits = page.predicted("bits")

    built = compiled("built", f"--recipe={FOLDER / 'recipe.json'}", "--fast", "--target=npu:ane-a17-like")
    assert {matrix["name"]: matrix["bits"] for matrix in built["matrices"]} == recipe["bits"]
    body = [matrix for matrix in built["matrices"] if matrix["name"] != "embed"]
    weights = sum(matrix["rows"] * matrix["columns"] for matrix in body if matrix["name"] != "rotation")
    assert abs(8 * sum(matrix["bytes"] for matrix in body) / weights - bits) < 1e-6, (body, bits)

    # The compiler's own choice, by a dynamic programme, is no better.
    compiled("chosen", "--bits=3.5", "--bit-choices=2,3,4,8", "--fast", "--target=npu:ane-a17-like")
    run("umber-report", FOLDER / "chosen.umb", "-o", FOLDER / "chosen.html")
    best = open_page(FOLDER / "chosen.html").total("loss")
    assert best <= proposed * 1.000001 and proposed <= 1.02 * best, (proposed, best)


def check_measured(open_page):
    """What umber-bench has measured is what the page shows."""
    compiled("cpu", "--bits=16", "--isa=x86-64-v3")
    profile = (run("umber-bench", FOLDER / "cpu.umb", "--profile", "-p", "32", "-n", "0", "-r", "1") +
               run("umber-bench", FOLDER / "cpu.umb", "--profile", "-p", "0", "-n", "8", "-d", "16", "-r", "1"))
    (FOLDER / "profile.json").write_bytes(profile)
    prompt, generation = (json.loads(text)[0] for text in
                          profile.decode().replace("]\n[", "]\0[").split("\0"))
    run("umber-report", FOLDER / "cpu.umb", "--device=cpu:measured", "--profile", FOLDER / "profile.json",
        "-o", FOLDER / "cpu.html", "--csv", FOLDER / "cpu.csv")
    page = open_page(FOLDER / "cpu.html")
    assert page.message() == "", page.message()
    total = generation["roofline"]["total"]
    expected = 8e9 / total["ns"]
    assert abs(page.total("speed") / expected - 1) < 1e-9, (page.total("speed"), expected)
    assert abs(page.total("ttft") - prompt["roofline"]["total"]["ns"] * 1e-9) < 1e-12
    names = page.run("return [...document.querySelectorAll('#kernels tr[data-kernel]')].map(r => r.cells[1].textContent)")
    assert len(names) == len(prompt["roofline"]["kernels"]), names
    assert any(name.startswith("l0.") for name in names) and any(name.startswith("l1.") for name in names)
    assert "no cost data" in page.text("#whatif")
    lines = (FOLDER / "cpu.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(prompt["roofline"]["kernels"]) + len(generation["roofline"]["kernels"])

    # Without a profile it is measured now.
    run("umber-report", FOLDER / "cpu.umb", "--device=cpu:measured", "--phase=prefill:16", "--phase=decode@8",
        "--json", FOLDER / "now.json")
    now = json.loads((FOLDER / "now.json").read_text(encoding="utf-8"))
    assert [phase["name"] for phase in now["phases"]] == ["prefill:16", "decode@8"]
    assert all(phase["seconds"] > 0 and phase["kernels"] for phase in now["phases"])
    page.find("#compare-file").send_keys(str(FOLDER / "now.json"))
    page.wait("document.getElementById('compare-totals') !== null")


def main():
    run(sys.executable, HERE.parent / "tools" / "make_model.py", FOLDER / "m.gguf", *SHAPE)
    with browser.chromium(FOLDER / "downloads") as open_page:
        check_losses(open_page)
        check_measured(open_page)


if __name__ == "__main__":
    main()
