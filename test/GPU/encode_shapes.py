#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gives the matrices of imported IR encodings: encode_shapes.py IN.mlir OUT.mlir.

Code depends on parameters' types alone, so a large model's needs no compression of its
weights. Embeddings have 8 bits; of the others those of one name have another width in
every second layer, and all widths are there.
"""

import pathlib
import re
import sys

WIDTHS = {"q": (4, 2), "k": (2, 6), "v": (8, 4), "o": (4, 3), "gate": (3, 4), "up": (4, 1),
          "down": (4, 3)}


def encoding(name):
    layer = re.match(r"l(\d+)\.", name)
    bits = WIDTHS[name.split(".")[-1]][int(layer[1]) % 2] if layer else 8
    return f"#umber.palette<bits = {bits}, rows = 16>" if bits < 8 else "#umber.quantized<bits = 8>"


def main():
    text = pathlib.Path(sys.argv[1]).read_text()
    text, count = re.subn(r"(umber\.param @([\w.]+)[^\n]*?: tensor<\d+x\d+xf(?:16|32))>",
                          lambda match: f"{match[1]}, {encoding(match[2])}>", text)
    assert count, "no matrices"
    pathlib.Path(sys.argv[2]).write_text(text)


if __name__ == "__main__":
    main()
