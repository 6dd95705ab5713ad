// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module to interpret, with what its errors said.

#ifndef UMBER_TEST_UNIT_INTERPRETER_PROGRAM_H
#define UMBER_TEST_UNIT_INTERPRETER_PROGRAM_H

#include "dialects/Register/RegisterDialects.h"
#include "dialects/Umber/Interpreter/Interpreter.h"
#include "mlir/IR/Builders.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringMap.h"
#include <gtest/gtest.h>

namespace umber::interp {

class Program {
public:
  explicit Program(llvm::StringRef text)
      : context(registry(), mlir::MLIRContext::Threading::DISABLED),
        handler(&context, [this](mlir::Diagnostic &diagnostic) {
          error += diagnostic.str();
          return mlir::success();
        }) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << error;
  }

  mlir::ModuleOp getModule() { return *module; }
  /// All errors so far, one after the other.
  const std::string &getError() const { return error; }

  Tensor matrix(int64_t rows, int64_t columns, std::vector<float> elements) {
    return Tensor::ofFloats(mlir::Float32Type::get(&context), {rows, columns},
                            std::move(elements));
  }
  Tensor halves(int64_t rows, int64_t columns, std::vector<float> elements) {
    return Tensor::ofFloats(mlir::Float16Type::get(&context), {rows, columns},
                            std::move(elements));
  }
  Tensor index(int64_t value) {
    return Tensor::ofInteger(mlir::IndexType::get(&context), value);
  }

private:
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry dialects;
    registerDialects(dialects);
    return dialects;
  }

  mlir::MLIRContext context;
  std::string error;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Parameters in memory, and how often they were read.
class MemoryStore : public ParameterStore {
public:
  void add(llvm::StringRef key, std::vector<int64_t> shape,
           std::vector<float> elements) {
    entries[key] = {std::move(shape), std::move(elements)};
  }
  llvm::Expected<llvm::ArrayRef<int64_t>>
  getShape(llvm::StringRef key) const override {
    auto it = entries.find(key);
    if (it == entries.end()) {
      return llvm::createStringError("no such key");
    }
    return llvm::ArrayRef<int64_t>(it->second.shape);
  }
  llvm::Error readRows(llvm::StringRef key, int64_t first,
                       llvm::MutableArrayRef<float> out) const override {
    const Entry &entry = entries.find(key)->second;
    size_t start = first * entry.shape.back();
    if (start + out.size() > entry.elements.size()) {
      return llvm::createStringError("rows beyond the end");
    }
    ++reads;
    std::copy_n(entry.elements.begin() + start, out.size(), out.begin());
    return llvm::Error::success();
  }
  llvm::Expected<EncodedMatrixRef>
  getEncoded(llvm::StringRef, mlir::RankedTensorType) const override {
    return llvm::createStringError("not encoded");
  }
  llvm::Expected<uint64_t> getIdentity(llvm::StringRef) const override {
    return llvm::createStringError("no identity");
  }

  mutable int reads = 0;

private:
  struct Entry {
    std::vector<int64_t> shape;
    std::vector<float> elements;
  };
  llvm::StringMap<Entry> entries;
};

} // namespace umber::interp

#endif // UMBER_TEST_UNIT_INTERPRETER_PROGRAM_H
