// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptions of devices within a library: the runtime needs no folder beside
// it. CMake's umber_embed_configs() writes the lists.

#ifndef UMBER_RUNTIME_DESCRIPTION_NAMEDCONFIG_H
#define UMBER_RUNTIME_DESCRIPTION_NAMEDCONFIG_H

#include "runtime/adapter/Quote.h"
#include "runtime/package/MappedFile.h"

#include <string>
#include <string_view>
#include <vector>

namespace umber {

struct NamedConfig {
  std::string_view name;
  std::string_view text;
};

/// What `parse(text, file)` makes of the file `device`, if that names a .json
/// file, or of the description of that name. NotFound: `no device …`, with the
/// names there are.
template <typename Config, typename Parse>
Result<Config> readConfig(const std::string &device,
                          const std::vector<NamedConfig> &known, Parse parse) {
  const std::string suffix = ".json";
  if (device.size() > suffix.size() &&
      device.compare(device.size() - suffix.size(), suffix.size(), suffix) ==
          0) {
    Result<std::unique_ptr<MappedFile>> file = MappedFile::open(device);
    if (!file.ok()) {
      return file.status();
    }
    return parse((*file)->bytes(), device);
  }
  std::string names;
  for (const NamedConfig &named : known) {
    if (device == named.name) {
      auto data = reinterpret_cast<const uint8_t *>(named.text.data());
      return parse(Bytes{data, named.text.size()}, device);
    }
    names += (names.empty() ? "" : ", ") + std::string(named.name);
  }
  return Status(StatusCode::NotFound, "no device " + quote(device) +
                                          ", expected a .json file or one of " +
                                          names);
}

} // namespace umber

#endif // UMBER_RUNTIME_DESCRIPTION_NAMEDCONFIG_H
