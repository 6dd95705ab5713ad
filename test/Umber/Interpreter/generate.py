#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the tests of this folder whose expected values are computed: each op's
formula in NumPy, in double, from the papers and the ops' descriptions and not from
the interpreter. Needs numpy. Run it after changing a case and commit what it wrote:

    python3 test/Umber/Interpreter/generate.py
"""

import math
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent
LICENCE = """// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
TOLERANCE = "{atol = 1.0e-06 : f32, rtol = 2.0e-06 : f32}"


class Module:
    """The text of one test file."""

    def __init__(self, name, purpose, seed):
        self.path = FOLDER / f"{name}.mlir"
        self.lines = [LICENCE + f"//\n// {purpose} Written by generate.py.", "",
                      "// RUN: umber-interp %s | count 0", ""]
        self.random = np.random.default_rng(seed)

    def values(self, *shape, low=-3.0, high=3.0):
        """Multiples of 1/16, which every float type holds."""
        return np.round(self.random.uniform(low, high, shape) * 16) / 16

    def param(self, name, value, element="f32"):
        type_ = tensor_type(value, element)
        self.lines.append(f"umber.param @{name} : {type_} "
                          f"{{value = {dense(value)} : {type_}}}")

    def function(self, name, body, arguments=""):
        self.lines += [f"func.func @{name}({arguments}) {{"]
        self.lines += ["  " + line for line in body]
        self.lines += ["  return", "}", ""]

    def write(self):
        self.path.write_text("\n".join(self.lines).rstrip() + "\n")


def dense(value):
    def text(v):
        if isinstance(v, list):
            return "[" + ", ".join(text(x) for x in v) + "]"
        if isinstance(v, int):
            return str(v)
        return np.format_float_scientific(np.float32(v), min_digits=1)
    return f"dense<{text(np.asarray(value).tolist())}>"


def tensor_type(value, element="f32"):
    return "tensor<" + "".join(f"{n}x" for n in np.shape(value)) + f"{element}>"


def constant(name, value, element="f32"):
    return (f"%{name} = arith.constant {dense(value)} : "
            f"{tensor_type(value, element)}")


def check(name, expected, tolerance=TOLERANCE):
    return [constant(f"want_{name}", expected),
            f"umber.check %{name}, %want_{name} {tolerance} : "
            f"{tensor_type(expected)}"]


def index(name, value):
    return f"%{name} = arith.constant {value} : index"


# ---------------------------------------------------------------------------
# Layers


def rms_norm(x, weight, eps, offset=0.0, heads=1):
    v = x.reshape(len(x), heads, -1)
    root = np.sqrt((v * v).mean(axis=-1, keepdims=True) + eps)
    return (v / root * (weight + offset)).reshape(x.shape)


def write_rms_norm():
    m = Module("rms-norm", "Root-mean-square norms.", 1)
    cases = [("plain", 3, 5, 1, 0.0, 1e-5), ("offset", 2, 7, 1, 1.0, 1e-6),
             ("heads", 3, 15, 3, 0.0, 1e-5), ("all", 1, 34, 2, 1.0, 1e-2),
             ("long", 2, 67, 1, 0.0, 1e-5)]
    for name, tokens, width, heads, offset, eps in cases:
        x, weight = m.values(tokens, width), m.values(width // heads)
        m.param(f"w_{name}", weight)
        attrs = f"eps = {eps:.1e} : f32"
        attrs += f", offset = {offset:.1e} : f32" if offset else ""
        attrs += f", heads = {heads} : i64" if heads > 1 else ""
        m.function(name, [constant("x", x),
                          f"%y = umber.rms_norm %x, @w_{name} {{{attrs}}} : "
                          f"{tensor_type(x)}",
                          *check("y", rms_norm(x, weight, eps, offset, heads))])
    m.write()


def write_gated_activation():
    m = Module("gated-activation", "Gates: both functions, small and large.", 2)
    gate = np.concatenate([m.values(2, 5), [[-100.0, -20.0, 0.0, 20.0, 100.0]]])
    up = m.values(3, 5)
    inner = math.sqrt(2 / math.pi) * (gate + 0.044715 * gate ** 3)
    functions = {"silu": gate / (1 + np.exp(-gate)),
                 "gelu_tanh": gate / 2 * (1 + np.tanh(inner))}
    for name, activated in functions.items():
        m.function(name, [constant("gate", gate), constant("up", up),
                          "%y = umber.gated_activation %gate, %up {function = "
                          f"#umber.activation<{name}>}} : {tensor_type(up)}",
                          *check("y", activated * up)])
    m.write()


# ---------------------------------------------------------------------------
# Products


def write_linear():
    m = Module("linear", "Products with parameters of several element types.", 3)
    for name, tokens, inputs, outputs, bias, element in [
            ("plain", 3, 5, 7, False, "f32"), ("bias", 1, 17, 3, True, "f32"),
            ("long", 2, 53, 2, False, "f16"), ("wide", 5, 1, 9, True, "bf16")]:
        x, w, b = (m.values(tokens, inputs), m.values(outputs, inputs),
                   m.values(outputs))
        m.param(f"w_{name}", w, element)
        m.param(f"b_{name}", b)
        m.function(name, [constant("x", x),
                          f"%y = umber.linear %x, @w_{name}"
                          + (f" bias @b_{name}" if bias else "")
                          + f" : {tensor_type(x)} -> tensor<{tokens}x{outputs}xf32>",
                          *check("y", x @ w.T + (b if bias else 0.0))])
    m.write()


# ---------------------------------------------------------------------------
# Rotary


def frequencies(base, dims, scaling=None, factors=None):
    f = base ** (-2.0 * np.arange(dims // 2) / dims)
    if scaling:
        kind, factor, length, low, high = scaling
        if kind == "linear":
            f = f / factor
        elif kind == "llama3":
            wave = 2 * np.pi / f
            blend = (length / wave - low) / (high - low)
            mixed = (1 - blend) * f / factor + blend * f
            f = np.where(wave < length / high, f,
                         np.where(wave > length / low, f / factor, mixed))
        else:
            pair = lambda n: dims * np.log(length / (2 * np.pi * n)) / (2 * np.log(base))
            start, end = max(np.floor(pair(high)), 0), min(np.ceil(pair(low)), dims / 2 - 1)
            ramp = np.clip((np.arange(dims // 2) - start) / max(end - start, 1e-3), 0, 1)
            f = ramp * f / factor + (1 - ramp) * f
    return f if factors is None else f / factors


def rotary(x, pos, heads, style, f, magnitude=1.0):
    """Each pair as a complex number, multiplied by e^(i angle)."""
    v = x.reshape(len(x), heads, -1).copy()
    pairs = len(f)
    a = slice(0, pairs) if style == "half" else slice(0, 2 * pairs, 2)
    b = slice(pairs, 2 * pairs) if style == "half" else slice(1, 2 * pairs, 2)
    angles = (pos + np.arange(len(x)))[:, None, None] * f
    turned = (v[..., a] + 1j * v[..., b]) * np.exp(1j * angles) * magnitude
    v[..., a], v[..., b] = turned.real, turned.imag
    return v.reshape(x.shape)


def write_rotary():
    m = Module("rotary", "Rotary positions: styles, partial dims, scalings.", 4)
    llama3 = ("llama3", 8.0, 128, 1.0, 4.0)
    yarn = ("yarn", 4.0, 256, 1.0, 32.0)
    cases = [
        # name, tokens, heads, head dim, dims, style, pos, base, scaling, factors
        ("interleaved", 3, 2, 4, 0, "interleaved", 5, 10000.0, None, False, 1.0),
        ("half", 3, 3, 6, 0, "half", 1000, 10000.0, None, False, 1.0),
        ("partial", 2, 2, 7, 4, "half", 9, 100.0, None, False, 1.0),
        ("partial_interleaved", 2, 1, 6, 2, "interleaved", 9, 1e6, None, False, 1.0),
        ("linear", 2, 1, 8, 0, "half", 77, 10000.0, ("linear", 4.0, 0, 0, 0),
         False, 1.0),
        ("llama3", 2, 2, 16, 0, "interleaved", 300, 500.0, llama3, False, 1.0),
        ("yarn", 2, 1, 16, 0, "half", 300, 1000.0, yarn, False, 1.125),
        ("factors", 2, 2, 8, 0, "half", 31, 10000.0, None, True, 1.0)]
    for name, tokens, heads, head, dims, style, pos, base, scaling, f, mag in cases:
        x, rotated = m.values(tokens, heads * head), dims or head
        factors = m.values(rotated // 2, low=1.0, high=4.0) if f else None
        attrs = (f"heads = {heads} : i64, style = #umber.rotary_style<{style}>, "
                 f"base = {base:.6e} : f32")
        attrs += f", dims = {dims} : i64" if dims else ""
        if f:
            m.param("freq_factors", factors)
            attrs += ", factors = @freq_factors"
        if scaling:
            kind, factor, length, low, high = scaling
            inner = f"kind = {kind}, factor = {factor:.6e}"
            if kind != "linear":
                inner += (f", original_context = {length}, low_freq_factor = "
                          f"{low:.6e}, high_freq_factor = {high:.6e}")
            inner += f", attention_factor = {mag:.6e}" if mag != 1.0 else ""
            attrs += f", scaling = #umber.rope_scaling<{inner}>"
        turned = rotary(x, pos, heads, style,
                        frequencies(base, rotated, scaling, factors), mag)
        m.function(name, [constant("x", x), index("pos", pos),
                          f"%y = umber.rotary %x at %pos {{{attrs}}} : "
                          f"{tensor_type(x)}", *check("y", turned)])
    m.write()


# ---------------------------------------------------------------------------
# Attention


def attention(q, k, v, pos, heads, kv_heads, scale, window, cap):
    """q: T x heads * D; k, v: all positions x kv_heads * D. By masks, all
    positions at once."""
    size = q.shape[1] // heads
    qs = q.reshape(len(q), heads, size)
    ks = np.repeat(k.reshape(len(k), kv_heads, size), heads // kv_heads, axis=1)
    vs = np.repeat(v.reshape(len(v), kv_heads, size), heads // kv_heads, axis=1)
    s = scale * np.einsum("thd,jhd->thj", qs, ks)
    s = cap * np.tanh(s / cap) if cap else s
    p, j = pos + np.arange(len(q))[:, None], np.arange(len(k))[None, :]
    seen = (j <= p) & ((j > p - window) if window else True)
    e = np.exp(s) * seen[:, None, :]
    return np.einsum("thj,jhd->thd", e / e.sum(-1, keepdims=True),
                     vs).reshape(q.shape)


def write_attention():
    m = Module("attention", "Attention over a cache that is filled in two steps.", 5)
    cases = [  # name, earlier tokens, tokens, heads, kv heads, D, window, cap, type
        ("single", 0, 1, 1, 1, 3, 0, 0.0, "f32"),
        ("prefill", 0, 5, 4, 2, 5, 0, 0.0, "f32"),
        ("continued", 3, 2, 3, 3, 4, 0, 0.0, "f32"),
        ("grouped", 4, 3, 6, 1, 7, 0, 0.0, "f16"),
        ("window", 5, 4, 2, 2, 5, 3, 0.0, "bf16"),
        ("window_of_one", 2, 2, 2, 1, 3, 1, 0.0, "f32"),
        ("soft_cap", 2, 3, 4, 2, 17, 0, 2.5, "f32"),
        ("window_and_cap", 6, 2, 9, 3, 5, 4, 1.5, "f32")]
    for name, earlier, tokens, heads, kv_heads, size, window, cap, kind in cases:
        k, v = (m.values(earlier + tokens, kv_heads * size, low=-1, high=1)
                for _ in range(2))
        q = m.values(tokens, heads * size)
        scale = 0.375
        cache, rows = f"!umber.kv_cache<2x{kv_heads}x{size}x{kind}>", "%kv"
        body = [constant("q", q), index("c0", 0), index("pos", earlier)]
        for step, (first, last, at) in enumerate(
                [(0, earlier, "%c0"), (earlier, earlier + tokens, "%pos")]):
            if first == last:
                continue
            part = k[first:last]
            body += [constant(f"k{step}", part), constant(f"v{step}", v[first:last]),
                     f"%kv{step} = umber.kv_update {rows}[1], %k{step}, %v{step} at "
                     f"{at} : {cache}, {tensor_type(part)}"]
            rows = f"%kv{step}"
        attrs = (f"heads = {heads} : i64, kv_heads = {kv_heads} : i64, "
                 f"scale = {scale} : f32")
        attrs += f", window = {window} : i64" if window else ""
        attrs += f", soft_cap = {cap} : f32" if cap else ""
        body += [f"%y = umber.attention %q, {rows}[1] at %pos {{{attrs}}} : "
                 f"{tensor_type(q)}, {cache}",
                 *check("y", attention(q, k, v, earlier, heads, kv_heads, scale,
                                       window, cap))]
        m.function(name, body, f"%kv: {cache}")
    m.write()


def write_kv_types():
    m = Module("kv-types", "What caches of narrow types give back: attention to one "
               "position is its value.", 6)
    size = 5
    values = np.concatenate([m.random.normal(0, 3, (3, size)), np.zeros((1, size)),
                             [[127, 0.5, 1.5, -2.5, 3.5], [0.5, 1.5, -2.5, 7, -7]]]
                            ).astype(np.float32)
    bits = values.view(np.uint32)
    bf16 = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32)
    stored = {"f16": values.astype(np.float16), "bf16": bf16.view(np.float32)}
    for kind, limit in [("i8", 127), ("i4", 7)]:
        scale = (np.abs(values).max(axis=1, keepdims=True) / np.float32(limit))
        scale = scale.astype(np.float16).astype(np.float32)
        safe = np.where(scale == 0, np.float32(1), scale)
        stored[kind] = np.clip(np.rint(values / safe), -limit, limit) * scale
    for kind, expected in stored.items():
        cache = f"!umber.kv_cache<1x1x{size}x{kind}>"
        m.function(kind, [
            constant("v", values), index("c0", 0),
            f"%kv0 = umber.kv_update %kv[0], %v, %v at %c0 : {cache}, "
            f"{tensor_type(values)}",
            "%y = umber.attention %v, %kv0[0] at %c0 {heads = 1 : i64, "
            "kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64} : "
            f"{tensor_type(values)}, {cache}",
            *check("y", expected.astype(np.float32), "")], f"%kv: {cache}")
    m.write()


# ---------------------------------------------------------------------------
# Quantization


TIES = np.array([0.5, 1.5, -0.5, 2.5, -1.5, -2.5, 3.5])


def quantize(x, bits, group):
    limit = 2 ** (bits - 1) - 1
    v = x.astype(np.float32).reshape(len(x), -1, group or x.shape[1])
    scale = np.abs(v).max(axis=-1, keepdims=True) / np.float32(limit)
    q = np.rint(v / np.where(scale == 0, np.float32(1), scale))
    return q, scale


def write_quantize():
    m = Module("quantize", "Quantized rows, and products with them.", 7)
    for name, bits, group, width in [("i8", 8, 4, 12), ("i4", 4, 0, 7),
                                     ("i2", 2, 3, 9)]:
        x = np.concatenate([m.random.normal(0, 2, (2, width)), np.zeros((2, width))])
        x = x.astype(np.float32)
        # With a scale of 1: halves, which go to the even neighbour.
        limit = 2 ** (bits - 1) - 1
        x[2] = np.resize(TIES, width).clip(-limit, limit)
        x[2, ::group or width] = limit
        w = m.values(3, width)
        q, scale = quantize(x, bits, group)
        back = (q * scale).astype(np.float32).reshape(x.shape)
        m.param(f"w_{name}", w)
        inner = f"bits = {bits}" + (f", group = {group}" if group else "")
        type_ = f"tensor<4x{width}xf32, #umber.quantized<{inner}>>"
        exact = np.double(q) * np.double(scale)
        m.function(name, [
            constant("x", x),
            f"%q = umber.quantize %x : {tensor_type(x)} -> {type_}",
            f"%d = umber.dequantize %q : {type_} -> {tensor_type(x)}",
            *check("d", back, ""),
            f"%y = umber.linear %q, @w_{name} : {type_} -> tensor<4x3xf32>",
            *check("y", exact.reshape(x.shape) @ w.T)])
    m.write()


if __name__ == "__main__":
    write_rms_norm()
    write_gated_activation()
    write_linear()
    write_rotary()
    write_attention()
    write_kv_types()
    write_quantize()
