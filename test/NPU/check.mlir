// What the checker reports, at the op; the other op of a race is in a note.
// RUN: umber-opt %s --split-input-file --verify-diagnostics -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(npu.program(npu-check{tokens=16 io=4096}))'

npu.program @ordered attributes {device = "ane-a17-like"} {
  npu.weights signal(1, 1) from = weights[0x0], bits = 16, storage_bits = 16, rows = 32, columns = 64
  npu.load signal(2, 1) at = [0x0], dram = activations[0x0], bytes = 128, rows = r2, row_stride = 128, at_row_stride = 128
  npu.mm wait(1, 1) wait(2, 1) signal(3, 1) a = f16[0x0, 128], c = f32[0x2000, 128], rows = 16, columns = 32, inner = 64, first, last
  npu.store wait(3, 1) at = [0x2000], dram = io[0x0], bytes = 128, rows = r2, row_stride = 128, at_row_stride = 128
  npu.stop
}

// -----

npu.program @race attributes {device = "ane-a17-like"} {
  npu.weights signal(1, 1) from = weights[0x0], bits = 16, storage_bits = 16, rows = 32, columns = 64
  // expected-note @+1 {{the other instruction}}
  npu.load at = [0x0], dram = activations[0x0], bytes = 128, rows = r2, row_stride = 128, at_row_stride = 128
  // expected-error @+1 {{'npu.mm' op a: expected an order with instruction 1 (load), which writes there, found none; both access scratchpad 0x0 to 0x800 (fetches 2 and 1)}}
  npu.mm wait(1, 1) a = f16[0x0, 128], c = f32[0x2000, 128], rows = 16, columns = 32, inner = 64, first, last
  npu.stop
}

// -----

npu.program @deadlock attributes {device = "ane-a17-like"} {
  // expected-error @+1 {{'npu.load' op wait: expected semaphore 7 to reach 2, found that it stays 0 (fetch 0)}}
  npu.load wait(7, 2) at = [0x0], dram = activations[0x0], bytes = 64
  npu.stop
}

// -----

npu.program @region attributes {device = "ane-a17-like"} {
  npu.loop count = r2, r9 += 1024 {
    // expected-error @+1 {{'npu.load' op dram: expected io below 0x1000, found 0x1000 to 0x1040}}
    npu.load at = [0x0], dram = io[0x0 + r9], bytes = 64
  }
  npu.stop
}

// -----

npu.program @scratchpad attributes {device = "ane-a17-like"} {
  npu.set to = r9, from = r2, multiplier = 131072
  // expected-error @+1 {{'npu.load' op at: expected scratchpad below 0x200000, found 0x200000 to 0x200040}}
  npu.load at = [0x0 + r9], dram = io[0x0], bytes = 64
  npu.stop
}

// -----

// expected-error @+1 {{'npu.program' op semaphore 3: expected 0 at the end of the program, found 1}}
npu.program @leftover attributes {device = "ane-a17-like"} {
  npu.load signal(3, 1) at = [0x0], dram = io[0x0], bytes = 64
  npu.stop
}

// -----

npu.program @most attributes {device = "ane-a17-like"} {
  npu.loop count = 3 {
    // expected-error @+1 {{'npu.load' op semaphore 3: expected at most 63, found that it can reach 64 (fetch 3)}}
    npu.load signal(3, 32) at = [0x0], dram = io[0x0], bytes = 64
  }
  npu.stop
}

// -----

npu.program @slot attributes {device = "ane-a17-like"} {
  npu.weights signal(1, 1) from = weights[0x0], bits = 16, storage_bits = 16, rows = 32, columns = 64
  // expected-error @+1 {{'npu.mm' op kernel slot 0: expected weights of 31 x 64 of f16, found 32 x 64 of f16}}
  npu.mm wait(1, 1) a = f16[0x0, 128], c = f32[0x2000, 128], rows = 16, columns = 31, inner = 64, first, last
  npu.stop
}

// -----

// expected-error @+1 {{'npu.program' op expected a device, as its attribute or as an option of the pass}}
npu.program @none {
  npu.stop
}

// -----

// expected-error @+1 {{'npu.program' op no device 'ane', expected a .json file or one of}}
npu.program @unknown attributes {device = "ane"} {
  npu.stop
}
