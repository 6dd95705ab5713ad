// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/AnyEngine.h"

#include "runtime/drivers/npu/isa/Fields.h"

using namespace umber;
using namespace umber::npu;

/// What the first weights of `bits` are stored as, if a decoder can: in that or
/// in the next power of two.
static int64_t getStorage(const Program &program, unsigned bits,
                          unsigned padded) {
  for (const Instruction &instruction : program) {
    const auto *stream = std::get_if<StreamWeights>(&instruction.operation);
    if (stream && stream->isPalette && stream->bits == bits) {
      return stream->storageBits == bits ? bits : padded;
    }
  }
  return padded;
}

Config npu::getAnyEngine(const Program &program) {
  Config config;
  config.name = "any engine";
  CoreArray cores;
  cores.cores = cores.columns = cores.inner = 1;
  cores.rowsF16 = cores.rowsI8 = 1;
  config.array = cores;
  config.scratchpad.bytes = int64_t(kGranule) << kScratchpadBits;
  config.scratchpad.granuleBytes = kGranule;
  config.scratchpad.accumulatorBytes = INT64_MAX;
  config.kernelBuffer.slots = 16;
  config.kernelBuffer.bytes = INT64_MAX;
  config.decoder.weightsPerSecond = 1;
  config.decoder.threeBitStorage = getStorage(program, 3, 4);
  config.decoder.sixBitStorage = getStorage(program, 6, 8);
  config.decoder.maxTableValues = 256;
  return config;
}
