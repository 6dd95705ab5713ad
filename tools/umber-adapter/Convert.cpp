// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-adapter/Convert.h"

#include "runtime/adapter/AdapterPackage.h"
#include "tools/common/CreateFile.h"
#include "tools/umber-adapter/BaseModel.h"

namespace umber::tools {

void convert(const ConvertOptions &options) {
  auto opened = Adapter::open(options.input);
  check(opened.status());
  const Adapter &adapter = **opened;
  AdapterInfo info = adapter.info();
  if (options.name) {
    info.name = *options.name;
  }
  if (!options.base.empty()) {
    info.baseHash = checkBase(adapter, options.base);
  }
  Status status = writeAdapterPackage(info, adapter.pairs(), options.output);
  // What is wrong with the values is the input's fault.
  if (status.code() == StatusCode::InvalidArgument) {
    throw ToolError(options.input + ": " + status.message());
  }
  check(status);
}

} // namespace umber::tools
