// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-npu-dis: a neural engine's program from bytes to text.

#include "runtime/drivers/npu/isa/Assembly.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"

using namespace umber;
using namespace umber::tools;

namespace {

void run(const std::string &input) {
  auto file = MappedFile::open(input);
  check(file.status());
  Result<npu::Program> program = npu::decode((*file)->bytes());
  if (!program.ok()) {
    throw ToolError(input + ": " + program.status().message());
  }
  std::cout << npu::disassemble(*program);
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Disassembles a neural engine's program", "umber-npu-dis");
  app.set_version_flag("--version", umber_version());
  std::string input;
  app.add_option("IN", input, "The binary")->required();
  return toolMain(app, argc, argv, [&] { run(input); });
}
