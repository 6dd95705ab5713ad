// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API for the runtime's own tools: handles that destroy themselves, and
// failures as exceptions, which a tool's main turns into its one error line.

#ifndef UMBER_TOOLS_COMMON_HANDLES_H
#define UMBER_TOOLS_COMMON_HANDLES_H

#include "umber/umber.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace umber::tools {

/// A message for the tool's user: one line, without the tool's name.
struct ToolError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename T, void (*destroy)(T *)>
struct HandleDeleter {
  void operator()(T *handle) const { destroy(handle); }
};
template <typename T, void (*destroy)(T *)>
using Handle = std::unique_ptr<T, HandleDeleter<T, destroy>>;

using Model = Handle<umber_model, umber_model_destroy>;
using Session = Handle<umber_session, umber_session_destroy>;
using Sampler = Handle<umber_sampler, umber_sampler_destroy>;
using Detokenizer = Handle<umber_detokenizer, umber_detokenizer_destroy>;

/// Calls `call(&error)` and throws ToolError with its message if it fails,
/// after `prefix`, which names a file.
template <typename Call>
void check(Call call, const std::string &prefix = "") {
  umber_error error;
  if (call(&error) != UMBER_OK) {
    throw ToolError(prefix + error.message);
  }
}

Model loadModel(const std::string &path, const umber_model_options &options);
umber_model_info modelInfo(const umber_model *model);
Session createSession(const umber_model *model, int32_t context);
std::vector<int32_t> tokenize(const umber_model *model, std::string_view text,
                              uint32_t flags);

/// The whole of a file. ToolError names the path.
std::string readFile(const std::string &path);

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_HANDLES_H
