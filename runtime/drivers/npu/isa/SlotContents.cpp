// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/SlotContents.h"

#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"

using namespace umber;
using namespace umber::npu;

namespace {

std::string getText(uint32_t rows, uint32_t columns, DataType type) {
  return std::to_string(rows) + " x " + std::to_string(columns) + " of " +
         kTypeNames[unsigned(type)];
}

} // namespace

std::string SlotContents::stream(const StreamWeights &operation) {
  DataType type = operation.bits == 8 ? DataType::I8 : DataType::F16;
  if (operation.isPalette) {
    unsigned count =
        (operation.rows + operation.rowsPerTable - 1) / operation.rowsPerTable;
    type = tables[operation.table].type;
    for (unsigned i = operation.table; i < operation.table + count; ++i) {
      std::string slot = "table slot " + std::to_string(i) + ": expected ";
      if (tables[i].entries == 0) {
        return slot + "a palette, found none";
      }
      if (tables[i].type != type) {
        return slot + kTypeNames[unsigned(type)] + " as in the first, found " +
               kTypeNames[unsigned(tables[i].type)];
      }
    }
  }
  int64_t bytes = int64_t(operation.rows) * operation.columns * getBytes(type);
  int64_t most = config.kernelBuffer.bytes / config.kernelBuffer.slots;
  if (bytes > most) {
    return "expected at most the " + std::to_string(most) +
           " bytes of a kernel slot, found " + std::to_string(bytes);
  }
  weights[operation.slot] = {operation.rows, operation.columns, type};
  return "";
}

std::string SlotContents::multiply(const Multiply &operation) const {
  const Weights &found = weights[operation.slot];
  bool isI8 = operation.a.type == DataType::I8;
  DataType type = isI8 ? DataType::I8 : found.type;
  if (found.rows != operation.columns || found.columns != operation.inner ||
      found.type != type) {
    return "kernel slot " + std::to_string(operation.slot) +
           ": expected weights of " +
           getText(operation.columns, operation.inner, type) + ", found " +
           (found.rows == 0 ? "none"
                            : getText(found.rows, found.columns, found.type));
  }
  return "";
}

std::string SlotContents::add(const Instruction &instruction) {
  if (const auto *load = std::get_if<LoadTable>(&instruction.operation)) {
    for (unsigned i = 0; i < load->count; ++i) {
      tables[load->slot + i] = {load->entries, load->type};
    }
  } else if (const auto *o =
                 std::get_if<StreamWeights>(&instruction.operation)) {
    return stream(*o);
  } else if (const auto *o = std::get_if<Multiply>(&instruction.operation)) {
    return multiply(*o);
  }
  return "";
}
