// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-compile %models/tiny.json --emit=mlir --compile-to=quantize -o - | umber-opt --umber-fuse | FileCheck %s

// A decoder layer becomes five kernels, and nothing is left outside of one.

// CHECK-LABEL: func.func @step
// CHECK: umber.kernel @embed
// CHECK-NEXT: umber.embed
// CHECK-NEXT: umber.yield
// CHECK: umber.kernel @l0.q_k_v
// CHECK-NEXT: umber.rms_norm
// CHECK-NEXT: umber.linear %{{.*}}, @l0.attn.q
// CHECK-NEXT: umber.linear %{{.*}}, @l0.attn.k
// CHECK-NEXT: umber.linear %{{.*}}, @l0.attn.v
// CHECK-NEXT: umber.lora %{{.*}}[@l0.attn.q]
// CHECK-NEXT: umber.lora %{{.*}}[@l0.attn.k]
// CHECK-NEXT: umber.lora %{{.*}}[@l0.attn.v]
// CHECK-NEXT: = umber.rotary %
// CHECK-NEXT: = umber.rotary %
// CHECK-NEXT: umber.kv_update
// CHECK-NEXT: umber.yield
// CHECK: umber.kernel @l0.attention
// CHECK-NEXT: umber.attention
// CHECK-NEXT: umber.yield
// CHECK: umber.kernel @l0.o
// CHECK-NEXT: umber.linear %{{.*}}, @l0.attn.o
// CHECK-NEXT: umber.lora
// CHECK-NEXT: arith.addf
// CHECK-NEXT: umber.yield
// CHECK: umber.kernel @l0.gate_up
// CHECK-NEXT: umber.rms_norm
// CHECK-NEXT: umber.linear %{{.*}}, @l0.ffn.gate
// CHECK-NEXT: umber.linear %{{.*}}, @l0.ffn.up
// CHECK-NEXT: umber.lora
// CHECK-NEXT: umber.lora
// CHECK-NEXT: umber.gated_activation
// CHECK-NEXT: umber.yield
// CHECK: umber.kernel @l0.down
// CHECK-NEXT: umber.linear %{{.*}}, @l0.ffn.down
// CHECK-NEXT: umber.lora
// CHECK-NEXT: arith.addf
// CHECK-NEXT: umber.yield
// CHECK: umber.kernel @head
// CHECK: tensor.extract_slice
// CHECK-NEXT: umber.rms_norm
// CHECK-NEXT: umber.linear %{{.*}}, @embed
// CHECK-NEXT: umber.yield
// CHECK-NOT: {{^    (tensor|arith|umber)\.}}
// CHECK: return
