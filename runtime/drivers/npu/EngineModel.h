// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model for a neural engine in a package: its programs, and the regions that
// they read and never write.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ENGINEMODEL_H
#define UMBER_RUNTIME_DRIVERS_NPU_ENGINEMODEL_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/sim/ProgramFile.h"
#include "runtime/package/Package.h"

namespace umber::npu {

/// A target is called so and by its description's name; its segments by the
/// target's name and one of these: the ProgramFile, and the bytes of
/// Region::Weights and of Region::Tables, all of them.
inline constexpr char kTargetPrefix[] = "npu:";
inline constexpr char kProgramsSegment[] = ".programs";
inline constexpr char kWeightsSegment[] = ".weights";
inline constexpr char kTablesSegment[] = ".tables";

struct EngineModel {
  const fbs::Target *target = nullptr;
  /// What it was compiled for.
  Config config;
  ProgramFile programs;
  /// Segments' indices; none of a model of shapes, which can only be timed.
  std::optional<uint32_t> weights, tables;

  bool hasData() const { return weights && tables; }
};

/// Reads a target for a neural engine. Programs can be decoded, and what is
/// said of them holds together; what they do is checked by whoever runs them.
/// CorruptFile: `part: expected …, found …`.
Result<EngineModel> readEngineModel(const Package &package,
                                    const fbs::Target &target);

/// The same of the package's first one. The segment of its programs is compared
/// with its hash, the others are not. NotFound: there is no such target.
/// Messages begin with the path.
Result<EngineModel> readEngineModel(const Package &package);

/// What a cache of `positions` has to have as its capacity: attention loads
/// whole blocks of scales.
int64_t getCapacity(int64_t positions);

/// Bytes of the cache per position of its capacity, which EmitAttention.cpp
/// has the layout of.
uint64_t getCacheBytesPerPosition(const fbs::CacheInfo &cache);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ENGINEMODEL_H
