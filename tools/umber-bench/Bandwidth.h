// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_BANDWIDTH_H
#define UMBER_TOOLS_UMBER_BENCH_BANDWIDTH_H

#include <cstddef>
#include <cstdint>
#include <memory>

namespace umber::tools {

/// How fast memory can be read: a buffer eight times as large as the caches,
/// each thread its own part of it, in 1, 3, 4 and 8 streams at once, of which
/// the best counts. Its pages are large ones where the system has them.
class MemoryReader {
public:
  /// ToolError if there is no room for the buffer.
  explicit MemoryReader(int threads);

  /// Reads the buffer a few times in each way.
  void measure();

  /// Of all passes so far; 0 before the first.
  double bytesPerSecond() const { return best; }
  size_t bufferBytes() const { return size; }

private:
  struct Unmap {
    size_t size;
    void operator()(char *memory) const;
  };

  int threads;
  size_t size;
  std::unique_ptr<char, Unmap> buffer;
  double best = 0;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_BANDWIDTH_H
