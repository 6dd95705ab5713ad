// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/GPU/EncodedReader.h"
#include <numeric>

using namespace mlir;

namespace umber::gpu {

/// Words of workgroup memory that tables may take, so that sums have room, too.
static constexpr int64_t kMaxTableWords = 2048;

EncodedReader::EncodedReader(LaunchBuilder &launch, LaneEncoding layout,
                             Value buffer, Value panel, Value lane)
    : l(launch), layout(layout), encoding(layout.encoding),
      lookup(chooseLookup(encoding, launch.getApi())), buffer(buffer),
      panel(panel), lane(lane),
      base(l.mul(panel, l.index(layout.getPanelWords()))) {}

Value EncodedReader::getBlockOfRows(int64_t height) {
  if (height % kPanelRows == 0) {
    return l.index(0);
  }
  if (kPanelRows % height == 0) {
    return l.div(lane, l.index(height));
  }
  Value first = l.mul(panel, l.index(kPanelRows));
  return l.sub(l.div(l.add(first, lane), l.index(height)),
               l.div(first, l.index(height)));
}

Value EncodedReader::loadByte(Value base, Value index) {
  Value word = l.load(buffer, l.add(base, l.div(index, l.index(4))));
  Value shift = l.mul(l.toI32(l.rem(index, l.index(4))), l.i32(8));
  return l.signedField(l.shiftRight(word, shift), 0, 8);
}

//===----------------------------------------------------------------------===//
// Single elements
//===----------------------------------------------------------------------===//

Value EncodedReader::getInteger(Value column) {
  Value block = l.div(column, l.index(kBlockColumns));
  Value bit =
      l.mul(l.rem(column, l.index(kBlockColumns)), l.index(encoding.bits));
  Value codes = l.add(base, l.index(layout.getCodesOffset()));
  Value words =
      l.add(codes, l.mul(l.add(l.mul(block, l.index(kPanelRows)), lane),
                         l.index(encoding.bits)));
  Value word = l.div(bit, l.index(32));
  Value low = l.load(buffer, l.add(words, word));
  // What the word has too little of is in the next; after the last there is
  // nothing that is missing.
  Value next = l.min(l.add(word, l.index(1)), l.index(encoding.bits - 1));
  Value high = l.load(buffer, l.add(words, next));
  Value shift = l.toI32(l.rem(bit, l.index(32)));
  Value upper =
      l.shiftLeft(l.shiftLeft(high, l.i32(1)), l.sub(l.i32(31), shift));
  Value code = l.bitOr(l.shiftRight(low, shift), upper);
  if (!encoding.hasTables()) {
    return l.signedField(code, 0, encoding.bits);
  }
  code = l.bitAnd(code, l.i32(encoding.getEntries() - 1));
  int64_t perRow = encoding.columns / encoding.tableColumns;
  Value table = l.mul(getBlockOfRows(encoding.tableRows), l.index(perRow));
  table = l.add(table, l.div(column, l.index(encoding.tableColumns)));
  Value entry =
      l.add(l.mul(table, l.index(encoding.getEntries())), l.toIndex(code));
  return loadByte(base, entry);
}

Value EncodedReader::getScale(Value column) {
  int64_t perRow = encoding.columns / encoding.scaleColumns;
  Value scale = l.mul(getBlockOfRows(encoding.scaleRows), l.index(perRow));
  if (perRow != 1) {
    scale = l.add(scale, l.div(column, l.index(encoding.scaleColumns)));
  }
  Value scales = l.add(base, l.index(layout.getTableWords()));
  Value word = l.load(buffer, l.add(scales, l.div(scale, l.index(2))));
  Value shift = l.mul(l.toI32(l.rem(scale, l.index(2))), l.i32(16));
  return l.halfToFloat(l.shiftRight(word, shift));
}

Value EncodedReader::getWeight(Value column) {
  return l.mulF(l.toFloat(getInteger(column)), getScale(column));
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

int64_t EncodedReader::getTables(const PanelEncoding &encoding) {
  return PanelEncoding::getBlocksPerPanel(encoding.tableRows);
}

int64_t EncodedReader::getCodesPerLookup(const PanelEncoding &encoding) {
  for (int64_t codes : {4, 2}) {
    int64_t bits = codes * encoding.bits;
    if (bits <= 8 && getTables(encoding) << bits <= kMaxTableWords) {
      return codes;
    }
  }
  return 1;
}

EncodedReader::Lookup EncodedReader::chooseLookup(const PanelEncoding &encoding,
                                                  Api api) {
  if (!encoding.hasTables()) {
    return Lookup::None;
  }
  if (encoding.tableColumns != encoding.columns) {
    return Lookup::Impossible;
  }
  // CUDA's threads of a warp read workgroup memory at once, each where it
  // likes; what Vulkan runs on may have to do so one by one.
  if (api == Api::Vulkan && encoding.bits <= 4) {
    return Lookup::Registers;
  }
  // Of 32 threads that look up any of many entries, three or four mostly want
  // the same bank, which halves what a multiprocessor could decode. Tables of
  // two entries have banks enough.
  if (api == Api::CUDA && encoding.bits >= 2 && encoding.bits <= 4) {
    return Lookup::Permutation;
  }
  return getTables(encoding) << encoding.bits <= kMaxTableWords
             ? Lookup::Shared
             : Lookup::Impossible;
}

int64_t EncodedReader::getSharedWords(const PanelEncoding &encoding, Api api) {
  if (chooseLookup(encoding, api) != Lookup::Shared) {
    return 0;
  }
  return getTables(encoding) << getCodesPerLookup(encoding) * encoding.bits;
}

Value EncodedReader::reverseBytes(Value word) {
  auto byte = [&](int64_t from, int64_t to) {
    Value low = l.bitAnd(l.shiftRight(word, l.i32(from)), l.i32(255));
    return l.shiftLeft(low, l.i32(to));
  };
  return l.bitOr(l.bitOr(byte(0, 24), byte(8, 16)),
                 l.bitOr(byte(16, 8), byte(24, 0)));
}

void EncodedReader::prepareTables(Value memory) {
  if (lookup == Lookup::Shared) {
    shared = memory;
    int64_t codes = getCodesPerLookup(encoding);
    int64_t entries = int64_t(1) << codes * encoding.bits;
    l.forEach(
        l.getThread(), l.index(getTables(encoding) * entries),
        l.index(l.getThreads()), [&](Value i) {
          Value tableAt =
              l.mul(l.div(i, l.index(entries)), l.index(encoding.getEntries()));
          Value which = l.toI32(l.rem(i, l.index(entries)));
          Value word;
          for (int64_t c = 0; c < codes; ++c) {
            Value code = l.bitAnd(l.shiftRight(which, l.i32(c * encoding.bits)),
                                  l.i32(encoding.getEntries() - 1));
            Value byte = l.bitAnd(
                loadByte(base, l.add(tableAt, l.toIndex(code))), l.i32(255));
            byte = l.shiftLeft(byte, l.i32(8 * c));
            word = c ? l.bitOr(word, byte) : byte;
          }
          l.store(word, shared, i);
        });
    l.barrier();
  }
  findTable();
}

void EncodedReader::findTable() {
  if (!encoding.hasTables()) {
    return;
  }
  Value which = getBlockOfRows(encoding.tableRows);
  if (lookup == Lookup::Shared) {
    int64_t entries = int64_t(1) << getCodesPerLookup(encoding) * encoding.bits;
    table = l.mul(which, l.index(entries));
    return;
  }
  if (encoding.bits == 1) {
    // Two entries, which are half a word.
    Value word = l.load(buffer, l.add(base, l.div(which, l.index(2))));
    Value shift = l.mul(l.toI32(l.rem(which, l.index(2))), l.i32(16));
    registers = {l.shiftRight(word, shift)};
  } else {
    int64_t words = encoding.getEntries() / 4;
    registers =
        l.loadWords(buffer, l.add(base, l.mul(which, l.index(words))), words);
  }
  if (lookup == Lookup::Registers) {
    for (Value &word : registers) {
      word = reverseBytes(word);
    }
  }
}

EncodedReader EncodedReader::ofLane(Value other) const {
  EncodedReader reader = *this;
  reader.lane = other;
  reader.findTable();
  return reader;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Value EncodedReader::getBlockWords(Value block) {
  Value lanes = l.add(l.mul(block, l.index(kPanelRows)), lane);
  Value codes = l.add(base, l.index(layout.getCodesOffset()));
  return l.add(codes, l.mul(lanes, l.index(encoding.bits)));
}

SmallVector<Value> EncodedReader::loadBlock(Value block) {
  return l.loadWords(buffer, getBlockWords(block), encoding.bits);
}

SmallVector<Value> EncodedReader::loadPart(Value block, Value part,
                                           int64_t parts) {
  int64_t bits = encoding.bits * (kBlockColumns / parts);
  Value words = getBlockWords(block);
  if (bits % 32 == 0) {
    Value first = l.mul(part, l.index(bits / 32));
    return l.loadWords(buffer, l.add(words, first), bits / 32);
  }
  Value bit = l.mul(part, l.index(bits));
  Value word = l.div(bit, l.index(32));
  Value shift = l.toI32(l.rem(bit, l.index(32)));
  Value low = l.load(buffer, l.add(words, word));
  if (32 % bits == 0) {
    return {l.shiftRight(low, shift)};
  }
  assert(32 - std::gcd<int64_t>(bits, 32) + bits <= 64 && "of two words");
  // A part that ends with a word has nothing in the next.
  Value next = l.min(l.add(word, l.index(1)), l.index(encoding.bits - 1));
  Value high = l.load(buffer, l.add(words, next));
  Value upper =
      l.shiftLeft(l.shiftLeft(high, l.i32(1)), l.sub(l.i32(31), shift));
  return {l.bitOr(l.shiftRight(low, shift), upper), l.shiftRight(high, shift)};
}

Value EncodedReader::getField(ArrayRef<Value> block, int64_t first,
                              int64_t bits) {
  int64_t word = first / 32, shift = first % 32;
  Value field = shift ? l.shiftRight(block[word], l.i32(shift)) : block[word];
  if (shift + bits > 32) {
    field = l.bitOr(field, l.shiftLeft(block[word + 1], l.i32(32 - shift)));
  }
  return shift + bits == 32 ? field
                            : l.bitAnd(field, l.i32((int64_t(1) << bits) - 1));
}

/// 8 times the low two bits of the code from bit `first` on, of a code of one
/// bit 8 times that.
Value EncodedReader::getByteShift(ArrayRef<Value> block, int64_t first) {
  int64_t bits = std::min<int64_t>(encoding.bits, 2);
  Value mask = l.i32(((1 << bits) - 1) * 8);
  int64_t at = first % 32;
  if (at + bits > 32) {
    return l.shiftLeft(getField(block, first, bits), l.i32(3));
  }
  Value word = block[first / 32];
  return l.bitAnd(at < 3 ? l.shiftLeft(word, l.i32(3 - at))
                         : l.shiftRight(word, l.i32(at - 3)),
                  mask);
}

/// The byte of the registers that a code names. The code is used where it
/// stands: whether a bit is set is the sign of the word with the bit on top,
/// and the last two bits are the byte's distance from the top.
Value EncodedReader::lookUpInRegisters(ArrayRef<Value> block, int64_t first) {
  SmallVector<Value> words = registers;
  for (int64_t bit = 2; bit < encoding.bits; ++bit) {
    int64_t at = first + bit;
    Value isSet =
        l.less(l.shiftLeft(block[at / 32], l.i32(31 - at % 32)), l.i32(0));
    SmallVector<Value> rest;
    for (size_t i = 0; i < words.size(); i += 2) {
      rest.push_back(l.select(isSet, words[i + 1], words[i]));
    }
    words = rest;
  }
  return l.shiftRightSigned(l.shiftLeft(words[0], getByteShift(block, first)),
                            l.i32(24));
}

/// Bytes of a table of 4, 8 or 16 in 1, 2 or 4 registers. An instruction takes
/// four codes of up to 3 bits, each in 4 bits of a word.
Value EncodedReader::lookUpByPermutation(ArrayRef<Value> block, int64_t quad) {
  ArrayRef<Value> table = registers;
  if (encoding.bits == 3) {
    // Spread by pairs, and then each of a pair.
    Value codes = getField(block, 12 * quad, 12);
    Value upper = l.shiftLeft(codes, l.i32(2));
    codes =
        l.bitOr(l.bitAnd(codes, l.i32(0x003f)), l.bitAnd(upper, l.i32(0x3f00)));
    upper = l.shiftLeft(codes, l.i32(1));
    codes =
        l.bitOr(l.bitAnd(codes, l.i32(0x0707)), l.bitAnd(upper, l.i32(0x7070)));
    return l.permuteBytes(table[0], table[1], codes);
  }
  bool isOdd = quad % 2;
  if (encoding.bits == 4) {
    // In either half of the table, and then by the highest bit.
    Value word = block[quad / 2];
    Value codes = l.bitAnd(word, l.i32(0x77777777));
    Value halves = l.bitAnd(l.shiftRight(word, l.i32(1)), l.i32(0x44444444));
    halves = l.bitOr(halves, l.i32(0x32103210));
    if (isOdd) {
      codes = l.shiftRight(codes, l.i32(16));
      halves = l.shiftRight(halves, l.i32(16));
    }
    return l.permuteBytes(l.permuteBytes(table[0], table[1], codes),
                          l.permuteBytes(table[2], table[3], codes), halves);
  }
  // Every other one of 8 codes stands as it should, so two quads are looked up
  // together.
  Value codes = block[quad / 4];
  if (quad % 4 >= 2) {
    codes = l.shiftRight(codes, l.i32(16));
  }
  Value even = l.bitAnd(codes, l.i32(0x3333));
  Value odd = l.bitAnd(l.shiftRight(codes, l.i32(2)), l.i32(0x3333));
  return l.permuteBytes(l.permuteBytes(table[0], table[0], even),
                        l.permuteBytes(table[0], table[0], odd),
                        l.i32(isOdd ? 0x7362 : 0x5140));
}

Quad EncodedReader::decode(ArrayRef<Value> block, int64_t quad) {
  Quad result;
  int64_t bits = encoding.bits, first = 4 * quad * bits;
  if (lookup == Lookup::None) {
    assert(bits == 8 && "codes without tables are bytes");
    result.packed = block[quad];
    return result;
  }
  if (lookup == Lookup::Permutation) {
    result.packed = lookUpByPermutation(block, quad);
    return result;
  }
  if (lookup == Lookup::Registers) {
    for (int64_t i = 0; i < 4; ++i) {
      result.values[i] = lookUpInRegisters(block, first + i * bits);
    }
    return result;
  }
  int64_t codes = getCodesPerLookup(encoding);
  for (int64_t i = 0; i < 4; i += codes) {
    Value field = getField(block, first + i * bits, codes * bits);
    Value word = l.load(shared, l.add(table, l.toIndex(field)));
    word = l.shiftLeft(word, l.i32(8 * i));
    result.packed = i ? l.bitOr(result.packed, word) : word;
  }
  return result;
}

Value readPlain(LaunchBuilder &l, RankedTensorType type, Value buffer,
                Value panel, Value lane, Value column) {
  PlainLanes layout = {type.getDimSize(1),
                       int64_t(type.getElementTypeBitWidth())};
  int64_t width = layout.getUnitColumns();
  Value unit = l.div(column, l.index(width));
  Value place = l.rem(column, l.index(width));
  Value word = l.add(l.mul(panel, l.index(layout.getPanelWords())),
                     l.mul(l.add(l.mul(unit, l.index(kPanelRows)), lane),
                           l.index(kVectorWords)));
  if (layout.elementBits == 32) {
    return l.loadF(buffer, l.add(word, place));
  }
  Value pair = l.load(buffer, l.add(word, l.div(place, l.index(2))));
  Value shift = l.mul(l.toI32(l.rem(place, l.index(2))), l.i32(16));
  return l.halfToFloat(l.shiftRight(pair, shift));
}

} // namespace umber::gpu
