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
    def test_alternates_and_takes_ratios_within_rounds(self):
        with tempfile.TemporaryDirectory() as work:
            journal = Path(work, "journal")

            def engine(name, speeds):
                def command(threads, depth):
                    runs = journal.read_text().split("\n").count(name) if journal.exists() else 0
                    with journal.open("a") as file:
                        file.write(f"{name}\n")
                    entries = [result(128, 0, threads, 100), result(0, 32, threads, speeds[runs])]
                    return printing(json.dumps(entries))

                return bench.Engine(name, command)

            half, half2 = engine("F16", [10, 100, 20]), engine("16", [20, 100, 10])
            few, few2 = engine("Q4", [5, 5, 5]), engine("3.5", [5, 10, 15])
            matches = [(half, half2), (few, few2)]
            rows = bench.measure(matches, 3, 128, 32, [2], [0])
            order = journal.read_text().split()
        forth = ["F16", "16", "Q4", "3.5"]
        self.assertEqual(order, forth + forth[::-1] + forth)
        self.assertEqual([(row["test"], row["n_threads"]) for row in rows], [("pp128", 2), ("tg32", 2)])
        self.assertEqual(rows[1]["ratios"], {"16 / F16": [2, 1, 0.5], "3.5 / Q4": [1, 2, 3]})
        lines = bench.markdown(rows, matches).splitlines()
        self.assertEqual(
            lines[0],
            "| test | threads | F16, t/s | 16, t/s | 16 / F16 | min–max "
            "| Q4, t/s | 3.5, t/s | 3.5 / Q4 | min–max |",
        )
        self.assertEqual(lines[1].count("|"), lines[0].count("|"))
        self.assertEqual(
            lines[3],
            "| tg32 | 2 | 20.0 | 20.0 | 1.00 | 0.50–2.00 | 5.0 | 10.0 | 2.00 | 1.00–3.00 |",
        )

    def test_rows_are_in_the_order_of_tests_depths_and_threads(self):
        def command(threads, depth):
            return printing(
                json.dumps([result(128, 0, threads, 1, depth), result(0, 32, threads, 1, depth)])
            )

        match = (bench.Engine("theirs", command), bench.Engine("ours", command))
        rows = bench.measure([match], 1, 128, 32, [2, 1], [4096, 0, 512])
        self.assertEqual(
            [(row["test"], row["n_threads"]) for row in rows],
            [
                (f"{test}{depth}", threads)
                for test in ("pp128", "tg32")
                for depth in ("", " @ d512", " @ d4096")
                for threads in (1, 2)
            ],
        )


class Memory(unittest.TestCase):
    def engine(self, extra):
        decode = {**result(0, 32, 1, 50), **extra}
        text = json.dumps([result(128, 0, 1, 400), decode])
        return bench.Engine("ours", lambda threads, depth: printing(text))

    def test_takes_the_share_of_the_decode_step(self):
        shares = bench.memory_shares(self.engine({"roofline": {"memory_share": 0.625}}), [1], [0, 7])
        self.assertEqual(shares, {(1, 0): 0.625, (1, 7): 0.625})
        lines = bench.shares_markdown({"ours": shares}).splitlines()
        self.assertEqual(lines[3], "| depth 7 | 1 | 62 % |")

    def test_no_share(self):
        for extra in [{}, {"roofline": None}, {"roofline": {}}]:
            with self.assertRaisesRegex(bench.Failure, "no memory_share of ours"):
                bench.memory_shares(self.engine(extra), [1], [0])


class Packages(unittest.TestCase):
    def test_compiles_again_when_anything_is_other(self):
        with tempfile.TemporaryDirectory() as work:
            cache = Path(work)
            model, compiler = cache / "m.gguf", cache / "compiler"
            model.write_text("weights")
            compiler.write_text('#!/bin/sh\necho run >> "$(dirname "$1")/journal"\necho "$@" > "$3"\n')
            compiler.chmod(0o755)

            def compiled(*flags):
                package = bench.our_package(model, compiler, list(flags), cache)
                self.assertTrue(package.read_text().endswith(f"{' '.join(flags)}\n"))
                return len((cache / "journal").read_text().split())

            self.assertEqual(compiled("--bits=3.5"), 1)
            self.assertEqual(compiled("--bits=3.5"), 1)
            self.assertEqual(compiled("--bits=3.5", "--embedding-bits=4"), 2)
            self.assertEqual(compiled("--bits=3.5"), 2)
            model.write_text("other weights")
            self.assertEqual(compiled("--bits=3.5"), 3)
            compiler.write_text(compiler.read_text() + "# changed\n")
            self.assertEqual(compiled("--bits=3.5"), 4)
            # What is out of date is gone; what has other flags stays.
            self.assertEqual(len(list(cache.glob("*.umb"))), 2)


if __name__ == "__main__":
    unittest.main()
