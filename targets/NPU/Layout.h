// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a model lies in the engine's memory, and how its matrices are cut into
// tiles that kernel slots hold. All of a model's programs share this.

#ifndef UMBER_TARGETS_NPU_LAYOUT_H
#define UMBER_TARGETS_NPU_LAYOUT_H

#include "dialects/Umber/IR/UmberOps.h"
#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/MatrixLayout.h"
#include "llvm/ADT/StringMap.h"

namespace umber::npu {

/// A table of which rows are looked up, in its plain form: I8 with a scale,
/// F16, for each row, or F16.
struct LookupLayout {
  DataType type = DataType::F16;
  uint64_t elements = 0; ///< offsets in Region::Tables
  uint64_t scales = 0;

  uint64_t getBegin() const { return type == DataType::I8 ? scales : elements; }
};

/// Of an adapter's A, columns that a part is a multiple of where it is cut for
/// tiles of columns.
constexpr int64_t kLowRankColumns = 64;

class Layout {
public:
  /// Places all parameters of the module. Fails with a diagnostic at what the
  /// engine cannot take.
  static mlir::FailureOr<Layout> create(mlir::ModuleOp module,
                                        const Config &config,
                                        int64_t prefillRows,
                                        int64_t adapterRank);

  const MatrixLayout &getMatrix(llvm::StringRef name) const {
    return matrices.find(name)->second;
  }
  uint64_t getVector(llvm::StringRef name) const {
    return vectors.lookup(name);
  }
  const LookupLayout &getLookup(llvm::StringRef name) const {
    return lookups.find(name)->second;
  }
  /// Null, or nothing, where a parameter is not used so.
  const MatrixLayout *findMatrix(llvm::StringRef name) const {
    auto it = matrices.find(name);
    return it == matrices.end() ? nullptr : &it->second;
  }
  const LookupLayout *findLookup(llvm::StringRef name) const {
    auto it = lookups.find(name);
    return it == lookups.end() ? nullptr : &it->second;
  }
  std::optional<uint64_t> findVector(llvm::StringRef name) const {
    auto it = vectors.find(name);
    return it == vectors.end() ? std::nullopt : std::optional(it->second);
  }
  const SiteLayout &getSite(llvm::StringRef name) const {
    return sites[siteNumbers.lookup(name)];
  }
  /// All sites, in the module's order.
  llvm::ArrayRef<SiteLayout> getSites() const { return sites; }
  /// Of rotary angles, for each position a row of cosines and one of sines, by
  /// what they depend on.
  uint64_t getRotary(mlir::umber::RotaryOp op) const;
  /// Bytes of zeros in Region::Tables, as many as the longest row of the cache;
  /// and the F32 numbers 0 and 1 behind each other.
  uint64_t zeros = 0;
  uint64_t zeroAndOne = 0;

  /// Positions that the model was made for.
  int64_t positions = 0;
  int64_t adapterRank = 0;
  /// Of the adapters' scales, F32, one per rank.
  uint64_t adapterScales = 0;
  uint64_t weightBytes = 0;
  uint64_t adapterBytes = 0;
  uint64_t tableBytes = 0;

private:
  mlir::LogicalResult placeMatrix(mlir::umber::ParamOp param);
  mlir::LogicalResult placeLookup(mlir::umber::ParamOp param);
  MatrixLayout placePlain(Region region, int64_t rows, int64_t columns);
  void chooseTile(MatrixLayout &matrix) const;
  void place(MatrixLayout &matrix);
  uint64_t take(uint64_t &end, uint64_t bytes);

  const Config *config = nullptr;
  int64_t prefillRows = 0;
  llvm::StringMap<MatrixLayout> matrices;
  llvm::StringMap<uint64_t> vectors;
  llvm::StringMap<LookupLayout> lookups;
  std::vector<SiteLayout> sites;
  llvm::StringMap<size_t> siteNumbers;
  llvm::StringMap<uint64_t> rotaries;
  /// Of matrices, what parts' columns are multiples of.
  llvm::StringMap<int64_t> units;
};

/// Bytes of the kernel buffer that an element of a matrix takes when decoded,
/// and whether the array multiplies it at its rate for f16.
bool isF16Product(const Config &config, bool isPalette, bool isI8);

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_LAYOUT_H
