// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers of 32 and 16 bits as files have them: little-endian, at any address.

#ifndef UMBER_RUNTIME_ADAPTER_VALUES_H
#define UMBER_RUNTIME_ADAPTER_VALUES_H

#include "runtime/package/MappedFile.h"
#include "runtime/package/umb_generated.h"

#include <cstdint>
#include <optional>

namespace umber {

/// The index of the first value of F32, F16 or BF16 that is infinite or NaN.
std::optional<uint64_t> findNotFinite(fbs::DType dtype, Bytes values);

/// The i-th of these F32 values.
float loadF32(Bytes values, uint64_t i);

/// All values of F32, F16 or BF16 as f32.
void loadValues(fbs::DType dtype, Bytes values, float *out);

/// Rounds to nearest, ties to even; what is too large becomes infinite.
uint16_t roundToF16(float value);
uint16_t roundToBF16(float value);
/// The same of `count` values.
void roundAllToF16(const float *values, uint16_t *out, uint64_t count);
void roundAllToBF16(const float *values, uint16_t *out, uint64_t count);

inline bool isFiniteF16(uint16_t bits) { return (bits & 0x7c00) != 0x7c00; }
inline bool isFiniteBF16(uint16_t bits) { return (bits & 0x7f80) != 0x7f80; }

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_VALUES_H
