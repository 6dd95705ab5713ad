// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_TOKENFILE_H
#define UMBER_PASSES_COMPRESSION_TOKENFILE_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace umber {

/// Reads token ids, 32-bit little-endian integers and nothing else. Fails if
/// the file is not there or an id is not below `vocab`.
llvm::Expected<std::vector<int32_t>> readTokenFile(llvm::StringRef path,
                                                   int64_t vocab);

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_TOKENFILE_H
