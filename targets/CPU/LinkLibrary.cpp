// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lld/Common/Driver.h"
#include "targets/CPU/CPUTarget.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace umber::cpu {

namespace {

Error writeFile(int descriptor, ArrayRef<char> bytes) {
  raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream.write(bytes.data(), bytes.size());
  stream.flush();
  if (std::error_code code = stream.error()) {
    stream.clear_error();
    return createStringError(code, "writing a temporary object file: " +
                                       code.message());
  }
  return Error::success();
}

} // namespace

Expected<SmallVector<char, 0>> linkLibrary(ArrayRef<char> object,
                                           const InstructionSet &isa) {
  // lld keeps its state in globals.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);

  int descriptor;
  SmallString<128> in, out;
  if (std::error_code code = sys::fs::createTemporaryFile("umber", "o",
                                                          descriptor, in)) {
    return createStringError(code, "creating a temporary object file: " +
                                       code.message());
  }
  FileRemover removeIn(in);
  if (Error error = writeFile(descriptor, object)) {
    return error;
  }
  if (std::error_code code = sys::fs::createTemporaryFile("umber", "so", out)) {
    return createStringError(code, "creating a temporary library: " +
                                       code.message());
  }
  FileRemover removeOut(out);

  // The memory functions that the code generator may call come from the process.
  std::vector<const char *> arguments = {
      "ld.lld",    "-shared", "--gc-sections", "--strip-all", "-z", "now",
      "-z",        "max-page-size=4096",       "-o",          out.c_str(),
      in.c_str()};
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(arguments, nulls(), stream,
                                    {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0) {
    return createStringError(inconvertibleErrorCode(),
                             "linking the code for " + isa.name + ": " +
                                 messages);
  }
  auto buffer = MemoryBuffer::getFile(out);
  if (!buffer) {
    return createStringError(buffer.getError(), "reading a temporary library: " +
                                                    buffer.getError().message());
  }
  StringRef bytes = (*buffer)->getBuffer();
  return SmallVector<char, 0>(bytes.begin(), bytes.end());
}

} // namespace umber::cpu
