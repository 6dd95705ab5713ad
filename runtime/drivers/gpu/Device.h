// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the drivers for Vulkan and CUDA differ in: memory, launches that are
// recorded once and replayed, and the copies around them. Everything else of a
// package's target "gpu" is theirs together, in this folder.
//
//   Device      a GPU with one package's kernels, used by many threads
//   Stream      what one session runs on it, one thing at a time
//   Recording   a program's launches with all their buffers

#ifndef UMBER_RUNTIME_DRIVERS_GPU_DEVICE_H
#define UMBER_RUNTIME_DRIVERS_GPU_DEVICE_H

#include "runtime/package/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace umber::gpu {

/// Ranges of buffers that kernels see begin at a multiple of this, as packages
/// have their parameters and arenas, and all a device asks for.
inline constexpr uint64_t kRangeAlignment = 64;

inline uint64_t alignRange(uint64_t bytes) {
  return (bytes + kRangeAlignment - 1) / kRangeAlignment * kRangeAlignment;
}

/// Memory that kernels read and write. Its contents are undefined at first.
class Buffer {
public:
  virtual ~Buffer() = default;
  uint64_t size() const { return bytes; }

protected:
  explicit Buffer(uint64_t bytes) : bytes(bytes) {}

private:
  uint64_t bytes;
};

/// A part of a buffer.
struct Range {
  const Buffer *buffer = nullptr;
  uint64_t offset = 0; ///< a multiple of kRangeAlignment
  uint64_t bytes = 0;
};

/// One run of a kernel.
struct Launch {
  uint32_t kernel;  ///< by its number among the kernels of the device
  uint32_t grid[3]; ///< workgroups along x, y and z
  uint32_t threads; ///< of each workgroup
  /// As many as the kernel has buffers.
  std::vector<Range> bindings;
  /// May run while the launch before it does; others wait for all before.
  bool withPrevious;
};

/// Launches in their order, made ready for a stream.
class Recording {
public:
  virtual ~Recording() = default;
};

class Stream {
public:
  virtual ~Stream() = default;

  /// Makes launches ready that begin with a copy of the host's bytes to
  /// `input`, a range of a buffer of this device. With `isTimed`, each launch's
  /// time is taken, which keeps them apart. The buffers outlive the recording,
  /// and so does the stream.
  virtual Result<std::unique_ptr<Recording>>
  record(const std::vector<Launch> &launches, const Range &input,
         bool isTimed) = 0;

  /// Runs a recording with these bytes as its input, as many as the input's
  /// range has, and waits for its end. Then points `output` to the bytes of
  /// `result`, unless it has none; they stay valid until the next call.
  virtual Status run(Recording &recording, const void *input,
                     const Range &result, const void **output) = 0;

  /// Nanoseconds that each launch of a timed recording took in its last run.
  virtual Status readTimes(const Recording &recording,
                           std::vector<uint64_t> &nanoseconds) = 0;
};

class Device {
public:
  virtual ~Device() = default;

  /// As users name it, such as "vulkan:0": messages begin with it.
  virtual const std::string &name() const = 0;
  /// The most bytes of a range.
  virtual uint64_t maxRangeBytes() const = 0;
  /// The most bytes that one buffer should have.
  virtual uint64_t maxBufferBytes() const = 0;

  /// OutOfMemory; `purpose` goes into the message.
  virtual Result<std::unique_ptr<Buffer>> allocate(uint64_t bytes,
                                                   const char *purpose) = 0;
  /// Copies bytes from and to the host. Nothing else uses the range meanwhile.
  virtual Status write(const Buffer &buffer, uint64_t offset, const void *from,
                       uint64_t bytes) = 0;
  virtual Status read(const Buffer &buffer, uint64_t offset, void *to,
                      uint64_t bytes) = 0;

  /// `inputBytes` is the size of the input of all its recordings, and
  /// `resultBytes` that of its largest result.
  virtual Result<std::unique_ptr<Stream>>
  createStream(uint64_t inputBytes, uint64_t resultBytes) = 0;
};

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_DEVICE_H
