# engine_model.py MODEL FOLDER: compiles a model of shapes for ane-a17-like and
# checks what the simulator says of it against published figures and what must
# follow from the hardware.
import json
import pathlib
import subprocess
import sys

MODEL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
AFM = ["--bits=3.5", "--bit-choices=2,4", "--embedding-bits=4"]


def compiled(name, *options):
    path = FOLDER / name
    subprocess.run(
        ["umber-compile", MODEL, "--target=npu:ane-a17-like", "--max-tokens=128",
         *options, "-o", str(path)],
        check=True, stderr=subprocess.DEVNULL)
    return path


def timed(path, phase):
    said = subprocess.run(
        ["umber-sim", str(path), "--timing-only", f"--phase={phase}", "--json"],
        check=True, stdout=subprocess.PIPE).stdout
    return json.loads(said)


def speed(path, phase="decode@512"):
    return timed(path, phase)["tokens_per_second"]


def expect(what, value, least, most):
    assert least <= value <= most, f"{what}: {value}, not {least} to {most}"


afm = compiled("afm", *AFM)
decode = timed(afm, "decode@512")
# Apple: 30 tokens/s and 0.6 ms per prompt token, from one set of parameters.
expect("tokens/s", decode["tokens_per_second"], 28.5, 33)
expect("ms per prompt token", timed(afm, "prefill:1024")["ms_per_token"], 0.55,
       0.65)
expect("DRAM idle in decode", decode["dram_idle"], 0, 0.03)
expect("scratchpad over its bound",
       decode["scratchpad_bytes"] / decode["scratchpad_live_bytes"], 1, 1.1)
assert len(decode["kernels"]) == 26 * 4 + 3, len(decode["kernels"])

# What decides: the bytes of weights, until the palette decoder does.
expect("tokens/s with 8 bits", speed(compiled("eight", "--bits=8", "--bit-choices=6,8")), 10, 19)
two = speed(compiled("two", "--bits=2.2", "--bit-choices=2", "--embedding-bits=4"))
four = speed(
    compiled("four", "--bits=4.2", "--bit-choices=4", "--embedding-bits=4"))
assert two > 1.5 * four, (two, four)
one = timed(
    compiled("one", "--bits=1.2", "--bit-choices=1", "--embedding-bits=4"),
    "decode@512")
assert one["busy_ms"]["lut"] > one["busy_ms"]["dram"], one["busy_ms"]
# A cache of f16 costs what its bytes do.
wide = compiled("wide", *AFM, "--kv-bits=16")
assert speed(wide, "decode@4000") < 0.9 * speed(afm, "decode@4000")
# Adapters are 4 % of the bytes.
none = compiled("none", *AFM, "--adapter-rank=0")
expect("speed without adapters", speed(none) / decode["tokens_per_second"], 1.02,
       1.06)
