// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product has the same bits however it is cut: into rows, columns, and
// whole groups of the inner elements.

#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/sim/Executor.h"
#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomProgram.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

/// C[kRows × kColumns] += A[kRows × kInner] · W[kColumns × kInner]ᵀ.
constexpr uint32_t kRows = 5, kColumns = 21, kInner = 44, kGroup = 8;

enum class Weights { I8, F16, PaletteI8, PaletteF16 };

struct Case {
  DataType a;
  Weights weights;
  DataType c;
};

struct Cut {
  uint32_t rows, columns, inner;
};

/// Tiles, one behind the other in the scratchpad.
class Layout {
public:
  explicit Layout(std::vector<uint8_t> &scratchpad) : scratchpad(scratchpad) {}

  /// Of elements as `rows` has them: from (row, column) on.
  Tile add(DataType type, const std::vector<std::vector<uint8_t>> &matrix,
           uint32_t row, uint32_t rows, uint32_t column, uint32_t columns) {
    uint32_t size = getBytes(type);
    uint32_t stride = (columns * size + 15) / 16 * 16;
    Tile tile = {{uint32_t(scratchpad.size()), 0}, stride, type};
    scratchpad.resize(scratchpad.size() + rows * stride);
    for (uint32_t r = 0; r < rows; ++r) {
      std::copy_n(matrix[row + r].data() + column * size, columns * size,
                  scratchpad.data() + tile.at.offset + r * stride);
    }
    return tile;
  }

private:
  std::vector<uint8_t> &scratchpad;
};

class TileInvariance : public testing::TestWithParam<Case> {
protected:
  using Matrix = std::vector<std::vector<uint8_t>>;

  TileInvariance() : config(getSmallMachine(0)), numbers(17) {
    config.scratchpad.bytes = 1 << 18;
    a = makeMatrix(GetParam().a, kRows, kInner);
    scales = makeMatrix(DataType::F32, kRows, (kInner + kGroup - 1) / kGroup);
    c = makeMatrix(GetParam().c, kRows, kColumns);
    bool areF16 = GetParam().weights == Weights::F16;
    w = makeMatrix(areF16 ? DataType::F16 : DataType::I8, kColumns, kInner);
    // 16 entries of either type.
    table = makeMatrix(DataType::F16, 1, 16)[0];
    weightScales = makeMatrix(DataType::F16, 1, kColumns)[0];
  }

  /// Any I8, or numbers of moderate size.
  Matrix makeMatrix(DataType type, uint32_t rows, uint32_t columns) {
    Matrix matrix(rows);
    for (std::vector<uint8_t> &row : matrix) {
      for (uint32_t i = 0; i < columns; ++i) {
        uint32_t bits = uint32_t(numbers.get(0, 255));
        if (type == DataType::F16) {
          bits = uint32_t(numbers.get(0x2c00, 0x3fff) +
                          0x8000 * numbers.get(0, 1));
        } else if (type == DataType::F32) {
          float value = float(numbers.get(0, 1 << 21) - (1 << 20)) / (1 << 18);
          std::memcpy(&bits, &value, sizeof bits);
        }
        for (uint32_t b = 0; b < getBytes(type); ++b) {
          row.push_back(uint8_t(bits >> (8 * b)));
        }
      }
    }
    return matrix;
  }

  bool isPalette() const {
    return GetParam().weights == Weights::PaletteI8 ||
           GetParam().weights == Weights::PaletteF16;
  }

  /// A tile's weights, as they are streamed.
  void appendWeights(std::vector<uint8_t> &bytes, uint32_t column,
                     uint32_t columns, uint32_t k, uint32_t inner) const {
    uint32_t size = GetParam().weights == Weights::F16 ? 2 : 1;
    for (uint32_t n = column; n < column + columns; ++n) {
      const uint8_t *row = w[n].data() + k * size;
      if (!isPalette()) {
        bytes.insert(bytes.end(), row, row + inner * size);
        continue;
      }
      for (uint32_t i = 0; i < inner; i += 2) {
        unsigned high = i + 1 < inner ? row[i + 1] & 15u : 0u;
        bytes.push_back(uint8_t((row[i] & 15u) | high << 4));
      }
    }
  }

  /// C after a product that is cut into tiles of at most these sizes.
  Matrix run(const Cut &cut) {
    std::vector<uint8_t> weights, scratchpad;
    Layout layout(scratchpad);
    Program program;
    auto add = [&](const Operation &operation) {
      program.emplace_back();
      program.back().operation = operation;
    };
    LoadTable load;
    load.from.region = Region::Tables;
    load.entries = 16;
    load.type =
        GetParam().weights == Weights::PaletteI8 ? DataType::I8 : DataType::F16;
    add(load);
    struct Piece {
      Tile tile;
      uint32_t row, rows, column, columns;
    };
    std::vector<Piece> pieces;
    uint8_t slot = 0;
    for (uint32_t n = 0; n < kColumns; n += cut.columns) {
      for (uint32_t r = 0; r < kRows; r += cut.rows) {
        Multiply product;
        product.rows = std::min(cut.rows, kRows - r);
        product.columns = std::min(cut.columns, kColumns - n);
        product.group = kGroup;
        product.adds = true;
        product.c =
            layout.add(GetParam().c, c, r, product.rows, n, product.columns);
        pieces.push_back({product.c, r, product.rows, n, product.columns});
        for (uint32_t k = 0; k < kInner; k += cut.inner) {
          uint32_t inner = std::min(cut.inner, kInner - k);
          StreamWeights stream;
          stream.from = {Region::Weights, weights.size(), 0};
          stream.slot = slot ^= 1;
          stream.isPalette = isPalette();
          stream.bits = isPalette()                          ? 4
                        : GetParam().weights == Weights::F16 ? 16
                                                             : 8;
          stream.storageBits = stream.bits;
          stream.rowsPerTable = product.columns;
          stream.rows = product.columns;
          stream.columns = inner;
          stream.scales.region = Region::Adapters;
          stream.rowsPerScale = 1;
          stream.firstRow = n;
          add(stream);
          appendWeights(weights, n, product.columns, k, inner);
          product.slot = slot;
          product.inner = inner;
          product.a = layout.add(GetParam().a, a, r, product.rows, k, inner);
          product.scales =
              layout.add(DataType::F32, scales, r, product.rows, k / kGroup,
                         (inner + kGroup - 1) / kGroup);
          product.isFirst = k == 0;
          product.isLast = k + inner == kInner;
          add(product);
        }
      }
    }
    add(Stop());
    Machine machine(config);
    std::copy(scratchpad.begin(), scratchpad.end(), machine.scratchpad.begin());
    machine.region(Region::Weights) = {weights.data(), weights.size()};
    machine.region(Region::Tables) = {table.data(), table.size()};
    machine.region(Region::Adapters) = {weightScales.data(),
                                        weightScales.size()};
    Status status = execute(machine, Workers(), program, {});
    EXPECT_TRUE(status.ok()) << status.message();
    Matrix result = c;
    for (const Piece &piece : pieces) {
      uint32_t size = getBytes(piece.tile.type);
      for (uint32_t r = 0; r < piece.rows; ++r) {
        std::copy_n(machine.scratchpad.data() + piece.tile.at.offset +
                        r * piece.tile.stride,
                    piece.columns * size,
                    result[piece.row + r].data() + piece.column * size);
      }
    }
    return result;
  }

  Config config;
  RandomNumbers numbers;
  Matrix a, scales, c, w;
  std::vector<uint8_t> table, weightScales;
};

TEST_P(TileInvariance, HoldsForEveryCut) {
  Matrix whole = run({kRows, kColumns, kInner});
  EXPECT_NE(whole, c);
  uint32_t step = GetParam().a == DataType::I8 ? kGroup : 1;
  for (uint32_t rows = 1; rows <= kRows; ++rows) {
    for (uint32_t columns = 1; columns <= kColumns; ++columns) {
      for (uint32_t inner = step; inner < kInner + step; inner += step) {
        ASSERT_EQ(run({rows, columns, inner}), whole)
            << "tiles of " << rows << " x " << columns << " x " << inner;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Types, TileInvariance,
    testing::Values(Case{DataType::I8, Weights::I8, DataType::F32},
                    Case{DataType::I8, Weights::PaletteI8, DataType::F16},
                    Case{DataType::F16, Weights::PaletteF16, DataType::F32},
                    Case{DataType::F32, Weights::PaletteI8, DataType::F32},
                    Case{DataType::F32, Weights::F16, DataType::F16}));

} // namespace
