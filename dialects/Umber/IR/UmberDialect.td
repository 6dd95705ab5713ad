// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECT
#define UMBER_DIALECT

include "mlir/IR/OpBase.td"

def Umber_Dialect : Dialect {
  let name = "umber";
  let cppNamespace = "::mlir::umber";
  let summary = "A language model as a graph of its own operations";
  let description = [{
    A model is a module: one `umber.param` per weight and one function per entry
    point. Activations are f32 tensors with value semantics, a row per token. The
    key/value cache is threaded through as a linear value, so that every target
    may update it in place. How a weight is stored is its tensor type's encoding;
    its bytes are in a parameter store and never in the IR.

    Throughout, `T` is the number of tokens of a step, `pos` the position of the
    first of them in its sequence, and row `t` of an activation belongs to the
    token at position `pos + t`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // UMBER_DIALECT
