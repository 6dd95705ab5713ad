# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""scripts/measure-speed without engines: stand-ins that print what umber-bench and
umber-run print."""

import json
import sys
import tempfile
import types
import unittest
from pathlib import Path

from loading import load

speed = load("measure-speed")


def printing(text, status=0):
    program = f"import sys; sys.stdout.write({text!r}); sys.exit({status} and 'no such model')"
    return [sys.executable, "-c", program]


class Engine:
    """Prints the next of these speeds for whatever test it is asked."""

    def __init__(self, name, speeds, journal):
        self.name, self.speeds, self.journal = name, speeds, journal

    def command(self):
        program = (
            "import json, sys; args = dict(zip(sys.argv[1::2], sys.argv[2::2]));"
            "print(json.dumps([dict(n_prompt=int(args['-p']), n_gen=int(args['-n']),"
            "n_depth=int(args['-d']), n_threads=int(args['-t']), avg_ts={})]))"
        )
        self.journal.append(self.name)
        return [sys.executable, "-c", program.format(self.speeds.pop(0))]


class Folder(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.folder = Path(work.name)


class KeptResults(Folder):
    def test_measures_once_until_circumstances_change(self):
        calls = []

        def measure():
            calls.append(1)
            return {"value": len(calls)}

        path = self.folder / "speed.json"
        for facts, expected in [({"threads": 1}, 1), ({"threads": 1}, 1), ({"threads": 2}, 2)]:
            self.assertEqual(speed.Kept(path, facts).get("a test", measure), {"value": expected})
        self.assertEqual([p.name for p in self.folder.iterdir()], ["speed.json"])


class Curves(Folder):
    def test_medians_of_runs_that_take_turns(self):
        journal = []
        engines = [Engine("Umber", [3, 1, 2], journal), Engine("peer", [10, 30, 20], journal)]
        options = types.SimpleNamespace(rounds=3, threads=2, repetitions=1)
        kept = speed.Kept(self.folder / "speed.json", {})
        found = speed.curve(options, kept, engines, [(64, 0, 0)])
        self.assertEqual(found, {(64, 0, 0): {"Umber": 2, "peer": 20}})
        self.assertEqual(journal, ["Umber", "peer", "peer", "Umber", "Umber", "peer"])
        # A second run finds all there.
        self.assertEqual(speed.curve(options, kept, engines, [(64, 0, 0)]), found)
        lines = speed.speed_table("tokens", found, engines, lambda test: test[0]).splitlines()
        self.assertEqual(lines[2], "| 64 | 2.0 | 500.000 | 20.0 | 50.000 | 0.10 |")
        self.assertEqual(lines[0].count("|"), lines[1].count("|"))


class Memory(unittest.TestCase):
    def test_peak_is_of_the_one_command(self):
        out, small = speed.peak_memory(printing("hello"))
        self.assertEqual(out, b"hello")
        take = [sys.executable, "-c", "x = bytes(range(256)) * (1 << 18)"]
        self.assertGreater(speed.peak_memory(take)[1], small + (50 << 20))
        # Not the most of all commands so far.
        self.assertLess(speed.peak_memory(printing(""))[1], small + (30 << 20))

    def test_failure(self):
        with self.assertRaisesRegex(speed.Failure, "ended with 1: no such model"):
            speed.peak_memory(printing("", 1))

    def test_table(self):
        mib = 1 << 20
        memory = [{"tokens": 512, "resident": 90 * mib, "peer": 200 * mib}]
        peer = types.SimpleNamespace(name="peer")
        lines = speed.memory_table(memory, 70 * mib, mib // 256, peer).splitlines()
        self.assertEqual(lines[2], "| 512 | 90.0 | 70.0 | 2.0 | 18.0 | 200.0 |")


class FirstToken(Folder):
    def options(self, program):
        runner = self.folder / "runner"
        runner.write_text(f"#!{sys.executable}\n{program}\n")
        runner.chmod(0o755)
        return (
            types.SimpleNamespace(package="p.umb", prompt="x", threads=1, starts=2),
            types.SimpleNamespace(runner=runner),
        )

    def test_first_byte_and_end(self):
        found = speed.first_token(*self.options("print('a', flush=True); print('b')"))
        self.assertLessEqual(found["least"], found["first"])
        self.assertLessEqual(found["first"], found["most"])
        self.assertGreater(found["end"], found["least"])

    def test_failure_is_told(self):
        for program in ("import sys; sys.exit('no package')", "print('', end='')"):
            with self.assertRaisesRegex(speed.Failure, "umber-run failed"):
                speed.first_token(*self.options(program))


if __name__ == "__main__":
    unittest.main()
