# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running llama-bench and umber-bench, which print the same JSON."""

import json
import subprocess
from pathlib import Path

from measuring import Failure


def results(command):
    """Runs a benchmark that prints llama-bench's JSON, and returns its entries."""
    program = Path(command[0]).name
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"cannot run {command[0]}: {error}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Failure(f"{program} ended with {done.returncode}: {last}")
    try:
        entries = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise Failure(f"{program} did not print JSON: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise Failure(f"{program} did not print a JSON array of objects")
    return entries


def speed_of(entries, program, prompt, gen, threads, depth):
    """The tokens per second of the one entry with this shape."""
    wanted = (prompt, gen, threads, depth)
    fields = ["n_prompt", "n_gen", "n_threads", "n_depth"]
    hits = [e for e in entries if tuple(e.get(f) for f in fields) == wanted]
    if len(hits) != 1:
        raise Failure(
            f"{program} printed {len(hits)} results for n_prompt={prompt} "
            f"n_gen={gen} n_threads={threads} n_depth={depth}, expected 1"
        )
    speed = hits[0].get("avg_ts")
    if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not speed > 0:
        test = f"pp{prompt}" if prompt else f"tg{gen}"
        raise Failure(f"{program}: avg_ts of {test} is {speed!r}, expected a number above 0")
    return speed
