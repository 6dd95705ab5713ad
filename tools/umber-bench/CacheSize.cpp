// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/CacheSize.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace umber::tools {

namespace {

/// More than most have, for systems that do not tell.
constexpr size_t kUnknown = size_t(64) << 20;

/// How many processors a list such as "0-3,8-11" has.
long countProcessors(const std::string &list) {
  std::istringstream ranges(list);
  long count = 0;
  for (std::string range; std::getline(ranges, range, ',');) {
    long first = 0, last = 0;
    char dash;
    std::istringstream numbers(range);
    numbers >> first;
    count += numbers >> dash >> last ? last - first + 1 : 1;
  }
  return count;
}

} // namespace

size_t lastLevelCacheBytes(int threads) {
  int highest = 0;
  size_t bytes = 0;
  long sharers = 1;
  for (int index = 0;; ++index) {
    std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" +
                         std::to_string(index) + "/";
    int level = 0;
    size_t kib = 0;
    std::string list;
    if (!(std::ifstream(folder + "level") >> level) ||
        !(std::ifstream(folder + "size") >> kib) ||
        !(std::ifstream(folder + "shared_cpu_list") >> list)) {
      break;
    }
    if (level > highest) {
      highest = level;
      bytes = kib * 1024;
      sharers = std::max(1L, countProcessors(list));
    }
  }
  if (bytes == 0) {
    return kUnknown;
  }
  long processors = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  long caches = (processors + sharers - 1) / sharers;
  return bytes * std::min<size_t>(caches, threads);
}

} // namespace umber::tools
