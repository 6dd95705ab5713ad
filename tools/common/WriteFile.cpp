// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/WriteFile.h"
#include "runtime/package/OutputFile.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace umber {

namespace {

/// A stream into an OutputFile, which keeps the first failure.
class OutputFileStream : public raw_ostream {
public:
  explicit OutputFileStream(OutputFile &file) : file(file) {}
  ~OutputFileStream() override { flush(); }

  const Status &status() const { return failure; }

private:
  void write_impl(const char *data, size_t size) override {
    if (failure.ok()) {
      failure = file.append(data, size);
    }
  }
  uint64_t current_pos() const override { return file.size(); }

  OutputFile &file;
  Status failure;
};

Error toError(const Status &status) {
  return status.ok()
             ? Error::success()
             : createStringError(inconvertibleErrorCode(), status.message());
}

/// An error of a stream's, once: a stream whose error nobody has taken ends the
/// program when it is destroyed.
Error takeError(raw_fd_ostream &stream, const Twine &path) {
  stream.flush();
  std::error_code code = stream.error();
  if (!code) {
    return Error::success();
  }
  stream.clear_error();
  return createStringError(code, path + ": cannot write: " + code.message());
}

Error writeDevice(StringRef path, function_ref<void(raw_ostream &)> write) {
  std::error_code code;
  raw_fd_ostream stream(path, code, sys::fs::CD_OpenExisting);
  if (code) {
    return createStringError(code, path + ": " + code.message());
  }
  write(stream);
  return takeError(stream, path);
}

} // namespace

/// Standard output, or a file that is not to be replaced by another.
static bool isStream(StringRef path) {
  sys::fs::file_status found;
  return path == "-" ||
         (!sys::fs::status(path, found) && sys::fs::is_other(found));
}

Error checkWritable(StringRef path) {
  if (isStream(path)) {
    return Error::success();
  }
  return toError(OutputFile::create(path.str()).status());
}

Error writeFile(StringRef path, function_ref<void(raw_ostream &)> write) {
  if (path == "-") {
    write(outs());
    return flushStandardOutput();
  }
  if (isStream(path)) {
    return writeDevice(path, write);
  }
  auto file = OutputFile::create(path.str());
  if (!file.ok()) {
    return toError(file.status());
  }
  OutputFileStream stream(**file);
  write(stream);
  stream.flush();
  return toError(stream.status().ok() ? (*file)->commit() : stream.status());
}

Error flushStandardOutput() { return takeError(outs(), "standard output"); }

} // namespace umber
