# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""scripts/bench-peers without a peer: stand-in benchmarks that print what
llama-bench and umber-bench print, well or badly."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

from loading import load

bench = load("bench-peers")


def result(prompt, gen, threads, speed, depth=0):
    shape = {"n_prompt": prompt, "n_gen": gen, "n_depth": depth}
    return {**shape, "n_threads": threads, "avg_ts": speed}


def printing(text, status=0):
    """A command that prints the text, complains, and exits with the status."""
    program = f"import sys; sys.stdout.write({text!r}); sys.exit({status} and 'no such model')"
    return [sys.executable, "-c", program]


class Speeds(unittest.TestCase):
    def read(self, entries):
        return bench.speeds(printing(json.dumps(entries)), 128, 32, 2)

    def fails(self, command, message):
        with self.assertRaisesRegex(bench.Failure, message):
            bench.speeds(command, 128, 32, 2)

    def test_picks_the_asked_shape_and_threads(self):
        entries = [result(0, 32, 2, 50.5), result(128, 0, 1, 7), result(128, 0, 2, 400)]
        self.assertEqual(self.read(entries), {"pp128": 400, "tg32": 50.5})

    def test_names_depths_as_llama_bench_does(self):
        entries = [result(0, 32, 2, 50), result(128, 0, 2, 400)]
        deep = [result(0, 32, 2, 40, 4096), result(128, 0, 2, 300, 4096)]
        command = printing(json.dumps(entries + deep))
        self.assertEqual(self.read(entries + deep), {"pp128": 400, "tg32": 50})
        self.assertEqual(
            bench.speeds(command, 128, 32, 2, 4096),
            {"pp128 @ d4096": 300, "tg32 @ d4096": 40},
        )

    def test_missing_and_doubled_results(self):
        one = result(128, 0, 2, 400)
        self.fails(printing(json.dumps([one])), "0 results for n_prompt=0 n_gen=32 n_threads=2")
        self.fails(printing(json.dumps([one, one])), "2 results for n_prompt=128")

    def test_speed_that_is_none(self):
        for speed in [None, 0, -1.0, "fast", True, float("nan")]:
            entries = [result(128, 0, 2, speed), result(0, 32, 2, 50)]
            self.fails(printing(json.dumps(entries)), "avg_ts of pp128 is .*, expected a number")

    def test_output_that_is_not_the_json(self):
        self.fails(printing("Segmentation fault"), "did not print JSON")
        self.fails(printing("{}"), "did not print a JSON array of objects")
        self.fails(printing("[1]"), "did not print a JSON array of objects")

    def test_program_that_fails_or_is_missing(self):
        self.fails(printing("[]", 1), "ended with 1: no such model")
        self.fails(["./no-such-bench"], "cannot run ./no-such-bench")


class Measure(unittest.TestCase):
    def test_alternates_and_takes_ratios_within_pairs(self):
        with tempfile.TemporaryDirectory() as work:
            journal = Path(work, "journal")

            def stand_in(name, speeds):
                def command(threads, depth):
                    runs = journal.read_text().count(name) if journal.exists() else 0
                    with journal.open("a") as file:
                        file.write(f"{name}\n")
                    entries = [result(128, 0, threads, 100), result(0, 32, threads, speeds[runs])]
                    return printing(json.dumps(entries))

                return command

            commands = {
                "llama.cpp": stand_in("llama.cpp", [10, 100, 20]),
                "umber": stand_in("umber", [20, 100, 10]),
            }
            rows = bench.measure(commands, 3, 128, 32, [2], [0])
            order = journal.read_text().split()
        self.assertEqual(order, ["llama.cpp", "umber", "umber", "llama.cpp", "llama.cpp", "umber"])
        self.assertEqual([(row["test"], row["n_threads"]) for row in rows], [("pp128", 2), ("tg32", 2)])
        self.assertEqual(rows[1]["ratios"], [2, 1, 0.5])
        self.assertEqual(
            bench.markdown(rows, "F16").splitlines()[3],
            "| tg32 | 2 | 20.0 | 20.0 | 1.00 | 0.50 | 2.00 |",
        )


if __name__ == "__main__":
    unittest.main()
