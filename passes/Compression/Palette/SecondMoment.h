// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a linear layer's inputs tell about which errors of its weights matter.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_SECONDMOMENT_H
#define UMBER_PASSES_COMPRESSION_PALETTE_SECONDMOMENT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace umber::palette {

/// H = sum x x^T / N over vectors x: a linear layer's inputs, or the
/// derivatives of the loss by its outputs. An error E = What - W of the weights
/// changes the outputs by tr(E H E^T) per token, in squares, H of the inputs;
/// and the loss by about tr(G E H E^T), G half the second moment of its
/// derivatives, inputs and derivatives taken to be independent (Martens and
/// Grosse 2015, K-FAC, arXiv:1503.05671).
///
/// Of inputs, all that is kept stands in the order of descending diagonal, in
/// which error feedback places columns, so that the costliest errors have the
/// most columns left to make up for them; of outputs in their own order, as
/// rows share tables with their neighbours. The matrices are rows of `stride`
/// floats, zero beyond `columns`, for kernels that work on whole vectors.
class SecondMoment {
public:
  /// `h` is columns x columns, row-major and symmetric. `damping` times the
  /// mean of its diagonal is added to the diagonal, tenfold again until the sum
  /// is positive definite; a zero matrix stands for the identity, which is what
  /// is known of inputs without data. Fails if an element is not finite or one
  /// of the diagonal is negative.
  enum class Order { Descending, Given };
  static llvm::Expected<SecondMoment> get(llvm::ArrayRef<double> h,
                                          int64_t columns,
                                          Order order = Order::Descending,
                                          double damping = 0.01);

  /// For vectors of which nothing is known: the identity.
  static SecondMoment getIdentity(int64_t columns);

  int64_t getColumns() const { return columns; }
  int64_t getStride() const { return stride; }

  /// The column at each position.
  llvm::ArrayRef<int32_t> getOrder() const { return order; }

  /// The damped matrix over getScale(), whose diagonal has the mean 1 before
  /// damping.
  llvm::ArrayRef<float> getMatrix() const { return matrix; }

  /// The transpose of the upper factor R with R R^T = getMatrix().
  ///
  /// GPTQ (Frantar et al. 2023, arXiv:2210.17323) feeds errors back through the
  /// Cholesky factor U of the inverse. U is the inverse of R up to
  /// transposition, and the columns' targets can as well be had from R and the
  /// errors so far (QuIP, Chee et al. 2023, arXiv:2307.13304, Theorem 6), which
  /// needs no inverse.
  llvm::ArrayRef<float> getFactor() const { return factor; }

  /// Per position, what an error costs that later positions make up for as well
  /// as they can: the square of the factor's diagonal.
  std::vector<float> getPlacementWeights() const;

  double getScale() const { return scale; }

  /// What was added to the diagonal of getMatrix().
  double getDamping() const { return damping; }

private:
  int64_t columns = 0, stride = 0;
  std::vector<int32_t> order;
  std::vector<float> matrix, factor;
  double scale = 1, damping = 0;
};

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_SECONDMOMENT_H
