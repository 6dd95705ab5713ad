// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Safetensors files: a length as a u64, a JSON object of that length which says
// where each tensor is, and the tensors' bytes without a gap.

#ifndef UMBER_RUNTIME_ADAPTER_SAFETENSORS_H
#define UMBER_RUNTIME_ADAPTER_SAFETENSORS_H

#include "runtime/package/MappedFile.h"

#include <cstdint>
#include <string>
#include <vector>

namespace umber {

struct SafeTensor {
  std::string name;
  std::string dtype; ///< "F32", "BF16", …
  std::vector<uint64_t> shape;
  Bytes data; ///< of the size that shape and type ask for; at any address
};

/// The file's tensors in the order of their bytes. Messages have no path.
Result<std::vector<SafeTensor>> readSafetensors(Bytes file);

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_SAFETENSORS_H
