#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which instruction sets a package has code for, and what umber-run says of those
that the processor lacks.

    instruction_sets.py FOLDER
"""

import pathlib
import platform
import subprocess
import sys

MAKE_MODEL = pathlib.Path(__file__).parent.parent / "tools" / "make_model.py"
# What code for x86-64-v4 needs, as Linux calls it and as umber-run does.
V4 = {"avx512f": "avx512f", "avx512bw": "avx512bw", "avx512cd": "avx512cd",
      "avx512dq": "avx512dq", "avx512vl": "avx512vl", "avx512_vnni": "avx512vnni"}
AMX = V4 | {"avx512vbmi": "avx512vbmi", "amx_tile": "amx-tile", "amx_int8": "amx-int8"}


def compile_model(folder, *options):
    package = folder / "m.umb"
    subprocess.run(["umber-compile", folder / "m.gguf", "--max-tokens=8", "-o", package,
                    *options], check=True, stderr=subprocess.DEVNULL)
    return package


def refuse(package, message, *options):
    done = subprocess.run(["umber-run", package, "-p", "x", "-n", "1", *options],
                          capture_output=True, check=False)
    expected = f"umber-run: error: {package}: target cpu: {message}\n"
    assert done.returncode == 1 and done.stderr.decode() == expected, (done, expected)


def check_defaults(folder):
    """A model without products of encoded weights has no use for some of them."""
    for options, sets in [([], "x86-64-v4, x86-64-v3, aarch64"),
                          (["--bits=8", "--calibrate=none"],
                           "x86-64-v4-amx, x86-64-v4-vbmi, x86-64-v4, x86-64-v3, "
                           "aarch64-i8mm, aarch64")]:
        refuse(compile_model(folder, *options),
               f"has no code for instruction set z80; there is code for: {sets}",
               "--isa", "z80")


def check_foreign(folder):
    native = platform.machine().replace("_", "-")
    sets = "x86-64-v4-vbmi, x86-64-v3" if native == "aarch64" else "aarch64-i8mm, aarch64"
    package = compile_model(folder, "--isa=" + sets.replace(" ", ""))
    refuse(package, f"instruction set {sets.split(', ')[0]} is none of this machine's "
           f"({native}); there is code for: {sets}")


def check_missing(folder):
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    for sets, least, needs in [("x86-64-v4-amx, x86-64-v4, aarch64", "x86-64-v4", V4),
                               ("x86-64-v4-amx", "x86-64-v4-amx", AMX)]:
        missing = ", ".join(name for flag, name in needs.items() if flag not in flags)
        package = compile_model(folder, "--isa=" + sets.replace(" ", ""))
        if missing:
            refuse(package, f"instruction set {least} needs what this processor lacks: "
                   f"{missing}; there is code for: {sets}")
        else:
            subprocess.run(["umber-run", package, "-p", "x", "-n", "1"], check=True,
                           capture_output=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, MAKE_MODEL, folder / "m.gguf"], check=True)
    check_defaults(folder)
    check_foreign(folder)
    if platform.machine() == "x86_64":
        check_missing(folder)


if __name__ == "__main__":
    main()
