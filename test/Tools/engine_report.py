# engine_report.py MODEL FOLDER: what umber-sim reports of a compiled model adds
# up: its kernels to the whole, and the files it writes to its JSON.
import csv
import json
import pathlib
import subprocess
import sys

MODEL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
REGIONS = ["weights", "adapters", "tables", "cache", "activations", "io"]


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def same(what, a, b, relative=1e-9):
    assert abs(a - b) <= relative * max(abs(a), abs(b)), f"{what}: {a}, not {b}"


def flat(value, prefix=""):
    """A kernel's fields as the CSV names them."""
    fields = {}
    for key, part in value.items():
        if isinstance(part, dict):
            fields |= flat(part, f"{prefix}{key}.")
        else:
            fields[prefix + key] = part
    return fields


def check_sums(report):
    kernels = report["kernels"]
    for key in ["macs", "macs_f16", "macs_i8", "vector_elements", "commands",
                "decoded_weights", "streamed_weights", "dram_bytes"]:
        total = sum(kernel[key] for kernel in kernels)
        # Not of kernels are only commands that end the program.
        least = report[key] - (report["steps"] if key == "commands" else 0)
        assert least <= total <= report[key], (key, total, report[key])
    for region in REGIONS:
        same(region, sum(kernel["dram"][region] for kernel in kernels),
             report["dram"][region])
    for one in [report, *kernels]:
        same("regions", sum(one["dram"].values()), one["dram_bytes"])
        same("energy", sum(one["energy"].values()), one["energy_mj"])
        assert one["macs"] == one["macs_f16"] + one["macs_i8"]
        assert 0 <= one["utilization"] <= 1, one["utilization"]
    for part in ["memory_mj", "compute_mj", "vector_mj"]:
        same(part, sum(kernel["energy"][part] for kernel in kernels),
             report["energy"][part])
    same("power", report["average_w"], report["energy_mj"] / report["ms"])
    # Launches are of no kernel.
    launches = 0.15 * report["steps"]
    same("ms", sum(kernel["ms"] for kernel in kernels), report["ms"] - launches,
         1e-3)
    for kernel in kernels:
        assert kernel["start_ms"] < kernel["end_ms"] <= report["ms"], kernel
        same("share", kernel["share"], kernel["ms"] / report["ms"])


def check_trace(path, report):
    trace = json.loads(path.read_text())
    assert trace["otherData"]["device"] == report["device"]
    events = trace["traceEvents"]
    tracks = {event["tid"]: event["args"]["name"] for event in events
              if event["name"] == "thread_name"}
    assert sorted(tracks.values()) == ["cache", "load 0", "load 1", "matrix",
                                       "store", "system", "vector", "weights"]
    names = {kernel["name"] for kernel in report["kernels"]}
    slices = [event for event in events if event["ph"] == "X"]
    ends = dict.fromkeys(tracks, 0.0)
    for event in slices:
        assert event["name"].split()[0] in names, event
        assert event["ts"] >= ends[event["tid"]] - 1e-6, event
        ends[event["tid"]] = event["ts"] + event["dur"]
    assert abs(max(ends.values()) / 1000 - report["ms"]) < 1e-3 * report["ms"]
    assert any(event["name"] == "l1.q_k_v append" for event in slices)


model = FOLDER / "model"
run("umber-compile", MODEL, "--target=npu:ane-a17-like", "--max-tokens=16",
    "--bits=4.5", "--bit-choices=2,4", "-o", model)
for phase in ["decode@20", "prefill:40"]:
    table, trace = FOLDER / "kernels.csv", FOLDER / "trace.json"
    report = json.loads(run("umber-sim", model, "--timing-only", "--json",
                            f"--phase={phase}", f"--csv={table}",
                            f"--trace={trace}"))
    check_sums(report)
    check_trace(trace, report)
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == len(report["kernels"]) + 1
    for row, kernel in zip(rows, report["kernels"]):
        fields = flat(kernel)
        assert list(row) == list(fields), row
        for key, value in fields.items():
            text = row[key]
            found = (text if isinstance(value, str) else
                     json.loads(text) if text else None)
            assert found == value, (key, found, value)
    assert rows[-1]["name"] == "total"
    assert int(rows[-1]["dram_bytes"]) == report["dram_bytes"]

kinds = [kernel["kind"] for kernel in report["kernels"]]
layer = ["qkv", "attention", "ffn", "ffn"]
assert kinds == ["embed", *layer, *layer, "head", "head"], kinds
assert [kernel["layer"] for kernel in report["kernels"]] == [
    None, 0, 0, 0, 0, 1, 1, 1, 1, None, None]
gate = report["kernels"][3]
assert gate["decoded_weights"] == gate["streamed_weights"] > 0
# Two steps of 16 rows and one of 8, each with the weights once; rows beyond
# the prompt are computed too.
assert report["steps"] == 3 and report["tokens"] == 40
assert gate["streamed_weights"] == 3 * 2 * 52 * 40, gate["streamed_weights"]
assert gate["macs_f16"] >= 3 * 16 * 2 * 52 * 40

# A twentieth of the bandwidth, below what engines take, is ten times as long at least;
# half of the energy per byte is less energy, and the same time.
slow, cheap = [
    json.loads(run("umber-sim", model, "--timing-only", "--json",
                   "--phase=decode@20", setting))
    for setting in ["--set=dram.bytes_per_s=2.56e9",
                    "--set=energy.dram_pj_per_byte=19"]]
fast = json.loads(run("umber-sim", model, "--timing-only", "--json",
                      "--phase=decode@20"))
assert slow["needed_ms"]["dram"] > 10 * fast["needed_ms"]["dram"]
assert slow["ms"] > fast["ms"] == cheap["ms"]
assert cheap["energy"]["memory_mj"] < fast["energy"]["memory_mj"]
