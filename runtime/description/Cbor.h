// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DESCRIPTION_CBOR_H
#define UMBER_RUNTIME_DESCRIPTION_CBOR_H

#include "runtime/package/MappedFile.h"

#include <nlohmann/json.hpp>

namespace umber {

/// Reads CBOR (RFC 8949) that nests a few levels deep, from bytes that nobody
/// has checked. Discarded (is_discarded) if they are not that.
nlohmann::json readCbor(Bytes bytes);

} // namespace umber

#endif // UMBER_RUNTIME_DESCRIPTION_CBOR_H
