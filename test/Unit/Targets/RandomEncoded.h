// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encoded matrices of every kind, with shapes that blocks, quads and panels do
// not divide.

#ifndef UMBER_TEST_UNIT_TARGETS_RANDOMENCODED_H
#define UMBER_TEST_UNIT_TARGETS_RANDOMENCODED_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "targets/Common/PackEncoded.h"
#include "gtest/gtest.h"
#include <random>

namespace umber {

class EncodedTest : public testing::Test {
protected:
  EncodedTest() { context.loadDialect<mlir::umber::UmberDialect>(); }

  mlir::RankedTensorType getType(int64_t rows, int64_t columns,
                                 const std::string &encoding) {
    std::string text = "tensor<" + std::to_string(rows) + "x" +
                       std::to_string(columns) + "xf16, #umber." + encoding +
                       ">";
    return mlir::cast<mlir::RankedTensorType>(mlir::parseType(text, &context));
  }

  /// Every kind of encoding on shapes that suit it.
  std::vector<mlir::RankedTensorType> getTypes() {
    std::vector<mlir::RankedTensorType> types;
    for (int bits : {1, 2, 3, 4, 6, 8}) {
      std::string palette = "palette<bits = " + std::to_string(bits);
      for (auto [rows, columns] : {std::pair(64, 576), std::pair(33, 77),
                                   std::pair(7, 1), std::pair(49, 130)}) {
        types.push_back(getType(rows, columns, palette + ", rows = 16>"));
      }
      for (const char *rows :
           {"1", "2", "4", "6", "7", "24", "32", "40", "64", "1000"}) {
        types.push_back(getType(70, 21, palette + ", rows = " + rows + ">"));
      }
      for (const char *rest :
           {", rows = 16, cols = 64>", ", rows = 8, cols = 6>",
            ", rows = 16, scale = row>", ", rows = 5, cols = 3, scale = row>",
            ", rows = 16, scale = row, scale_cols = 32>",
            ", rows = 16, cols = 24, scale = row, scale_cols = 16>",
            ", rows = 16, cols = 8, scale = row, scale_cols = 3>"}) {
        types.push_back(getType(45, 192, palette + rest));
      }
    }
    for (auto [rows, columns] :
         {std::pair(64, 576), std::pair(33, 77), std::pair(1, 3)}) {
      types.push_back(getType(rows, columns, "quantized<bits = 8>"));
    }
    types.push_back(getType(40, 192, "quantized<bits = 8, group = 64>"));
    types.push_back(getType(40, 192, "quantized<bits = 8, group = 6>"));
    types.push_back(getType(40, 192, "quantized<bits = 4>"));
    return types;
  }

  /// Any codes, entries from -64 to 63, and scales from 2^-6 to 2.
  EncodedMatrix getMatrix(mlir::RankedTensorType type) {
    EncodedLayout layout = EncodedLayout::get(type);
    EncodedMatrix matrix;
    int64_t codes = layout.entries ? layout.entries : 256;
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      matrix.codes.push_back(engine() % codes);
    }
    for (int64_t i = 0; i < layout.tables * layout.entries; ++i) {
      matrix.tables.push_back(int8_t(engine() % 128) - 64);
    }
    for (int64_t i = 0; i < layout.scales; ++i) {
      matrix.scales.push_back((9 + engine() % 7) << 10 | engine() % 1024);
    }
    return matrix;
  }

  static std::vector<float> getWeights(mlir::RankedTensorType type,
                                       const EncodedMatrix &matrix) {
    std::vector<float> weights(type.getNumElements());
    decodeRows(EncodedLayout::get(type), matrix, 0, weights);
    return weights;
  }

  static std::vector<uint8_t> pack(mlir::RankedTensorType type,
                                   const EncodedMatrix &matrix) {
    std::vector<uint8_t> bytes;
    llvm::cantFail(packEncoded(EncodedLayout::get(type), getPanelEncoding(type),
                               matrix, [&](llvm::ArrayRef<uint8_t> panel) {
                                 bytes.insert(bytes.end(), panel.begin(),
                                              panel.end());
                                 return llvm::Error::success();
                               }));
    return bytes;
  }

  static std::string describe(mlir::RankedTensorType type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return text;
  }

  mlir::MLIRContext context;
  std::mt19937 engine{7};
};

} // namespace umber

#endif // UMBER_TEST_UNIT_TARGETS_RANDOMENCODED_H
