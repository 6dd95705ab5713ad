// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products: the matrix queue.

#ifndef UMBER_NPU_PRODUCT_OPS
#define UMBER_NPU_PRODUCT_OPS

include "dialects/NPU/IR/NPUOpBase.td"

def NPU_MmOp : NPU_BodyOp<"mm", "Multiply",
    (ins NPU_TileAttr:$a, NPU_Number:$slot, NPU_TileAttr:$c, NPU_Number:$rows,
         NPU_Number:$columns, NPU_Number:$inner, NPU_Flag:$first,
         NPU_Flag:$last, NPU_Flag:$adds, NPU_Number:$group,
         OptionalAttr<NPU_TileAttr>:$scales)> {
  let summary = "product with streamed weights";
  let description = [{
    `C[rows x columns] = A[rows x inner] * W[columns x inner]^T`, with W what a
    kernel slot has. A of I8 has a scale, F32, per row and `group` columns. A
    product whose `inner` is cut has its parts in order: `first` clears the
    sums, `last` writes them; between, the array keeps them. `adds`: to what C is
    before. C is of F32 or F16. Queue: matrix.

    Example:
    ```mlir
    npu.mm wait(1, 1) wait(2, 1) signal(5, 1) a = i8[0x0, 64], slot = 1, c = f32[0x2000, 128], rows = 16, columns = 32, inner = 64, first, last, group = 64, scales = f32[0x800, 16]
    ```
  }];
}

def NPU_MmdOp : NPU_BodyOp<"mmd", "MultiplyDynamic",
    (ins NPU_TileAttr:$a, OptionalAttr<NPU_TileAttr>:$b, NPU_Flag:$transposed,
         NPU_TileAttr:$c, NPU_Number:$rows, NPU_Number:$columns,
         NPU_Number:$inner, NPU_Real:$factor, NPU_Flag:$adds, NPU_Flag:$scaled,
         OptionalAttr<NPU_ScratchpadAttr>:$scales)> {
  let summary = "product of two tiles";
  let description = [{
    `C[rows x columns] (+)= factor * A[rows x inner] * B`, with B of the
    scratchpad as [columns][inner] (`transposed`) or [inner][columns]; `factor`
    is 1 unless given. B of I8 or F16 can be `scaled`: it then has a scale, F16,
    per row of B. A is of F32 or F16, C of F32. Queue: matrix.

    Example:
    ```mlir
    npu.mmd a = f32[0x0, 256], b = i8[0x1000, 64], transposed, c = f32[0x9000, 1024], rows = 3, columns = 256, inner = 64, factor = 1.250000e-01, scaled, scales = [0x8000]
    ```
  }];
}

#endif // UMBER_NPU_PRODUCT_OPS
