// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings an adapter's matrices to where programs read them: MatrixLayout.h.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_ADAPTERPLACEMENT_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_ADAPTERPLACEMENT_H

#include "runtime/drivers/npu/MatrixLayout.h"

namespace umber::npu {

/// Writes the ranks from `first` on of a site in Region::Adapters, `region`:
/// of `a`, [rank][inputs], rows of A in both its forms, and of `b`,
/// [outputs][rank], columns of B. All are F16. The site's matrices must have
/// that many ranks, and lie within the region.
void placeAdapter(const SiteLayout &site, int64_t first, int64_t rank,
                  const uint16_t *a, const uint16_t *b, char *region);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_ADAPTERPLACEMENT_H
