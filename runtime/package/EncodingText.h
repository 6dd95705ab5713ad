// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_PACKAGE_ENCODINGTEXT_H
#define UMBER_RUNTIME_PACKAGE_ENCODINGTEXT_H

#include "runtime/package/PanelEncoding.h"
#include "runtime/package/Status.h"

#include <string>

namespace umber {

/// Reads an encoding as packages write it, the IR's attribute without its
/// dialect: `palette<bits = 4, rows = 16>` or `quantized<bits = 8>`. Fails
/// where the text is not an encoding that a matrix of `columns` columns can
/// have; `columns` is at least 1.
Result<PanelEncoding> parseEncoding(const std::string &text, int64_t columns);

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_ENCODINGTEXT_H
