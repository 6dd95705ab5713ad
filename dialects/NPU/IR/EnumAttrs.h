// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_NPU_IR_ENUMATTRS_H
#define UMBER_DIALECTS_NPU_IR_ENUMATTRS_H

#include "dialects/NPU/IR/NPUDialect.h"
#include "runtime/drivers/npu/isa/Instruction.h"

namespace mlir::npu {

/// The attribute that holds an enum of Instruction.h.
template <typename E>
struct EnumAttrOf;
template <>
struct EnumAttrOf<::umber::npu::Queue> {
  using Attr = QueueAttr;
  using Enum = Queue;
};
template <>
struct EnumAttrOf<::umber::npu::DataType> {
  using Attr = DataTypeAttr;
  using Enum = DataType;
};
template <>
struct EnumAttrOf<::umber::npu::ElementwiseOp> {
  using Attr = ElementFunctionAttr;
  using Enum = ElementFunction;
};
template <>
struct EnumAttrOf<::umber::npu::Spread> {
  using Attr = SpreadAttr;
  using Enum = Spread;
};
template <>
struct EnumAttrOf<::umber::npu::ReduceOp> {
  using Attr = ReductionAttr;
  using Enum = Reduction;
};

} // namespace mlir::npu

#endif // UMBER_DIALECTS_NPU_IR_ENUMATTRS_H
