// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cache, and attention over it in blocks of positions (Dao et al. 2022,
// arXiv:2205.14135): sums are rescaled when a block has a larger score.
//
// A layer of the cache is four parts, one behind the other, each for all heads:
// keys, values, and if they are integers the scales, F16, of a head's keys and
// then of its values. All sizes are the capacity's multiples. The host fills
// the cache with zeros at first.

#include "targets/NPU/FunctionEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// Positions of a block, as docs/numerics.md has them.
constexpr int64_t kBlockPositions = 256;

namespace {

struct CacheLayout {
  int64_t heads, headDim, bits;
  int64_t rowBytes; ///< of a head's key, or value
  bool hasScales;
  int64_t layerBytes; ///< per position

  explicit CacheLayout(KVCacheType type)
      : heads(type.getKvHeads()), headDim(type.getHeadDim()),
        bits(type.getElementType().getIntOrFloatBitWidth()),
        rowBytes(headDim * bits / 8),
        hasScales(type.getElementType().isInteger()),
        layerBytes(2 * heads * (rowBytes + (hasScales ? 2 : 0))) {}

  /// Multiples of the capacity.
  int64_t keys(int64_t layer, int64_t head) const {
    return layer * layerBytes + head * rowBytes;
  }
  int64_t values(int64_t layer, int64_t head) const {
    return keys(layer, heads + head);
  }
  int64_t scales(int64_t layer, int64_t head) const {
    return keys(layer, 2 * heads) + 4 * head;
  }
};

} // namespace

struct FunctionEmitter::Attention {
  AttentionOp op;
  CacheLayout cache;
  DataType type = {};
  DramObject object = {};
  /// Heads of the cache that are worked on together, and the first of them.
  int64_t heads = 0, firstHead = 0;
  int64_t ratio = 0;  ///< query heads per head of the cache
  int64_t stride = 0; ///< of a key or value in the scratchpad
  Rows q = {};
  /// One row of queries: all heads' rows are one step. Else a step per head.
  bool isOneToken = false;
  /// Of the first block of positions, for two groups of heads in turn; of
  /// pairs of others; and of the last one, if their number is odd. So what is
  /// next is loaded while one is used.
  CacheBlock first[2] = {}, others[2] = {}, odd = {};
  Buffer state = {}, sums = {};
  /// Of two steps in turn.
  Buffer scores[2] = {}, factors[2] = {};
  uint32_t scoresStride = 0, sumsStride = 0;
  /// If they are in DRAM, for two groups of heads in turn.
  Buffer ring[2] = {}, queries = 0;
  uint32_t queriesStride = 0;
};

void FunctionEmitter::setRegister(Register to, Register from,
                                  int64_t multiplier, int64_t addend,
                                  uint32_t divisor, uint32_t limit) {
  SetRegister set;
  set.to = to;
  set.from = from;
  set.multiplier = multiplier;
  set.addend = addend;
  set.divisor = divisor;
  set.limit = limit;
  builder.add(Queue::System, set);
}

void FunctionEmitter::addRegister(Register to, Register from,
                                  int64_t multiplier) {
  AddRegister add;
  add.to = to;
  add.from = from;
  add.multiplier = multiplier;
  builder.add(Queue::System, add);
}

DramObject FunctionEmitter::getCacheObject(int64_t layer) {
  DramObject &object = cacheObjects[layer];
  if (object == 0) {
    object = builder.addDramObject();
  }
  return object;
}

void FunctionEmitter::emitAppend(KVUpdateOp update, bool isKeys, Range range,
                                 const Columns &from) {
  CacheLayout cache(update.getCache().getType());
  auto layer = static_cast<int64_t>(update.getLayer());
  int64_t head = range.first / cache.headDim;
  setRegister(kTo, kCapacity,
              isKeys ? cache.keys(layer, head) : cache.values(layer, head));
  addRegister(kTo, kPosition, cache.rowBytes);
  AppendCache append;
  append.a = tileOf(from);
  append.to = {Region::Cache, 0, kTo};
  if (cache.hasScales) {
    setRegister(kScaleTo, kCapacity,
                cache.scales(layer, head) + (isKeys ? 0 : 2));
    addRegister(kScaleTo, kPosition, 2);
    append.scales = {Region::Cache, 0, kScaleTo};
  }
  append.bits = static_cast<uint8_t>(cache.bits);
  append.heads = static_cast<uint32_t>(range.columns / cache.headDim);
  append.columns = static_cast<uint32_t>(cache.headDim);
  append.rows = static_cast<uint32_t>(rows);
  append.rowsFrom = rows > 1 ? Register(kTokens) : Register(0);
  append.strideFrom = kCapacity;
  append.headStride = static_cast<uint32_t>(cache.rowBytes);
  append.scaleHeadStride = 4;
  builder.add(Queue::Cache, append, getCacheObject(layer));
}

/// A block's keys and values for the heads that are worked on, their scores,
/// and what these add to the sums. Registers say where the block is.
void FunctionEmitter::emitAttentionBlock(Attention &a, const CacheBlock &block,
                                         bool isFirst) {
  auto headRows = [&](Queue queue, Buffer to, Register from, int64_t bytes,
                      int64_t stride) {
    Load load;
    load.scratchpad = builder.at(to);
    load.dram = {Region::Cache, 0, from};
    load.bytes = static_cast<uint32_t>(bytes);
    load.rowsFrom = kBlockRows;
    load.rowStride = bytes;
    load.planes = static_cast<uint32_t>(a.heads);
    load.planeStrideFrom = kHeadStride;
    load.scratchpadRowStride = static_cast<uint32_t>(stride);
    load.scratchpadPlaneStride =
        static_cast<uint32_t>(stride * kBlockPositions);
    builder.add(queue, load, a.object);
  };
  headRows(Queue::Load0, block.keys, kKeys, a.cache.rowBytes, a.stride);
  if (a.cache.hasScales) {
    // A head's keys' and values' scales are planes of their own.
    Load load;
    load.scratchpad = builder.at(block.scales);
    load.dram = {Region::Cache, 0, kScales};
    load.bytes = 2 * kBlockPositions;
    load.planes = static_cast<uint32_t>(2 * a.heads);
    load.planeStrideFrom = kScaleStride;
    load.scratchpadPlaneStride = 2 * kBlockPositions;
    builder.add(Queue::Load0, load, a.object);
  }
  headRows(Queue::Load1, block.values, kValues, a.cache.rowBytes, a.stride);

  int64_t perStep = a.isOneToken ? a.ratio : rows;
  int64_t steps = a.isOneToken ? 1 : a.heads * a.ratio;
  int64_t stepHeads = a.isOneToken ? a.heads : 1;
  int64_t stepRows = stepHeads * perStep;
  auto emitScores = [&](int64_t step) {
    for (int64_t h = 0; h < stepHeads; ++h) {
      int64_t head = a.isOneToken ? h : step / a.ratio;
      int64_t query = a.isOneToken ? head * a.ratio : step;
      MultiplyDynamic scores;
      if (a.q.isResident) {
        scores.a =
            tileOf(a.q, 0, (a.firstHead * a.ratio + query) * a.cache.headDim);
      } else {
        scores.a = {builder.at(a.queries, 4 * query * a.cache.headDim),
                    a.queriesStride, DataType::F32};
      }
      if (a.isOneToken) {
        scores.a.stride = static_cast<uint32_t>(4 * a.cache.headDim);
      }
      scores.b = {builder.at(block.keys, head * kBlockPositions * a.stride),
                  static_cast<uint32_t>(a.stride), a.type};
      scores.c = {builder.at(a.scores[step % 2], h * perStep * a.scoresStride),
                  a.scoresStride, DataType::F32};
      if (a.cache.hasScales) {
        scores.hasScales = true;
        scores.scales = builder.at(block.scales, head * 4 * kBlockPositions);
      }
      scores.isTransposed = true;
      scores.rows = static_cast<uint32_t>(perStep);
      scores.columns = kBlockPositions;
      scores.inner = static_cast<uint32_t>(a.cache.headDim);
      scores.factor = a.op.getScale().convertToFloat();
      builder.add(Queue::Matrix, scores);
    }
  };
  // The next step's scores are made while the vector unit has this one's.
  emitScores(0);
  for (int64_t step = 0; step < steps; ++step) {
    if (step + 1 < steps) {
      emitScores(step + 1);
    }
    Buffer scores = a.scores[step % 2];
    Buffer factors = a.factors[step % 2];
    int64_t firstRow = step * perStep;
    SoftmaxStep softmax;
    softmax.a = softmax.d = {builder.at(scores), a.scoresStride, DataType::F32};
    softmax.state = {builder.at(a.state, firstRow * kGranule), kGranule,
                     DataType::F32};
    softmax.factors = {builder.at(factors), kGranule, DataType::F32};
    softmax.rows = static_cast<uint32_t>(stepRows);
    softmax.columns = kBlockPositions;
    softmax.rowsPerToken = a.isOneToken ? static_cast<uint32_t>(stepRows) : 1;
    softmax.firstQueryFrom = kPosition;
    softmax.firstKeyFrom = kFirstKey;
    softmax.window = static_cast<uint32_t>(a.op.getWindow());
    softmax.softCap = a.op.getSoftCap().convertToFloat();
    softmax.isFirst = isFirst;
    builder.add(Queue::Vector, softmax);
    Tile sums = {builder.at(a.sums, firstRow * a.sumsStride), a.sumsStride,
                 DataType::F32};
    if (!isFirst) {
      Elementwise rescale;
      rescale.op = ElementwiseOp::Multiply;
      rescale.a = rescale.d = sums;
      rescale.b = {builder.at(factors), kGranule, DataType::F32};
      rescale.spread = Spread::Column;
      rescale.rows = static_cast<uint32_t>(stepRows);
      rescale.columns = static_cast<uint32_t>(a.cache.headDim);
      builder.add(Queue::Vector, rescale);
    }
    for (int64_t h = 0; h < stepHeads; ++h) {
      int64_t head = a.isOneToken ? h : step / a.ratio;
      MultiplyDynamic sum;
      sum.a = {builder.at(scores, h * perStep * a.scoresStride), a.scoresStride,
               DataType::F32};
      sum.b = {builder.at(block.values, head * kBlockPositions * a.stride),
               static_cast<uint32_t>(a.stride), a.type};
      sum.c = {builder.at(a.sums, (firstRow + h * perStep) * a.sumsStride),
               a.sumsStride, DataType::F32};
      if (a.cache.hasScales) {
        sum.hasScales = true;
        sum.scales =
            builder.at(block.scales, (2 * head + 1) * 2 * kBlockPositions);
      }
      sum.rows = static_cast<uint32_t>(perStep);
      sum.columns = static_cast<uint32_t>(a.cache.headDim);
      sum.inner = kBlockPositions;
      sum.adds = !isFirst;
      builder.add(Queue::Matrix, sum);
    }
  }
}

/// Places for a block's keys and values. What is not loaded of the last block
/// must be numbers, as integers always are. Floats' are zeros at first, and
/// later others' keys and values; such places are `number` and kept for good.
FunctionEmitter::CacheBlock FunctionEmitter::makeBlock(const Attention &a,
                                                       int64_t number) {
  int64_t bytes = a.heads * kBlockPositions * a.stride;
  CacheBlock block;
  if (a.cache.hasScales) {
    block.keys = builder.addBuffer(bytes, "keys");
    block.values = builder.addBuffer(bytes, "values");
    block.scales =
        builder.addBuffer(a.heads * 4 * kBlockPositions, "keys' scales");
    return block;
  }
  auto zeroed = [&](const std::string &what) {
    auto [it, isNew] = constants.try_emplace(
        what + " " + std::to_string(number) + " of " + std::to_string(bytes),
        0);
    if (isNew) {
      it->second = builder.addBuffer(bytes, what, /*isPinned=*/true);
      Load load;
      load.scratchpad = builder.at(it->second);
      load.dram = {Region::Tables, layout.zeros, 0};
      load.bytes = static_cast<uint32_t>(a.stride);
      load.rows = static_cast<uint32_t>(bytes / a.stride);
      load.scratchpadRowStride = load.bytes;
      builder.add(Queue::Load0, load);
    }
    return it->second;
  };
  block.keys = zeroed("keys");
  block.values = zeroed("values");
  return block;
}

/// Lets the registers say where the next block is.
void FunctionEmitter::advanceBlock(const Attention &a) {
  setRegister(kKeys, kKeys, 1, kBlockPositions * a.cache.rowBytes);
  setRegister(kValues, kValues, 1, kBlockPositions * a.cache.rowBytes);
  setRegister(kScales, kScales, 1, 2 * kBlockPositions);
  setRegister(kFirstKey, kFirstKey, 1, kBlockPositions);
}

/// All blocks of the positions that the step sees, for the heads that are
/// worked on: the first, then pairs of others, then another if there is one.
void FunctionEmitter::emitAttentionBlocks(Attention &a) {
  auto layer = static_cast<int64_t>(a.op.getLayer());
  auto setRows = [&] {
    setRegister(kBlockRows, kEnd, 1);
    addRegister(kBlockRows, kFirstKey, -1);
    setRegister(kBlockRows, kBlockRows, 1, 0, 1, kBlockPositions);
  };
  setRegister(kFirstKey, 0, 0);
  setRegister(kKeys, kCapacity, a.cache.keys(layer, a.firstHead));
  setRegister(kValues, kCapacity, a.cache.values(layer, a.firstHead));
  setRegister(kScales, kCapacity, a.cache.scales(layer, a.firstHead));
  setRows();
  emitAttentionBlock(a, a.first[a.firstHead / a.heads % 2], /*isFirst=*/true);
  advanceBlock(a);
  auto emitLoop = [&](Register count, ArrayRef<CacheBlock> blocks) {
    Loop loop;
    loop.countFrom = count;
    builder.beginLoop(loop);
    for (const CacheBlock &block : blocks) {
      setRows();
      emitAttentionBlock(a, block, /*isFirst=*/false);
      // A loop's increments would be undone at its end.
      advanceBlock(a);
    }
    builder.endLoop();
  };
  emitLoop(kPairs, a.others);
  emitLoop(kOddBlocks, a.odd);
}

void FunctionEmitter::emitAttention(AttentionOp op) {
  auto it = values.find(op.getQ());
  if (it == values.end()) {
    fail(op, "expected attention of a kernel's argument");
    return;
  }
  KVCacheType type = op.getCache().getType();
  Attention a{op, CacheLayout(type)};
  a.q = it->second;
  if (a.cache.bits < 8) {
    fail(op, "expected a cache of 8, 16 or 32 bits, which products take, "
             "found " +
                 Twine(a.cache.bits));
    return;
  }
  if (a.cache.headDim % 4 != 0) {
    fail(op, "expected heads of whole granules (scratchpad.granule_bytes), "
             "found " +
                 Twine(a.cache.headDim) + " elements");
    return;
  }
  a.type = a.cache.bits == 8    ? DataType::I8
           : a.cache.bits == 16 ? DataType::F16
                                : DataType::F32;
  auto layer = static_cast<int64_t>(op.getLayer());
  a.object = getCacheObject(layer);
  auto queryHeads = static_cast<int64_t>(op.getHeads());
  a.ratio = queryHeads / a.cache.heads;
  a.isOneToken = rows == 1;
  a.stride = (a.cache.rowBytes + kGranule - 1) / kGranule * kGranule;
  // As many heads at once as leave room for a good deal else, with two blocks.
  int64_t perHead = 2 * 2 * kBlockPositions * (a.stride + 2);
  a.heads = 1;
  while (a.isOneToken && 2 * a.heads * perHead <= config.scratchpad.bytes / 2 &&
         a.cache.heads % (2 * a.heads) == 0) {
    a.heads *= 2;
  }

  for (CacheBlock &block : a.others) {
    block = makeBlock(a, &block - a.others);
  }
  for (CacheBlock &block : a.first) {
    // Floats' places are kept for good, so that there are only two.
    block = a.cache.hasScales ? makeBlock(a, 0) : a.others[&block - a.first];
    if (a.heads == a.cache.heads) {
      a.first[1] = block;
      break;
    }
  }
  a.odd = a.cache.hasScales ? makeBlock(a, 0) : a.others[0];
  Buffer zeroAndOne = loadConstant(layout.zeroAndOne, 8, "0 and 1");

  int64_t perStep = a.isOneToken ? a.heads * a.ratio : rows;
  int64_t allRows = a.isOneToken ? perStep : a.heads * a.ratio * rows;
  a.scoresStride = ((4 * kBlockPositions / kGranule) | 1) * kGranule;
  a.sumsStride = a.isOneToken ? static_cast<uint32_t>(4 * a.cache.headDim)
                              : getStride(4 * a.cache.headDim);
  AttendedUnits units = makeUnits(op);
  Rows result;
  if (units.columns == 0) {
    result = makeRows(queryHeads * a.cache.headDim, "attention's results");
  }
  setRegister(kEnd, kPosition, 1);
  if (rows > 1) {
    addRegister(kEnd, kTokens, 1);
  } else {
    setRegister(kEnd, kPosition, 1, 1);
  }
  setRegister(kBlocks, kEnd, 1, -kBlockPositions, kBlockPositions);
  setRegister(kPairs, kBlocks, 1, -1, 2);
  setRegister(kOddBlocks, kBlocks, 1);
  addRegister(kOddBlocks, kPairs, -2);
  setRegister(kHeadStride, kCapacity, a.cache.rowBytes);
  setRegister(kScaleStride, kCapacity, 2);
  for (a.firstHead = 0; a.firstHead < a.cache.heads; a.firstHead += a.heads) {
    for (unsigned turn = 0; turn < 2; ++turn) {
      bool isSame = turn == 1 && a.isOneToken;
      a.scores[turn] =
          isSame ? a.scores[0]
                 : builder.addBuffer(perStep * a.scoresStride, "scores");
      a.factors[turn] =
          isSame ? a.factors[0]
                 : builder.addBuffer(perStep * kGranule, "softmax's factors");
    }
    a.state = builder.addBuffer(allRows * kGranule, "softmax's state");
    a.sums = builder.addBuffer(allRows * a.sumsStride, "attention's sums");
    if (!a.q.isResident) {
      int64_t columns = a.heads * a.ratio * a.cache.headDim;
      a.queriesStride = getStride(4 * columns);
      int64_t turn = a.firstHead / a.heads % 2;
      if (a.firstHead < 2 * a.heads) {
        a.ring[turn] =
            builder.addBuffer(uint64_t(rows) * a.queriesStride, "queries");
      }
      a.queries = a.ring[turn];
      load(a.queries, 0, a.queriesStride, a.q, 0, rows,
           a.firstHead * a.ratio * a.cache.headDim, columns);
    }
    emitAttentionBlocks(a);

    // The sums by softmax's, which are second in its state.
    Buffer divisors = builder.addBuffer(allRows * kGranule, "softmax's sums");
    MultiplyDynamic pick;
    pick.a = {builder.at(a.state), kGranule, DataType::F32};
    pick.b = {builder.at(zeroAndOne), kGranule, DataType::F32};
    pick.c = {builder.at(divisors), kGranule, DataType::F32};
    pick.isTransposed = true;
    pick.rows = static_cast<uint32_t>(allRows);
    pick.columns = 1;
    pick.inner = 2;
    builder.add(Queue::Matrix, pick);
    auto divide = [&](int64_t row, int64_t count, const Tile &to) {
      Elementwise op;
      op.op = ElementwiseOp::Divide;
      op.a = {builder.at(a.sums, row * a.sumsStride), a.sumsStride,
              DataType::F32};
      op.b = {builder.at(divisors, row * kGranule), kGranule, DataType::F32};
      op.d = to;
      op.spread = Spread::Column;
      op.rows = static_cast<uint32_t>(count);
      op.columns = static_cast<uint32_t>(a.cache.headDim);
      builder.add(Queue::Vector, op);
    };
    int64_t column = a.firstHead * a.ratio * a.cache.headDim;
    if (a.isOneToken) {
      Tile to = tileOf(result, 0, column);
      to.stride = a.sumsStride;
      divide(0, allRows, to);
      continue;
    }
    for (int64_t h = 0; h < a.heads * a.ratio; ++h) {
      int64_t first = column + h * a.cache.headDim;
      if (units.columns != 0) {
        int64_t end = first + a.cache.headDim;
        divide(h * rows, rows, tileOf(getUnitPart(units, first)));
        finishUnit(units, end, end == queryHeads * a.cache.headDim);
        continue;
      }
      if (result.isResident) {
        divide(h * rows, rows, tileOf(result, 0, first));
        continue;
      }
      Columns made = {a.sums, uint64_t(h * rows * a.sumsStride), a.sumsStride,
                      0, true};
      divide(h * rows, rows, tileOf(made));
      store(made, result, {first, a.cache.headDim, 0});
    }
  }
  if (units.columns != 0) {
    return;
  }
  values[op.getResult()] = result;
  emitRowPass(op.getResult(), result, RmsNormOp());
}

} // namespace umber::npu
