// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_PEAK_H
#define UMBER_TOOLS_UMBER_BENCH_PEAK_H

#include <string>

namespace umber::tools {

/// Multiplications and additions a second; 0: not known.
struct Peak {
  double integerOps = 0; ///< of 8-bit integers, summed in 32 bits
  double floatOps = 0;   ///< of f32
};

struct PeakLoops;

/// How fast so many threads multiply and add in registers, with the best
/// instructions of an instruction set, as umber_model_info names it: what
/// products could reach whose operands come for free.
class PeakMeter {
public:
  PeakMeter(const std::string &isa, int threads);

  void measure();

  /// The best of all runs so far.
  Peak peak() const { return best; }

private:
  const PeakLoops *loops; ///< null if the instruction set is not known
  int threads;
  Peak best;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_PEAK_H
