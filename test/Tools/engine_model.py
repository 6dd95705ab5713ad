# engine_model.py MODEL FOLDER: compiles a model of shapes for ane-a17-like and
# checks what the simulator says of it against published figures and what must
# follow from the hardware. What is left out of the engine is left out with --set.
import json
import pathlib
import subprocess
import sys

MODEL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
# Of the description, of DRAM.
EFFICIENCY = 0.853
AFM = ["--bits=3.5", "--bit-choices=2,4", "--embedding-bits=4"]


def compiled(name, *options):
    path = FOLDER / name
    subprocess.run(
        ["umber-compile", MODEL, "--target=npu:ane-a17-like", "--max-tokens=128",
         *options, "-o", str(path)],
        check=True, stderr=subprocess.DEVNULL)
    return path


def timed(path, phase, *options):
    said = subprocess.run(
        ["umber-sim", str(path), "--timing-only", f"--phase={phase}", "--json",
         *options],
        check=True, stdout=subprocess.PIPE).stdout
    return json.loads(said)


def speed(path, phase="decode@512", *options):
    return timed(path, phase, *options)["tokens_per_second"]


def expect(what, value, least, most):
    assert least <= value <= most, f"{what}: {value}, not {least} to {most}"


afm = compiled("afm", *AFM)
decode = timed(afm, "decode@512")
prefill = timed(afm, "prefill:1024")
# Apple: 30 tokens/s and 0.6 ms per prompt token, from one set of parameters.
WINDOW = 28.5, 33
expect("tokens/s", decode["tokens_per_second"], *WINDOW)
expect("ms per prompt token", prefill["ms_per_token"], 0.55, 0.65)
expect("tokens/s with embeddings of 8 bits",
       speed(compiled("embeddings", "--bits=3.5", "--bit-choices=2,4")), *WINDOW)
expect("DRAM idle in decode", decode["dram_idle"], 0, 0.03)
for step in decode, prefill:
    expect("scratchpad over its bound",
           step["scratchpad_bytes"] / step["scratchpad_live_bytes"], 1, 1.1)
assert len(decode["kernels"]) == 26 * 4 + 3, len(decode["kernels"])

# Nothing in its programs is a race, or waits for ever.
subprocess.run(["umber-npu-check", afm, "--position=640", "--tokens=128",
                "--outputs=1"], check=True)

# What decides: the bytes of weights, until the palette decoder does.
expect("tokens/s with 8 bits", speed(compiled("eight", "--bits=8", "--bit-choices=6,8")), 10, 19)
BITS = {
    bits: compiled(f"bits{bits}", f"--bits={bits}.2", f"--bit-choices={bits}",
                   "--embedding-bits=4") for bits in (2, 4)}
two, four = speed(BITS[2]), speed(BITS[4])
assert two > 1.5 * four, (two, four)
one = timed(
    compiled("one", "--bits=1.2", "--bit-choices=1", "--embedding-bits=4"),
    "decode@512")
assert one["busy_ms"]["lut"] > one["busy_ms"]["dram"], one["busy_ms"]
# A decoder that is slower than DRAM makes bits worth nothing.
LUT = "--set=decoder.weights_per_s=82e9"
expect("2 bits over 4 where the decoder binds",
       speed(BITS[2], "decode@512", LUT) / speed(BITS[4], "decode@512", LUT), 1, 1.02)

# A cache of f16 breaks 30 tokens/s at 4K, and one of 8 bits does not.
late = timed(afm, "decode@4000")
expect("tokens/s at 4K", late["tokens_per_second"], *WINDOW)
wide = timed(compiled("wide", *AFM, "--kv-bits=16"), "decode@4000")
expect("tokens/s at 4K with f16", wide["tokens_per_second"], 10, 27)
# Each position that there is once, scales in whole blocks of 256.
position = 2 * 8 * 128 * 26
expect("bytes of the cache", late["dram"]["cache"], 4001 * position,
       4002 * position + 16 * 256 * position / 64 * 1.1)
expect("bytes of the cache in f16", wide["dram"]["cache"], 2 * 4001 * position,
       2 * 4003 * position)

# Without a second slot for weights, nothing is streamed while the array works:
# the sum instead of the larger one, and a latency for each stream.
ONE = "--set=kernel_buffer.slots=1"
trace = FOLDER / "trace.json"
one_slot = timed(compiled("slot", *AFM, ONE), "decode@512", ONE,
                 f"--trace={trace}")
streams = sum(event.get("cat") == "weights"
              for event in json.loads(trace.read_text())["traceEvents"])
weights = one_slot["dram"]["weights"] + one_slot["dram"]["adapters"]
serial = (weights / (51.2e6 * EFFICIENCY) + one_slot["needed_ms"]["mac"] +
          streams * 500e-6)
expect("decode without prefetch over the sum", one_slot["ms"] / serial, 1, 1.06)
assert one_slot["ms"] > 1.2 * decode["ms"], (one_slot["ms"], decode["ms"])

# Adapters are 4 % of the bytes.
none = compiled("none", *AFM, "--adapter-rank=0")
expect("speed without adapters", speed(none) / decode["tokens_per_second"], 1.02,
       1.06)
