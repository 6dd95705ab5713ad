// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of memory as the F32 that the engine computes with, and back.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_ROWS_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_ROWS_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <cstdint>

namespace umber::npu {

/// `count` elements at any address. I32 are rounded to nearest even.
void loadRow(const uint8_t *from, DataType type, uint64_t count, float *to);

/// Of F16, rounds to nearest even; of integers, half to even, clamped to the
/// type's range, and NaN is 0. Leaves in `values` NaNs that are canonical.
void storeRow(float *values, DataType type, uint64_t count, uint8_t *to);

/// One element of F32, or F16.
float loadElement(const uint8_t *from, DataType type);
void storeF32(float value, uint8_t *to);

/// The scale of integers of up to `most` in magnitude: the largest magnitude
/// over `most`, or NaN if an element is not finite.
float getScale(const float *values, uint64_t count, float most);

/// to[i] = values[i] / scale, rounded half to even and clamped to `most`; 0 if
/// the scale is 0 or NaN.
void quantizeRow(const float *values, uint64_t count, float scale, float most,
                 int8_t *to);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_ROWS_H
