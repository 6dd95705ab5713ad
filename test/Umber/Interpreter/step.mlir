// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Greedy decoding with a model whose answer is known: token t is followed by
// 3 t + 1 mod 5 (1 after 0, 4 after 1, 2 after 2, 0 after 3, 3 after 4), with a
// logit of t + 1 above one of 0.

// RUN: umber-interp %s --prompt-ids=2,3 -n 4 | FileCheck %s --check-prefix=IDS
// RUN: umber-interp %s --prompt-ids=2,3 -n 4 --json | FileCheck %s --check-prefix=JSON
// RUN: umber-interp %s --prompt-ids=2,2,2,2,3 --chunk 2 -n 3 --json | FileCheck %s --check-prefix=CHUNKS
// RUN: umber-interp %s --prompt-ids=1 --json | FileCheck %s --check-prefix=NONE
// RUN: umber-opt %s --umber-specialize=tokens=1,2 --umber-fuse \
// RUN:   | umber-interp - --prompt-ids=2,2,2,2,3 -n 3 --json | FileCheck %s --check-prefix=CHUNKS
// RUN: umber-opt %s --emit-bytecode -o %t.mlirbc
// RUN: umber-interp %t.mlirbc --prompt-ids=2,3 -n 4 | FileCheck %s --check-prefix=IDS
// RUN: not umber-interp %s --prompt-ids=2,5 2>&1 | FileCheck %s --check-prefix=ID
// RUN: not umber-interp %s --prompt-ids=1 -n 9 2>&1 | FileCheck %s --check-prefix=CONTEXT
// RUN: not umber-interp %s 2>&1 | FileCheck %s --check-prefix=ARGUMENTS
// RUN: rm -rf %t && umber-interp %s --prompt-ids=0,4 --logits %t | count 1
// RUN: od -A n -t f4 -w20 %t | FileCheck %s --check-prefix=LOGITS

//      IDS:{{^}}0,1,4,3{{$}}
//     JSON:{{^}}{"prompt_ids":[2,3],"ids":[0,1,4,3],"margins":[4,1,2,5]}{{$}}
//   CHUNKS:{"prompt_ids":[2,2,2,2,3],"ids":[0,1,4],"margins":[4,1,2]}
//     NONE:{"prompt_ids":[1],"ids":[],"margins":[]}
//       ID:umber-interp: error: {{.*}}step.mlir:[[#@LINE+17]]:{{.*}}: 'umber.embed' op expected token ids from 0 to 4, found 5 at index 1
//  CONTEXT:umber-interp: error: {{.*}}step.mlir:[[#@LINE+14]]:{{.*}}: 'func.func' op expected at most 8 tokens, the model's context, found 9
//ARGUMENTS:'func.func' op expected no arguments but !umber.kv_cache and !umber.adapters, found (
//   LOGITS:0 0 0 5 0

module attributes {umber.model = #umber.model<arch = "test", layers = 1, context_length = 8, vocab = 5>} {
umber.param @embed : tensor<5x5xf32> {value = dense<[
    [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0, 5.0]]> : tensor<5x5xf32>}
umber.param @next : tensor<5x5xf32> {value = dense<[
    [0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 0.0]]> : tensor<5x5xf32>}

// The cache's second use checks that positions follow each other: attention with
// a window of one gives back what was stored at the token's own position.
func.func @step(%ids: tensor<?xi32>, %pos: index, %outputs: index, %kv: !umber.kv_cache<1x1x5xf32>)
    -> (tensor<?x5xf32>, !umber.kv_cache<1x1x5xf32>) {
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
}
