// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Import/Import.h"
#include "dialects/Umber/IR/UmberDialect.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace umber {

/// .mlir or .mlirbc. The first diagnostic becomes the error.
static Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importMLIR(mlir::MLIRContext *context, std::unique_ptr<MemoryBuffer> buffer,
           StringRef path) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(context, [&](mlir::Diagnostic &diag) {
    if (message.empty() &&
        diag.getSeverity() == mlir::DiagnosticSeverity::Error) {
      raw_string_ostream os(message);
      if (auto loc = dyn_cast<mlir::FileLineColLoc>(diag.getLocation())) {
        os << "line " << loc.getLine() << ", column " << loc.getColumn()
           << ": ";
      }
      os << diag;
    }
    return mlir::success();
  });
  auto source = std::make_shared<SourceMgr>();
  source->AddNewSourceBuffer(std::move(buffer), SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(
      source, mlir::ParserConfig(context));
  if (!module) {
    return createStringError(inconvertibleErrorCode(),
                             path + ": " +
                                 (message.empty() ? "expected MLIR" : message));
  }
  return module;
}

Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importModel(mlir::MLIRContext *context, StringRef path) {
  context->loadDialect<mlir::umber::UmberDialect>();
  sys::fs::file_status status;
  std::error_code code = sys::fs::status(path, status);
  if (!code && sys::fs::is_directory(status)) {
    code = std::make_error_code(std::errc::is_a_directory);
  }
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer(code);
  if (!code) {
    buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                   /*RequiresNullTerminator=*/false);
  }
  if (!buffer) {
    return createStringError(buffer.getError(),
                             path + ": " + buffer.getError().message());
  }
  StringRef text = (*buffer)->getBuffer();
  if (text.empty()) {
    return createStringError(inconvertibleErrorCode(),
                             path + ": expected a model, found an empty file");
  }
  if (text.starts_with("GGUF") || path.ends_with(".gguf")) {
    auto file = gguf::File::parse(std::move(*buffer), path);
    if (!file) {
      return file.takeError();
    }
    return importGGUF(context, **file);
  }
  if (text.ltrim().starts_with("{") || path.ends_with(".json")) {
    return importShapeOnly(context, text, path);
  }
  // The textual parser wants a terminator behind its input.
  return importMLIR(context, MemoryBuffer::getMemBufferCopy(text, path), path);
}

} // namespace umber
