// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector queue.

#ifndef UMBER_NPU_VECTOR_OPS
#define UMBER_NPU_VECTOR_OPS

include "dialects/NPU/IR/NPUOpBase.td"

def NPU_EwOp : NPU_BodyOp<"ew", "Elementwise",
    (ins NPU_ElementFunctionAttr:$op, NPU_TileAttr:$a, NPU_TileAttr:$d,
         NPU_Number:$rows, NPU_Number:$columns,
         OptionalAttr<NPU_SpreadAttr>:$spread, OptionalAttr<NPU_TileAttr>:$b,
         NPU_Real:$immediate)> {
  let summary = "element by element";
  let description = [{
    `D[rows x columns] = op(A, B)`. B is as large as A (`spread = full`), one
    `row` for all, a `column` with an element at each row's start, the number
    `immediate`, or `none`, which is the default. `silu` and `gelu` of A are
    multiplied by B if there is one.

    Example:
    ```mlir
    npu.ew op = mul, a = f32[0x0, 64], d = f32[0x0, 64], rows = 2, columns = 16, spread = immediate, immediate = 5.000000e-01
    ```
  }];
}

def NPU_ReduceOp : NPU_BodyOp<"reduce", "Reduce",
    (ins NPU_ReductionAttr:$op, NPU_TileAttr:$a, NPU_TileAttr:$d,
         NPU_Number:$rows, NPU_Number:$columns)> {
  let summary = "reduces each row";
  let description = [{
    `D[rows]`, an element at each row's start: F32, or I32 of `argmax`.

    Example: `npu.reduce op = argmax, a = f32[0x0, 512], d = i32[0x400, 16], rows = 2, columns = 100`.
  }];
}

def NPU_NormOp : NPU_BodyOp<"norm", "Normalize",
    (ins NPU_TileAttr:$a, NPU_TileAttr:$d, NPU_Number:$rows,
         NPU_Number:$columns, NPU_Number:$heads, NPU_Real:$epsilon,
         NPU_Flag:$scaled, OptionalAttr<NPU_ScratchpadAttr>:$gain)> {
  let summary = "root-mean-square norm";
  let description = [{
    `D = a / sqrt(mean(a^2) + epsilon)`, if it is `scaled` times `gain`, one row
    of F32. Rows have `heads` (1) parts of `columns`, each for itself.

    Example:
    ```mlir
    npu.norm a = f32[0x0, 2304], d = f32[0x0, 2304], rows = 1, columns = 576, epsilon = 9.99999974E-6, scaled, gain = [0x2000]
    ```
  }];
}

def NPU_QuantOp : NPU_BodyOp<"quant", "Quantize",
    (ins NPU_TileAttr:$a, NPU_TileAttr:$d, NPU_TileAttr:$scales,
         NPU_Number:$rows, NPU_Number:$columns, NPU_Number:$group,
         NPU_Number:$bits)> {
  let summary = "to integers with a scale per group";
  let description = [{
    D: rows as signed integers of `bits` (8) in bytes, with a scale, F32, per
    `group` columns: `max|a| / (2^(bits-1) - 1)`, rounded half to even.

    Example: `npu.quant a = f32[0x0, 256], d = i8[0x400, 64], scales = f32[0x800, 16], rows = 2, columns = 64, group = 32`.
  }];
}

def NPU_DequantOp : NPU_BodyOp<"dequant", "Dequantize",
    (ins NPU_TileAttr:$a, NPU_TileAttr:$scales, NPU_TileAttr:$d,
         NPU_Number:$rows, NPU_Number:$columns, NPU_Number:$group,
         NPU_Real:$factor)> {
  let summary = "from integers with a scale per group";
  let description = [{
    `D = a * scale * factor`: of I8 with a scale, F32 or F16, per row and `group`
    columns; `factor` is 1 unless given.

    Example: `npu.dequant a = i8[0x400, 64], scales = f32[0x800, 16], d = f32[0x0, 256], rows = 2, columns = 64, group = 32`.
  }];
}

def NPU_RotateOp : NPU_BodyOp<"rotate", "Rotate",
    (ins NPU_TileAttr:$a, NPU_TileAttr:$d, NPU_TileAttr:$table,
         NPU_Number:$rows, NPU_Number:$columns, NPU_Number:$heads,
         NPU_Flag:$interleaved)> {
  let summary = "turns pairs of elements by a row's angles";
  let description = [{
    Rows of `heads` (1) times `columns` elements; `table` has per row
    `columns / 2` cosines and as many sines, F32. Pairs are (i, i + columns / 2)
    or, `interleaved`, (2i, 2i + 1).

    Example: `npu.rotate a = f32[0x0, 2304], d = f32[0x0, 2304], table = f32[0x2000, 256], rows = 1, columns = 64, heads = 9`.
  }];
}

def NPU_SoftmaxOp : NPU_BodyOp<"softmax", "SoftmaxStep",
    (ins NPU_TileAttr:$a, NPU_TileAttr:$d, NPU_TileAttr:$state,
         NPU_TileAttr:$factors, NPU_Number:$rows, NPU_Number:$columns,
         NPU_Number:$rows_per_token, NPU_Number:$first_query,
         NPU_Register:$first_query_from, NPU_Number:$first_key,
         NPU_Register:$first_key_from, NPU_Flag:$first, NPU_Number:$window,
         NPU_Real:$soft_cap)> {
  let summary = "a step of softmax over a block of keys";
  let description = [{
    Row r belongs to token `r / rows_per_token` of the step, at position
    `first_query` plus that; column c is the key at `first_key + c`, which is
    seen if it is not later and within the `window` (0: all). `state` has each
    row's maximum and sum so far, of which the `first` step knows nothing, and
    `factors` what earlier results are to be multiplied by. If `soft_cap` is not
    0, a is `soft_cap * tanh(a / soft_cap)` first.

    Example:
    ```mlir
    npu.softmax a = f32[0x0, 1024], d = f32[0x0, 1024], state = f32[0x4000, 16], factors = f32[0x4100, 16], rows = 3, columns = 256, rows_per_token = 3, first_query = 0 + r1, first_key = -256 + r12
    ```
  }];
}

#endif // UMBER_NPU_VECTOR_OPS
