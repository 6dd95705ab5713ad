#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes dequantized.gguf: a tensor of random blocks of every type, and beside it, with
the suffix `.expected`, the f32 values that PyPI's gguf package makes of it.

    pip install gguf==0.19.0 numpy==2.4.6 && make_vectors.py dequantized.gguf

Run it again only to add types; the file is part of the repository, so that the tests need
no package. With these versions it comes out the same to the byte.
"""

import importlib.metadata
import sys

import gguf
import numpy as np

VERSION = "0.19.0"
ROWS = 2
TYPE = gguf.GGMLQuantizationType
# Bytes of a block at which a half-precision number stands.
HALVES = {
    TYPE.Q4_0: [0], TYPE.Q4_1: [0, 2], TYPE.Q5_0: [0], TYPE.Q5_1: [0, 2],
    TYPE.Q8_0: [0], TYPE.Q2_K: [80, 82], TYPE.Q3_K: [108], TYPE.Q4_K: [0, 2],
    TYPE.Q5_K: [0, 2], TYPE.Q6_K: [208], TYPE.IQ4_NL: [0], TYPE.IQ4_XS: [0],
}
# What every type's scales must have been: ordinary, negative, zero, the smallest
# subnormal, a negative one, and the largest half. Types with small blocks have room for
# two more.
SCALES = np.array([0.01, -0.37, 0.0, 6e-8, -3e-5, 65504.0, -1.0, 1.7], np.float16)
# Blocks of a row: the large ones fewer, so that the file stays small.
PER_ROW = {32: 4, 256: 3}
# Bits of the types without blocks, and those of infinity.
INFINITY = {TYPE.F32: (32, 0x7f800000), TYPE.F16: (16, 0x7c00), TYPE.BF16: (16, 0x7f80)}


def random_blocks(rng, kind):
    """[ROWS, bytes] of whole blocks: random bits, but for finite scales."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    count = ROWS * PER_ROW[elements]
    blocks = rng.integers(0, 256, (count, size), np.uint8)
    for at in HALVES[kind]:
        # Dealt, not drawn: drawing left types without a negative scale.
        scales = rng.permutation(SCALES[:count])
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, -1)


def random_numbers(rng, kind):
    """[ROWS, 64] numbers of random bits, but no NaN: processors differ in what a
    conversion leaves of a NaN's bits."""
    bits, infinity = INFINITY[kind]
    sign = 1 << (bits - 1)
    values = rng.integers(0, 1 << bits, (ROWS, 64)).astype(f"u{bits // 8}")
    is_nan = (values & (sign - 1)) > infinity
    values[is_nan] &= sign | (infinity - 1)
    # Zeros, the smallest subnormal, infinities and the largest number of either sign.
    edges = [0, 1, infinity, infinity - 1]
    values[0, :8] = edges + [sign | edge for edge in edges]
    return values


def main():
    version = importlib.metadata.version("gguf")
    assert version == VERSION, f"expected gguf {VERSION}, found {version}"
    rng = np.random.default_rng(20261124)
    writer = gguf.GGUFWriter(sys.argv[1], "vectors")

    def add(name, raw, kind):
        expected = gguf.quants.dequantize(raw, kind).astype(np.float32)
        assert not np.isnan(expected).any(), name
        writer.add_tensor(name, raw, raw_dtype=kind)
        writer.add_tensor(name + ".expected", expected)

    add("F32", random_numbers(rng, TYPE.F32).view(np.float32), TYPE.F32)
    add("F16", random_numbers(rng, TYPE.F16).view(np.float16), TYPE.F16)
    add("BF16", random_numbers(rng, TYPE.BF16).view(np.uint8), TYPE.BF16)
    for kind in HALVES:
        add(kind.name, random_blocks(rng, kind), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
