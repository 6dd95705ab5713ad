#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a small random adapter, as PEFT's folder or as a GGUF file.

    make_adapter.py OUT [--form peft|gguf] [--layers N] [--hidden N] [--heads N]
                    [--kv-heads N] [--head-dim N] [--ffn N] [--rank N] [--alpha A]
                    [--rslora] [--arch A] [--dtype F32|F16|BF16] [--modules q,k,…] [--size S] [--seed N]

The shapes' defaults are make_model.py's.
"""

import argparse
import json
import pathlib
import random
import struct
import sys

from gguf_writer import GGUF, TYPE_F16, TYPE_F32

TYPE_BF16 = 30
GGML_TYPES = {"F32": TYPE_F32, "F16": TYPE_F16, "BF16": TYPE_BF16}

# name: PEFT's module, GGUF's tensor
MODULES = {
    "q": ("self_attn.q_proj", "attn_q"), "k": ("self_attn.k_proj", "attn_k"),
    "v": ("self_attn.v_proj", "attn_v"), "o": ("self_attn.o_proj", "attn_output"),
    "gate": ("mlp.gate_proj", "ffn_gate"), "up": ("mlp.up_proj", "ffn_up"),
    "down": ("mlp.down_proj", "ffn_down"),
}


def pack(values, dtype):
    if dtype == "F32":
        return struct.pack(f"<{len(values)}f", *values)
    if dtype == "F16":
        return struct.pack(f"<{len(values)}e", *values)
    # Cut off, not rounded: the values are random anyway.
    return b"".join(struct.pack("<f", value)[2:] for value in values)


def make(args):
    """Yields (module, tensor, A's shape and bytes, B's shape and bytes)."""
    rng = random.Random(args.seed)
    query, kv = args.heads * args.head_dim, args.kv_heads * args.head_dim
    shapes = {  # outputs, inputs
        "q": (query, args.hidden), "k": (kv, args.hidden), "v": (kv, args.hidden),
        "o": (args.hidden, query), "gate": (args.ffn, args.hidden),
        "up": (args.ffn, args.hidden), "down": (args.hidden, args.ffn)}

    def matrix(rows, columns):
        values = [rng.gauss(0, args.size) for _ in range(rows * columns)]
        return (rows, columns), pack(values, args.dtype)

    for layer in range(args.layers):
        for name in args.modules.split(","):
            module, tensor = MODULES[name]
            outputs, inputs = shapes[name]
            yield (f"model.layers.{layer}.{module}", f"blk.{layer}.{tensor}",
                   matrix(args.rank, inputs), matrix(outputs, args.rank))


def safetensors(tensors):
    """A file from (name, dtype, shape, bytes)."""
    header, place = {"__metadata__": {"format": "pt"}}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": list(shape),
                        "data_offsets": [place, place + len(data)]}
        place += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for *_, data in tensors)


def write_peft(args):
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "peft_type": "LORA", "base_model_name_or_path": "umber/tiny", "task_type": "CAUSAL_LM",
        "r": args.rank, "lora_alpha": args.alpha, "use_rslora": args.rslora, "bias": "none",
        "target_modules": [MODULES[name][0].split(".")[1] for name in args.modules.split(",")],
        "lora_dropout": 0.0, "fan_in_fan_out": False, "modules_to_save": None, "use_dora": False,
        "rank_pattern": {}, "alpha_pattern": {}, "layers_to_transform": None}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2))
    tensors = []
    for module, _, *pair in make(args):
        for letter, (shape, data) in zip("AB", pair):
            tensors.append((f"base_model.model.{module}.lora_{letter}.weight", args.dtype,
                            shape, data))
    (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))


def write_gguf(args):
    file = GGUF()
    file.text("general.architecture", args.arch)
    file.text("general.type", "adapter")
    file.text("adapter.type", "lora")
    file.f32("adapter.lora.alpha", args.alpha)
    file.text("general.name", "a random adapter")
    file.text("general.base_model.0.name", "umber/tiny")
    for _, tensor, *pair in make(args):
        for letter, (shape, data) in zip("ab", pair):
            file.tensor(f"{tensor}.weight.lora_{letter}", GGML_TYPES[args.dtype], shape, data)
    pathlib.Path(args.out).write_bytes(file.build())


def parse(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--form", choices=("peft", "gguf"), default="peft")
    parser.add_argument("--arch", default="llama")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=40)
    parser.add_argument("--heads", type=int, default=5)
    parser.add_argument("--kv-heads", type=int, default=1)
    parser.add_argument("--head-dim", type=int, default=8)
    parser.add_argument("--ffn", type=int, default=52)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--alpha", type=float, default=8)
    parser.add_argument("--rslora", action="store_true")
    parser.add_argument("--dtype", choices=tuple(GGML_TYPES), default="F32")
    parser.add_argument("--modules", default=",".join(MODULES))
    parser.add_argument("--size", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def write(args):
    (write_peft if args.form == "peft" else write_gguf)(args)


def main():
    write(parse(sys.argv[1:]))


if __name__ == "__main__":
    main()
