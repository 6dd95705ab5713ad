# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The statistics of scripts/compare-peers, on score files written here."""

import contextlib
import io
import math
import tempfile
import unittest
from pathlib import Path

from loading import load

compare = load("compare-peers")


def scores(chunks):
    """Of divergences by chunk; every other position agrees."""
    lines = ["chunk,position,neg_log,reference_neg_log,divergence,agrees"]
    for chunk, values in enumerate(chunks):
        lines += [f"{chunk},{i},1,1,{value},{i % 2}" for i, value in enumerate(values)]
    with tempfile.TemporaryDirectory() as work:
        path = Path(work, "scores.csv")
        path.write_text("\n".join(lines) + "\n")
        return compare.Scores(path)


class Statistics(unittest.TestCase):
    def test_t_quantile(self):
        # From the tables of Student's distribution.
        for freedom, t in {1: 12.706, 2: 4.303, 19: 2.093, 1000: 1.962}.items():
            self.assertAlmostEqual(compare.t_quantile(freedom), t, places=3)

    def test_chunks_are_the_unit(self):
        found = scores([[0.25, 0.75], [1, 2], [3, 3]])
        self.assertEqual(found.chunks, [0.5, 1.5, 3])
        self.assertAlmostEqual(found.divergence, 5 / 3)
        self.assertAlmostEqual(found.error, math.sqrt(19 / 12 / 3))
        self.assertEqual(found.top1, 0.5)

    def test_one_chunk_is_too_few(self):
        with self.assertRaisesRegex(compare.Failure, "expected at least 2 chunks, found 1"):
            scores([[1, 2]])

    def test_difference_is_within_chunks(self):
        ours, theirs = scores([[1, 1], [2, 2], [6, 6]]), scores([[0, 0], [0, 0], [3, 3]])
        mean, half = compare.difference(ours, theirs)
        self.assertEqual(mean, 2)
        self.assertAlmostEqual(half, 4.303 / math.sqrt(3), places=3)


class Report(unittest.TestCase):
    def test_better_file_of_a_type_counts(self):
        peers = {"Q2": {"Q2": scores([[3, 3], [4, 4]]), "Q2.imatrix": scores([[2, 2], [3, 3]])}}
        packages = {"ours": scores([[1, 1], [2, 2]])}
        sizes = {"Q2": 4000, "Q2.imatrix": 2000, "ours": 1000}
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            better = compare.report(Path("some.txt"), packages, peers, sizes)
        self.assertEqual(better["Q2"][0], "Q2.imatrix")
        lines = out.getvalue().splitlines()
        self.assertIn("| Q2 | 4,000 | 3.5000 | 0.5000 | 50.0 % |", lines)
        self.assertIn("| ours | Q2.imatrix | 0.500 | -1.0000 | -1.0000 to -1.0000 |", lines)


if __name__ == "__main__":
    unittest.main()
