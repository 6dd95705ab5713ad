// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What moves data between DRAM and the scratchpad or the kernel buffer.

#ifndef UMBER_NPU_MEMORY_OPS
#define UMBER_NPU_MEMORY_OPS

include "dialects/NPU/IR/NPUOpBase.td"

class NPU_TransferOp<string mnemonic, string operation>
    : NPU_BodyOp<mnemonic, operation, (ins
        NPU_ScratchpadAttr:$at, NPU_DramAttr:$dram, NPU_Number:$bytes,
        NPU_Number:$rows, NPU_Register:$rows_from, NPU_Number:$planes,
        NPU_Number:$row_stride, NPU_Number:$at_row_stride,
        NPU_Number:$plane_stride, NPU_Register:$plane_stride_from,
        NPU_Number:$at_plane_stride)>;

def NPU_LoadOp : NPU_TransferOp<"load", "Load"> {
  let summary = "from DRAM to the scratchpad";
  let description = [{
    `rows` (1) rows of `bytes`, in `planes` (1) planes. Strides are bytes:
    `row_stride` and `plane_stride` in DRAM, to the latter of which a register
    can be added, `at_row_stride` and `at_plane_stride` in the scratchpad, there
    multiples of 16. Queues: load0, or load1.

    Example:
    ```mlir
    npu.load on load1 signal(2, 1) at = [0x0], dram = activations[0x0 + r10], bytes = 64, rows = r2, row_stride = 64, at_row_stride = 64
    ```
  }];
}

def NPU_StoreOp : NPU_TransferOp<"store", "Store"> {
  let summary = "from the scratchpad to DRAM";
  let description = [{
    As `npu.load`, the other way, to a region that can be written: cache,
    activations or io. Queue: store.

    Example: `npu.store wait(5, 1) at = [0x2000], dram = io[0x0 + r11], bytes = 128`.
  }];
}

def NPU_GatherOp : NPU_BodyOp<"gather", "Gather",
    (ins NPU_ScratchpadAttr:$indices, NPU_ScratchpadAttr:$to,
         NPU_DramAttr:$table, NPU_Number:$bytes, NPU_Number:$stride,
         NPU_Number:$count, NPU_Register:$count_from, NPU_Number:$limit)> {
  let summary = "loads rows of a table by their numbers";
  let description = [{
    `count` I32 at `indices`, each below `limit`, are the numbers of rows of
    `bytes`; in the scratchpad they are `stride` apart. Queues: load0, or load1.

    Example:
    ```mlir
    npu.gather indices = [0x0], to = [0x100], table = tables[0x0], bytes = 576, stride = 576, count = r2, limit = 49152
    ```
  }];
}

def NPU_TableOp : NPU_BodyOp<"table", "LoadTable",
    (ins NPU_DramAttr:$from, NPU_Number:$slot, NPU_Number:$count,
         NPU_Number:$entries, OptionalAttr<NPU_DataTypeAttr>:$type)> {
  let summary = "loads palettes";
  let description = [{
    Fills `count` (1) of 64 slots for palettes from `slot` on, with `entries`
    values each, which lie one behind the other. They are I8 unless `type` is
    f16. Queue: weights.

    Example: `npu.table from = weights[0x0], slot = 8, count = 4, entries = 16`.
  }];
}

def NPU_WeightsOp : NPU_BodyOp<"weights", "StreamWeights",
    (ins NPU_DramAttr:$from, NPU_Number:$slot, NPU_Flag:$palette,
         NPU_Number:$bits, NPU_Number:$storage_bits, NPU_Number:$rows,
         NPU_Number:$columns, NPU_Number:$table, NPU_Number:$rows_per_table,
         OptionalAttr<NPU_DramAttr>:$scales, NPU_Number:$rows_per_scale,
         NPU_Number:$first_row)> {
  let summary = "decodes a matrix into the kernel buffer";
  let description = [{
    A matrix of `rows` by `columns` into a slot. With `palette`, elements are
    indices of `bits` (1, 2, 3, 4, 6 or 8), stored in `storage_bits`, which
    differ where the engine's decoder pads 3 or 6 bits; each `rows_per_table`
    rows have a table slot of their own, from `table` on. Without, elements are
    I8 or F16: both are 8 unless given. Row r's scale is number
    `(first_row + r) / rows_per_scale` of the F16 at `scales`; with
    `rows_per_scale` 0 there are none. Queue: weights.

    Example:
    ```mlir
    npu.weights signal(1, 1) from = weights[0x1000], slot = 1, palette, bits = 4, storage_bits = 4, rows = 32, columns = 64, rows_per_table = 16
    ```
  }];
}

def NPU_AppendOp : NPU_BodyOp<"append", "AppendCache",
    (ins NPU_TileAttr:$a, NPU_DramAttr:$to, NPU_Number:$bits, NPU_Number:$heads,
         NPU_Number:$columns, NPU_Number:$rows, NPU_Register:$rows_from,
         NPU_Number:$head_stride, NPU_Register:$stride_from,
         OptionalAttr<NPU_DramAttr>:$scales, NPU_Number:$scale_head_stride)> {
  let summary = "quantizes rows into the cache";
  let description = [{
    Rows of `heads` (1) times `columns` F32 go to a layer's keys or values: head
    h's rows to `to + h * head_stride`, one behind the other, as integers of
    `bits` 4 or 8 (the default), with an F16 scale per row at
    `scales + h * scale_head_stride`, or as F16 (16) or F32 (32). The heads'
    strides are bytes, times `stride_from`'s value if it is given. Queue: cache.

    Example:
    ```mlir
    npu.append wait(6, 1) a = f32[0x0, 768], to = cache[0x0 + r17], heads = 3, columns = 64, rows = r2, head_stride = 64, stride_from = r3, scales = cache[0x8000 + r18], scale_head_stride = 2
    ```
  }];
}

#endif // UMBER_NPU_MEMORY_OPS
