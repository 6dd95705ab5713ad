#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes dequantized.gguf: a tensor of random blocks of every type, and beside it, with
the suffix `.expected`, the f32 values that PyPI's gguf package makes of it.

    pip install gguf==0.19.0 && make_vectors.py dequantized.gguf

Run it again only to add types; the file is part of the repository, so that the tests need
no package.
"""

import sys

import gguf
import numpy as np

ROWS = 2
TYPE = gguf.GGMLQuantizationType
# Bytes of a block at which a half-precision number stands.
HALVES = {
    TYPE.Q4_0: [0], TYPE.Q4_1: [0, 2], TYPE.Q5_0: [0], TYPE.Q5_1: [0, 2],
    TYPE.Q8_0: [0], TYPE.Q2_K: [80, 82], TYPE.Q3_K: [108], TYPE.Q4_K: [0, 2],
    TYPE.Q5_K: [0, 2], TYPE.Q6_K: [208], TYPE.IQ4_NL: [0], TYPE.IQ4_XS: [0],
}
# Negative, zero and subnormal scales, the largest half, and ordinary ones.
SCALES = np.array([0.01, -0.37, 0.0, 6e-8, 3e-5, 65504.0, -1.0, 1.7], np.float16)


def random_blocks(rng, kind):
    """[ROWS, bytes] of whole blocks: random bits, but for finite scales."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    per_row = max(2, 128 // elements)
    blocks = rng.integers(0, 256, (ROWS * per_row, size), np.uint8)
    for at in HALVES[kind]:
        scales = rng.choice(SCALES, len(blocks))
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, -1)


def random_floats(rng):
    """[ROWS, 64] f32 of every magnitude that half precision has, and some more."""
    signs = rng.choice([-1, 1], (ROWS, 64))
    values = signs * np.exp2(rng.uniform(-24, 15, (ROWS, 64)))
    values[0, :4] = [0.0, -0.0, 65504.0, 2.0 ** -24]
    return values.astype(np.float32)


def main():
    rng = np.random.default_rng(20261124)
    writer = gguf.GGUFWriter(sys.argv[1], "vectors")

    def add(name, raw, kind):
        expected = gguf.quants.dequantize(raw, kind).astype(np.float32)
        writer.add_tensor(name, raw, raw_dtype=kind)
        writer.add_tensor(name + ".expected", expected)

    floats = random_floats(rng)
    add("F32", floats, TYPE.F32)
    add("F16", floats.astype(np.float16), TYPE.F16)
    add("BF16", gguf.quants.quantize(floats, TYPE.BF16), TYPE.BF16)
    for kind in HALVES:
        add(kind.name, random_blocks(rng, kind), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
