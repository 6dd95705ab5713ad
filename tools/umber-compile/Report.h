// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compilation has made of a model: sizes, and every matrix.

#ifndef UMBER_TOOLS_UMBER_COMPILE_REPORT_H
#define UMBER_TOOLS_UMBER_COMPILE_REPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "targets/Common/PackageBuilder.h"
#include "llvm/Support/raw_ostream.h"

namespace umber::compile {

struct Report {
  /// Of a module without a package: sizes are what a package will hold, but for
  /// the file's, which is 0.
  Report(mlir::ModuleOp module, llvm::StringRef output);

  /// A line per matrix.
  void printTable(llvm::raw_ostream &os) const;
  /// One line with the sizes, and one on corrections if there are any.
  void printSummary(llvm::raw_ostream &os) const;
  /// One object, as docs/compression.md has it.
  void writeJson(llvm::raw_ostream &os) const;

  struct Recovery {
    bool isDone;
    int64_t rank, bytes;
    std::optional<double> error;    ///< relative, with it
    double gain;                    ///< of the predicted loss, per byte
    std::optional<double> bitsGain; ///< what wider codes would gain per byte
  };

  struct Matrix {
    std::string name, encoding;
    int64_t rows, columns;
    int64_t bits;
    std::optional<double> error; ///< relative; none of a plain matrix
    int64_t bytes;
    /// What a low-rank correction does for it, or would do.
    std::optional<Recovery> recovery;
  };

  /// What all corrections do, and what their bytes would as wider codes.
  struct Recoveries {
    int64_t bytes;
    double loss, recovered; ///< predicted, without and with them
    std::optional<double> bits, bitsLoss;
    /// The losses without those of the matrix that has most, and its name.
    std::string largest;
    std::optional<double> othersLoss, othersRecovered, othersBitsLoss;
  };

  std::string output;
  std::vector<Matrix> matrices;
  std::optional<Recoveries> recoveries;
  PackageSummary sizes;

private:
  double getBodyBits() const { return getBits(sizes.bodyBytes); }
  /// Per weight of the body.
  double getBits(double bytes) const;
};

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_REPORT_H
