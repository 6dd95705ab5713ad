// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters as PEFT saves them.

#ifndef UMBER_RUNTIME_ADAPTER_PEFTWRITER_H
#define UMBER_RUNTIME_ADAPTER_PEFTWRITER_H

#include "runtime/adapter/Site.h"
#include "runtime/package/Status.h"

#include <vector>

namespace umber {

/// What is added at one site: scale * B (A x).
struct PeftPair {
  Site site;
  int64_t rank, inputs, outputs;
  std::vector<float> a; ///< [rank][inputs]
  std::vector<float> b; ///< [outputs][rank], rows in Hugging Face's order
  float scale;
};

/// Writes adapter_config.json and adapter_model.safetensors, F32, to a folder
/// that does not exist or has nothing in it, and that is there when it is
/// complete. `base` is the model's name for people. The configuration has the
/// commonest rank and scale, and patterns for others. Errors begin with the
/// path: InvalidArgument for a folder with something in it, and IoError.
Status writePeftFolder(const std::string &base,
                       const std::vector<PeftPair> &pairs,
                       const std::string &folder);

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_PEFTWRITER_H
