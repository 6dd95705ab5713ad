// RUN: umber-opt %s --umber-quantize-activations | FileCheck %s --enable-var-scope
// RUN: not umber-opt %s '--umber-quantize-activations=bits=4' 2>&1 | FileCheck %s --check-prefix=BITS

// Asked to, inputs of plain weights are quantized too.
// RUN: umber-opt %s --umber-quantize-activations=plain | FileCheck %s --check-prefix=PLAIN
// PLAIN-LABEL: @shared
// PLAIN: %[[Q:.*]] = umber.quantize %arg0
// PLAIN: umber.linear %[[Q]], @plain

// BITS: error: expected 8 bits, found 4

umber.param @a : tensor<32x576xf16, #umber.palette<bits = 4, rows = 16>>
umber.param @b : tensor<16x576xf16, #umber.quantized<bits = 8>>
umber.param @plain : tensor<16x576xf16>
umber.param @odd : tensor<16x33xf16, #umber.palette<bits = 2, rows = 16>>
umber.param @coarse : tensor<16x40xf16, #umber.palette<bits = 2, rows = 16>>

// Products that share an input share its quantization; a plain weight has none.
// CHECK-LABEL: @shared
// CHECK-SAME: (%[[X:.*]]: tensor<?x576xf32>)
// CHECK: %[[Q:.*]] = umber.quantize %[[X]] : tensor<?x576xf32> -> tensor<?x576xf32, #umber.quantized<bits = 8, group = 64>>
// CHECK-NEXT: umber.linear %[[Q]], @a
// CHECK-NEXT: umber.linear %[[Q]], @b
// CHECK-NEXT: umber.linear %[[X]], @plain
func.func @shared(%x: tensor<?x576xf32>) -> (tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = umber.linear %x, @a : tensor<?x576xf32> -> tensor<?x32xf32>
  %1 = umber.linear %x, @b : tensor<?x576xf32> -> tensor<?x16xf32>
  %2 = umber.linear %x, @plain : tensor<?x576xf32> -> tensor<?x16xf32>
  return %0, %1, %2 : tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: @odd_widths
// CHECK-DAG: umber.quantize {{.*}} -> tensor<?x33xf32, #umber.quantized<bits = 8>>
// CHECK-DAG: umber.quantize {{.*}} -> tensor<?x40xf32, #umber.quantized<bits = 8>>
func.func @odd_widths(%x: tensor<?x33xf32>, %y: tensor<?x40xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = umber.linear %x, @odd : tensor<?x33xf32> -> tensor<?x16xf32>
  %1 = umber.linear %y, @coarse : tensor<?x40xf32> -> tensor<?x16xf32>
  return %0, %1 : tensor<?x16xf32>, tensor<?x16xf32>
}
