// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a matrix's weights lie in memory.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_WEIGHTFORMAT_H
#define UMBER_RUNTIME_DRIVERS_NPU_WEIGHTFORMAT_H

#include "runtime/drivers/npu/Config.h"

namespace umber::npu {

/// Elements of f16 or i8, or indices into a palette, each of which stands for
/// a vector of weights.
struct WeightFormat {
  enum class Kind { F16, I8, Palette };

  Kind kind = Kind::F16;
  /// Of a palette: before padding, 1 to 8.
  int64_t indexBits = 0;
  int64_t vectorLength = 1;
  int64_t entries = 0;

  /// Bytes that `weights` weights take, with indices padded as `decoder` says.
  int64_t bytes(int64_t weights, const DecoderConfig &decoder) const;
};

/// Reads `f16`, `i8`, `p4` (a palette of 16 entries; 1, 2, 3, 4, 6 or 8 bits)
/// or `p2x64` (64 entries of 2 weights each). InvalidArgument: what was
/// expected.
Result<WeightFormat> parseWeightFormat(const std::string &text);

/// Unsupported if the engine cannot stream such weights: `NAME …`.
Status checkFormat(const WeightFormat &format, const Config &config);

/// Whether the array multiplies these weights in f16, not i8.
bool isF16(const WeightFormat &format, const Config &config);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_WEIGHTFORMAT_H
