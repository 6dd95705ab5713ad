// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-npu-as: a neural engine's program from text to bytes.

#include "runtime/drivers/npu/isa/Assembly.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"

using namespace umber;
using namespace umber::tools;

namespace {

void run(const std::string &input, const std::string &output) {
  auto file = MappedFile::open(input);
  check(file.status());
  Bytes text = (*file)->bytes();
  Result<npu::Program> program = npu::assemble(
      std::string_view(reinterpret_cast<const char *>(text.data), text.size));
  if (!program.ok()) {
    throw ToolError(input + ":" + program.status().message());
  }
  Result<std::vector<uint8_t>> bytes = npu::encode(*program);
  check(bytes.status());
  std::unique_ptr<OutputFile> out = createFile(output);
  check(out->append(bytes->data(), bytes->size()));
  check(out->commit());
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Assembles a neural engine's program", "umber-npu-as");
  app.set_version_flag("--version", umber_version());
  std::string input, output;
  app.add_option("IN", input, "The program as text")->required();
  app.add_option("-o", output, "The binary to write")->required();
  return toolMain(app, argc, argv, [&] { run(input, output); });
}
