// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters, and the op that starts a model.

#ifndef UMBER_MODEL_OPS
#define UMBER_MODEL_OPS

include "dialects/Umber/IR/UmberOpBase.td"

def Umber_ParamOp : Umber_ParamUserOp<"param", [Symbol]> {
  let summary = "a weight of the model";
  let description = [{
    Declares a parameter: its logical shape and element type, and, as the tensor
    type's encoding, how it is stored. Its bytes are in the module's parameter
    store under the key `source` (the symbol's name where there is none). Small
    tests may give the elements themselves as `value`; a model never does. A
    parameter with neither source nor value in a shape-only model has no bytes.
    A compressed matrix may name the two parameters that correct it, as `recover`.

    Example:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>>
    umber.param @l0.attn.k from "l0.attn.k.5B0E" : tensor<192x576xf16, #umber.palette<bits = 2, rows = 16>> {recover = #umber.low_rank<@l0.attn.k.recover_a, @l0.attn.k.recover_b>}
    umber.param @scale : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type,
                       OptionalAttr<StrAttr>:$source,
                       OptionalAttr<ElementsAttr>:$value,
                       OptionalAttr<Umber_LowRankAttr>:$recover);
  let assemblyFormat = [{
    $sym_name (`from` $source^)? `:` $type (`=` $value^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    /// The key of this parameter's bytes in the parameter store.
    ::llvm::StringRef getKey() { return getSource().value_or(getSymName()); }
  }];
}

def Umber_EmbedOp : Umber_ParamUserOp<"embed", [Pure]> {
  let summary = "the rows of a table that token ids name";
  let description = [{
    `result[t, c] = scale * table[ids[t], c]`; `scale` is 1 unless given (Gemma
    multiplies by the square root of the width). An id outside of the table is
    the caller's error and is checked before a step begins.

    Shapes: ids `T`, table `V x H`, result `T x H`.

    Example:
    ```mlir
    %x = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$table, Umber_TokenIds:$ids,
                       OptionalAttr<F32Attr>:$scale);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = [{
    $table `[` $ids `]` attr-dict `:` type($ids) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // UMBER_MODEL_OPS
