#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Broken packages: umber-run says what is wrong in one line.

    hostile_package.py FOLDER
"""

import pathlib
import random
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools"))
from hostile import Attack

HEADER = struct.Struct("<6sHQQQ")


def main():
    folder = pathlib.Path(sys.argv[1])
    attack = Attack(folder, ".umb", lambda path: [
        "umber-run", path, "--raw", "-p", "the", "-n", "1", "-c", "16"])
    maker = pathlib.Path(__file__).parent.parent / "tools" / "make_model.py"
    gguf, package = folder / "m.gguf", folder / "m.umb"
    subprocess.run([sys.executable, maker, gguf], check=True)
    subprocess.run(["umber-compile", gguf, "--isa=x86-64-v3", "-o", package], check=True,
                   stderr=subprocess.DEVNULL)
    data = package.read_bytes()
    attack.run(data, "the package as it is", must_refuse=False)
    assert attack.taken == 1, "expected the good package to be taken"

    magic, version, offset, size, digest = HEADER.unpack(data[:HEADER.size])
    huge = 2**64 - 64
    for what, header in (
            ("other magic", (b"UMBEX\0", version, offset, size, digest)),
            ("version 0", (magic, 0, offset, size, digest)),
            ("version 65535", (magic, 65535, offset, size, digest)),
            ("metadata behind the end", (magic, version, len(data) + 64, size, digest)),
            ("metadata offset huge", (magic, version, huge, size, digest)),
            ("metadata size huge", (magic, version, offset, huge, digest)),
            ("metadata in the header", (magic, version, 0, size, digest)),
            ("metadata shorter", (magic, version, offset, size - 1, digest)),
            ("other hash", (magic, version, offset, size, digest ^ 1))):
        attack.run(HEADER.pack(*header) + data[HEADER.size:], what)
    attack.truncate(data, 60, 4096)
    # The metadata stands at the end; every flip there must show in its hash.
    rng = random.Random(1)
    for i in range(200):
        where = rng.randrange(offset, len(data)) if i % 4 else rng.randrange(HEADER.size)
        broken = bytearray(data)
        broken[where] ^= 1 << rng.randrange(8)
        attack.run(bytes(broken), f"flip {i} at {where}")
    for i in range(50):
        broken = bytearray(data)
        broken[rng.randrange(4096, offset)] ^= 1 << rng.randrange(8)
        # Padding between segments is nobody's.
        attack.run(bytes(broken), f"flip {i} in a segment", must_refuse=False)
    print(f"refused {attack.refused}, took {attack.taken}")


if __name__ == "__main__":
    main()
