#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""umber-eval against the same numbers worked out here from the logits that umber-run
writes, one prompt for each scored position; and what umber-bench prints.

    measuring_tools.py UMBER-COMPILE UMBER-RUN UMBER-EVAL UMBER-BENCH
"""

import array
import csv
import io
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

MAKE_MODEL = pathlib.Path(__file__).parent.parent / "tools/make_model.py"
CONTEXT, CHUNKS = 8, 3
#: Letters that the small model's tokenizer never merges: a token each.
LETTERS = "bcfgjklmpqsuvwxyz"


def make_package(compiler, folder, name, *options):
    package = folder / f"{name}.umb"
    subprocess.run([sys.executable, MAKE_MODEL, f"{package}.gguf", *options], check=True)
    subprocess.run([compiler, f"{package}.gguf", "--max-tokens=8", "-o", package],
                   check=True)
    return package


def log_probabilities(runner, package, prompt):
    """The prompt's ids, and every token's log-probability after it."""
    folder = package.parent
    (folder / "prompt").write_text(prompt)
    done = subprocess.run(
        [runner, package, "-f", folder / "prompt", "--raw", "-n", "1", "--json",
         "--logits", folder / "logits"], check=True, stdout=subprocess.PIPE)
    logits = array.array("f", (folder / "logits").read_bytes())
    best = max(logits)
    normalizer = best + math.log(sum(math.exp(value - best) for value in logits))
    return json.loads(done.stdout)["prompt_ids"], [value - normalizer for value in logits]


def expected_rows(runner, package, text, has_bos):
    """Of each scored position: the next token's id, and the log-probabilities. The
    beginning token takes the place of each chunk's first token, and the text comes
    after the first of them."""
    rows = []
    for chunk in range(CHUNKS):
        start = chunk * CONTEXT
        tokens = text[start:start + CONTEXT - 1] if has_bos else text[start:start + CONTEXT]
        ids, _ = log_probabilities(runner, package, tokens)
        assert len(ids) == CONTEXT, "a letter is a token"
        for position in range(CONTEXT // 2, CONTEXT - 1):
            prompt = tokens[:position + (0 if has_bos else 1)]
            prefix, logs = log_probabilities(runner, package, prompt)
            assert prefix == ids[:position + 1]
            rows.append((ids[position + 1], logs))
    return rows


def expect_close(found, expected, what, tolerance=1e-4):
    assert abs(found - expected) <= tolerance * max(1e-3, abs(expected)), \
        f"{what}: expected {expected}, found {found}"


def perplexity(rows):
    return math.exp(-statistics.fmean(logs[token] for token, logs in rows))


def divergences(reference, rows):
    return [sum(math.exp(p) * (p - q) for p, q in zip(logs, others))
            for (_, logs), (_, others) in zip(reference, rows)]


def evaluate(tool, package, text, *options):
    done = subprocess.run([tool, package, "--text", text, "-c", str(CONTEXT), "--json",
                           *options], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    assert done.stderr == b"", "progress is for terminals"
    return json.loads(done.stdout)


def check_eval(compiler, runner, tool, folder, has_bos):
    options = ["--add-bos"] if has_bos else []
    package = make_package(compiler, folder, f"model-{has_bos}", *options)
    other = make_package(compiler, folder, f"reference-{has_bos}", "--seed", "2", *options)
    count = CONTEXT * CHUNKS + 3  # What is left over must not count.
    letters = "".join(random.Random(3).choices(LETTERS, k=count))
    text = folder / "text"
    text.write_text(letters + "\n")

    rows = expected_rows(runner, package, letters, has_bos)
    reference = expected_rows(runner, other, letters, has_bos)
    kl = divergences(reference, rows)
    scored = CONTEXT - 1 - CONTEXT // 2

    scores = folder / "scores"
    full = evaluate(tool, package, text, "--reference", other, "--save-scores", scores)
    assert full["chunks"] == len(full["per_chunk"]) == CHUNKS
    assert full["scored"] == len(rows) == CHUNKS * scored
    expect_close(full["perplexity"], perplexity(rows), "perplexity")
    expect_close(full["reference_perplexity"], perplexity(reference), "reference")
    expect_close(full["mean_kl"], statistics.fmean(kl), "mean KL")
    expect_close(full["mean_kl_error"], statistics.stdev(kl) / math.sqrt(len(kl)),
                 "error of the mean KL")
    expect_close(full["median_kl"], statistics.median(kl), "median KL")
    expect_close(full["max_kl"], max(kl), "largest KL")
    agreements = [a.index(max(a)) == b.index(max(b))
                  for (_, a), (_, b) in zip(rows, reference)]
    expect_close(full["top1_agreement"], statistics.fmean(agreements), "agreement")
    assert full["kl_is_lower_bound"] is False
    for chunk, found in enumerate(full["per_chunk"]):
        own = slice(chunk * scored, (chunk + 1) * scored)
        expect_close(found["perplexity"], perplexity(rows[own]), f"chunk {chunk}")
        expect_close(found["mean_kl"], statistics.fmean(kl[own]), f"chunk {chunk}")

    table = list(csv.DictReader(io.StringIO(scores.read_text())))
    assert [(int(line["chunk"]), int(line["position"])) for line in table] == \
        [(chunk, CONTEXT - scored + i) for chunk in range(CHUNKS) for i in range(scored)]
    for line, divergence, agrees, (token, logs), (_, others) in zip(
            table, kl, agreements, rows, reference):
        expect_close(float(line["neg_log"]), -logs[token], "score")
        expect_close(float(line["reference_neg_log"]), -others[token], "reference's score")
        expect_close(float(line["divergence"]), divergence, "score's KL")
        assert int(line["agrees"]) == agrees
    evaluate(tool, package, text, "--save-scores", scores)
    plain = list(csv.DictReader(io.StringIO(scores.read_text())))
    names = ["chunk", "position", "neg_log"]
    assert plain == [{name: line[name] for name in names} for line in table]

    # A base of all tokens is a reference; one of a few gives a lower bound.
    base = folder / "base"
    for top in ("999999", "20"):
        saved = evaluate(tool, other, text, "--save-base", base, "--base-top", top)
        assert saved["perplexity"] == full["reference_perplexity"]
        sparse = evaluate(tool, package, text, "--base", base)
        assert sparse["kl_is_lower_bound"] is True
        expect_close(sparse["reference_perplexity"], full["reference_perplexity"], "base")
        assert sparse["top1_agreement"] == full["top1_agreement"]
        if top == "20":
            assert 0 < sparse["mean_kl"] < full["mean_kl"]
        else:
            expect_close(sparse["mean_kl"], full["mean_kl"], "KL against a base")

    first = evaluate(tool, package, text, "--base", base, "--chunks", "1")
    assert first["per_chunk"] == sparse["per_chunk"][:1]
    return package, text, base


def check_errors(tool, package, text, base):
    folder = package.parent
    (folder / "other-text").write_text("z" * 100)
    damaged = bytearray(base.read_bytes())
    damaged[100] ^= 1
    (folder / "damaged").write_bytes(damaged)
    before = sorted(folder.iterdir())
    for options, message in (
            ([], "--text is required"),
            (["--text", folder / "none", "-c", "8"], "none: No such file or directory"),
            (["--text", text, "-c", "64"], "expected at least 64 tokens"),
            (["--text", text, "-c", "8", "--base", folder / "damaged"], "is damaged"),
            (["--text", text, "-c", "4", "--base", base], "expected chunks of"),
            (["--text", folder / "other-text", "-c", "8", "--base", base],
             "found those of another text"),
            (["--text", text, "-c", "8", "--save-base", folder / "none/base"],
             "cannot create a file there"),
            (["--text", text, "-c", "8", "--save-scores", folder / "none/scores"],
             "cannot create a file there"),
            (["--text", text, "-c", "8", "--reference", text],
             "header: expected a package")):
        done = subprocess.run([tool, package, *options], capture_output=True, text=True)
        assert done.returncode == 1 and done.stdout == "", done
        assert done.stderr.startswith("umber-eval: error: "), done.stderr
        assert done.stderr.count("\n") == 1 and message in done.stderr, done.stderr
    assert sorted(folder.iterdir()) == before, "a failure leaves no file"


def check_bench(tool, package):
    command = [tool, package, "-p", "4,8", "-n", "3", "-t", "1,2", "-r", "3",
               "--sessions", "1,4"]

    def run(output):
        return subprocess.run([*command, "-o", output], check=True, capture_output=True,
                              text=True).stdout

    rows = json.loads(run("json"))
    assert [(r["n_threads"], r["n_prompt"], r["n_gen"], r["n_sessions"]) for r in rows] \
        == [(t, *row) for t in (1, 2)
            for row in ((4, 0, 1), (8, 0, 1), (0, 3, 1), (0, 3, 4))]
    for row in rows:
        assert row["model_filename"] == str(package) and row["model_size"] > 0
        speeds = row["samples_ts"]
        assert len(speeds) == 3 and min(speeds) > 0
        expect_close(row["avg_ts"], statistics.fmean(speeds), "mean")
        expect_close(row["stddev_ts"], statistics.stdev(speeds), "deviation")
        expect_close(row["avg_ns"], statistics.fmean(row["samples_ns"]), "mean")
        tokens = (row["n_prompt"] + row["n_gen"]) * row["n_sessions"]
        expect_close(speeds[0], tokens * 1e9 / row["samples_ns"][0], "speed")
    table = list(csv.DictReader(io.StringIO(run("csv"))))
    for column in ("n_prompt", "n_sessions"):
        assert [int(row[column]) for row in table] == [r[column] for r in rows]
    lines = run("md").splitlines()
    assert [line.split(" | ")[5] for line in lines[2:]] == \
        ["pp4", "pp8", "tg3", "tg3 x4"] * 2


def check_depth(tool, package):
    """The context before a test is no part of it."""
    rows = json.loads(subprocess.run(
        [tool, package, "-p", "4", "-n", "3", "-d", "0,20", "-r", "2", "-o", "json"],
        check=True, stdout=subprocess.PIPE).stdout)
    assert [(r["n_depth"], r["n_prompt"]) for r in rows] == [(0, 4), (0, 0), (20, 4), (20, 0)]
    for row in rows:
        speeds = [(row["n_prompt"] + row["n_gen"]) * 1e9 / ns for ns in row["samples_ns"]]
        assert len(speeds) == 2
        expect_close(row["avg_ts"], statistics.fmean(speeds), "speed")


def check_work(test):
    """What the small model reads and computes, from its shape; max-tokens is 8."""
    hidden, heads, kv_heads, head_dim, ffn, layers, vocab = 40, 5, 1, 8, 52, 2, 268
    linear = layers * hidden * ((2 * heads + 2 * kv_heads) * head_dim + 3 * ffn)
    total, depth, sessions = test["roofline"]["total"], test["n_depth"], test["n_sessions"]
    tokens = test["n_prompt"] + test["n_gen"]
    looks = sessions * sum(range(depth + 1, depth + tokens + 1))
    ends = range(depth + 8, depth + tokens + 1, 8) if test["n_prompt"] \
        else range(depth + 1, depth + tokens + 1)
    outputs = sessions * test["n_gen"] or 1
    # Sessions beyond the width of a step take another pass over the weights.
    passes = -(-sessions // 8)
    assert total["integer_ops"] == 0, "16-bit weights take floating-point inputs"
    assert total["float_ops"] == 2 * linear * tokens * sessions + 2 * hidden * vocab * outputs \
        + 4 * layers * heads * head_dim * looks, total
    assert total["cache_bytes"] == test["cache_bytes_per_token"] * sum(ends) * sessions, total
    # 16-bit matrices of whole panels; the embedding is the head's.
    stored = [(heads * head_dim, hidden), *[(kv_heads * head_dim, hidden)] * 2,
              (hidden, heads * head_dim), *[(ffn, hidden)] * 2, (hidden, ffn)]
    sizes = [2 * -(-rows // 32) * 32 * columns for rows, columns in [*stored, (vocab, hidden)]]
    heads_run = passes * test["n_gen"] or 1
    assert total["weight_bytes"] == \
        layers * sum(sizes[:-1]) * len(ends) * passes + sizes[-1] * heads_run, total


def check_roofline(tool, package):
    def run(*options):
        return subprocess.run([tool, package, "--roofline", "-r", "3", *options], check=True,
                              capture_output=True, text=True).stdout

    shape = ["-p", "16", "-n", "3", "-d", "0,20", "-t", "1,2", "--sessions", "1,3,10"]
    tests = json.loads(run(*shape, "-o", "json"))
    shapes = [tuple(t[f"n_{field}"] for field in ("threads", "depth", "prompt", "gen", "sessions"))
              for t in tests]
    assert shapes == [(t, d, p, n, s) for t in (1, 2) for d in (0, 20)
                      for p, n, s in ((16, 0, 1), (0, 3, 1), (0, 3, 3), (0, 3, 10))]
    for test in tests:
        roofline = test["roofline"]
        memory, integers, floats = (
            roofline[f"{what}_per_second"] for what in ("memory_bytes", "integer_ops", "float_ops"))
        assert memory > 0, roofline
        # Nothing measures the peak of AMX's tiles.
        known = test["isa"] != "x86-64-v4-amx"
        assert (integers > 0) == (floats > 0) == known, roofline
        kernels, total = roofline["kernels"], roofline["total"]
        programs = {kernel["program"] for kernel in kernels}
        if test["n_prompt"]:
            assert programs == {"prefill"}, programs
        elif test["n_sessions"] == 1:
            assert programs == {"decode"}, programs
        for field in ("calls", "weight_bytes", "cache_bytes", "integer_ops", "float_ops"):
            assert total[field] == sum(k[field] for k in kernels), field
        expect_close(total["ns"], statistics.median(test["samples_ns"]), "median")
        assert sum(kernel["ns"] for kernel in kernels) <= total["ns"]
        read = total["weight_bytes"] + total["cache_bytes"]
        expect_close(roofline["memory_share"], read * 1e9 / total["ns"] / memory, "share")
        for kernel in [*kernels, total]:
            bounds = {"memory": (kernel["weight_bytes"] + kernel["cache_bytes"]) / memory,
                      "arithmetic": kernel["integer_ops"] / integers
                      + kernel["float_ops"] / floats if known else 0}
            name = max(bounds, key=bounds.get)
            expect_close(kernel["bound_ns"], 1e9 * bounds[name], kernel["kernel"])
            expect_close(kernel["bound_share"], kernel["bound_ns"] / kernel["ns"], "share")
            assert kernel["bound"] == (name if bounds[name] else ""), kernel
        check_work(test)

    lines = list(csv.DictReader(io.StringIO(run(*shape, "-o", "csv"))))
    found = [(int(line["n_threads"]), line["program"], line["kernel"]) for line in lines]
    expected = [(test["n_threads"], kernel["program"], kernel["kernel"]) for test in tests
                for kernel in [*test["roofline"]["kernels"], test["roofline"]["total"]]]
    assert sorted(found) == sorted(expected), found
    text = run(*shape, "-o", "md")
    assert text.count("| total |") == len(tests) and "% of the memory's bandwidth" in text

    done = subprocess.run([tool, package, "--roofline", "--device", "null"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == "", done
    assert done.stderr == "umber-bench: error: the device null does not measure its kernels\n"


def main(compiler, runner, eval_tool, bench_tool):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for has_bos in (True, False):
            package, text, base = check_eval(compiler, runner, eval_tool, folder, has_bos)
        check_errors(eval_tool, package, text, base)
        check_bench(bench_tool, package)
        check_depth(bench_tool, package)
        check_roofline(bench_tool, package)


if __name__ == "__main__":
    main(*sys.argv[1:])
