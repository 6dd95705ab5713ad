// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --pass-pipeline='builtin.module(umber-verify-model,func.func(umber-verify-fused))' --split-input-file --verify-diagnostics

// expected-error @+1 {{expected a module with the attribute 'umber.model'}}
module {
}

// -----

// expected-error @+1 {{expected an entry point 'step', or 'decode' and 'prefill', found none}}
module attributes {umber.model = #umber.model<arch = "llama", layers = 1, context_length = 8, vocab = 9>} {
}

// -----

module attributes {umber.model = #umber.model<arch = "llama", layers = 1, context_length = 8, vocab = 9>} {
  // expected-error @+1 {{expected an entry point (tensor<?xi32>, index, index, cache[, adapters]) -> (tensor<?x9xf32>, cache), found '(index) -> ()'}}
  func.func @step(%x: index) {
    return
  }
}

// -----

module attributes {umber.model = #umber.model<arch = "llama", layers = 1, context_length = 8, vocab = 9>} {
  // expected-error @+1 {{expected logits for a vocabulary of 9, found 8}}
  func.func @step(%ids: tensor<?xi32>, %pos: index, %n: index, %kv: !umber.kv_cache<1x1x4xf32>) -> (tensor<?x8xf32>, !umber.kv_cache<1x1x4xf32>) {
    %x = tensor.empty(%n) : tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !umber.kv_cache<1x1x4xf32>
  }
}

// -----

module attributes {umber.model = #umber.model<arch = "llama", layers = 1, context_length = 8, vocab = 8>} {
  func.func @step(%ids: tensor<?xi32>, %pos: index, %n: index, %kv: !umber.kv_cache<1x1x4xf32>) -> (tensor<?x8xf32>, !umber.kv_cache<1x1x4xf32>) {
    // expected-error @+1 {{expected every op to be in a kernel}}
    %x = tensor.empty(%n) : tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !umber.kv_cache<1x1x4xf32>
  }
}
