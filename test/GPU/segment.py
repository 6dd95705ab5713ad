# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a SPIR-V module that a package holds: segment.py PACKAGE OUT.

The module is the segment, at a multiple of 4 KiB, that begins with SPIR-V's magic, and it
ends where its instructions do.
"""

import pathlib
import struct
import sys

MAGIC, HEADER_WORDS, SEGMENT = 0x07230203, 5, 4096


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    begins = [at for at in range(0, len(data) - 4, SEGMENT)
              if struct.unpack_from("<I", data, at)[0] == MAGIC]
    assert len(begins) == 1, begins
    end = begins[0] + 4 * HEADER_WORDS
    # The first word of an instruction has its number of words; behind the last are zeros.
    while words := struct.unpack_from("<I", data, end)[0] >> 16:
        end += 4 * words
    pathlib.Path(sys.argv[2]).write_bytes(data[begins[0]:end])


if __name__ == "__main__":
    main()
