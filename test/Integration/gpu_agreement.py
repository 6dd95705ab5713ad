#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether a GPU answers as the CPU does: the golden prompts and a long one, decoded
greedily on the CPU, and then with the same tokens on the GPU.

    gpu_agreement.py record LIBUMBER PACKAGE OUT.json [LONG]
    gpu_agreement.py check LIBUMBER PACKAGE DEVICE IN.json TOLERANCE

What was recorded can be checked on another machine, by a package of the same model and
options with code for the device. TOLERANCE is in logits. Of each step's 32 best logits the
root mean square of the differences must be below it, and the best token the same, unless
the CPU chose it by less than twice that. LONG is the length of the long prompt, in tokens, if the model's
context has room for it.
"""

import ctypes as c
import json
import math
import pathlib
import random
import sys
import time

GOLDEN = pathlib.Path(__file__).parent / "golden" / "smollm2-135m-greedy.json"
STEPS, BEST = 32, 32


class Error(c.Structure):
    _fields_ = [("message", c.c_char * 512)]


class ModelOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("threads", c.c_int32), ("device", c.c_char_p),
                ("isa", c.c_char_p), ("weights", c.c_int32), ("adapter_cache_bytes", c.c_uint64),
                ("adapter_bits", c.c_int32)]


class ModelInfo(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("name", c.c_char_p), ("arch", c.c_char_p),
                ("device", c.c_char_p), ("isa", c.c_char_p), ("threads", c.c_int32),
                ("layers", c.c_int32), ("vocab", c.c_int32), ("context_length", c.c_int32),
                ("bos", c.c_int32), ("eos", c.c_int32), ("max_batch", c.c_int32),
                ("body_bits", c.c_float), ("parameter_count", c.c_uint64),
                ("weight_bytes", c.c_uint64), ("cache_bytes_per_token", c.c_uint64),
                ("identity", c.c_uint64)]


class SessionOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("context", c.c_int32)]


class Model:
    """A package on a device."""

    def __init__(self, library, package, device, adapter_bits=0):
        self.library = c.CDLL(str(library))
        self.handle = c.c_void_p()
        options = ModelOptions(c.sizeof(ModelOptions), 0, device.encode(), None, 0, 1 << 28,
                               adapter_bits)
        self.call("umber_model_load", str(package).encode(), c.byref(options),
                  c.byref(self.handle))
        info = ModelInfo(c.sizeof(ModelInfo))
        self.call("umber_model_get_info", self.handle, c.byref(info))
        self.vocab, self.context = info.vocab, info.context_length

    def call(self, name, *arguments):
        error = Error()
        if getattr(self.library, name)(*arguments, c.byref(error)) != 0:
            sys.exit(f"gpu_agreement.py: error: {name}: {error.message.decode()}")

    def open(self, context):
        session = c.c_void_p()
        options = SessionOptions(c.sizeof(SessionOptions), context)
        self.call("umber_session_create", self.handle, c.byref(options), c.byref(session))
        return session

    def close(self, session):
        self.library.umber_session_destroy(session)

    def load_adapter(self, path):
        adapter = c.c_void_p()
        self.call("umber_adapter_load", self.handle, str(path).encode(), c.byref(adapter))
        return adapter

    def set_adapters(self, session, adapters):
        handles = (c.c_void_p * len(adapters))(*adapters)
        scales = (c.c_float * len(adapters))(*(1.0 for _ in adapters))
        self.call("umber_session_set_adapters", session, handles, scales,
                  c.c_size_t(len(adapters)))

    def step(self, session, ids):
        """The logits behind the last of these tokens."""
        row = c.POINTER(c.c_float)()
        if len(ids) == 1:
            self.call("umber_decode", session, c.c_int32(ids[0]), c.byref(row))
        else:
            array = (c.c_int32 * len(ids))(*ids)
            self.call("umber_prefill", session, array, c.c_size_t(len(ids)), c.byref(row))
        return row[:self.vocab]


def prompts(model, long):
    vocab = model.vocab
    if vocab > 40000:  # the model whose tokens they are
        for case in json.loads(GOLDEN.read_text()):
            yield case["prompt_ids"]
    generator = random.Random(1)
    for length in (7, min(long, model.context - STEPS)):
        yield [generator.randrange(vocab) for _ in range(length)]


def record(library, package, out, long=300):
    model = Model(library, package, "cpu")
    cases = []
    for ids in prompts(model, int(long)):
        session = model.open(len(ids) + STEPS)
        logits, steps = model.step(session, ids), []
        for step in range(STEPS):
            best = sorted(range(model.vocab), key=logits.__getitem__, reverse=True)[:BEST]
            steps.append({"ids": best, "logits": [logits[i] for i in best]})
            if step + 1 < STEPS:
                logits = model.step(session, [best[0]])
        model.close(session)
        cases.append({"prompt": ids, "steps": steps})
    pathlib.Path(out).write_text(json.dumps(cases))


def check(library, package, device, recorded, tolerance):
    tolerance = float(tolerance)
    model = Model(library, package, device)
    worst, different, close, total, seconds, tokens = 0.0, 0, 0, 0, 0.0, 0
    failures = []
    for number, case in enumerate(json.loads(pathlib.Path(recorded).read_text())):
        session = model.open(len(case["prompt"]) + STEPS)
        logits = model.step(session, case["prompt"])
        for step, expected in enumerate(case["steps"]):
            where = f"prompt {number}, step {step}"
            total += 1
            squares = [(logits[i] - value) ** 2
                       for i, value in zip(expected["ids"], expected["logits"])]
            error = math.sqrt(sum(squares) / len(squares))
            if not error <= tolerance:  # NaN is not
                failures.append(f"{where}: logits differ by {error:.3g}")
            worst = max(worst, error)
            margin = expected["logits"][0] - expected["logits"][1]
            best = max(range(model.vocab), key=logits.__getitem__)
            if best != expected["ids"][0]:
                different += 1
                close += margin < 2 * tolerance
                if margin >= 2 * tolerance:
                    failures.append(f"{where}: token {best}, expected {expected['ids'][0]} "
                                    f"(margin {margin:.3g})")
            if step + 1 < len(case["steps"]):
                begin = time.monotonic()
                logits = model.step(session, [expected["ids"][0]])
                seconds, tokens = seconds + time.monotonic() - begin, tokens + 1
        model.close(session)
    print(f"{device}: {total} steps, largest difference of logits {worst:.3g}, {different} other "
          f"tokens ({close} of them close calls), {tokens / seconds:.1f} tokens/s")
    for failure in failures[:10]:
        print(failure)
    if failures:
        sys.exit(f"gpu_agreement.py: error: {len(failures)} differences")


if __name__ == "__main__":
    mode = {"record": record, "check": check}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if not mode:
        sys.exit(__doc__)
    mode(*sys.argv[2:])
