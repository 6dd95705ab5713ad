# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes small GGUF files for tests, right or deliberately wrong."""

import struct

U32, I32, F32, BOOL, STRING, ARRAY, U64 = 4, 5, 6, 7, 8, 9, 10
TYPE_F32, TYPE_F16, TYPE_Q8_0 = 0, 1, 8


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def array(kind, values):
    body = struct.pack("<IQ", kind, len(values))
    if kind == STRING:
        return body + b"".join(string(value) for value in values)
    return body + struct.pack(f"<{len(values)}{'i' if kind == I32 else 'f'}", *values)


class GGUF:
    """Keys and tensors in order; build() gives the file's bytes."""

    def __init__(self, version=3, alignment=32):
        self.version, self.alignment = version, alignment
        self.keys, self.tensors = [], []

    def key(self, name, kind, value):
        self.keys.append((name, kind, value))

    def u32(self, name, value):
        self.key(name, U32, struct.pack("<I", value))

    def f32(self, name, value):
        self.key(name, F32, struct.pack("<f", value))

    def bool(self, name, value):
        self.key(name, BOOL, bytes([value]))

    def text(self, name, value):
        self.key(name, STRING, string(value))

    def strings(self, name, values):
        self.key(name, ARRAY, array(STRING, values))

    def ints(self, name, values):
        self.key(name, ARRAY, array(I32, values))

    def floats(self, name, values):
        self.key(name, ARRAY, struct.pack("<IQ", F32, len(values)) +
                 struct.pack(f"<{len(values)}f", *values))

    def tensor(self, name, kind, shape, data, offset=None):
        """shape is outermost first; offset overrides where the data is said to be."""
        self.tensors.append([name, kind, list(shape), data, offset])

    def build(self, tensor_count=None, key_count=None, magic=b"GGUF"):
        out = magic + struct.pack(
            "<IQQ", self.version,
            len(self.tensors) if tensor_count is None else tensor_count,
            len(self.keys) if key_count is None else key_count)
        for name, kind, value in self.keys:
            out += string(name) + struct.pack("<I", kind) + value
        place = 0
        for name, kind, shape, data, offset in self.tensors:
            out += string(name) + struct.pack("<I", len(shape))
            out += b"".join(struct.pack("<Q", size) for size in reversed(shape))
            out += struct.pack("<IQ", kind, place if offset is None else offset)
            place += -(-len(data) // self.alignment) * self.alignment
        self.header_size = len(out)
        out += bytes(-len(out) % self.alignment)
        for *_, data, _ in self.tensors:
            out += data + bytes(-len(data) % self.alignment)
        return out
