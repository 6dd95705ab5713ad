// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/Executor.h"
#include "dialects/Umber/Training/Loss.h"
#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/Passes.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Statistics.h"
#include "passes/Compression/TrainableTables.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

namespace umber {
#define GEN_PASS_DEF_TUNETABLESPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

/// Part of the results' names: to be raised when the same inputs give others.
constexpr llvm::StringLiteral kVersion = "1";

/// Steps between those that a run which is cut short goes on from.
constexpr int64_t kStepsPerCheckpoint = 8;

using TablesByName = llvm::MapVector<StringRef, TrainableTables>;

/// Collects the derivatives by tables.
class TableGradients : public training::ReverseObserver {
public:
  explicit TableGradients(TablesByName &tables) : tables(tables) {}
  void product(LinearOp op, ArrayRef<float> x, ArrayRef<float> dy) override {
    auto found = tables.find(op.getWeight());
    if (found != tables.end()) {
      found->second.addGradient(x, dy);
    }
  }

private:
  TablesByName &tables;
};

struct TuneTables : ::umber::impl::TuneTablesPassBase<TuneTables> {
  using TuneTablesPassBase::TuneTablesPassBase;

  void runOnOperation() override {
    if (failed(run())) {
      signalPassFailure();
    }
  }

private:
  LogicalResult run();
  LogicalResult findTables(const ParameterStore &store);
  /// The name of what tuning makes, from all that it depends on.
  std::string getRecipe(const Teacher &teacher) const;
  /// The weights that logits come from, before they were compressed.
  struct Head {
    int64_t columns;
    uint64_t identity;
    std::vector<float> weights;
  };
  FailureOr<Head> readHead(const ParameterStore &store,
                           ArrayRef<training::Segment> segments);
  LogicalResult tune(const ParameterStore &store,
                     ArrayRef<training::Segment> segments,
                     const Teacher &teacher, ArrayRef<float> head,
                     DerivedStore &derived, StringRef recipe);
  /// Runs one sequence forward and in reverse; adds to the tables' gradients.
  LogicalResult addSequence(training::Executor &executor,
                            ArrayRef<training::Segment> segments,
                            const Teacher &teacher, int64_t sequence,
                            ArrayRef<float> head);
  LogicalResult write(DerivedStore &derived, StringRef recipe);

  TablesByName tables;
  llvm::StringMap<ParamOp> params;
};

LogicalResult TuneTables::findTables(const ParameterStore &store) {
  for (auto param : getOperation().getOps<ParamOp>()) {
    RankedTensorType type = param.getTensorType();
    if (!isa_and_present<PaletteAttr>(type.getEncoding()) ||
        param.getValueAttr()) {
      continue;
    }
    EncodedLayout layout = EncodedLayout::get(type);
    if (!TrainableTables::areTrainable(layout)) {
      continue;
    }
    auto matrix = store.getEncoded(param.getKey(), type);
    if (!matrix) {
      return param.emitOpError(llvm::toString(matrix.takeError()));
    }
    tables.insert({param.getSymName(), TrainableTables(layout, *matrix)});
    params[param.getSymName()] = param;
  }
  return success();
}

std::string TuneTables::getRecipe(const Teacher &teacher) const {
  // All parameters: those that are not tuned have their part in the result.
  std::string text =
      llvm::formatv("version={0} steps={1} batch={2} rate={3} teacher={4:x}",
                    kVersion, steps.getValue(), batch.getValue(),
                    rate.getValue(), teacher.identity)
          .str();
  llvm::raw_string_ostream os(text);
  auto module = const_cast<TuneTables *>(this)->getOperation();
  for (auto param : module.getOps<ParamOp>()) {
    os << ' ' << param.getSymName() << '=' << param.getKey();
  }
  module.walk([&](QuantizeOp op) { os << ' ' << op.getType(); });
  return llvm::utohexstr(llvm::xxh3_64bits(text));
}

LogicalResult TuneTables::addSequence(training::Executor &executor,
                                      ArrayRef<training::Segment> segments,
                                      const Teacher &teacher, int64_t sequence,
                                      ArrayRef<float> head) {
  int64_t length = teacher.length, width = teacher.columns;
  training::Batch input{1, length, 0,
                        ArrayRef(teacher.ids).slice(sequence * length, length)};
  // A segment's weights at a time.
  auto decode = [&](const training::Segment &segment) {
    std::vector<std::vector<float>> decoded;
    for (Operation *op : segment.ops) {
      if (auto linear = dyn_cast<LinearOp>(op)) {
        auto found = tables.find(linear.getWeight());
        if (found != tables.end()) {
          decoded.push_back(found->second.decode());
          executor.setWeights(linear.getWeight(), decoded.back());
        }
      }
    }
    return decoded;
  };
  std::vector<training::Activations> values(segments.size());
  for (auto [i, segment] : llvm::enumerate(segments)) {
    auto decoded = decode(segment);
    if (i > 0) {
      values[i][segment.input] = values[i - 1][segment.input];
    }
    if (failed(executor.forward(segment, input, values[i], true))) {
      return failure();
    }
  }
  std::vector<float> &logits = values.back()[segments.back().output];
  int64_t vocab = int64_t(logits.size()) / length;
  std::vector<float> expected(logits.size());
  multiplyInParallel({&teacher.hidden[sequence * length * width], width},
                     {head.data(), width, true}, expected.data(), vocab, length,
                     vocab, width);
  training::Activations gradients;
  std::vector<float> &gradient = gradients[segments.back().output];
  gradient = std::move(logits);
  training::divergenceGradient(expected, gradient, vocab);
  TableGradients observer(tables);
  for (size_t i = segments.size(); i-- > 0;) {
    auto decoded = decode(segments[i]);
    if (failed(executor.backward(segments[i], input, values[i], gradients,
                                 observer))) {
      return failure();
    }
    values[i].clear();
  }
  return success();
}

FailureOr<TuneTables::Head>
TuneTables::readHead(const ParameterStore &store,
                     ArrayRef<training::Segment> segments) {
  auto op = segments.back().output.getDefiningOp<LinearOp>();
  if (!op) {
    return segments.back().output.getDefiningOp()->emitOpError(
        "expected logits to come from a product");
  }
  auto param = SymbolTable(getOperation()).lookup<ParamOp>(op.getWeight());
  auto original = param->getAttrOfType<StringAttr>(kOriginalAttrName);
  StringRef key = original ? original.getValue() : param.getKey();
  RankedTensorType type = param.getTensorType();
  Head head{type.getDimSize(1), 0, std::vector<float>(type.getNumElements())};
  auto identity = store.getIdentity(key);
  if (!identity) {
    return param.emitOpError(llvm::toString(identity.takeError()));
  }
  head.identity = *identity;
  if (llvm::Error error = store.readRows(key, 0, head.weights)) {
    return param.emitOpError(llvm::toString(std::move(error)));
  }
  return head;
}

LogicalResult TuneTables::tune(const ParameterStore &store,
                               ArrayRef<training::Segment> segments,
                               const Teacher &teacher, ArrayRef<float> head,
                               DerivedStore &derived, StringRef recipe) {
  training::Executor executor(getOperation(), store);
  auto getCheckpoint = [&](int64_t done) {
    return llvm::formatv("tuning.{0}.{1}", recipe, done).str();
  };
  int64_t stateSize = 0;
  for (auto &[name, each] : tables) {
    stateSize += each.getStateSize();
  }
  int64_t done = 0;
  for (int64_t at = kStepsPerCheckpoint; at < steps;
       at += kStepsPerCheckpoint) {
    done = derived.contains(getCheckpoint(at)) ? at : done;
  }
  if (done > 0) {
    std::vector<float> state(stateSize);
    if (llvm::Error error = derived.readRows(getCheckpoint(done), 0, state)) {
      return getOperation().emitError(llvm::toString(std::move(error)));
    }
    ArrayRef<float> rest = state;
    for (auto &[name, each] : tables) {
      each.setState(rest.take_front(each.getStateSize()));
      rest = rest.drop_front(each.getStateSize());
    }
  }
  int64_t sequences = int64_t(teacher.ids.size()) / teacher.length;
  while (done < steps) {
    ProgressAction::report(&getContext(), "tune", double(done) / steps);
    for (int64_t i = 0; i < batch; ++i) {
      int64_t sequence = (done * batch + i) % sequences;
      if (failed(addSequence(executor, segments, teacher, sequence, head))) {
        return failure();
      }
    }
    ++done;
    // From the first step's full rate down to nothing.
    double fraction = double(done - 1) / double(steps);
    double now = rate * 0.5 * (1 + std::cos(M_PI * fraction));
    std::vector<float> state;
    for (auto &[name, each] : tables) {
      each.descend(now, done);
      if (done % kStepsPerCheckpoint == 0) {
        llvm::append_range(state, each.getState());
      }
    }
    if (!state.empty()) {
      if (llvm::Error error =
              derived.write(getCheckpoint(done), {stateSize}, state)) {
        return getOperation().emitError(llvm::toString(std::move(error)));
      }
    }
  }
  return success();
}

LogicalResult TuneTables::write(DerivedStore &derived, StringRef recipe) {
  for (auto &[name, each] : tables) {
    ParamOp param = params[name];
    std::string key = (name + ".tuned." + recipe).str();
    if (!derived.contains(key)) {
      if (llvm::Error error =
              derived.write(key, param.getTensorType(), each.round(), "")) {
        return param.emitOpError(llvm::toString(std::move(error)));
      }
    }
    param.setSource(key);
  }
  return success();
}

LogicalResult TuneTables::run() {
  if (steps < 0 || batch < 1 || !(rate > 0)) {
    return getOperation().emitError("expected no fewer than 0 steps of at "
                                    "least 1 sequence and a positive rate");
  }
  if (steps == 0) {
    return success();
  }
  auto parameters = DerivedParameters::open(getOperation(), "");
  if (failed(parameters)) {
    return failure();
  }
  if (!parameters->hasData()) {
    return getOperation().emitError(
        "expected parameters to tune, found a model of shapes only");
  }
  auto store = openParameterStore(getOperation());
  if (!store) {
    return getOperation().emitError(llvm::toString(store.takeError()));
  }
  tables.clear();
  params.clear();
  if (failed(findTables(**store))) {
    return failure();
  }
  auto segments = training::getSegments(getOperation());
  if (failed(segments)) {
    return failure();
  }
  auto head = readHead(**store, *segments);
  if (failed(head)) {
    return failure();
  }
  auto teacher =
      Statistics(statistics).getTeacher(head->identity, head->columns);
  if (!teacher) {
    return getOperation().emitError(llvm::toString(teacher.takeError()));
  }
  if (tables.empty()) {
    return success();
  }
  ProgressAction::report(&getContext(), "tune", 0);
  DerivedStore &derived = parameters->getDerived();
  std::string recipe = getRecipe(*teacher);
  bool isDone = llvm::all_of(tables, [&](const auto &each) {
    return derived.contains((each.first + ".tuned." + recipe).str());
  });
  if (!isDone && failed(tune(**store, *segments, *teacher, head->weights,
                             derived, recipe))) {
    return failure();
  }
  return write(derived, recipe);
}

} // namespace
