// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_COMPRESSION_PASSES
#define UMBER_COMPRESSION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertWeightsPass : Pass<"umber-convert-weights", "::mlir::ModuleOp"> {
  let summary = "store matrices as plain floating-point numbers of a width";
  let description = [{
    Sets the element type of every parameter of rank 2: f32 for `bits=32`, f16
    for `bits=16`. Vectors (norm weights, biases, rotary factors) stay f32: they
    are small and sensitive. Values are rounded when the parameter is stored.

    Before, with `bits=16`:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf32>
    ```
    After:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf16>
    ```
  }];
  let options = [Option<"bits", "bits", "int64_t", "16",
                        "bits per weight: 16 or 32">];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def QuantizeKVCachePass : Pass<"umber-quantize-kv-cache", "::mlir::ModuleOp"> {
  let summary = "choose the element type of the key/value cache";
  let description = [{
    Gives every cache type the element type f32 for `bits=32`, f16 for `bits=16`
    and i8 for `bits=8`.

    Before, with `bits=16`: `!umber.kv_cache<30x3x64xf32>`; after:
    `!umber.kv_cache<30x3x64xf16>`.
  }];
  let options = [Option<"bits", "bits", "int64_t", "16",
                        "bits per cached element: 8, 16 or 32">];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

#endif // UMBER_COMPRESSION_PASSES
