// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/GPU/ProductStage.h"
#include "targets/GPU/TensorStage.h"
#include <numeric>

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

/// Rows that a workgroup takes at a time, where there may be many: of what GPUs
/// have, the more the better, but what emulates them has few registers.
static constexpr int64_t getMostRows(Api api) {
  return api == Api::CUDA ? 16 : 8;
}

/// Columns of a matrix that slices take in turns.
int64_t ProductStage::getRunColumns(KernelEmitter &emitter, LinearOp op) {
  RankedTensorType type = emitter.getParameterType(op.getWeightAttr());
  if (!type.getEncoding()) {
    return PlainLanes{type.getDimSize(1),
                      int64_t(type.getElementTypeBitWidth())}
        .getUnitColumns();
  }
  int64_t run = getPanelEncoding(type).scaleColumns;
  if (op.getX().getType().getEncoding()) {
    return std::gcd(run, getQuantizedRow(op.getX().getType()).group);
  }
  // Of f32 sums, any columns are a run.
  return run % kBlockColumns == 0 ? kBlockColumns : run;
}

/// As many slices as leave few of them idle in the last turn.
int64_t ProductStage::getThreads(KernelEmitter &emitter,
                                 const Product &product) {
  LinearOp op = product.linear;
  int64_t columns = op.getX().getType().getDimSize(1);
  int64_t runs = llvm::divideCeil(columns, getRunColumns(emitter, op));
  int64_t best = 1;
  for (int64_t slices = 2; slices <= kMaxThreads / kPanelRows; ++slices) {
    int64_t turns = llvm::divideCeil(runs, slices);
    if (8 * turns * slices <= 9 * runs) {
      best = slices;
    }
  }
  return best * kPanelRows;
}

ProductStage::ProductStage(KernelEmitter &emitter, const Product &product,
                           int64_t tile)
    : e(emitter), l(*emitter.launch), product(product), op(product.linear),
      type(emitter.getParameterType(op.getWeightAttr())),
      xType(op.getX().getType()), tile(tile),
      slices(l.getThreads() / kPanelRows) {
  lane = l.rem(l.getThread(), l.index(kPanelRows));
  slice = l.div(l.getThread(), l.index(kPanelRows));
  firstRow = l.mul(l.getGroup(mlir::gpu::Dimension::y), l.index(tile));
  x = e.getRows(op.getX());
}

ProductStage::ProductStage(KernelEmitter &emitter, const Product &product)
    : ProductStage(
          emitter, product,
          std::min(getMostRows(emitter.api), emitter.planned.maxTokens)) {
  // Rows that are not there are computed as the last one is, and not written.
  Value last = l.max(l.sub(x.count, l.index(1)), l.index(0));
  for (int64_t r = 0; r < tile; ++r) {
    Value row = l.min(l.add(firstRow, l.index(r)), last);
    rowOffsets.push_back(l.add(x.offset, l.mul(row, l.index(x.words))));
  }
}

Value ProductStage::getInputScale(int64_t r, Value column) {
  QuantizedRow form = getQuantizedRow(xType);
  Value group = l.div(column, l.index(form.group));
  return l.loadF(
      x.buffer,
      l.add(rowOffsets[r], l.add(l.index(form.getScalesOffset() / 4), group)));
}

Value ProductStage::getInput(int64_t r, Value column) {
  if (!xType.getEncoding()) {
    return l.loadF(x.buffer, l.add(rowOffsets[r], column));
  }
  Value word =
      l.load(x.buffer, l.add(rowOffsets[r], l.div(column, l.index(4))));
  Value shift = l.mul(l.toI32(l.rem(column, l.index(4))), l.i32(8));
  Value byte = l.signedField(l.shiftRight(word, shift), 0, 8);
  return l.mulF(l.toFloat(byte), getInputScale(r, column));
}

ProductStage::Sums ProductStage::getInputs(int64_t r, Value column,
                                           int64_t count) {
  Sums values;
  // All rows begin at multiples of 4 words if one is.
  bool areVectors = l.getApi() == Api::CUDA && !xType.getEncoding() &&
                    x.words % kVectorWords == 0 && count % kVectorWords == 0;
  if (areVectors) {
    Value at = l.add(rowOffsets[r], column);
    for (int64_t i = 0; i < count; i += kVectorWords) {
      for (Value word : l.loadWords(x.buffer, l.add(at, l.index(i)), 4)) {
        values.push_back(l.asFloat(word));
      }
    }
    return values;
  }
  constexpr int64_t kNeighbours = LaunchBuilder::kNeighbours;
  if (l.getApi() == Api::Vulkan && !xType.getEncoding() &&
      count % kNeighbours == 0) {
    Value at = l.add(rowOffsets[r], column);
    for (int64_t i = 0; i < count; i += kNeighbours) {
      for (Value word : l.loadSharedWords(x.buffer, l.add(at, l.index(i)))) {
        values.push_back(l.asFloat(word));
      }
    }
    return values;
  }
  for (int64_t i = 0; i < count; ++i) {
    values.push_back(getInput(r, l.add(column, l.index(i))));
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Plain matrices
//===----------------------------------------------------------------------===//

ProductStage::Sums ProductStage::multiplyPlain(Value panel) {
  Value weights = e.getParameter(op.getWeight());
  PlainLanes layout = {type.getDimSize(1),
                       int64_t(type.getElementTypeBitWidth())};
  int64_t width = layout.getUnitColumns();
  int64_t whole = layout.columns / width, rest = layout.columns % width;
  Value base = l.mul(panel, l.index(layout.getPanelWords()));
  auto multiplyUnit = [&](Value unit, int64_t count, ValueRange sums) {
    Value at = l.mul(l.add(l.mul(unit, l.index(kPanelRows)), lane),
                     l.index(kVectorWords));
    SmallVector<Value> values;
    for (Value word : l.loadWords(weights, l.add(base, at), kVectorWords)) {
      if (layout.elementBits == 32) {
        values.push_back(l.asFloat(word));
        continue;
      }
      auto [low, high] = l.halvesToFloats(word);
      values.append({low, high});
    }
    Sums next(sums);
    for (int64_t r = 0; r < tile; ++r) {
      Sums inputs = getInputs(r, l.mul(unit, l.index(width)), count);
      for (int64_t i = 0; i < count; ++i) {
        next[r] = l.fma(values[i], inputs[i], next[r]);
      }
    }
    return next;
  };
  Sums sums = l.reduce(
      slice, l.index(whole), l.index(slices), Sums(tile, l.f32(0.0)),
      [&](Value unit, ValueRange so) { return multiplyUnit(unit, width, so); });
  if (rest) {
    // One slice's; a loop of at most one turn.
    Value end = l.select(l.equal(slice, l.index(0)), l.index(whole + 1),
                         l.index(whole));
    sums = l.reduce(l.index(whole), end, l.index(1), sums,
                    [&](Value unit, ValueRange so) {
                      return multiplyUnit(unit, rest, so);
                    });
  }
  return sums;
}

//===----------------------------------------------------------------------===//
// Encoded matrices
//===----------------------------------------------------------------------===//

Value ProductStage::multiplyQuad(const Quad &weights, Value packed, Value sum) {
  if (weights.packed) {
    return l.dotBytes(weights.packed, packed, sum);
  }
  for (int64_t i = 0; i < 4; ++i) {
    sum = l.add(sum, l.mul(weights.values[i], l.signedField(packed, 8 * i, 8)));
  }
  return sum;
}

ProductStage::Sums ProductStage::multiplyBlocks(EncodedReader &reader,
                                                Value number, int64_t run) {
  bool isQuantized = bool(xType.getEncoding());
  int64_t blocks = llvm::divideCeil(run, kBlockColumns);
  Value first = l.mul(number, l.index(blocks));
  Sums start(tile, isQuantized ? l.i32(0) : l.f32(0.0));
  constexpr int64_t kQuads = kBlockColumns / 4;
  static_assert(kQuads == LaunchBuilder::kNeighbours, "a block's inputs");
  // How often is known, so that few turns become none.
  return l.reduce(
      l.index(0), l.index(blocks), l.index(1), start,
      [&](Value turn, ValueRange so) -> Sums {
        Value block = l.add(first, turn);
        SmallVector<Value> words = reader.loadBlock(block);
        SmallVector<Quad> quads;
        for (int64_t q = 0; q < kQuads; ++q) {
          quads.push_back(reader.decode(words, q));
        }
        Sums next(so);
        for (int64_t r = 0; r < tile; ++r) {
          if (isQuantized) {
            Value at = l.add(rowOffsets[r], l.mul(block, l.index(kQuads)));
            SmallVector<Value> packed = l.loadSharedWords(x.buffer, at);
            for (int64_t q = 0; q < kQuads; ++q) {
              next[r] = multiplyQuad(quads[q], packed[q], next[r]);
            }
            continue;
          }
          Sums inputs =
              getInputs(r, l.mul(block, l.index(kBlockColumns)), kBlockColumns);
          for (int64_t c = 0; c < kBlockColumns; ++c) {
            const Quad &quad = quads[c / 4];
            Value weight = quad.packed
                               ? l.signedField(quad.packed, c % 4 * 8, 8)
                               : quad.values[c % 4];
            next[r] = l.fma(l.toFloat(weight), inputs[c], next[r]);
          }
        }
        return next;
      });
}

ProductStage::Sums ProductStage::multiplyColumns(EncodedReader &reader,
                                                 Value number, int64_t run) {
  bool isQuantized = bool(xType.getEncoding());
  Value begin = l.mul(number, l.index(run));
  Value end = l.add(begin, l.index(run));
  Sums start(tile, isQuantized ? l.i32(0) : l.f32(0.0));
  return l.reduce(
      begin, end, l.index(1), start, [&](Value column, ValueRange so) -> Sums {
        Value weight = reader.getInteger(column);
        Sums next(so);
        for (int64_t r = 0; r < tile; ++r) {
          if (!isQuantized) {
            next[r] = l.fma(l.toFloat(weight), getInput(r, column), next[r]);
            continue;
          }
          Value word =
              l.load(x.buffer, l.add(rowOffsets[r], l.div(column, l.index(4))));
          Value shift = l.mul(l.toI32(l.rem(column, l.index(4))), l.i32(8));
          Value byte = l.signedField(l.shiftRight(word, shift), 0, 8);
          next[r] = l.add(next[r], l.mul(weight, byte));
        }
        return next;
      });
}

Value ProductStage::addScaled(Value integers, Value inputScale,
                              Value weightScale, Value sum) {
  return weightScale ? l.fma(l.mulF(integers, inputScale), weightScale, sum)
                     : l.fma(integers, inputScale, sum);
}

ProductStage::Sums ProductStage::multiplyEncoded(Value panel) {
  PanelEncoding encoding = getPanelEncoding(type);
  EncodedReader reader(l, LaneEncoding{encoding},
                       e.getParameter(op.getWeight()), panel, lane);
  int64_t columns = encoding.columns, run = getRunColumns(e, op);
  bool isQuantized = bool(xType.getEncoding());
  bool areBlocks = EncodedReader::chooseLookup(encoding, l.getApi()) !=
                   EncodedReader::Lookup::Impossible;
  // The last block is filled up: with zeros, where inputs are quantized.
  areBlocks &= run % kBlockColumns == 0 || (run == columns && isQuantized);
  if (areBlocks) {
    int64_t words = EncodedReader::getSharedWords(encoding, l.getApi());
    reader.prepareTables(words ? l.allocateShared(words) : Value());
  }
  bool hasOneScale = encoding.scaleColumns == columns;
  Sums sums = l.reduce(
      slice, l.index(columns / run), l.index(slices), Sums(tile, l.f32(0.0)),
      [&](Value number, ValueRange so) -> Sums {
        Value begin = l.mul(number, l.index(run));
        Sums made = areBlocks ? multiplyBlocks(reader, number, run)
                              : multiplyColumns(reader, number, run);
        Value scale = hasOneScale ? Value() : reader.getScale(begin);
        Sums next(so);
        for (int64_t r = 0; r < tile; ++r) {
          if (isQuantized) {
            next[r] = addScaled(l.toFloat(made[r]), getInputScale(r, begin),
                                scale, next[r]);
            continue;
          }
          next[r] =
              scale ? l.fma(made[r], scale, next[r]) : l.addF(made[r], next[r]);
        }
        return next;
      });
  if (hasOneScale) {
    Value scale = reader.getScale(l.index(0));
    for (Value &sum : sums) {
      sum = l.mulF(sum, scale);
    }
  }
  return sums;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void ProductStage::finishRow(Value r, Value output, Value value) {
  Rows y = e.getRows(product.result);
  Value row = l.add(firstRow, r);
  Value isOne =
      l.both(l.less(row, y.count), l.less(output, l.index(y.columns)));
  l.ifTrue(isOne, [&] {
    if (op.getBiasAttr()) {
      value = l.addF(value, l.loadF(e.getParameter(*op.getBias()), output));
    }
    if (LoraOp lora = product.lora) {
      Value site = e.getSite(lora), products = e.getProducts(lora);
      Value rank = l.toIndex(l.load(site, l.index(0)));
      int64_t inputs = lora.getX().getType().getDimSize(1);
      auto toVectors = [&](Value words) {
        return l.mul(l.div(l.add(words, l.index(3)), l.index(4)), l.index(4));
      };
      Value a = l.add(l.index(4), toVectors(rank));
      Value b = l.add(
          a, toVectors(l.mul(rank, l.index(llvm::divideCeil(inputs, 2)))));
      Value rowWords = l.div(l.add(rank, l.index(1)), l.index(2));
      Value begin = l.add(b, l.mul(output, rowWords));
      value = l.reduce(
          l.index(0), rank, l.index(1), {value},
          [&](Value k, ValueRange so) -> SmallVector<Value> {
            Value word = l.load(site, l.add(begin, l.div(k, l.index(2))));
            Value shift = l.mul(l.toI32(l.rem(k, l.index(2))), l.i32(16));
            Value u = l.loadF(products, l.add(l.mul(row, rank), k));
            Value w = l.halfToFloat(l.shiftRight(word, shift));
            return {l.fma(w, u, so[0])};
          })[0];
    }
    if (product.combine) {
      SmallVector<Value> operands;
      for (Value operand : product.combine->getOperands()) {
        if (operand == getAdapted(op.getResult())) {
          operands.push_back(value);
          continue;
        }
        Rows other = e.getRows(operand);
        Value at = l.add(other.offset, l.mul(row, l.index(other.words)));
        operands.push_back(l.loadF(other.buffer, l.add(at, output)));
      }
      value =
          l.getBuilder()
              .create(l.getLoc(), product.combine->getName().getIdentifier(),
                      operands, {l.getBuilder().getF32Type()},
                      product.combine->getAttrs())
              ->getResult(0);
    }
    l.storeF(value, y.buffer, l.add(l.mul(row, l.index(y.words)), output));
  });
}

void ProductStage::addUp(Value panel, const Sums &sums) {
  Value output = l.add(l.mul(panel, l.index(kPanelRows)), lane);
  if (slices == 1) {
    for (auto [r, sum] : llvm::enumerate(sums)) {
      finishRow(l.index(r), output, sum);
    }
    return;
  }
  Value partial = l.allocateShared(slices * tile * kPanelRows);
  auto place = [&](Value slice, Value r) {
    Value row = l.add(l.mul(slice, l.index(tile)), r);
    return l.add(l.mul(row, l.index(kPanelRows)), lane);
  };
  for (auto [r, sum] : llvm::enumerate(sums)) {
    l.storeF(sum, partial, place(slice, l.index(r)));
  }
  l.barrier();
  l.forEach(slice, l.index(tile), l.index(slices), [&](Value r) {
    Value sum = l.reduce(l.index(1), l.index(slices), l.index(1),
                         {l.loadF(partial, place(l.index(0), r))},
                         [&](Value s, ValueRange so) -> SmallVector<Value> {
                           Value other = l.loadF(partial, place(s, r));
                           return {l.addF(so[0], other)};
                         })[0];
    finishRow(r, output, sum);
  });
}

void ProductStage::emit(Value panel) {
  addUp(panel,
        type.getEncoding() ? multiplyEncoded(panel) : multiplyPlain(panel));
}

//===----------------------------------------------------------------------===//
// The stage
//===----------------------------------------------------------------------===//

/// The op that alone uses a product and combines it with rows that were there
/// before, element by element; null if there is none.
static Operation *getCombination(Value value, LinearOp first) {
  if (!value.hasOneUse()) {
    return nullptr;
  }
  Operation *user = *value.user_begin();
  bool isElementwise =
      user->hasTrait<OpTrait::Elementwise>() && user->getNumResults() == 1 &&
      user->getNumRegions() == 0 && !isa<GatedActivationOp>(user);
  bool isReady = llvm::all_of(user->getOperands(), [&](Value operand) {
    Operation *op = operand.getDefiningOp();
    return operand == value || !op || op->isBeforeInBlock(first);
  });
  return isElementwise && isReady ? user : nullptr;
}

LogicalResult KernelEmitter::emitProducts(Block::iterator &at) {
  auto front = cast<LinearOp>(*at);
  SmallVector<Product> products;
  SmallVector<LoraOp> loras;
  for (; isa<LinearOp>(*at); ++at) {
    auto linear = cast<LinearOp>(*at);
    if (linear.getX() != front.getX()) {
      break;
    }
    Product product = {linear, {}, nullptr, getAdapted(linear.getResult())};
    product.lora = product.result.getDefiningOp<LoraOp>();
    product.combine = getCombination(product.result, front);
    if (product.combine) {
      product.result = product.combine->getResult(0);
      done.insert(product.combine);
    }
    if (product.lora) {
      Value input = product.lora.getX();
      if (Operation *op = input.getDefiningOp();
          op && !op->isBeforeInBlock(front)) {
        return product.lora.emitOpError("expected an input that is made before "
                                        "the product that it corrects");
      }
      if (!lowRankDone.contains(product.lora)) {
        loras.push_back(product.lora);
      }
    }
    products.push_back(product);
  }
  if (!loras.empty() && failed(emitLowRank(loras))) {
    return failure();
  }
  for (const Product &product : products) {
    LinearOp linear = product.linear;
    begin(linear, ProductStage::getThreads(*this, product));
    std::unique_ptr<ProductStage> stage;
    bool usesTensorCores = TensorStage::canDo(*this, product);
    if (usesTensorCores) {
      stage = std::make_unique<TensorStage>(*this, product);
    } else {
      stage = std::make_unique<ProductStage>(*this, product);
    }
    launch->ifTrue(
        launch->less(stage->getFirstRow(), getCount(linear.getX())),
        [&] { stage->emit(launch->getGroup(mlir::gpu::Dimension::x)); });
    int64_t panels =
        llvm::divideCeil(linear.getType().getDimSize(1), kPanelRows);
    if (panels > kMaxWorkgroups) {
      return linear.emitOpError("expected at most ")
             << kMaxWorkgroups * kPanelRows
             << " outputs for the gpu target, found "
             << linear.getType().getDimSize(1);
    }
    auto tiles = llvm::divideCeil(planned.maxTokens, stage->getTileRows());
    if (failed(finish("products", {uint32_t(panels), uint32_t(tiles), 1},
                      {linear}))) {
      return failure();
    }
    // They read the same input, and each writes a result of its own.
    launches.back().withPrevious = linear != front;
    launches.back().usesTensorCores = usesTensorCores;
  }
  return success();
}

} // namespace umber::gpu
