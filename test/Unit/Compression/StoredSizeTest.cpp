// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/StoredSize.h"
#include "dialects/Umber/IR/UmberDialect.h"
#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"
#include <set>

using namespace umber;
using namespace mlir::umber;

namespace {

class StoredSizeTest : public ::testing::Test {
protected:
  StoredSizeTest() { context.loadDialect<UmberDialect>(); }

  int64_t get(llvm::ArrayRef<int64_t> shape, mlir::Attribute encoding = {}) {
    return getStoredBytes(mlir::RankedTensorType::get(
        shape, mlir::Float16Type::get(&context), encoding));
  }

  mlir::Attribute palette(int64_t bits, int64_t rows) {
    return PaletteAttr::get(&context, bits, rows, 0, PaletteScale::Table, 0);
  }

  mlir::MLIRContext context;
};

TEST_F(StoredSizeTest, OfPlainTensors) {
  EXPECT_EQ(get({7}), 7 * 4); // vectors are f32, whatever their type
  EXPECT_EQ(get({32, 5}), 32 * 5 * 2);
  EXPECT_EQ(get({33, 5}), 64 * 5 * 2);
  EXPECT_EQ(getStoredBytes(mlir::RankedTensorType::get(
                {1, 3}, mlir::Float32Type::get(&context))),
            32 * 3 * 4);
}

TEST_F(StoredSizeTest, OfRowsOfIntegers) {
  mlir::Attribute rows = QuantizedAttr::get(&context, 8, 0);
  // Codes, columns filled up to fours, and a scale per row of each panel.
  EXPECT_EQ(get({32, 64}, rows), 32 * 64 + 32 * 2);
  EXPECT_EQ(get({33, 61}, rows), 64 * 64 + 64 * 2);
  EXPECT_EQ(get({32, 64}, QuantizedAttr::get(&context, 8, 16)),
            32 * 64 + 32 * 4 * 2);
}

TEST_F(StoredSizeTest, OfFactorsOfCorrections) {
  auto get = [&](mlir::Attribute encoding) {
    return getFactorBytes(mlir::RankedTensorType::get(
        {5, 33}, mlir::Float16Type::get(&context), encoding));
  };
  // Nothing is filled up.
  EXPECT_EQ(get({}), 5 * 33 * 2);
  EXPECT_EQ(get(QuantizedAttr::get(&context, 8, 0)), 5 * 33 + 5 * 2);
}

TEST_F(StoredSizeTest, OfPalettes) {
  for (int64_t bits : {1, 2, 3, 4, 6, 8}) {
    // Two tables of 16 rows, each with a scale, in a panel.
    int64_t table = (int64_t(1) << bits) + 2;
    EXPECT_EQ(get({64, 576}, palette(bits, 16)),
              2 * (32 * 576 * bits / 8 + 2 * table));
    EXPECT_EQ(get({40, 573}, palette(bits, 16)),
              2 * (32 * 576 * bits / 8 + 2 * table));
  }
}

TEST_F(StoredSizeTest, CountsEveryTableThatAPanelTouches) {
  for (int64_t rows = 1; rows <= 70; ++rows) {
    // As many as any panel of a tall matrix needs.
    size_t most = 0;
    for (int64_t panel = 0; panel < 200; ++panel) {
      std::set<int64_t> tables;
      for (int64_t r = 0; r < kPanelRows; ++r) {
        tables.insert((panel * kPanelRows + r) / rows);
      }
      most = std::max(most, tables.size());
    }
    int64_t bytes = get({32, 8}, palette(4, rows)) - 32 * 8 / 2;
    int64_t tables = bytes / (16 + 2);
    EXPECT_EQ(bytes, tables * (16 + 2)) << rows << " rows per table";
    EXPECT_GE(tables, int64_t(most)) << rows << " rows per table";
    // Tables that no panel begins with at every offset may have one to spare.
    bool isExact = rows % kPanelRows == 0 || kPanelRows % rows == 0;
    EXPECT_LE(tables, int64_t(most) + !isExact) << rows << " rows per table";
  }
}

} // namespace
