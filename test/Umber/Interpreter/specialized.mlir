// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Greedy decoding with the entry points that umber-specialize makes: the prompt in
// steps of at most two tokens, whatever --chunk says, then one by one. The model
// is that of step.mlir; its decode doubles logits, so that it can be told apart.

// RUN: umber-interp %s --prompt-ids=2,2,3 -n 3 --json | FileCheck %s --check-prefix=ONE
// RUN: umber-interp %s --prompt-ids=2,2,2,3 -n 3 --json | FileCheck %s --check-prefix=TWO

// The prompt's last token is a step of its own.
// ONE:{"prompt_ids":[2,2,3],"ids":[0,1,4],"margins":[8,2,4]}
// It is the second of a step.
// TWO:{"prompt_ids":[2,2,2,3],"ids":[0,1,4],"margins":[4,2,4]}

module attributes {umber.model = #umber.model<arch = "test", layers = 1, context_length = 8, vocab = 5>} {
umber.param @embed : tensor<5x5xf32> {value = dense<[
    [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0, 5.0]]> : tensor<5x5xf32>}
umber.param @next : tensor<5x5xf32> {value = dense<[
    [0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 0.0]]> : tensor<5x5xf32>}

func.func @prefill(%ids: tensor<?xi32>, %pos: index, %outputs: index, %kv: !umber.kv_cache<1x1x5xf32>)
    -> (tensor<?x5xf32>, !umber.kv_cache<1x1x5xf32>) attributes {umber.max_tokens = 2 : i64} {
  %x = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x5xf32>
  %kv1 = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x5xf32>, tensor<?x5xf32>
  %o = umber.attention %x, %kv1[0] at %pos {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64}
      : tensor<?x5xf32>, !umber.kv_cache<1x1x5xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %o, %c0 : tensor<?x5xf32>
  %first = arith.subi %n, %outputs : index
  %last = tensor.extract_slice %o[%first, 0] [%outputs, 5] [1, 1] : tensor<?x5xf32> to tensor<?x5xf32>
  %y = umber.linear %last, @next : tensor<?x5xf32> -> tensor<?x5xf32>
  return %y, %kv1 : tensor<?x5xf32>, !umber.kv_cache<1x1x5xf32>
}

func.func @decode(%ids: tensor<1xi32>, %pos: index, %outputs: index, %kv: !umber.kv_cache<1x1x5xf32>)
    -> (tensor<?x5xf32>, !umber.kv_cache<1x1x5xf32>) attributes {umber.max_tokens = 1 : i64} {
  %x = umber.embed @embed[%ids] : tensor<1xi32> -> tensor<1x5xf32>
  %kv1 = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x5xf32>, tensor<1x5xf32>
  %o = umber.attention %x, %kv1[0] at %pos {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64}
      : tensor<1x5xf32>, !umber.kv_cache<1x1x5xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %o, %c0 : tensor<1x5xf32>
  %first = arith.subi %n, %outputs : index
  %last = tensor.extract_slice %o[%first, 0] [%outputs, 5] [1, 1] : tensor<1x5xf32> to tensor<?x5xf32>
  %d = arith.addf %last, %last : tensor<?x5xf32>
  %y = umber.linear %d, @next : tensor<?x5xf32> -> tensor<?x5xf32>
  return %y, %kv1 : tensor<?x5xf32>, !umber.kv_cache<1x1x5xf32>
}
}
