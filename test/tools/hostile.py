# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What tests with broken files share: a tool that must refuse, or take, each file."""

import os
import pathlib
import random
import subprocess

# Signals, sanitizer reports and timeouts are failures; 1 is a clean refusal.
REFUSED = 1


class Attack:
    """Runs `command` (a function from a file's path to arguments) on broken files."""

    def __init__(self, folder, suffix, command, leaves=None):
        self.folder = pathlib.Path(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.path = self.folder / f"broken{suffix}"
        self.command, self.leaves = command, leaves
        self.refused = self.taken = 0

    def run(self, data, what, must_refuse=True, expect=None):
        self.path.write_bytes(data)
        for old in self.folder.glob("out*"):
            old.unlink()
        done = subprocess.run(self.command(str(self.path)), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        message = done.stderr.decode(errors="replace")
        if done.returncode == 0:
            assert not must_refuse, f"{what}: was taken"
            self.taken += 1
            return
        assert done.returncode == REFUSED, f"{what}: status {done.returncode}: {message}"
        lines = message.splitlines()
        assert len(lines) == 1, f"{what}: expected one line, found {message!r}"
        assert ": error: " in lines[0] and str(self.path) in lines[0], f"{what}: {message}"
        assert expect is None or expect in lines[0], f"{what}: {message}"
        left = list(self.folder.glob("out*"))
        assert not left, f"{what}: left {left}"
        self.refused += 1

    def truncate(self, data, points, header):
        """Cuts inside of the header at most points, and a few times behind it."""
        for i in range(points):
            cut = i * header // (points - 5) if i < points - 5 else \
                header + (len(data) - header) * (i - points + 6) // 7
            self.run(data[:cut], f"truncated at {cut}")

    def flip(self, data, count, header, seed=1):
        """One random bit or byte changed; such a file may still be a good one."""
        rng = random.Random(seed)
        for i in range(count):
            broken, at = bytearray(data), rng.randrange(header)
            broken[at] ^= rng.choice([1 << rng.randrange(8), rng.randrange(1, 256)])
            self.run(bytes(broken), f"flip {i} at {at}", must_refuse=False)
