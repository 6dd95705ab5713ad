// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled model's launches on a GPU have to read, write and compute, as
// a segment of a package that estimates and reports are made from; no driver
// reads it. It is an object in CBOR (RFC 8949).

#ifndef UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_LAUNCHFILE_H
#define UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_LAUNCHFILE_H

#include "runtime/description/ModelInfo.h"
#include "runtime/package/MappedFile.h"

#include <cstdint>
#include <string>
#include <vector>

namespace umber::gpu {

/// Of a package for GPUs, of kind CommandStream.
inline constexpr char kLaunchesSegment[] = "gpu.launches";

/// What programs are for, in the names of a LaunchProgram and of a description.
inline constexpr const char *kApis[] = {"vulkan", "cuda"};

/// One launch. A *row* is a token's, or, with `ofOutputs`, that of a token that
/// gets logits. Bytes are those on the device.
struct LaunchWork {
  std::string name; ///< its kernel's and its stage's; one of its own
  std::string kind; ///< of its kernel, as npu::KernelInfo has it
  int64_t layer = -1;
  int64_t kernel = 0;  ///< among ModelInfo::kernels
  int64_t matrix = -1; ///< among ModelInfo::matrices; -1: no product with one

  int64_t tileRows = 1;    ///< that a workgroup has
  int64_t tileGroups = 1;  ///< workgroups that have the same rows
  int64_t threads = 1;     ///< of a workgroup
  int64_t sharedBytes = 0; ///< of workgroup memory
  bool ofOutputs = false;
  bool withPrevious = false; ///< may run while the launch before it does
  bool usesTensorCores = false;

  uint64_t parameterBytes = 0; ///< read by each tile's workgroups together
  uint64_t weights = 0;        ///< of those, the elements of a matrix
  bool hasCodes = false;       ///< which stand for the entries of palettes
  uint64_t lookupBytes = 0;    ///< of a table, per row
  uint64_t inputBytes = 0;     ///< of a row, that every workgroup of it reads
  uint64_t rowBytes = 0;       ///< of all activations, read or written, per row
  uint64_t integerOps = 0;     ///< per row; an addition and a product are 2
  uint64_t floatOps = 0;       ///< per row
  /// Attention: per row and position that it looks at, `window` at most unless
  /// that is 0.
  uint64_t positionOps = 0;
  uint64_t window = 0;
  /// Of the workgroups with the same rows, so many share a row's positions, and
  /// have at least `partPositions` each.
  int64_t parts = 1;
  int64_t partPositions = 1;
  /// Of a position's keys and values: what attention reads, and how often; what
  /// other launches write, per row.
  uint64_t cacheBytes = 0;
  int64_t cacheReaders = 0;
  /// f16 elements of an adapter of rank 1 that it reads, and of the package's
  /// own corrections.
  uint64_t adapterElements = 0;
  uint64_t correctionElements = 0;
};

/// The launches of one of the package's programs.
struct LaunchProgram {
  std::string name; ///< `decode` or `prefill`
  std::string api;  ///< one of kApis
  int64_t rows = 1; ///< of a step, at most
  std::vector<LaunchWork> launches;
};

struct LaunchFile {
  std::string model;
  int64_t contextLength = 0;
  std::vector<LaunchProgram> programs;
  ModelInfo info;
};

std::vector<uint8_t> writeLaunchFile(const LaunchFile &file);

/// CorruptFile: `KEY: expected …, found …` for the first thing that is wrong.
/// No sum or product of what is read overflows.
Result<LaunchFile> readLaunchFile(Bytes bytes);

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_LAUNCHFILE_H
