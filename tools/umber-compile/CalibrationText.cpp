// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/CalibrationText.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "runtime/core/text/Tokenizer.h"
#include "tools/common/ImportedTokenizer.h"
#include "tools/common/WriteFile.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace umber::compile {

static Expected<std::string> readText(StringRef path) {
  auto file = MemoryBuffer::getFile(path);
  if (!file) {
    return createStringError(path + ": " + file.getError().message());
  }
  StringRef text = (*file)->getBuffer();
  const UTF8 *begin = reinterpret_cast<const UTF8 *>(text.begin());
  const UTF8 *end = reinterpret_cast<const UTF8 *>(text.end());
  if (!isLegalUTF8String(&begin, end) || text.contains('\0')) {
    return createStringError(path + ": expected UTF-8 text, found other bytes");
  }
  if (text.trim().empty()) {
    return createStringError(path + ": expected text to calibrate with, found "
                                    "none");
  }
  return text.str();
}

static Expected<std::vector<int32_t>> tokenize(const std::string &text,
                                               StringRef model) {
  auto file = gguf::File::open(model);
  if (!file) {
    return file.takeError();
  }
  auto imported = importTokenizer(**file);
  if (!imported) {
    return imported.takeError();
  }
  auto tokenizer = Tokenizer::create(makeTokenizerData(*imported));
  if (!tokenizer.ok()) {
    return createStringError(model + ": " + tokenizer.status().message());
  }
  auto ids = (*tokenizer)->encode(text, {});
  if (!ids.ok()) {
    return createStringError(model + ": " + ids.status().message());
  }
  return std::move(*ids);
}

Expected<std::unique_ptr<CalibrationText>>
CalibrationText::create(StringRef path, mlir::ModuleOp module) {
  auto text = readText(path);
  if (!text) {
    return text.takeError();
  }
  auto model =
      module->getAttrOfType<mlir::StringAttr>(mlir::umber::kParametersAttrName);
  if (!model) {
    return createStringError(path + ": expected a model with a tokenizer to "
                                    "calibrate with text, found shapes only");
  }
  auto ids = tokenize(*text, model.getValue());
  if (!ids) {
    return ids.takeError();
  }
  SmallString<128> tokens;
  if (std::error_code code =
          sys::fs::createTemporaryFile("umber-calibration", "ids", tokens)) {
    return createStringError(code,
                             "cannot make a temporary file: " + code.message());
  }
  std::unique_ptr<CalibrationText> result(new CalibrationText(tokens));
  Error error = writeFile(tokens, [&](raw_ostream &os) {
    for (int32_t id : *ids) {
      char bytes[sizeof(id)];
      support::endian::write32le(bytes, id);
      os.write(bytes, sizeof bytes);
    }
  });
  if (error) {
    return std::move(error);
  }
  return std::move(result);
}

} // namespace umber::compile
