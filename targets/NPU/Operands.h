// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which parts of the scratchpad an instruction reads and writes.

#ifndef UMBER_TARGETS_NPU_OPERANDS_H
#define UMBER_TARGETS_NPU_OPERANDS_H

#include "runtime/drivers/npu/isa/Instruction.h"

namespace umber::npu {

/// Calls `use(ScratchpadAddress &, bool writes)` for each of an operation's
/// operands in the scratchpad. One that is read and written is told twice.
template <typename Use>
void forEachOperand(Operation &operation, Use use) {
  constexpr bool kRead = false, kWrite = true;
  auto visit = [&](auto &op) {
    using T = std::decay_t<decltype(op)>;
    if constexpr (std::is_same_v<T, Load>) {
      use(op.scratchpad, kWrite);
    } else if constexpr (std::is_same_v<T, Store>) {
      use(op.scratchpad, kRead);
    } else if constexpr (std::is_same_v<T, Gather>) {
      use(op.indices, kRead);
      use(op.to, kWrite);
    } else if constexpr (std::is_same_v<T, Multiply>) {
      use(op.a.at, kRead);
      if (op.a.type == DataType::I8) {
        use(op.scales.at, kRead);
      }
      if (op.adds) {
        use(op.c.at, kRead);
      }
      // Sums that outgrow the accumulators are kept in C.
      use(op.c.at, kWrite);
    } else if constexpr (std::is_same_v<T, MultiplyDynamic>) {
      use(op.a.at, kRead);
      use(op.b.at, kRead);
      if (op.hasScales) {
        use(op.scales, kRead);
      }
      if (op.adds) {
        use(op.c.at, kRead);
      }
      use(op.c.at, kWrite);
    } else if constexpr (std::is_same_v<T, Elementwise>) {
      use(op.a.at, kRead);
      if (op.spread != Spread::None && op.spread != Spread::Immediate) {
        use(op.b.at, kRead);
      }
      use(op.d.at, kWrite);
    } else if constexpr (std::is_same_v<T, Reduce>) {
      use(op.a.at, kRead);
      use(op.d.at, kWrite);
    } else if constexpr (std::is_same_v<T, Normalize>) {
      use(op.a.at, kRead);
      if (op.hasGain) {
        use(op.gain, kRead);
      }
      use(op.d.at, kWrite);
    } else if constexpr (std::is_same_v<T, Quantize>) {
      use(op.a.at, kRead);
      use(op.d.at, kWrite);
      use(op.scales.at, kWrite);
    } else if constexpr (std::is_same_v<T, Dequantize>) {
      use(op.a.at, kRead);
      use(op.scales.at, kRead);
      use(op.d.at, kWrite);
    } else if constexpr (std::is_same_v<T, Rotate>) {
      use(op.a.at, kRead);
      use(op.table.at, kRead);
      use(op.d.at, kWrite);
    } else if constexpr (std::is_same_v<T, SoftmaxStep>) {
      use(op.a.at, kRead);
      use(op.d.at, kWrite);
      if (!op.isFirst) {
        use(op.state.at, kRead);
      }
      use(op.state.at, kWrite);
      use(op.factors.at, kWrite);
    } else if constexpr (std::is_same_v<T, AppendCache>) {
      use(op.a.at, kRead);
    }
  };
  std::visit(visit, operation);
}

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_OPERANDS_H
