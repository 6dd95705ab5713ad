// A rule of each kind at the op; isa/OperationRules.h has them, and
// test/Unit/NPU/VerifierTest.cpp all of their messages.
// RUN: umber-opt %s --split-input-file --verify-diagnostics -o /dev/null

// Text.

npu.program @field {
  // expected-error @+1 {{expected a field of set, found 'size'}}
  npu.set to = r9, size = 3
  npu.stop
}

// -----

npu.program @first_field {
  // expected-error @+1 {{expected a field of fence, found 'queue'}}
  npu.fence queue = [vector]
  npu.stop
}

// -----

npu.program @no_comma {
  // expected-error @+1 {{expected a field of add, found 'from'}}
  npu.add to = r9 from = r2
  npu.stop
}

// -----

npu.program @twice {
  // expected-error @+1 {{expected 'rows' once}}
  npu.reduce op = sum, a = f32[0x0, 64], d = f32[0x100, 16], rows = 1, columns = 4, rows = 2
  npu.stop
}

// -----

npu.program @three_waits {
  // expected-error @+1 {{expected at most two waits}}
  npu.mark on vector wait(1, 1) wait(2, 1) wait(3, 1)
  npu.stop
}

// -----

npu.program @register {
  // expected-error @+1 {{expected a register, r0 to r63}}
  npu.set to = r64
  npu.stop
}

// -----

npu.program @region {
  // expected-error @+1 {{expected a region: code, weights, adapters, tables, cache, activations or io}}
  npu.load at = [0x0], dram = flash[0x0], bytes = 4
  npu.stop
}

// -----

npu.program @type {
  // expected-error @+1 {{expected a type: i8, i32, f16 or f32}}
  npu.reduce op = sum, a = bf16[0x0, 64], d = f32[0x100, 16], rows = 1, columns = 4
  npu.stop
}

// -----

npu.program @choice {
  // expected-error @+1 {{expected one of sum, max, argmax}}
  npu.reduce op = mean, a = f32[0x0, 64], d = f32[0x100, 16], rows = 1, columns = 4
  npu.stop
}

// -----

// Ranges of fields.

npu.program @semaphore {
  // expected-error @+1 {{'npu.mark' op wait: expected 0 to 31, found 32}}
  npu.mark on vector wait(32, 1)
  npu.stop
}

// -----

npu.program @count {
  // expected-error @+1 {{'npu.mark' op signal: expected 0 to 63, found 64}}
  npu.mark on vector signal(1, 64)
  npu.stop
}

// -----

npu.program @number {
  // expected-error @+1 {{'npu.load' op rows: expected 0 to 65535, found 65536}}
  npu.load at = [0x0], dram = io[0x0], bytes = 4, rows = 65536
  npu.stop
}

// -----

npu.program @small_field {
  // expected-error @+1 {{'npu.mm' op slot: expected 0 to 15, found 256}}
  npu.mm a = f16[0x0, 64], slot = 256, c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, first, last
  npu.stop
}

// -----

npu.program @id {
  // expected-error @+1 {{'npu.mark' op id: expected 0 to 524287, found -1}}
  npu.mark id = -1, mark = 3
  npu.stop
}

// -----

npu.program @granule {
  // expected-error @+1 {{'npu.load' op at: expected a multiple of 16, found 8}}
  npu.load at = [0x8], dram = io[0x0], bytes = 4
  npu.stop
}

// -----

npu.program @dram {
  // expected-error @+1 {{'npu.load' op dram: expected 0 to 1099511627775, found 1099511627776}}
  npu.load at = [0x0], dram = io[0x10000000000], bytes = 4
  npu.stop
}

// -----

npu.program @generic_register {
  // expected-error @+1 {{'npu.set' op to: expected 0 to 63, found 64}}
  "npu.set"() {to = 64 : i64} : () -> ()
  npu.stop
}

// -----

// Operations.

npu.program @queue {
  // expected-error @+1 {{'npu.store' op queue: expected store, found vector}}
  npu.store on vector at = [0x0], dram = io[0x0], bytes = 4
  npu.stop
}

// -----

npu.program @system_semaphore {
  // expected-error @+1 {{'npu.fence' op expected no semaphores of the system queue, found some}}
  npu.fence wait(1, 1) queues = [vector]
  npu.stop
}

// -----

npu.program @read_only {
  // expected-error @+1 {{'npu.store' op dram: expected a region that can be written (cache, activations or io), found weights}}
  npu.store at = [0x0], dram = weights[0x0], bytes = 4
  npu.stop
}

// -----

npu.program @register_zero {
  // expected-error @+1 {{'npu.add' op to: expected at least 1, found 0}}
  npu.add from = r1, multiplier = 2
  npu.stop
}

// -----

npu.program @table {
  // expected-error @+1 {{'npu.table' op slot and count: expected 1 to 64, found 66}}
  npu.table from = weights[0x0], slot = 62, count = 4, entries = 16
  npu.stop
}

// -----

npu.program @storage {
  // expected-error @+1 {{'npu.weights' op storage_bits: expected 4, found 6}}
  npu.weights from = weights[0x0], palette, bits = 3, storage_bits = 6, rows = 8, columns = 8, rows_per_table = 8
  npu.stop
}

// -----

npu.program @product_type {
  // expected-error @+1 {{'npu.mm' op c: expected f16 or f32, found i32}}
  npu.mm a = f16[0x0, 64], c = i32[0x2000, 128], rows = 4, columns = 32, inner = 16, first, last
  npu.stop
}

// -----

npu.program @group {
  // expected-error @+1 {{'npu.mm' op inner: expected whole groups of 64, as it is no last part, found 48}}
  npu.mm a = i8[0x0, 64], c = f32[0x2000, 128], rows = 4, columns = 32, inner = 48, first, group = 64, scales = f32[0x800, 16]
  npu.stop
}

// -----

npu.program @scale_type {
  // expected-error @+1 {{'npu.mmd' op b: expected i8 or f16, found f32}}
  npu.mmd a = f32[0x0, 64], b = f32[0x100, 64], c = f32[0x200, 64], rows = 1, columns = 4, inner = 16, scaled
  npu.stop
}

// -----

npu.program @spread {
  // expected-error @+1 {{'npu.ew' op spread: expected one that is not none of add, found none}}
  npu.ew op = add, a = f32[0x0, 64], d = f32[0x0, 64], rows = 1, columns = 16
  npu.stop
}

// -----

npu.program @argmax {
  // expected-error @+1 {{'npu.reduce' op d: expected i32, found f32}}
  npu.reduce op = argmax, a = f32[0x0, 64], d = f32[0x100, 16], rows = 1, columns = 4
  npu.stop
}

// -----

npu.program @epsilon {
  // expected-error @+1 {{'npu.norm' op epsilon: expected at least 0, found -1.000000}}
  npu.norm a = f32[0x0, 64], d = f32[0x0, 64], rows = 1, columns = 16, epsilon = -1.0
  npu.stop
}

// -----

npu.program @not_finite {
  // expected-error @+1 {{'npu.norm' op epsilon: expected a finite number, found}}
  npu.norm a = f32[0x0, 64], d = f32[0x0, 64], rows = 1, columns = 16, epsilon = 0x7F800000
  npu.stop
}

// -----

npu.program @bits {
  // expected-error @+1 {{'npu.quant' op bits: expected 2 to 8, found 9}}
  npu.quant a = f32[0x0, 256], d = i8[0x400, 64], scales = f32[0x800, 16], rows = 2, columns = 64, group = 32, bits = 9
  npu.stop
}

// -----

npu.program @integers {
  // expected-error @+1 {{'npu.dequant' op a: expected i8, found f16}}
  npu.dequant a = f16[0x400, 128], scales = f32[0x800, 16], d = f32[0x0, 256], rows = 2, columns = 64, group = 32
  npu.stop
}

// -----

npu.program @odd {
  // expected-error @+1 {{'npu.rotate' op columns: expected an even number, found 63}}
  npu.rotate a = f32[0x0, 256], d = f32[0x0, 256], table = f32[0x2000, 256], rows = 1, columns = 63
  npu.stop
}

// -----

npu.program @state {
  // expected-error @+1 {{'npu.softmax' op state: expected f32, found f16}}
  npu.softmax a = f32[0x0, 1024], d = f32[0x0, 1024], state = f16[0x4000, 16], factors = f32[0x4100, 16], rows = 3, columns = 256, first
  npu.stop
}

// -----

npu.program @cache {
  // expected-error @+1 {{'npu.append' op bits: expected one of 4, 8, 16, 32, found 6}}
  npu.append a = f32[0x0, 256], to = cache[0x0], bits = 6, columns = 64, rows = 1, scales = cache[0x100]
  npu.stop
}

// -----

npu.program @gather {
  // expected-error @+1 {{'npu.gather' op stride: expected at least 64, found 48}}
  npu.gather indices = [0x0], to = [0x100], table = tables[0x0], bytes = 64, stride = 48, count = 2, limit = 9
  npu.stop
}

// -----

npu.program @alias {
  // expected-error @+1 {{'npu.mm' op c: expected it apart from a, found an overlap}}
  npu.mm a = f16[0x0, 64], c = f16[0x0, 64], rows = 4, columns = 32, inner = 16, first, last
  npu.stop
}

// -----

npu.program @rows_overlap {
  // expected-error @+1 {{'npu.ew' op d: expected a stride of at least a row's 64 bytes, found 32}}
  npu.ew op = copy, a = f32[0x0, 64], d = f32[0x1000, 32], rows = 2, columns = 16
  npu.stop
}

// -----

// What an engine has.

npu.program @engine_slot attributes {device = "ane-a17-like"} {
  // expected-error-re @+1 {{'npu.mm' op slot: expected one below the {{[0-9]+}} of kernel_buffer.slots of ane-a17-like, found 15}}
  npu.mm a = f16[0x0, 64], slot = 15, c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, first, last
  npu.stop
}

// -----

npu.program @engine_scratchpad attributes {device = "ane-a17-like"} {
  // expected-error @+1 {{'npu.load' op at: expected an end within the 2097152 bytes of the scratchpad, found 2097168}}
  npu.load at = [0x1ffff0], dram = io[0x0], bytes = 32
  npu.stop
}

// -----

npu.program @engine_decoder attributes {device = "gemmini-8x8"} {
  // expected-error @+1 {{'npu.table' op gemmini-8x8 decodes no palettes (decoder.weights_per_s is 0)}}
  npu.table from = weights[0x0], entries = 16
  npu.stop
}

// -----

// Programs.

npu.program @no_stop {
  // expected-error @+1 {{block with no terminator}}
  npu.fence queues = [vector]
}

// -----

npu.program @other_dialect {
  npu.loop count = 2 {
    // expected-error @+1 {{expected instructions alone in a program, found 'arith.constant'}}
    %0 = arith.constant 1 : i32
  }
  npu.stop
}

// -----

// expected-error @+1 {{'npu.program' op expected a body without arguments, found 1}}
npu.program @arguments {
^bb0(%0 : i32):
  npu.stop
}

// -----

npu.program @early_stop {
  // expected-error @+1 {{'npu.stop' op must be the last operation in the parent block}}
  npu.stop
  npu.stop
}

// -----

npu.program @stop_in_loop {
  npu.loop id = 3, count = 2 {
    // expected-error @+1 {{'npu.stop' op expects parent op 'npu.program'}}
    npu.stop
  }
  npu.stop
}

// -----

// expected-error @+1 {{'npu.fence' op expects parent op to be one of 'npu.program, npu.loop'}}
npu.fence queues = [vector]

// -----

npu.program @five_loops {
  npu.loop count = 2 {
    npu.loop count = 2 {
      npu.loop count = 2 {
        npu.loop count = 2 {
          // expected-error @+1 {{'npu.loop' op expected loops at most 4 deep, found one more}}
          npu.loop count = 2 {
          }
        }
      }
    }
  }
  npu.stop
}

// -----

npu.program @two_waiters {
  npu.mark on vector wait(1, 1)
  // expected-error @+1 {{'npu.mark' op semaphore 1: expected waits of one queue, found vector and matrix}}
  npu.mark on matrix wait(1, 1)
  npu.stop
}

// -----

npu.program @parts {
  // expected-error @+1 {{'npu.mm' op expected a first part before, found none}}
  npu.mm a = f16[0x0, 64], c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, last
  npu.stop
}

// -----

npu.program @unfinished {
  npu.mm a = f16[0x0, 64], c = f16[0x2000, 64], rows = 4, columns = 32, inner = 16, first
  // expected-error @+1 {{'npu.stop' op expected no unfinished product, found one of 4 x 32 of f16}}
  npu.stop
}
