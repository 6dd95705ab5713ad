// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The key/value cache and attention over it.

#ifndef UMBER_ATTENTION_OPS
#define UMBER_ATTENTION_OPS

include "dialects/Umber/IR/UmberOpBase.td"

def Umber_KVUpdateOp : Umber_Op<"kv_update", [
    Pure, AllTypesMatch<["cache", "result"]>, AllTypesMatch<["k", "v"]>]> {
  let summary = "append keys and values to a layer of the cache";
  let description = [{
    The cache with row `t` of `k` and of `v` stored at position `pos + t` of
    `layer`. Consumes its operand: no other op may update the same value, and
    nothing may read it after this op.

    Shapes: k and v `T x (kv_heads * head_dim)`.

    Example:
    ```mlir
    %kv1 = umber.kv_update %kv[0], %k, %v at %pos : !umber.kv_cache<30 x 3 x 64 x f16>, tensor<?x192xf32>
    ```
  }];
  let arguments = (ins Umber_KVCacheType:$cache, I64Attr:$layer, Umber_Rows:$k,
                       Umber_Rows:$v, Index:$pos);
  let results = (outs Umber_KVCacheType:$result);
  let assemblyFormat = [{
    $cache `[` $layer `]` `,` $k `,` $v `at` $pos attr-dict
    `:` type($cache) `,` type($k)
  }];
  let hasVerifier = 1;
}

def Umber_AttentionOp : Umber_Op<"attention", [
    Pure, AllTypesMatch<["q", "result"]>]> {
  let summary = "causal grouped-query attention over a layer of the cache";
  let description = [{
    For row `t` at position `p = pos + t` and query head `h`, with key/value head
    `g = h / (heads / kv_heads)` and `j` over the positions it may see
    (`max(0, p - window + 1) <= j <= p`; window 0: all from 0):

        s_j = scale * <q[t, h], K[g, j]>,  s_j = cap * tanh(s_j / cap) if cap > 0
        result[t, h] = sum_j softmax_j(s) * V[g, j]

    Grouped queries: Ainslie et al. 2023, arXiv:2305.13245. The cache holds the
    step's own rows already.

    Shapes: q and result `T x (heads * head_dim)`.

    Example:
    ```mlir
    %o = umber.attention %q, %kv1[0] at %pos {heads = 9, kv_heads = 3, scale = 0.125 : f32} : tensor<?x576xf32>, !umber.kv_cache<30 x 3 x 64 x f16>
    ```
  }];
  let arguments = (ins Umber_Rows:$q, Umber_KVCacheType:$cache, I64Attr:$layer,
                       Index:$pos, I64Attr:$heads, I64Attr:$kv_heads,
                       F32Attr:$scale,
                       DefaultValuedAttr<I64Attr, "0">:$window,
                       DefaultValuedAttr<F32Attr, "0.0">:$soft_cap);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = [{
    $q `,` $cache `[` $layer `]` `at` $pos attr-dict
    `:` type($q) `,` type($cache)
  }];
  let hasVerifier = 1;
}

#endif // UMBER_ATTENTION_OPS
