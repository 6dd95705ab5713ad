#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a small random language model as GGUF: every size can be chosen, so that
tests run on shapes that no real model has.

    make_model.py OUT.gguf [--arch llama] [--hidden 40] [--heads 5] ...
"""

import argparse
import json
import math
import pathlib
import random
import struct
import sys

from gguf_writer import GGUF, TYPE_F16, TYPE_F32, TYPE_Q8_0

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system'"
    " %}{{ '<|im_start|>system\nYou are a test.<|im_end|>\n' }}{% endif %}{{'<|im_start"
    "|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}")


def parse(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--arch", default="llama", choices=["llama", "qwen2", "qwen3"])
    for name, value in (("hidden", 40), ("layers", 2), ("heads", 5), ("kv-heads", 1),
                        ("head-dim", 8), ("ffn", 52), ("context", 128), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--rope-dims", type=int)
    parser.add_argument("--rope-scaling", choices=["linear", "yarn"])
    parser.add_argument("--rope-factors", action="store_true")
    parser.add_argument("--untied", action="store_true")
    parser.add_argument("--add-bos", action="store_true",
                        help="texts begin with a token of their own")
    parser.add_argument("--sentencepiece", type=pathlib.Path, metavar="JSON",
                        help="the vocabulary, as test/Unit/Text/sentencepiece.json has it")
    parser.add_argument("--vocab", type=int, default=0,
                        help="fill the vocabulary up to so many tokens")
    parser.add_argument("--distinct", type=int, metavar="ROWS",
                        help="so many rows of the vocabulary's matrices, again and again")
    parser.add_argument("--bias", action="store_true")
    parser.add_argument("--type", default="F32", choices=["F32", "F16", "Q8_0"])
    parser.add_argument("--scale", type=float, default=1.0,
                        help="multiplies all weights")
    parser.add_argument("--fill", action="append", default=[], metavar="TENSOR=NUMBER",
                        help="all elements of a matrix")
    parser.add_argument("--poke", action="append", default=[], metavar="TENSOR=NUMBER",
                        help="the element of a matrix in row 1, column 2")
    return parser.parse_args(argv)


def byte_alphabet():
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = iter(range(0x100, 0x200))
    return [chr(b if b in own else next(rest)) for b in range(256)]


def add_tokenizer(model, add_bos, size):
    """All bytes, a few merges, ChatML's special tokens, and up to `size` tokens unused
    ones."""
    letters = byte_alphabet()
    space = letters[32]
    merges = ["t h", "th e", f"{space} the", "i n", "a n", "an d", f"{space} a",
              "e r", f"{space} i"]
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = specials + letters + [merge.replace(" ", "") for merge in merges]
    types = [3] * len(specials) + [1] * (len(tokens) - len(specials))
    unused = range(len(tokens), size)
    tokens += [f"<unused{i}>" for i in unused]
    types += [5] * len(unused)
    model.text("tokenizer.ggml.model", "gpt2")
    model.text("tokenizer.ggml.pre", "smollm")
    model.strings("tokenizer.ggml.tokens", tokens)
    model.ints("tokenizer.ggml.token_type", types)
    model.strings("tokenizer.ggml.merges", merges)
    model.u32("tokenizer.ggml.bos_token_id", 1)
    model.u32("tokenizer.ggml.eos_token_id", 2)
    model.bool("tokenizer.ggml.add_bos_token", add_bos)
    model.text("tokenizer.chat_template", CHATML)
    return len(tokens)


def add_sentencepiece(model, path):
    """The pieces in a JSON file; no merges, and no flags, as in models of that time."""
    vocabulary = json.loads(path.read_text(encoding="utf-8"))
    model.text("tokenizer.ggml.model", "llama")
    model.strings("tokenizer.ggml.tokens", vocabulary["pieces"])
    model.floats("tokenizer.ggml.scores", vocabulary["scores"])
    model.ints("tokenizer.ggml.token_type", vocabulary["types"])
    model.u32("tokenizer.ggml.unknown_token_id", 0)
    model.u32("tokenizer.ggml.bos_token_id", 1)
    model.u32("tokenizer.ggml.eos_token_id", 2)
    return len(vocabulary["pieces"])


def encode(kind, values, columns):
    if kind == "F32":
        return TYPE_F32, struct.pack(f"<{len(values)}f", *values)
    if kind == "F16":
        return TYPE_F16, struct.pack(f"<{len(values)}e", *values)
    if columns % 32:
        return encode("F16", values, columns)
    out = b""
    for at in range(0, len(values), 32):
        block = values[at:at + 32]
        scale = max(map(abs, block)) / 127 or 1.0
        out += struct.pack("<e32b", scale, *(round(v / scale) for v in block))
    return TYPE_Q8_0, out


def build(args):
    rng = random.Random(args.seed)
    model = GGUF()
    model.text("general.architecture", args.arch)
    model.text("general.name", "test model")
    for name, value in (("block_count", args.layers), ("embedding_length", args.hidden),
                        ("attention.head_count", args.heads),
                        ("attention.head_count_kv", args.kv_heads),
                        ("attention.key_length", args.head_dim),
                        ("attention.value_length", args.head_dim),
                        ("feed_forward_length", args.ffn),
                        ("context_length", args.context)):
        model.u32(f"{args.arch}.{name}", value)
    model.f32(f"{args.arch}.attention.layer_norm_rms_epsilon", 1e-5)
    model.f32(f"{args.arch}.rope.freq_base", 10000.0)
    dims = args.rope_dims or args.head_dim
    model.u32(f"{args.arch}.rope.dimension_count", dims)
    if args.rope_scaling:
        model.text(f"{args.arch}.rope.scaling.type", args.rope_scaling)
        model.f32(f"{args.arch}.rope.scaling.factor", 4.0)
        model.u32(f"{args.arch}.rope.scaling.original_context_length", 32)
    if args.sentencepiece:
        vocab = add_sentencepiece(model, args.sentencepiece)
    else:
        vocab = add_tokenizer(model, args.add_bos, args.vocab)

    fill, poke = ({name: float(number) for name, number in
                   (text.split("=") for text in texts)}
                  for texts in (args.fill, args.poke))

    def matrix(name, rows, columns, distinct=None):
        spread = args.scale / math.sqrt(columns)
        values = [rng.gauss(0, spread) for _ in range((distinct or rows) * columns)]
        if name in fill:
            values = [fill.pop(name)] * len(values)
        if name in poke:
            values[columns + 2] = poke.pop(name)
        values = (values * -(-rows * columns // len(values)))[:rows * columns]
        kind, data = encode(args.type, values, columns)
        model.tensor(name, kind, [rows, columns], data)

    def vector(name, size, center):
        data = struct.pack(f"<{size}f", *(rng.gauss(center, 0.1) for _ in range(size)))
        model.tensor(name, TYPE_F32, [size], data)

    matrix("token_embd.weight", vocab, args.hidden, args.distinct)
    vector("output_norm.weight", args.hidden, 1)
    if args.untied:
        matrix("output.weight", vocab, args.hidden, args.distinct)
    if args.rope_factors:
        vector("rope_freqs.weight", dims // 2, 2)
    queries, keys = args.heads * args.head_dim, args.kv_heads * args.head_dim
    for layer in range(args.layers):
        blk = f"blk.{layer}."
        vector(blk + "attn_norm.weight", args.hidden, 1)
        for part, rows in (("q", queries), ("k", keys), ("v", keys)):
            matrix(f"{blk}attn_{part}.weight", rows, args.hidden)
            if args.bias or args.arch == "qwen2":
                vector(f"{blk}attn_{part}.bias", rows, 0)
        if args.arch == "qwen3":
            vector(blk + "attn_q_norm.weight", args.head_dim, 1)
            vector(blk + "attn_k_norm.weight", args.head_dim, 1)
        matrix(blk + "attn_output.weight", args.hidden, queries)
        vector(blk + "ffn_norm.weight", args.hidden, 1)
        matrix(blk + "ffn_gate.weight", args.ffn, args.hidden)
        matrix(blk + "ffn_up.weight", args.ffn, args.hidden)
        matrix(blk + "ffn_down.weight", args.hidden, args.ffn)
    if fill or poke:
        sys.exit(f"no such matrix: {[*fill, *poke]}")
    return model


def main():
    args = parse(sys.argv[1:])
    with open(args.out, "wb") as file:
        file.write(build(args).build())


if __name__ == "__main__":
    main()
