// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/CPU/CPUTarget.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace llvm;

namespace umber::cpu {

namespace {

/// lld from where LLVM is installed, or from the path.
Expected<std::string> findLinker() {
  auto found = sys::findProgramByName("lld", {UMBER_LLVM_TOOLS_DIR});
  if (!found) {
    found = sys::findProgramByName("lld-22");
  }
  if (!found) {
    return createStringError(found.getError(),
                             "expected the linker lld (Debian: lld-22) in " +
                                 Twine(UMBER_LLVM_TOOLS_DIR) +
                                 " or on the path, found none");
  }
  return *found;
}

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
  // A process of its own: lld as a library keeps state in globals, and the one
  // of Debian's packages crashes beside a shared libLLVM.
  auto linker = findLinker();
  if (!linker) {
    return linker.takeError();
  }
  int descriptor;
  SmallString<128> in, out;
  if (std::error_code code =
          sys::fs::createTemporaryFile("umber", "o", descriptor, in)) {
    return createStringError(code, "creating a temporary object file: " +
                                       code.message());
  }
  FileRemover removeIn(in);
  if (Error error = writeFile(descriptor, object)) {
    return error;
  }
  if (std::error_code code = sys::fs::createTemporaryFile("umber", "so", out)) {
    return createStringError(code,
                             "creating a temporary library: " + code.message());
  }
  FileRemover removeOut(out);

  // The memory functions that the code generator may call come from the
  // process.
  StringRef arguments[] = {
      *linker,       "-flavor", "gnu", "-shared", "--gc-sections",
      "--strip-all", "-z",      "now", "-z",      "max-page-size=4096",
      "-o",          out,       in};
  std::string message;
  int status =
      sys::ExecuteAndWait(*linker, arguments, std::nullopt, {},
                          /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status != 0) {
    return createStringError(inconvertibleErrorCode(),
                             "linking the code for " + isa.name + ": " +
                                 *linker + " failed with status " +
                                 Twine(status) + " " + message);
  }
  auto buffer = MemoryBuffer::getFile(out);
  if (!buffer) {
    return createStringError(buffer.getError(),
                             "reading a temporary library: " +
                                 buffer.getError().message());
  }
  StringRef bytes = (*buffer)->getBuffer();
  return SmallVector<char, 0>(bytes.begin(), bytes.end());
}

} // namespace umber::cpu
