# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Clicks through the page of umber-report in a browser.

    report_page.py MODEL FOLDER

MODEL is one of shapes, of which a few layers are taken. Checks what is shown against umber-sim, and what the page
predicts against models that are compiled with what it exports.
"""

import json
import pathlib
import subprocess
import sys

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import browser

FOLDER = pathlib.Path(sys.argv[2])
MODEL = FOLDER / "model.json"
LAYERS = 8
TARGET = ["--target=npu:ane-a17-like", "--max-tokens=128"]


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)


def compiled(name, *options):
    path = FOLDER / f"{name}.umb"
    run("umber-compile", MODEL, *TARGET, *options, "-o", path)
    return path


def simulated(path, phase):
    said = subprocess.run(
        ["umber-sim", str(path), "--timing-only", f"--phase={phase}", "--json"],
        check=True, stdout=subprocess.PIPE).stdout
    return json.loads(said)


def expect_near(what, value, wanted, tolerance):
    assert abs(value / wanted - 1) <= tolerance, f"{what}: {value}, expected {wanted} within {tolerance}"


def rows(page):
    """The kernels that the table shows, in its order."""
    return page.run("return [...document.querySelectorAll('#kernels tr[data-kernel]')]"
                    ".map(row => Number(row.dataset.kernel))")


def column(page, name):
    return page.run(
        "const at = [...document.querySelectorAll('#kernels th')]"
        ".findIndex(head => head.dataset.column === arguments[0]);"
        "return [...document.querySelectorAll('#kernels tr[data-kernel]')]"
        ".map(row => row.cells[at].textContent)", name)


def selected(page):
    return page.run("return [...document.querySelectorAll('#kernels tr[aria-selected=true]')]"
                    ".map(row => Number(row.dataset.kernel))")


def check_totals(page, path):
    decode, prefill = simulated(path, "decode@512"), simulated(path, "prefill:1024")
    for name, wanted in {
        "speed": decode["tokens_per_second"],
        "energy": decode["energy_mj_per_token"] / 1e3,
        "power": decode["energy_mj_per_token"] / decode["ms_per_token"],
        "bytes": decode["dram_bytes"],
        "ttft": prefill["ms"] / 1e3,
        "perPromptToken": prefill["ms_per_token"] / 1e3,
        "promptEnergy": prefill["energy_mj_per_token"] / 1e3,
        "scratchpad": max(decode["scratchpad_bytes"], prefill["scratchpad_bytes"]),
    }.items():
        expect_near(name, page.total(name), wanted, 1e-6)
    kernels = decode["kernels"]
    assert column(page, "kernel") == [kernel["name"] for kernel in kernels]
    shown = [float(text) for text in column(page, "latency")]
    for text, kernel in zip(shown, kernels):
        assert abs(text - kernel["ms"]) <= 1e-3 * kernel["ms"] + 1e-6, (text, kernel)


def check_table(page):
    everything = rows(page)
    page.click('th[data-column="latency"] button')
    latencies = [float(text) for text in column(page, "latency")]
    assert latencies == sorted(latencies, reverse=True) and latencies[0] > latencies[-1]
    page.click('th[data-column="latency"] button')
    latencies = [float(text) for text in column(page, "latency")]
    assert latencies == sorted(latencies)
    assert page.find('th[data-column="latency"]').get_attribute("aria-sort") == "ascending"
    page.click('th[data-column="order"] button')
    assert rows(page) == everything

    page.choose('[data-tool="Kind"]', "ffn")
    assert set(column(page, "kind")) == {"ffn"} and len(rows(page)) < len(everything)
    page.choose('[data-tool="Kind"]', "")
    box = page.find("#table-tools input")
    box.send_keys("l3.")
    assert rows(page) and all(name.startswith("l3.") for name in column(page, "kernel"))
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    page.choose('[data-tool="Group"]', "layer")
    groups = page.all("#kernels tr.group")
    assert len(groups) == LAYERS + 1, len(groups)  # and what is in none
    page.run("arguments[0].click()", groups[1])
    assert len(selected(page)) == 4, selected(page)
    page.choose('[data-tool="Group"]', "none")
    assert rows(page) == everything


def check_selection(page):
    """From the table to the graph and back, with the mouse and the keys."""
    page.click('#kernels tr[data-kernel="7"] td')
    assert selected(page) == [7]
    page.run("document.getElementById('graph').scrollIntoView({block: 'center'})")
    page.wait("document.getElementById('graph').dataset.selected === '7'")
    assert page.all('#details [data-details="7"]')
    details = page.text("#details")
    assert "umber.linear" in details and "Tensors" in details, details

    # Where the graph has drawn another kernel.
    place = page.run(
        "const chart = echarts.getInstanceByDom(document.getElementById('graph'));"
        "const data = chart.getOption().series[0].data[8];"
        "return chart.convertToPixel({seriesIndex: 0}, [data.x, data.y])")
    graph = page.find("#graph")
    size = graph.size
    ActionChains(page.driver).move_to_element_with_offset(
        graph, round(place[0] - size["width"] / 2), round(place[1] - size["height"] / 2)).click().perform()
    page.wait("document.querySelector('#kernels tr[data-kernel=\"8\"]').ariaSelected === 'true'")
    assert selected(page) == [8]
    page.click("#details [data-goto]")
    assert len(selected(page)) == 1 and selected(page) != [8]

    row = page.find('#kernels tr[data-kernel="8"]')
    page.run("arguments[0].focus()", row)
    row.send_keys(Keys.ARROW_DOWN)
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert selected(page) == [9]
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    page.driver.switch_to.active_element.send_keys(Keys.SPACE)
    assert selected(page) == [9, 10]
    page.find("body").send_keys("/")
    assert page.run("return document.activeElement.type") == "search"
    page.run("document.activeElement.blur()")
    page.find("body").send_keys(Keys.ESCAPE)
    assert selected(page) == []


def check_accuracy(page):
    """What the page says of its own errors."""
    page.wait("document.getElementById('accuracy-table').dataset.worst !== undefined")
    worst = float(page.find("#accuracy-table").get_attribute("data-worst"))
    print(f"worst error of the page's model: {100 * worst:.2f} %")
    assert worst <= 0.05, worst
    checks = page.run("return document.querySelectorAll('#accuracy-table tbody tr').length")
    assert checks >= 16, checks


def check_prediction(page, path, prompts=True):
    decode, prefill = simulated(path, "decode@512"), simulated(path, "prefill:1024")
    for name, wanted in {
        "speed": decode["tokens_per_second"],
        "energy": decode["energy_mj_per_token"] / 1e3,
        "power": decode["energy_mj_per_token"] / decode["ms_per_token"],
        "bytes": decode["dram_bytes"],
        "ttft": prefill["ms"] / 1e3,
        "promptEnergy": prefill["energy_mj_per_token"] / 1e3,
    }.items():
        if name in ("ttft", "promptEnergy") and not prompts:
            continue
        print(f"{path.name}: {name}: predicted {page.predicted(name):.6g}, simulated {wanted:.6g}, "
              f"{100 * (page.predicted(name) / wanted - 1):+.2f} %")
        expect_near(f"predicted {name}", page.predicted(name), wanted, 0.05)


def check_what_if(page):
    """One kernel, a selection, a kind, hardware, lengths; and undoing it."""
    before = page.total("speed")
    page.click('#kernels tr[data-kernel="4"] td')
    page.choose("#bits-scope", "selection")
    page.click('[data-bits="8"]')
    assert page.predicted("speed") < before
    assert page.text('#kernels tr[data-kernel="4"] td.predicted').startswith("+")
    print(f"update: {float(page.find('#update-time').get_attribute('data-ms')):.1f} ms")
    page.choose("#bits-scope", "ffn")
    page.click('[data-bits="2"]')
    assert page.predicted("speed") > before
    page.fill("#hw-dram-bytes-per-s", 102.4)
    faster = page.predicted("speed")
    assert faster > 1.5 * before, faster
    page.fill("#count-decode", 4000)
    assert page.predicted("speed") < faster
    page.fill("#hw-scratchpad-bytes", 512)
    assert "has to take fewer than 128 rows" in page.text("#scratchpad-note")
    page.fill("#hw-scratchpad-bytes", 1e9)
    assert page.message().startswith("Scratchpad: expected "), page.message()
    page.click("#reset")
    assert page.find('[data-total="speed"]').get_attribute("data-predicted") == ""
    assert page.message() == ""


def check_round_trip(page):
    """A recipe that the budget proposes, and one with other settings."""
    page.fill("#goal-bits", 3.0)
    page.click("#solve-bits")
    assert page.find("#budget-result").get_attribute("data-reached") == "true", page.text("#budget-result")
    assert 2.9 < page.predicted("bits") <= 3.0, page.predicted("bits")
    page.click("#export")
    recipe = page.downloaded("recipe.json")
    assert recipe["umber-recipe"] == 1 and set(recipe["bits"].values()) == {2, 4}
    (FOLDER / "three.json").write_text(json.dumps(recipe), encoding="utf-8")
    three = compiled("three", f"--recipe={FOLDER / 'three.json'}")
    check_prediction(page, three)

    # Everything that a recipe does not say is in the command.
    page.choose("#rank", "8")
    check_prediction(page, compiled("rank", f"--recipe={FOLDER / 'three.json'}", "--adapter-rank=8"))
    assert page.text("#scratchpad-note") == ""
    page.choose("#cache-bits", "16")
    command = page.text("#compile-command")
    assert "--kv-bits=16" in command and "--adapter-rank=8" in command, command
    assert "If that is too much" in page.text("#scratchpad-note")
    # Prompts are no longer read 128 rows at a time.
    check_prediction(page, compiled("cache", f"--recipe={FOLDER / 'three.json'}", "--kv-bits=16",
                                    "--adapter-rank=8"), prompts=False)
    page.click("#reset")

    goal = 1.1 * page.total("speed")
    page.fill("#goal-speed", goal)
    page.fill("#goal-watts", 2.5)
    page.click("#solve-speed")
    assert page.find("#budget-result").get_attribute("data-reached") == "true", page.text("#budget-result")
    assert page.predicted("speed") >= goal and page.predicted("power") <= 2.5
    page.click("#export")
    (FOLDER / "fast.json").write_text(json.dumps(page.downloaded("recipe.json")), encoding="utf-8")
    check_prediction(page, compiled("fast", f"--recipe={FOLDER / 'fast.json'}"))
    page.fill("#goal-speed", 10 * goal)
    page.click("#solve-speed")
    assert page.find("#budget-result").get_attribute("data-reached") == "false"
    page.click("#reset")


def check_compare(page):
    run("umber-report", FOLDER / "three.umb", "--json", FOLDER / "three.report.json")
    page.find("#compare-file").send_keys(str(FOLDER / "three.report.json"))
    page.wait("document.getElementById('compare-totals') !== null || "
              "!document.getElementById('message').hidden")
    assert page.message() == "", page.message()
    text = page.text("#compare-totals")
    assert "Bits per weight" in text and "−" in text, text
    assert page.run("return document.querySelectorAll('#compare-kernels tbody tr').length") > LAYERS


def check_bad_files(page):
    def message_for(selector, name, text):
        path = FOLDER / name
        path.write_text(text, encoding="utf-8")
        page.run("document.getElementById('message').hidden = true")
        page.find(selector).send_keys(str(path))
        page.wait("!document.getElementById('message').hidden")
        return page.message()

    recipe = json.loads((FOLDER / "three.json").read_text(encoding="utf-8"))
    assert "cut.json: expected JSON, found " in message_for("#recipe-file", "cut.json", '{"umber-recipe": 1, ')
    said = message_for("#recipe-file", "other.json",
                       json.dumps({"umber-recipe": 1, "bits": {**recipe["bits"], "l99.attn.q": 4}}))
    assert "expected a recipe for afm_on_device, found the matrix 'l99.attn.q'" in said, said
    missing = {"umber-recipe": 1, "bits": {k: v for k, v in recipe["bits"].items() if k != "l3.attn.q"}}
    said = message_for("#recipe-file", "missing.json", json.dumps(missing))
    assert "expected a width for 'l3.attn.q', found none" in said, said
    recipe["bits"]["l3.attn.q"] = 5
    said = message_for("#recipe-file", "five.json", json.dumps(recipe))
    assert '"l3.attn.q": expected 1, 2, 3, 4, 6, 8 or 16 bits, found 5' in said, said
    said = message_for("#compare-file", "no-report.json", "[1]")
    assert "no-report.json: expected a report of umber-report --json" in said, said
    page.find("#recipe-file").send_keys(str(FOLDER / "three.json"))
    page.wait("document.getElementById('message').hidden")
    assert page.predicted("bits") <= 3.0
    page.click("#reset")


def check_charts(page):
    for name in ("graph", "timeline", "roofline"):
        page.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", name)
        page.wait(f"document.getElementById('{name}').dataset.drawn === 'true'")
    assert int(page.find("#roofline").get_attribute("data-points")) == 4 * LAYERS + 3
    # Nearer, the timeline tells more commands apart.
    page.run("echarts.getInstanceByDom(document.getElementById('timeline'))"
             ".dispatchAction({type: 'dataZoom', startValue: 5, endValue: 6})")
    page.wait("document.getElementById('timeline').dataset.from !== undefined")
    assert abs(float(page.find("#timeline").get_attribute("data-from")) - 0.005) < 1e-3
    page.choose("#phase", "1")
    assert "prefill:1024" in page.text("#splits")
    page.choose("#phase", "0")
    before = page.run("return getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.run("return getComputedStyle(document.body).backgroundColor") != before
    page.click("#theme")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert page.run("return getComputedStyle(document.getElementById('table')).maxHeight") == "none"
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def main():
    shape = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    MODEL.write_text(json.dumps({**shape, "layers": LAYERS}), encoding="utf-8")
    afm = compiled("afm", "--bits=3.5", "--bit-choices=2,4", "--embedding-bits=4")
    run("umber-report", afm, "-o", FOLDER / "afm.html")
    with browser.chromium(FOLDER / "downloads") as open_page:
        page = open_page(FOLDER / "afm.html")
        assert page.message() == "", page.message()
        # It is one file: nothing is fetched.
        fetched = page.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
        assert all(name.startswith("data:") for name in fetched), fetched
        print(f"open: {float(page.run('return document.documentElement.dataset.ready')):.0f} ms")
        for check in (check_table, check_selection, check_accuracy, check_what_if, check_charts,
                      check_round_trip, check_compare, check_bad_files):
            check(page)
            complaints = page.complaints()
            assert not complaints, complaints
        check_totals(page, afm)


if __name__ == "__main__":
    main()
