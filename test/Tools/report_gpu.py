# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The page of a model on a GPU: what it shows, and what it predicts against
estimates for descriptions that have been changed.

    report_gpu.py MODEL DEVICE FOLDER

MODEL is one of shapes; DEVICE a description's file.
"""

import json
import pathlib
import subprocess
import sys

import browser

MODEL, DEVICE, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
PACKAGE = FOLDER / "gpu.umb"


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)


def estimated(device, *phases):
    report = FOLDER / "estimate.json"
    run("umber-report", PACKAGE, f"--device=gpu:{device}", "--json", report,
        *(f"--phase={phase}" for phase in phases))
    return [phase["seconds"] for phase in json.loads(report.read_text(encoding="utf-8"))["phases"]]


def changed(section, key, factor):
    description = json.loads(DEVICE.read_text(encoding="utf-8"))
    description[section][key]["value"] *= factor
    path = FOLDER / "changed.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    return path


def expect_prediction(page, device, phases=("decode@512", "prefill:1024")):
    decode, prefill = estimated(device, *phases)
    for name, predicted, wanted in (("decode", 1 / page.predicted("speed"), decode),
                                    ("prefill", page.predicted("ttft"), prefill)):
        print(f"{name}: predicted {predicted:.6g} s, estimated {wanted:.6g} s, {100 * (predicted / wanted - 1):+.2f} %")
        assert abs(predicted / wanted - 1) < 0.02, (name, predicted, wanted)


def main():
    run("umber-compile", MODEL, "--target=gpu", "--bits=3.5", "--bit-choices=2,4", "--embedding-bits=4",
        "--max-tokens=128", "-o", PACKAGE)
    run("umber-report", PACKAGE, f"--device=gpu:{DEVICE}", "-o", FOLDER / "gpu.html")
    decode, prefill = estimated(DEVICE, "decode@512", "prefill:1024")
    with browser.chromium(FOLDER / "downloads") as open_page:
        page = open_page(FOLDER / "gpu.html")
        assert page.message() == "", page.message()
        assert abs(page.total("speed") * decode - 1) < 1e-9 and abs(page.total("ttft") / prefill - 1) < 1e-9
        heads = page.run("return [...document.querySelectorAll('#kernels th')].map(head => head.dataset.column)")
        assert "l2" in heads and "workgroups" in heads, heads
        # What a GPU has not is not shown.
        assert "scratchpad" not in heads and "engine" not in heads, heads
        assert not page.all('[data-total="scratchpad"]') and not page.all("#hw-scratchpad-bytes")
        latencies = page.run("return [...document.querySelectorAll('#kernels tr[data-kernel]')].length")
        assert latencies > 100, latencies
        page.run("document.getElementById('timeline').scrollIntoView()")
        page.wait("document.getElementById('timeline').dataset.drawn === 'true'")
        page.run("document.getElementById('graph').scrollIntoView()")
        page.wait("document.getElementById('graph').dataset.drawn === 'true'")

        page.fill("#hw-dram-bytes-per-s", 2 * page.run(
            "return Number(document.getElementById('hw-dram-bytes-per-s').value)"))
        expect_prediction(page, changed("dram", "bytes_per_s", 2))
        page.click("#reset")
        page.fill("#hw-processors-clock-hz", 0.5 * page.run(
            "return Number(document.getElementById('hw-processors-clock-hz').value)"))
        expect_prediction(page, changed("processors", "clock_hz", 0.5))
        page.click("#reset")
        page.fill("#count-decode", 3000)
        expect_prediction(page, DEVICE, ("decode@3000", "prefill:1024"))
        page.click("#reset")
        page.fill("#goal-bits", 3.0)
        page.click("#solve-bits")
        assert page.find("#budget-result").get_attribute("data-reached") == "true", page.text("#budget-result")
        assert page.predicted("speed") > page.total("speed")
        assert "--target=gpu" in page.text("#compile-command")
        complaints = page.complaints()
        assert not complaints, complaints


if __name__ == "__main__":
    main()
