// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TEST_UNIT_NPU_ISAFIXTURE_H
#define UMBER_TEST_UNIT_NPU_ISAFIXTURE_H

#include "runtime/drivers/npu/isa/Assembly.h"
#include "test/Unit/NPU/Fixture.h"

namespace umber::npu {

inline Program getProgram(const std::string &text) {
  Result<Program> program = assemble(text);
  EXPECT_TRUE(program.ok()) << program.status().message() << " in\n" << text;
  return program.ok() ? *program : Program();
}

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_ISAFIXTURE_H
