# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The walk-through of docs/report.md: from 4 bits to 3.5 bits in five clicks.

    report_walk.py MODEL FOLDER [PICTURES]

With PICTURES, a folder, it takes the page's pictures after each click; without,
it takes a few layers of the model.
"""

import json
import pathlib
import subprocess
import sys
import time

import browser

MODEL, FOLDER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PICTURES = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
OPTIONS = ["--target=npu:ane-a17-like", "--max-tokens=128"]


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)


def shoot(page, name, section):
    """A picture of a section, as far as the window shows it."""
    if PICTURES:
        page.run("document.querySelector(arguments[0]).scrollIntoView()", section)
        time.sleep(1)
        page.shoot(PICTURES / f"report-{name}.png")


def main():
    model = MODEL
    if not PICTURES:
        model = FOLDER / "model.json"
        shape = json.loads(MODEL.read_text(encoding="utf-8"))
        model.write_text(json.dumps({**shape, "layers": 8}), encoding="utf-8")
    run("umber-compile", model, *OPTIONS, "--bits=4.02", "--bit-choices=2,4", "--embedding-bits=4",
        "-o", FOLDER / "four.umb")
    run("umber-report", FOLDER / "four.umb", "-o", FOLDER / "four.html")
    with browser.chromium(FOLDER / "downloads", width=1000, height=620) as open_page:
        page = open_page(FOLDER / "four.html")
        assert page.message() == "", page.message()
        before = page.total("speed"), page.total("bits")
        assert abs(before[1] - 4.0) < 0.05, before
        shoot(page, "totals", "header")

        page.click('th[data-column="latency"] button')
        first = page.find("#kernels tr[data-kernel]")
        shoot(page, "table", "#table-section")
        page.run("arguments[0].cells[1].click()", first)
        page.run("document.getElementById('graph').scrollIntoView()")
        page.wait("document.getElementById('graph').dataset.drawn === 'true'")
        shoot(page, "graph", "#graph-section")

        assert page.find("#goal-bits").get_attribute("value") == "3.5"
        page.click("#solve-bits")
        assert page.find("#budget-result").get_attribute("data-reached") == "true"
        assert page.predicted("bits") <= 3.5 and page.predicted("speed") > before[0]
        shoot(page, "proposal", "#totals-section")

        page.click("#export")
        recipe = FOLDER / "recipe.json"
        recipe.write_text(json.dumps(page.downloaded("recipe.json")), encoding="utf-8")
        run("umber-compile", model, *OPTIONS, f"--recipe={recipe}", "-o", FOLDER / "built.umb")
        run("umber-report", FOLDER / "built.umb", "--json", FOLDER / "built.json")
        page.find("#compare-file").send_keys(str(FOLDER / "built.json"))
        page.wait("document.getElementById('compare-totals') !== null")
        shoot(page, "compare", "#compare-section")
        built = json.loads((FOLDER / "built.json").read_text(encoding="utf-8"))
        speed = 1 / next(phase["seconds"] for phase in built["phases"] if phase["kind"] == "decode")
        print(f"{before[0]:.2f} tokens/s; predicted {page.predicted('speed'):.2f}, built {speed:.2f}")
        assert abs(page.predicted("speed") / speed - 1) < 0.05, (page.predicted("speed"), speed)
        complaints = page.complaints()
        assert not complaints, complaints


if __name__ == "__main__":
    main()
