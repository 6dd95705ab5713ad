// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_ALLOCATION_H
#define UMBER_PASSES_COMPRESSION_ALLOCATION_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace umber {

/// One way to store a matrix.
struct StorageChoice {
  int64_t bytes = 0;
  double error = 0; ///< of any unit, the same for all matrices
};

/// An index into each matrix's choices, such that the sum of errors is least
/// among all whose bytes are within `budget`; of equal ones, the smaller. None
/// if even the smallest choices are not.
///
/// A dynamic programme over the budget in steps (a multiple-choice knapsack),
/// exact for budgets up to some hundred thousand bytes. Beyond, each matrix's
/// bytes count as rounded up to a step, and what that has left of the budget
/// goes to the matrices that gain most per byte: no matrix could be stored with
/// less error in what is left then.
std::optional<std::vector<size_t>>
allocate(llvm::ArrayRef<std::vector<StorageChoice>> matrices, int64_t budget);

/// The same without errors, as of a model of shapes only: what the budget has
/// above the smallest choices is spread evenly, in the matrices' order. A
/// matrix gets the largest choice with which those up to it take no more than
/// their part of the budget, which is by their smallest choices' bytes; at the
/// end, what is left goes to the first that it suffices for.
std::optional<std::vector<size_t>>
spreadEvenly(llvm::ArrayRef<std::vector<StorageChoice>> matrices,
             int64_t budget);

/// What more budget would buy: the largest decrease of error per byte of any
/// matrix that is stored as a larger of its choices than `chosen`; 0 if none is
/// better.
double getMarginalGain(llvm::ArrayRef<std::vector<StorageChoice>> matrices,
                       llvm::ArrayRef<size_t> chosen);

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_ALLOCATION_H
