// Every op, in every form that its fields have.
// RUN: umber-opt %s --verify-roundtrip | umber-opt | FileCheck %s
// RUN: umber-opt %s --mlir-print-op-generic | umber-opt | FileCheck %s
// RUN: umber-opt %s --emit-bytecode | umber-opt | FileCheck %s

// CHECK-LABEL: npu.program @system
npu.program @system {
  // CHECK-NEXT: npu.set to = r9, from = r2, multiplier = 1, addend = -3, divisor = 16, limit = 64
  npu.set to = r9, from = r2, multiplier = 1, addend = -3, divisor = 16, limit = 64
  // CHECK-NEXT: npu.add to = r9, from = r2, multiplier = -64
  npu.add multiplier = -64, to = r9, from = r2
  // CHECK-NEXT: npu.mark id = 524287, mark = 12
  npu.mark mark = 12, id = 524287
  // CHECK-NEXT: npu.mark on matrix wait(3, 1) wait(4, 63){{$}}
  npu.mark on matrix wait(3, 1) wait(4, 63)
  // CHECK-NEXT: npu.fence queues = [load0, matrix, vector]
  npu.fence queues = [load0, matrix, vector]
  // CHECK-NEXT: npu.fence{{$}}
  npu.fence
  // CHECK-NEXT: npu.loop count = r9, r10 += 1024, r11 += -2048 {
  npu.loop count = r9, r10 += 1024, r11 += -2048 {
    // CHECK-NEXT: npu.loop count = 3 {
    npu.loop count = 3 {
      // CHECK-NEXT: npu.fence queues = [store] attributes {note = "here"}
      npu.fence queues = [store] attributes {note = "here"}
      // CHECK-NEXT: npu.end id = 4
      npu.end id = 4
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: npu.loop count = 7 | r2 attributes {note} {
    npu.loop count = 7 | r2 attributes {note} {
    // CHECK-NEXT: }
    }
  // CHECK-NEXT: }
  }
  // An end that is left out has the loop's id.
  // CHECK-NEXT: npu.loop id = 5, count = 2 {
  npu.loop id = 5, count = 2 {
    // CHECK-NEXT: npu.loop id = 6, count = 2 {
    npu.loop id = 6, count = 2 {
      // CHECK-NEXT: npu.end{{$}}
      npu.end
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: }
    npu.end id = 5
  }
  // CHECK-NEXT: npu.stop
  npu.stop
}

// CHECK-LABEL: npu.program @memory attributes {kernels = ["embed", "l0.qkv"]}
npu.program @memory attributes {kernels = ["embed", "l0.qkv"]} {
  // CHECK-NEXT: npu.load on load1 signal(2, 1) at = [0x10 + r3], dram = activations[0x0 + r10], bytes = 64, rows = r2, planes = 2, row_stride = -64, at_row_stride = 64, plane_stride = 128 + r5, at_plane_stride = 4096
  npu.load on load1 signal(2, 1) at = [16 + r3], dram = activations[0 + r10], bytes = 64, rows = r2, planes = 2, row_stride = -64, plane_stride = 128 + r5, at_row_stride = 64, at_plane_stride = 4096
  // CHECK-NEXT: npu.store wait(5, 1) at = [0x2000], dram = io[0x7f], bytes = 128
  npu.store wait(5, 1) at = [0x2000], dram = io[0x7f], bytes = 128
  // CHECK-NEXT: npu.gather indices = [0x0], to = [0x100], table = tables[0x0], bytes = 576, stride = 576, count = r2, limit = 49152
  npu.gather indices = [0x0], to = [0x100], table = tables[0x0], bytes = 576, stride = 576, count = r2, limit = 49152
  // CHECK-NEXT: npu.table from = weights[0xffffffffff], slot = 8, count = 4, entries = 16, type = f16
  npu.table from = weights[0xffffffffff], slot = 8, count = 4, entries = 16, type = f16
  // CHECK-NEXT: npu.weights signal(1, 1) from = weights[0x1000], slot = 1, palette, bits = 4, storage_bits = 4, rows = 32, columns = 64, table = 2, rows_per_table = 16, scales = weights[0x40], rows_per_scale = 1, first_row = 32
  npu.weights signal(1, 1) from = weights[0x1000], slot = 1, palette, bits = 4, storage_bits = 4, rows = 32, columns = 64, table = 2, rows_per_table = 16, scales = weights[0x40], rows_per_scale = 1, first_row = 32
  // Decoders keep 3 bits as 3 or as 4.
  // CHECK-NEXT: npu.weights from = adapters[0x0], palette, bits = 3, storage_bits = 3, rows = 8, columns = 8, rows_per_table = 8
  npu.weights from = adapters[0x0], palette, bits = 3, storage_bits = 3, rows = 8, columns = 8, rows_per_table = 8
  // CHECK-NEXT: npu.append a = f32[0x0, 768], to = cache[0x0 + r17], bits = 4, heads = 3, columns = 64, rows = 4, head_stride = 64, stride_from = r3, scales = cache[0x8000 + r18], scale_head_stride = 2
  npu.append a = f32[0x0, 768], to = cache[0x0 + r17], bits = 4, heads = 3, columns = 64, rows = 4, head_stride = 64, stride_from = r3, scales = cache[0x8000 + r18], scale_head_stride = 2
  npu.stop
}

// CHECK-LABEL: npu.program @products
npu.program @products attributes {device = "ane-a17-like"} {
  // CHECK-NEXT: npu.mm wait(1, 1) wait(2, 1) signal(5, 1) id = 17, a = i8[0x0, 64], slot = 1, c = f32[0x2000, 128], rows = 16, columns = 32, inner = 64, first, last, group = 64, scales = f32[0x800, 16]
  npu.mm wait(1, 1) signal(5, 1) wait(2, 1) a = i8[0x0, 64], slot = 1, c = f32[0x2000, 128], rows = 16, columns = 32, inner = 64, first, last, group = 64, scales = f32[0x800, 16], id = 17
  // CHECK-NEXT: npu.mm a = f16[0x0, 64], c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, first
  npu.mm a = f16[0x0, 64], c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, first
  // CHECK-NEXT: npu.mm a = f16[0x0, 64], c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, last, adds
  npu.mm a = f16[0x0, 64], c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, last, adds
  // CHECK-NEXT: npu.mmd a = f32[0x0, 256], b = i8[0x1000, 64], transposed, c = f32[0x9000, 1024], rows = 3, columns = 256, inner = 64, factor = 1.250000e-01, adds, scaled, scales = [0x8000]
  npu.mmd a = f32[0x0, 256], b = i8[0x1000, 64], transposed, c = f32[0x9000, 1024], rows = 3, columns = 256, inner = 64, factor = 0.125, adds, scaled, scales = [0x8000]
  npu.stop
}

// CHECK-LABEL: npu.program @vectors
npu.program @vectors {
  // CHECK-NEXT: npu.ew op = copy, a = i32[0x0, 64], d = f16[0x400, 32], rows = 2, columns = 16
  npu.ew op = copy, a = i32[0x0, 64], d = f16[0x400, 32], rows = 2, columns = 16
  // CHECK-NEXT: npu.ew op = mul, a = f32[0x0, 64], d = f32[0x0, 64], rows = 2, columns = 16, spread = immediate, immediate = 5.000000e-01
  npu.ew op = mul, a = f32[0x0, 64], d = f32[0x0, 64], rows = 2, columns = 16, spread = immediate, immediate = 0.5
  // CHECK-NEXT: npu.ew op = silu, a = f32[0x0, 64], d = f32[0x0, 64], rows = 2, columns = 16, spread = full, b = f16[0x800 + r6, 32]
  npu.ew op = silu, a = f32[0x0, 64], d = f32[0x0, 64], rows = 2, columns = 16, spread = full, b = f16[0x800 + r6, 32]
  // CHECK-NEXT: npu.reduce op = argmax, a = f32[0x0, 512], d = i32[0x400, 16], rows = 2, columns = 100
  npu.reduce op = argmax, a = f32[0x0, 512], d = i32[0x400, 16], rows = 2, columns = 100
  // CHECK-NEXT: npu.norm a = f32[0x0, 2304], d = f32[0x0, 2304], rows = 1, columns = 192, heads = 3, epsilon = 9.99999974E-6, scaled, gain = [0x2000]
  npu.norm a = f32[0x0, 2304], d = f32[0x0, 2304], rows = 1, columns = 192, heads = 3, epsilon = 9.99999974E-6, scaled, gain = [0x2000]
  // CHECK-NEXT: npu.quant a = f32[0x0, 256], d = i8[0x400, 64], scales = f32[0x800, 16], rows = 2, columns = 64, group = 32, bits = 4
  npu.quant a = f32[0x0, 256], d = i8[0x400, 64], scales = f32[0x800, 16], rows = 2, columns = 64, group = 32, bits = 4
  // CHECK-NEXT: npu.dequant a = i8[0x400, 64], scales = f16[0x800, 16], d = f32[0x0, 256], rows = 2, columns = 64, group = 32, factor = -2.000000e+00
  npu.dequant a = i8[0x400, 64], scales = f16[0x800, 16], d = f32[0x0, 256], rows = 2, columns = 64, group = 32, factor = -2.0
  // CHECK-NEXT: npu.rotate a = f32[0x0, 2304], d = f32[0x0, 2304], table = f32[0x2000, 256], rows = 1, columns = 64, heads = 9, interleaved
  npu.rotate a = f32[0x0, 2304], d = f32[0x0, 2304], table = f32[0x2000, 256], rows = 1, columns = 64, heads = 9, interleaved
  // CHECK-NEXT: npu.softmax a = f32[0x0, 1024], d = f32[0x0, 1024], state = f32[0x4000, 16], factors = f32[0x4100, 16], rows = 3, columns = 256, rows_per_token = 3, first_query = 0 + r1, first_key = -256 + r12, first, window = 512, soft_cap = 5.000000e+01
  npu.softmax a = f32[0x0, 1024], d = f32[0x0, 1024], state = f32[0x4000, 16], factors = f32[0x4100, 16], rows = 3, columns = 256, rows_per_token = 3, first_query = 0 + r1, first_key = -256 + r12, first, window = 512, soft_cap = 50.0
  npu.stop
}
