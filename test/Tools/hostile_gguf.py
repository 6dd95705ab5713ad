#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Broken GGUF files: umber-compile says what is wrong in one line, and writes
nothing.

    hostile_gguf.py FOLDER
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools"))
import gguf_writer
import make_model
from hostile import Attack


def model(**changes):
    args = make_model.parse(["unused"])
    for name, value in changes.items():
        setattr(args, name, value)
    return make_model.build(args)


def key_value(built, name):
    return next(i for i, (key, _, _) in enumerate(built.keys) if key == name)


def set_u32(name, value):
    built = model()
    built.keys[key_value(built, name)] = (name, gguf_writer.U32, struct.pack("<I", value))
    return built.build()


def change_tensor(which, **changes):
    built = model()
    tensor = next(t for t in built.tensors if t[0] == which)
    for field, value in changes.items():
        tensor[("name", "kind", "shape", "data", "offset").index(field)] = value
    return built.build()


def without_tensor(name):
    built = model()
    built.tensors = [t for t in built.tensors if t[0] != name]
    return built.build()


def with_key(name, kind, value):
    built = model()
    built.key(name, kind, value)
    return built.build()


def header_numbers(attack):
    good = model()
    huge = 2**64 - 1
    attack.run(b"", "empty file")
    attack.run(good.build(magic=b"GGML"), "other magic")
    for count in (huge, 2**63, 2**32, 10**9):
        attack.run(good.build(tensor_count=count), f"{count} tensors", expect="tensor count")
        attack.run(good.build(key_count=count), f"{count} keys", expect="key count")
    for version in (0, 1, 4, 2**24 * 3):
        built = model()
        built.version = version
        attack.run(built.build(), f"version {version}",
                   expect="big-endian" if version > 4 else "version")
    attack.run(with_key("x", gguf_writer.STRING, struct.pack("<Q", huge)), "huge string")
    attack.run(with_key("x", gguf_writer.ARRAY, struct.pack("<IQ", 4, huge)), "huge array")
    attack.run(with_key("x", gguf_writer.ARRAY, struct.pack("<IQ", 9, 1)), "nested array")
    attack.run(with_key("x", 99, b""), "unknown value type", expect="found 99")
    attack.run(with_key("general.name", gguf_writer.STRING, gguf_writer.string("twice")),
               "key twice", expect="found it twice")
    for alignment in (0, 3, 2**31):
        attack.run(with_key("general.alignment", gguf_writer.U32,
                            struct.pack("<I", alignment)),
                   f"alignment {alignment}", expect="general.alignment")


def hyper_parameters(attack):
    for name in ("block_count", "embedding_length", "attention.head_count",
                 "attention.head_count_kv", "attention.key_length", "feed_forward_length",
                 "context_length", "rope.dimension_count"):
        for value in (0, 2**31, 2**32 - 1):
            attack.run(set_u32("llama." + name, value), f"{name} = {value}")
    attack.run(set_u32("llama.attention.head_count_kv", 3), "heads that do not divide")
    attack.run(set_u32("llama.block_count", 3), "a layer more", expect="blk.2.")
    attack.run(set_u32("llama.block_count", 1), "a layer less", expect="blk.1.")
    built = model()
    built.keys[0] = ("general.architecture", gguf_writer.STRING, gguf_writer.string("lama"))
    attack.run(built.build(), "unknown architecture", expect="llama")
    for text in ("lla\nma", "lla\0ma"):
        built = model()
        built.keys[0] = ("general.architecture", gguf_writer.STRING, gguf_writer.string(text))
        attack.run(built.build(), "architecture on two lines", expect="'lla\\0")
    built = model()
    built.text("llama.rope.scaling.type", "lin\near")
    attack.run(built.build(), "scaling on two lines", expect="'lin\\0Aear'")
    attack.run(with_key("llama.expert_count", gguf_writer.U64, struct.pack("<Q", 2**63)),
               "experts that wrap to fewer than none", expect="63 bits")
    built = model()
    built.keys = built.keys[1:]
    attack.run(built.build(), "no architecture", expect="general.architecture")


def tensors(attack):
    q = "blk.0.attn_q.weight"
    attack.run(without_tensor(q), "missing tensor", expect=q)
    attack.run(without_tensor("token_embd.weight"), "missing embedding")
    attack.run(change_tensor(q, name="blk.0.other.weight"), "unknown tensor")
    built = model()
    built.tensor("two\nlines", gguf_writer.TYPE_F32, [1], bytes(4))
    attack.run(built.build(), "extra tensor", expect="'two\\0Alines'")
    attack.run(change_tensor(q, name="token_embd.weight"), "tensor twice", expect="twice")
    attack.run(change_tensor(q, kind=4), "unknown type 4", expect="type 4")
    attack.run(change_tensor(q, kind=2**31), "unknown type 2^31")
    attack.run(change_tensor(q, shape=[20, 80]), "other shape", expect="(40, 40)")
    attack.run(change_tensor(q, shape=[1600]), "other rank", expect="(40, 40)")
    attack.run(change_tensor(q, shape=[40, 41]), "more than there is", expect="overlap")
    attack.run(change_tensor(q, shape=[]), "no dimensions")
    attack.run(change_tensor(q, shape=[1, 1, 1, 1, 40]), "five dimensions")
    attack.run(change_tensor(q, shape=[0, 40]), "size 0")
    attack.run(change_tensor(q, shape=[2**32, 2**32]), "product beyond 64 bits")
    attack.run(change_tensor(q, shape=[2**62, 40]), "product beyond 63 bits")
    attack.run(change_tensor(q, kind=8, shape=[40, 40]), "rows that blocks do not divide",
               expect="multiple of 32")
    for offset in (2**64 - 32, 2**63, 2**40, 33):
        attack.run(change_tensor(q, offset=offset), f"offset {offset}", expect=q)
    attack.run(change_tensor(q, offset=0), "overlapping tensors", expect="overlap")


def tokenizer(attack):
    attack.run(set_u32("tokenizer.ggml.eos_token_id", 2**31), "eos beyond the vocabulary")
    for name, value in (("tokenizer.ggml.merges", ["nospace"]),
                        ("tokenizer.ggml.merges", ["zz yy"])):
        built = model()
        built.keys[key_value(built, name)] = (
            name, gguf_writer.ARRAY, gguf_writer.array(gguf_writer.STRING, value))
        attack.run(built.build(), f"merge {value}", expect="merges")
    built = model()
    name = "tokenizer.ggml.token_type"
    built.keys[key_value(built, name)] = (
        name, gguf_writer.ARRAY, gguf_writer.array(gguf_writer.I32, [1, 2]))
    attack.run(built.build(), "too few types", expect="types")


def main():
    folder = pathlib.Path(sys.argv[1])
    attack = Attack(folder, ".gguf", lambda path: [
        "umber-compile", path, "--isa=x86-64-v3", "-o", str(folder / "out.umb")])
    good = model()
    data = good.build()
    attack.run(data, "the model as it is", must_refuse=False)
    assert attack.taken == 1, "expected the good model to be taken"
    header_numbers(attack)
    hyper_parameters(attack)
    tensors(attack)
    tokenizer(attack)
    attack.truncate(data, 50, good.header_size)
    quick = Attack(folder, ".gguf", lambda path: [
        "umber-compile", path, "--emit=mlir", "--compile-to=fuse", "-o",
        str(folder / "out.mlir")])
    quick.flip(data, 200, good.header_size)
    print(f"refused {attack.refused + quick.refused}, took {attack.taken + quick.taken}")


if __name__ == "__main__":
    main()
