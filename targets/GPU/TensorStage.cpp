// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/GPU/TensorStage.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

/// Rows of the input that an instruction takes.
static constexpr int64_t kStepRows = 8;
/// The most rows of a tile, whose sums are in registers.
static constexpr int64_t kMostRows = 64;
/// As many workgroups as large GPUs have multiprocessors: with fewer, tiles are
/// made smaller.
static constexpr int64_t kManyWorkgroups = 128;
/// Words of 8 rows' sums in a thread, for each of the panel's halves 4.
static constexpr int64_t kSums = 8;

/// Integers below 2^22 in magnitude are exact when they are added to the bits
/// of 1.5 * 2^23, and the float that these are is taken away again: that is
/// faster than a conversion.
static constexpr int64_t kBias = 0x4b400000;
static constexpr int64_t kMostSmall = (int64_t(1) << 22) - 1;
static constexpr int64_t kLargestProduct = 127 * 128;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

bool TensorStage::canDo(KernelEmitter &emitter, const Product &product) {
  LinearOp op = product.linear;
  RankedTensorType type = emitter.getParameterType(op.getWeightAttr());
  if (emitter.api != Api::CUDA || emitter.planned.maxTokens == 1 ||
      !type.getEncoding() || !op.getX().getType().getEncoding()) {
    return false;
  }
  PanelEncoding encoding = getPanelEncoding(type);
  int64_t run = getRunColumns(emitter, op);
  // The last block is filled up with zeros.
  return (run % kBlockColumns == 0 || run == encoding.columns) &&
         EncodedReader::chooseLookup(encoding, Api::CUDA) !=
             EncodedReader::Lookup::Impossible;
}

int64_t TensorStage::getPieceColumns(int64_t run) {
  return run % (2 * kBlockColumns) == 0 ? 2 * kBlockColumns : kBlockColumns;
}

int64_t TensorStage::chooseTile(KernelEmitter &emitter,
                                const Product &product) {
  LinearOp op = product.linear;
  int64_t panels = llvm::divideCeil(op.getType().getDimSize(1), kPanelRows);
  int64_t run = getRunColumns(emitter, op), rows = emitter.planned.maxTokens;
  // Of longer runs the integer sums are in registers, too.
  int64_t tile = run <= getPieceColumns(run) ? kMostRows : kMostRows / 2;
  while (tile > 2 * kStepRows &&
         panels * int64_t(llvm::divideCeil(rows, tile)) < kManyWorkgroups) {
    tile /= 2;
  }
  // Of a step's outputs there is mostly one.
  if (!emitter.hasRowPerToken(op.getX())) {
    tile = 2 * kStepRows;
  }
  return std::min<int64_t>(tile, llvm::alignTo(rows, kStepRows));
}

TensorStage::TensorStage(KernelEmitter &emitter, const Product &product)
    : ProductStage(emitter, product, chooseTile(emitter, product)),
      encoding(getPanelEncoding(type)), run(getRunColumns(emitter, op)),
      pieceColumns(getPieceColumns(run)),
      hasOneScale(encoding.scaleColumns == encoding.columns),
      areSumsSmall(run * kLargestProduct <= kMostSmall),
      group(l.div(lane, l.index(4))), inGroup(l.rem(lane, l.index(4))),
      rowsHere(l.sub(x.count, firstRow)) {
  // A buffer has room for a step's rows. Those that are not there may be
  // anything, and what comes of them is not written.
  mayReadAllRows =
      e.hasRowPerToken(op.getX()) && e.planned.maxTokens % tile == 0;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value TensorStage::getRowOffset(Value row) {
  row = l.add(firstRow, row);
  if (!mayReadAllRows) {
    row = l.min(row, l.sub(x.count, l.index(1)));
  }
  return l.add(x.offset, l.mul(row, l.index(x.words)));
}

/// An integer sum does not depend on the order of the columns, so that thread t
/// of four has, of both operands, quarter t of a piece where the instruction
/// has columns 4 t to 4 t + 3 and 16 + 4 t to 16 + 4 t + 3 of each 32.
TensorStage::Weights TensorStage::loadWeights(Value piece) {
  int64_t blocks = pieceColumns / kBlockColumns, parts = 4 / blocks;
  Value block =
      l.add(l.mul(piece, l.index(blocks)), l.div(inGroup, l.index(parts)));
  Value part = l.rem(inGroup, l.index(parts));
  SmallVector<SmallVector<Value>> words;
  for (EncodedReader &reader : readers) {
    words.push_back(reader.loadPart(block, part, parts));
  }
  Weights weights;
  for (int64_t step = 0; step < blocks; ++step) {
    for (int64_t half = 0; half < 2; ++half) {
      Fragment fragment;
      for (int64_t quad : {2 * step, 2 * step + 1}) {
        for (int64_t row : {2 * half, 2 * half + 1}) {
          fragment.push_back(readers[row].decode(words[row], quad).packed);
        }
      }
      weights.push_back(fragment);
    }
  }
  return weights;
}

TensorStage::Sums TensorStage::multiply(const Weights &weights, Value piece,
                                        int64_t n, ValueRange sums) {
  int64_t words = pieceColumns / 16;
  Value row = l.add(l.index(n * kStepRows), group);
  Value at =
      l.add(l.mul(piece, l.index(4 * words)), l.mul(inGroup, l.index(words)));
  SmallVector<Value> inputs =
      l.loadWords(x.buffer, l.add(getRowOffset(row), at), words);
  Sums made(sums);
  for (auto [i, fragment] : llvm::enumerate(weights)) {
    auto operand = ArrayRef(inputs).slice(i / 2 * 2, 2);
    auto half = MutableArrayRef(made).slice(i % 2 * 4, 4);
    llvm::copy(l.multiplyTiles(fragment, operand, half), half.begin());
  }
  return made;
}

TensorStage::Sums TensorStage::addRun(Value column, int64_t n,
                                      ValueRange integers, ValueRange sums,
                                      ValueRange weightScales) {
  QuantizedRow form = getQuantizedRow(xType);
  Value at = l.add(l.index(form.getScalesOffset() / 4),
                   l.div(column, l.index(form.group)));
  Value scales[2];
  for (int64_t i = 0; i < 2; ++i) {
    Value row = l.add(l.index(n * kStepRows + i), l.mul(inGroup, l.index(2)));
    scales[i] = l.loadF(x.buffer, l.add(getRowOffset(row), at));
  }
  Sums made;
  for (int64_t i = 0; i < kSums; ++i) {
    Value number = areSumsSmall
                       ? l.subF(l.asFloat(integers[i]), l.asFloat(l.i32(kBias)))
                       : l.toFloat(integers[i]);
    made.push_back(addScaled(
        number, scales[i % 2],
        weightScales.empty() ? Value() : weightScales[i / 2], sums[i]));
  }
  return made;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

TensorStage::Sums TensorStage::changeSums(ValueRange sums, Change change) {
  Sums made;
  int64_t end = tile / kStepRows;
  // Ones, threes and fours of 8 rows are left out together: few branches, and
  // between them enough to do.
  for (int64_t n = 0, next = 1; n < end; n = next, next += next < 4 ? 3 : 4) {
    int64_t count = std::min(next, end) - n;
    ValueRange before = sums.slice(n * kSums, count * kSums);
    auto changeThese = [&] {
      Sums these;
      for (int64_t i = 0; i < count; ++i) {
        llvm::append_range(these,
                           change(n + i, before.slice(i * kSums, kSums)));
      }
      return these;
    };
    if (n == 0) {
      llvm::append_range(made, changeThese());
      continue;
    }
    Value areThere = l.less(l.index(n * kStepRows), rowsHere);
    llvm::append_range(made, l.ifTrue(areThere, before, changeThese));
  }
  return made;
}

TensorStage::Sums TensorStage::multiplyRuns() {
  int64_t pieces = llvm::divideCeil(run, pieceColumns);
  int64_t count = tile / kStepRows * kSums;
  Value start = l.i32(areSumsSmall ? kBias : 0);
  return l.reduce(
      slice, l.index(encoding.columns / run), l.index(slices),
      Sums(count, l.f32(0.0)), [&](Value number, ValueRange so) -> Sums {
        Value column = l.mul(number, l.index(run));
        Sums scales;
        if (!hasOneScale) {
          for (EncodedReader &reader : readers) {
            scales.push_back(reader.getScale(column));
          }
        }
        if (pieces == 1) {
          Weights weights = loadWeights(number);
          return changeSums(so, [&](int64_t n, ValueRange sums) {
            Sums made = multiply(weights, number, n, Sums(kSums, start));
            return addRun(column, n, made, sums, scales);
          });
        }
        Value first = l.mul(number, l.index(pieces));
        Sums integers =
            l.reduce(first, l.add(first, l.index(pieces)), l.index(1),
                     Sums(count, start), [&](Value piece, ValueRange so) {
                       Weights weights = loadWeights(piece);
                       return changeSums(so, [&](int64_t n, ValueRange sums) {
                         return multiply(weights, piece, n, sums);
                       });
                     });
        return changeSums(so, [&](int64_t n, ValueRange sums) {
          auto made = ArrayRef(integers).slice(n * kSums, kSums);
          return addRun(column, n, made, sums, scales);
        });
      });
}

void TensorStage::addUpRows(int64_t first, int64_t count, const Sums &sums,
                            Value partial, Value results) {
  // So much between two rows that the threads of a warp, of which four have the
  // same row of the matrix, write to banks of their own.
  constexpr int64_t kStride = kPanelRows + 4;
  auto place = [&](Value slice, Value row, Value output) {
    Value at = l.add(l.mul(slice, l.index(count)), row);
    return l.add(l.mul(at, l.index(kStride)), output);
  };
  for (int64_t n = 0; n < count / kStepRows; ++n) {
    for (int64_t i = 0; i < kSums; ++i) {
      Value row =
          l.add(l.index(n * kStepRows + i % 2), l.mul(inGroup, l.index(2)));
      Value output = l.add(group, l.index(i / 2 * 8));
      l.storeF(sums[(first / kStepRows + n) * kSums + i], partial,
               place(slice, row, output));
    }
  }
  l.barrier();
  l.forEach(slice, l.index(count), l.index(slices), [&](Value row) {
    Value sum = l.reduce(l.index(1), l.index(slices), l.index(1),
                         {l.loadF(partial, place(l.index(0), row, lane))},
                         [&](Value s, ValueRange so) -> Sums {
                           Value other = l.loadF(partial, place(s, row, lane));
                           return {l.addF(so[0], other)};
                         })[0];
    Value at = l.mul(l.add(l.index(first), row), l.index(kPanelRows));
    l.storeF(sum, results, l.add(at, lane));
  });
  l.barrier();
}

void TensorStage::addUpFragments(Value panel, const Sums &sums) {
  constexpr int64_t kRows = 2 * kStepRows;
  Value partial =
      l.allocateShared(slices * std::min(kRows, tile) * (kPanelRows + 4));
  Value results = l.allocateShared(tile * kPanelRows);
  for (int64_t first = 0; first < tile; first += kRows) {
    l.ifTrue(l.less(l.index(first), rowsHere), [&] {
      addUpRows(first, std::min(kRows, tile - first), sums, partial, results);
    });
  }
  Value output = l.add(l.mul(panel, l.index(kPanelRows)), lane);
  l.forEach(slice, l.min(rowsHere, l.index(tile)), l.index(slices),
            [&](Value row) {
              Value at = l.add(l.mul(row, l.index(kPanelRows)), lane);
              finishRow(row, output, l.loadF(results, at));
            });
}

void TensorStage::emit(Value panel) {
  EncodedReader reader(l, LaneEncoding{encoding},
                       e.getParameter(op.getWeight()), panel, group);
  int64_t words = EncodedReader::getSharedWords(encoding, l.getApi());
  reader.prepareTables(words ? l.allocateShared(words) : Value());
  readers.push_back(reader);
  for (int64_t i = 1; i < kPanelRows / 8; ++i) {
    readers.push_back(reader.ofLane(l.add(group, l.index(8 * i))));
  }
  Sums sums = multiplyRuns();
  if (hasOneScale) {
    Sums scales;
    for (EncodedReader &each : readers) {
      scales.push_back(each.getScale(l.index(0)));
    }
    for (auto [i, sum] : llvm::enumerate(sums)) {
      sum = l.mulF(sum, scales[i % kSums / 2]);
    }
  }
  addUpFragments(panel, sums);
}

} // namespace umber::gpu
