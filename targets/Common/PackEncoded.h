// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_COMMON_PACKENCODED_H
#define UMBER_TARGETS_COMMON_PACKENCODED_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "runtime/package/LaneEncoding.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace umber {

/// Fails where a table entry has more than 7 bits: its products would not be
/// exact everywhere.
llvm::Error checkTables(const EncodedLayout &layout,
                        const EncodedMatrixRef &matrix);

/// Hands the bytes of `matrix`, which is stored as `layout` says, to `sink` a
/// panel at a time, arranged as PanelEncoding.h tells; fails only where `sink`
/// does. `encoding` is that of the same type as `layout`.
llvm::Error
packEncoded(const EncodedLayout &layout, const PanelEncoding &encoding,
            const EncodedMatrixRef &matrix,
            llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

/// The same, arranged as LaneEncoding.h tells.
llvm::Error
packEncodedLanes(const EncodedLayout &layout, const LaneEncoding &lanes,
                 const EncodedMatrixRef &matrix,
                 llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace umber

#endif // UMBER_TARGETS_COMMON_PACKENCODED_H
