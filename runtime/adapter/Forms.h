// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reader of each form that an adapter's file can have. Errors are those of
// Adapter::open.

#ifndef UMBER_RUNTIME_ADAPTER_FORMS_H
#define UMBER_RUNTIME_ADAPTER_FORMS_H

#include "runtime/adapter/Adapter.h"

namespace umber {

/// A folder with adapter_config.json and adapter_model.safetensors.
Result<std::shared_ptr<const Adapter>>
readPeftFolder(const std::string &folder);

/// A GGUF file with general.type "adapter".
Result<std::shared_ptr<const Adapter>>
readGgufAdapter(std::unique_ptr<MappedFile> file);

/// The last part of a path, which names an adapter that has no other name.
std::string nameOfPath(const std::string &path);

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_FORMS_H
