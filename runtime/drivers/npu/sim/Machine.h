// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of a neural engine: what its instructions read and write.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_MACHINE_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_MACHINE_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Instruction.h"

#include <array>
#include <cstdint>
#include <vector>

namespace umber::npu {

/// A region of DRAM, which the host owns.
struct DramRegion {
  /// Without data, only what touches no data of it can be simulated: checks
  /// and time.
  uint8_t *data = nullptr;
  uint64_t size = 0;
  /// What Instruction.h calls read only is so without it.
  bool isReadOnly = false;
};

/// A palette. What is behind its entries is 0.
struct PaletteTable {
  bool isLoaded = false;
  DataType type = DataType::I8;
  std::array<int8_t, 256> integers = {};
  std::array<float, 256> floats = {};
};

/// A slot of the kernel buffer: a decoded matrix, [rows][columns].
struct KernelSlot {
  bool isFull = false;
  bool isPalette = false;
  DataType type = DataType::I8;
  uint32_t rows = 0;
  uint32_t columns = 0;
  /// Whether each row has a scale.
  bool hasScales = false;
  std::vector<float> scales;
  /// By type, one is empty.
  std::vector<int8_t> integers;
  std::vector<float> floats;
  /// The same as products of F32 take it (PanelKernels.h); empty until one
  /// does.
  std::vector<float> panels;
};

/// What the array keeps between the parts of a product.
struct Accumulators {
  bool areOpen = false;
  uint32_t rows = 0;
  uint32_t columns = 0;
  /// By panels of columns: [panel][row][kPanelColumns].
  std::vector<float> sums;
};

class Machine {
public:
  /// An engine as `config` says, which must outlive it. Without `hasMemory`
  /// there is no scratchpad: programs can be checked and timed.
  explicit Machine(const Config &config, bool hasMemory = true);

  bool hasMemory() const { return !scratchpad.empty(); }
  DramRegion &region(Region region) { return regions[unsigned(region)]; }
  bool isReadOnly(Region region) const;
  uint64_t scratchpadBytes() const;
  /// Of one slot's weights, as decoded.
  uint64_t kernelSlotBytes() const;

  const Config &config;
  std::vector<uint8_t> scratchpad;
  std::array<DramRegion, kRegions> regions;
  std::array<PaletteTable, kTableSlots> tables;
  std::vector<KernelSlot> kernelSlots;
  Accumulators accumulators;
};

/// `code`, `weights`, …
const char *getName(Region region);
/// `i8`, `i32`, `f16` or `f32`.
const char *getName(DataType type);
/// Bytes of an element.
constexpr uint32_t getSize(DataType type) {
  return type == DataType::I8 ? 1 : type == DataType::F16 ? 2 : 4;
}

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_MACHINE_H
