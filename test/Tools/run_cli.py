#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What umber-run prints, writes and refuses.

    run_cli.py FOLDER
"""

import json
import pathlib
import struct
import subprocess
import sys

TIMINGS = ["load_ms", "prompt_n", "prompt_ms", "prompt_per_second", "predicted_n",
           "predicted_ms", "predicted_per_second"]


TESTS = pathlib.Path(__file__).parent.parent


class Runner:
    def __init__(self, package):
        self.package = str(package)

    def run(self, *args, stdin=b"", stdout=subprocess.PIPE):
        return subprocess.run(["umber-run", *args], input=stdin, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=120)

    def json(self, *args):
        done = self.run(self.package, "--json", *args)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout.decode("utf-8"))  # strictly
        assert list(result) == ["prompt_ids", "ids", "text", "stop_reason", "timings"], result
        assert list(result["timings"]) == TIMINGS, result
        assert result["timings"]["prompt_n"] == len(result["prompt_ids"])
        assert result["timings"]["predicted_n"] == len(result["ids"])
        return result

    def refuse(self, words, *args, **how):
        done = self.run(*args, **how)
        lines = done.stderr.decode(errors="replace").splitlines()
        assert done.returncode == 1, f"{args}: status {done.returncode}"
        assert len(lines) == 1, f"{args}: {lines}"
        assert lines[0].startswith("umber-run: error: ") and words in lines[0], lines[0]
        assert not done.stdout, f"{args}: printed {done.stdout!r}"


def make_package(folder, *options):
    folder.mkdir(parents=True, exist_ok=True)
    gguf, package = folder / "m.gguf", folder / "m.umb"
    subprocess.run([sys.executable, TESTS / "tools" / "make_model.py", gguf, *options],
                   check=True)
    subprocess.run(["umber-compile", gguf, "--max-tokens=8", "-o", package], check=True,
                   stderr=subprocess.DEVNULL)
    return package


def check_generation(runner):
    greedy = ["--raw", "-p", "the cat and", "--temp", "0"]
    base = runner.json(*greedy, "-n", "6", "--ignore-eos")
    assert len(base["ids"]) == 6 and base["stop_reason"] == "length", base
    for other in (["-t", "1"], ["-t", "3"], ["--seed", "9"], ["-c", "64"]):
        assert runner.json(*greedy, "-n", "6", "--ignore-eos", *other)["ids"] == base["ids"], other
    # Streaming prints the same text and nothing else.
    done = runner.run(runner.package, *greedy, "-n", "6", "--ignore-eos")
    text = done.stdout.decode(errors="replace")
    assert text == base["text"] + "\n", (text, base["text"])
    assert b"tokens/s" in done.stderr

    assert runner.json(*greedy, "-n", "0")["ids"] == []
    room = len(base["prompt_ids"]) + 3
    full = runner.json(*greedy, "--ignore-eos", "-c", str(room))
    # The last token needs no place of its own.
    assert full["stop_reason"] == "context" and len(full["ids"]) == 4, full
    hot = ["--raw", "-p", "the cat and", "--temp", "1", "--top-k", "0", "-n", "12",
           "--ignore-eos"]
    seeded = [runner.json(*hot, "-s", seed)["ids"] for seed in ("1", "1", "2", "3")]
    assert seeded[0] == seeded[1] and seeded[0] not in seeded[2:], seeded

    chat = runner.json("-p", "the cat and", "-n", "2")
    raw = base["prompt_ids"]
    assert len(chat["prompt_ids"]) > len(raw), "expected the chat template around the prompt"
    longer = runner.json("-p", "the cat and", "-n", "2", "--system", "the dog the dog the dog")
    assert longer["prompt_ids"] != chat["prompt_ids"]


def check_files(runner, folder):
    # Invalid UTF-8, a zero byte, and no newline at the end.
    prompt = folder / "prompt.txt"
    prompt.write_bytes(b"a\xff\xfe\x00b\xe2\x82")
    assert runner.json("--raw", "-f", str(prompt), "-n", "3")["prompt_ids"]
    assert runner.json("-f", str(prompt), "-n", "3")["prompt_ids"]

    logits = folder / "logits.f32"
    args = ["--raw", "-p", "the cat and", "--temp", "0", "-n", "1", "--ignore-eos"]
    result = runner.json(*args, "--logits", str(logits))
    values = struct.unpack(f"<{logits.stat().st_size // 4}f", logits.read_bytes())
    assert values.index(max(values)) == result["ids"][0]
    runner.refuse("/no/such/folder/logits: cannot create a file there: No such file", runner.package, *args, "--logits",
                  "/no/such/folder/logits")
    runner.refuse("expected a regular file", runner.package, *args, "--logits", "/dev/null")
    left = sorted(path.name for path in folder.glob("logits*"))
    assert left == ["logits.f32"], left

    empty = folder / "empty.txt"
    empty.write_bytes(b"")
    for raw in ([], ["--raw"]):
        runner.refuse(f"{empty}: the prompt is empty", runner.package, "-f", str(empty), *raw)
        runner.refuse("the prompt is empty", runner.package, "-p", "", *raw)
    with open("/dev/full", "wb") as full:
        done = runner.run(runner.package, *args, stdout=full)
    assert done.returncode == 1, done
    assert b"standard output: No space left on device" in done.stderr, done.stderr


def check_trace(runner, folder):
    path = folder / "trace.json"
    args = [runner.package, "--raw", "-p", "the cat and", "--temp", "0", "--ignore-eos"]
    done = runner.run(*args, "-n", "4", "-t", "2", "--profile", "--profile-trace", str(path))
    assert done.returncode == 0, done.stderr
    table = {tuple(line.split()[:2]): int(line.split()[2])
             for line in done.stderr.decode().splitlines()[2:]}

    trace = json.loads(path.read_text(encoding="utf-8"))
    assert trace["otherData"]["threads"] == 2 and trace["otherData"]["dropped_events"] == 0
    events = trace["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events
             if event["name"] == "thread_name"}
    assert names == {0: "steps", 1: "worker 0", 2: "worker 1"}, names
    spans = [event for event in events if event["ph"] == "X"]
    for track in names:
        end = 0
        for span in (span for span in spans if span["tid"] == track):
            assert span["ts"] >= end - 1e-6 and span["dur"] >= 0, "events of a track overlap"
            end = span["ts"] + span["dur"]
    steps = [span for span in spans if span["tid"] == 0]
    assert [step["name"] for step in steps] == \
        ["prefill", *["sample", "print", "decode"] * 3, "sample", "print"], steps
    # The table's kernels, as often, on both workers; each inside a step.
    for worker in (1, 2):
        counts = {}
        for span in (span for span in spans if span["tid"] == worker):
            key = (span["args"]["program"], span["name"])
            counts[key] = counts.get(key, 0) + 1
            assert span["cat"] == span["args"]["program"]
            name = "prefill" if span["args"]["program"] == "prefill" else "decode"
            assert any(step["ts"] <= span["ts"] + 1e-6 and step["name"] == name
                       and span["ts"] + span["dur"] <= step["ts"] + step["dur"] + 1e-6
                       for step in steps), span
        assert counts == table, (counts, table)
    arguments = [span["args"] for span in spans if span["tid"] == 1]
    assert {args["layer"] for args in arguments} == {-1, 0, 1}
    assert {args["position"] for args in arguments if args["program"] == "decode"} == \
        {tokens + steps[0]["args"]["tokens"] for tokens in range(3)}
    assert sum(args["weight_bytes"] for args in arguments) > 0

    # Chat has one, too; a device that measures nothing has only steps.
    done = runner.run(runner.package, "-n", "2", "--ignore-eos", "--profile-trace", str(path),
                      stdin=b"the\ncat\n")
    assert done.returncode == 0, done.stderr
    steps = [e["name"] for e in json.loads(path.read_text())["traceEvents"] if e["tid"] == 0]
    assert steps.count("prefill") == 2 and steps.count("decode") == 2, steps
    done = runner.run(*args, "-n", "2", "--device", "null", "--profile-trace", str(path))
    assert done.returncode == 0, done.stderr
    tracks = {e["tid"] for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"}
    assert tracks == {0}, tracks

    # Known before the work, and nothing is left.
    for bad, words in (("/no/such/folder/trace", "No such file"), (str(folder), "a directory"),
                       ("/dev/null", "expected a regular file")):
        runner.refuse(f"{bad}: ", *args, "-n", "2", "--profile-trace", bad)
        runner.refuse(words, "/no/such.umb", "-p", "x", "--profile-trace", bad)
    left = sorted(path.name for path in folder.glob("trace*"))
    assert left == ["trace.json"], left


def check_prompts(runner, folder):
    lines = ["the cat and", "a dog", "the cat and the dog sat in the sun and", "b"]
    file = folder / "prompts.txt"
    file.write_text("\n".join([lines[0], "", lines[1] + "\r", *lines[2:]]))
    options = ["-n", "6", "--temp", "0.9", "-s", "3"]
    alone = [runner.json(*options, "-p", line) for line in lines]
    # As bytes, which need not be UTF-8. A newline follows.
    texts = [runner.run(runner.package, *options, "-p", line).stdout for line in lines]
    # As many prompts as sessions, more and fewer, and by default.
    for sessions in (["--sessions", "4"], ["--sessions", "1"], ["--sessions", "3"],
                     ["--sessions", "9"], []):
        done = runner.run(runner.package, "--prompts", str(file), *options, *sessions)
        assert done.returncode == 0, done.stderr
        shown = b"".join(f"=== {i + 1}: {line}\n".encode() + text + b"\n"
                         for i, (line, text) in enumerate(zip(lines, texts)))
        assert done.stdout == shown, (sessions, done.stdout)
        summary = done.stderr.decode()
        at_once = min(4, int(sessions[1]) if sessions else 4)
        assert f" 4 prompts, {at_once} at a time " in summary, summary
    done = runner.run(runner.package, "--prompts", str(file), *options, "--json",
                      "--sessions", "2", "--profile")
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    for key in ("prompt_ids", "ids", "text", "stop_reason"):
        assert [a[key] for a in answers] == [a[key] for a in alone], key
    assert b"attention" in done.stderr
    # Answers end at different steps: by length, and where the context is full.
    longest = max(len(answer["prompt_ids"]) for answer in alone)
    full = ["--temp", "0", "--ignore-eos", "-c", str(longest + 2)]
    alone = [runner.json("-p", line, *full) for line in lines]
    assert len({len(answer["ids"]) for answer in alone}) > 2, alone
    done = runner.run(runner.package, "--prompts", str(file), "--json", "--sessions", "2", *full)
    assert [json.loads(line)["ids"] for line in done.stdout.decode().splitlines()] \
        == [answer["ids"] for answer in alone]

    # What is wrong with one prompt is found before any is answered.
    runner.refuse(f"{file}: line 4: the prompt has {longest} tokens, the context {longest - 1}",
                  runner.package, "--prompts", str(file), "-c", str(longest - 1))
    runner.refuse("/no/file: No such file", runner.package, "--prompts", "/no/file")
    empty = folder / "empty.txt"
    empty.write_bytes(b"\n\r\n")
    runner.refuse(f"{empty}: has no prompts", runner.package, "--prompts", str(empty))
    for other in (["-p", "x"], ["-f", "x"]):
        runner.refuse("-p, -f and --prompts exclude each other", runner.package, "--prompts",
                      str(file), *other)
    for option in ("--logits", "--profile-trace"):
        runner.refuse(f"{option} and --prompts exclude", runner.package, "--prompts", str(file),
                      option, "x")
    runner.refuse("--sessions requires --prompts", runner.package, "-p", "x", "--sessions", "2")
    for bad in ("0", "-1", "1025", "x"):
        runner.refuse("--sessions", runner.package, "--prompts", str(file), "--sessions", bad)


def check_chat(runner):
    args = [runner.package, "-n", "3", "--temp", "0", "--ignore-eos"]
    one = runner.run(*args, stdin=b"the cat\n")
    assert one.returncode == 0, one.stderr
    two = runner.run(*args, stdin=b"the cat\n\nand the dog")
    assert two.returncode == 0, two.stderr
    assert two.stdout.startswith(one.stdout) and len(two.stdout) > len(one.stdout)
    nothing = runner.run(*args)
    assert nothing.returncode == 0 and nothing.stdout == b"", nothing
    # A conversation that outgrows the context ends with an error, not in silence.
    done = runner.run(*args, "-c", "60", stdin=b"the cat and the dog\n" * 9)
    assert done.returncode == 1 and b"context full" in done.stderr, done.stderr


def check_refusals(runner):
    package = runner.package
    prompt = ["-p", "x"]
    runner.refuse("no package given")
    runner.refuse("/no/such.umb: No such file", "/no/such.umb", *prompt)
    runner.refuse("-p, -f and --prompts exclude", package, *prompt, "-f", "y")
    runner.refuse("/no/file: No such file", package, "-f", "/no/file")
    runner.refuse("--raw and --system exclude", package, *prompt, "--raw", "--system", "s")
    for alone in (["--raw"], ["--json"], ["--logits", "x"]):
        runner.refuse(f"{alone[0]} needs a prompt", package, *alone)
    runner.refuse("no device is called gpu; there are: cpu, ", package, *prompt, "--device",
                  "gpu")
    runner.refuse(f"{package}: target cpu: has no code for instruction set z80", package, *prompt,
                  "--isa", "z80")
    runner.refuse("the null device has no instruction sets", package, *prompt, "--device", "null",
                  "--isa", "x86-64-v3")
    runner.refuse("context must be 1 to ", package, *prompt, "-c", "100000000")
    runner.refuse("context full: ", package, "-p", "the cat and the dog", "-c", "2")
    for bad in (["-t", "257"], ["-t", "x"], ["-n", "-2"], ["--temp"], ["--unknown"]):
        runner.refuse("", package, *prompt, *bad)

    devices = runner.run("--list-devices")
    names = [line.split("\t")[0] for line in devices.stdout.decode().splitlines()]
    # Between them those of the build and of this machine.
    assert devices.returncode == 0 and names[0] == "cpu" and names[-1] == "null", devices
    assert runner.json(*prompt, "-n", "2", "--device", "null")["ids"]


def check_sentencepiece(folder):
    """Ids are those of the sentencepiece package, after the model's first token."""
    vocabulary = TESTS / "Unit" / "Text" / "sentencepiece.json"
    runner = Runner(make_package(folder, "--sentencepiece", vocabulary))
    expected = json.loads(vocabulary.read_text(encoding="utf-8"))
    for text, ids in zip(expected["texts"], expected["ids"]):
        if "\0" in text or "<s>" in text or not text:
            continue  # no argument, a control token here, no prompt
        done = runner.json("--raw", "-p", text, "-n", "1")
        assert done["prompt_ids"] == [1, *ids], (text, done, ids)
    runner.refuse("chat", runner.package, "-p", "the", "-n", "1")


def main():
    folder = pathlib.Path(sys.argv[1])
    runner = Runner(make_package(folder))
    check_generation(runner)
    check_files(runner, folder)
    check_trace(runner, folder)
    check_prompts(runner, folder)
    check_chat(runner)
    check_refusals(runner)
    check_sentencepiece(folder / "sentencepiece")


if __name__ == "__main__":
    main()
