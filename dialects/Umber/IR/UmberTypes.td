// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TYPES
#define UMBER_TYPES

include "dialects/Umber/IR/UmberDialect.td"
include "mlir/IR/AttrTypeBase.td"

class Umber_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Umber_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Umber_KVCacheType : Umber_Type<"KVCache", "kv_cache"> {
  let summary = "keys and values of the tokens seen so far";
  let description = [{
    For each of `layers` layers and `kv_heads` heads, a key and a value of
    `head_dim` elements per position. The number of positions that fit is chosen
    when a session is created and is not part of the type. With an integer
    element type, each key and value vector has a scale of its own, an f16.

    A value of this type is linear: at most one operation consumes it
    (`umber.kv_update`, or a kernel or function that updates it), and nothing
    reads it afterwards.

    Example: `!umber.kv_cache<30 x 3 x 64 x i8>`.
  }];
  let parameters = (ins "int64_t":$layers, "int64_t":$kvHeads,
                        "int64_t":$headDim, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Umber_AdaptersType : Umber_Type<"Adapters", "adapters"> {
  let summary = "the set of low-rank adapters that are active in a step";
  let description = [{
    A run-time value: zero or more adapters, each with a scale, which
    `umber.lora` applies at the sites that they have matrices for.
  }];
}

#endif // UMBER_TYPES
