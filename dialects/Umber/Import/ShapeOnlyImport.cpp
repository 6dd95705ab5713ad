// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models without weights, for analysis: a JSON object of sizes.
//
//   name             string; the file's name if missing
//   architecture     string; "llama" if missing
//   layers, hidden, heads, feed_forward, vocab, context_length   integers
//   kv_heads         integer; heads if missing
//   head_dim         integer; hidden / heads if missing
//   tied_embeddings  bool; true if missing
//   norm_eps, rope_base   numbers; 1e-5 and 10000 if missing

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/Import.h"
#include "dialects/Umber/Import/ModelBuilder.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace umber {

namespace {

class ShapeReader {
public:
  ShapeReader(const json::Object &object, StringRef path)
      : object(object), path(path) {}

  Error integer(int64_t &value, StringRef key, bool required = true) {
    const json::Value *found = object.get(key);
    if (!found && !required) {
      return Error::success();
    }
    if (!found || !found->getAsInteger()) {
      return fail(key, "an integer", found);
    }
    value = *found->getAsInteger();
    return Error::success();
  }
  Error number(double &value, StringRef key) {
    const json::Value *found = object.get(key);
    if (!found) {
      return Error::success();
    }
    if (!found->getAsNumber()) {
      return fail(key, "a number", found);
    }
    value = *found->getAsNumber();
    return Error::success();
  }
  Error boolean(bool &value, StringRef key) {
    const json::Value *found = object.get(key);
    if (!found) {
      return Error::success();
    }
    if (!found->getAsBoolean()) {
      return fail(key, "true or false", found);
    }
    value = *found->getAsBoolean();
    return Error::success();
  }
  Error string(std::string &value, StringRef key) {
    const json::Value *found = object.get(key);
    if (!found) {
      return Error::success();
    }
    if (!found->getAsString()) {
      return fail(key, "a string", found);
    }
    value = found->getAsString()->str();
    return Error::success();
  }
  Error rejectUnknown() {
    static constexpr StringLiteral known[] = {
        "name",           "architecture",   "layers",   "hidden",
        "heads",          "kv_heads",       "head_dim", "feed_forward",
        "vocab",          "context_length", "norm_eps", "rope_base",
        "tied_embeddings"};
    for (const auto &entry : object) {
      if (!is_contained(known, StringRef(entry.first))) {
        return makeError("key '" + StringRef(entry.first) +
                         "': expected no such key in a shape-only model");
      }
    }
    return Error::success();
  }
  Error makeError(const Twine &message) {
    return createStringError(inconvertibleErrorCode(), path + ": " + message);
  }

private:
  Error fail(StringRef key, StringRef expected, const json::Value *found) {
    std::string text = "nothing";
    if (found) {
      text.clear();
      raw_string_ostream os(text);
      os << *found;
    }
    return makeError("key '" + key + "': expected " + expected + ", found " +
                     StringRef(text).take_front(60));
  }

  const json::Object &object;
  StringRef path;
};

} // namespace

Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importShapeOnly(mlir::MLIRContext *context, StringRef text, StringRef path) {
  auto fail = [&](const Twine &message) {
    return createStringError(inconvertibleErrorCode(), path + ": " + message);
  };
  Expected<json::Value> parsed = json::parse(text);
  if (!parsed) {
    return fail("expected JSON: " + toString(parsed.takeError()));
  }
  const json::Object *object = parsed->getAsObject();
  if (!object) {
    return fail("expected a JSON object");
  }
  ShapeReader reader(*object, path);
  ModelConfig config;
  config.arch = "llama";
  config.name = sys::path::stem(path).str();
  config.normEps = 1e-5;
  config.ropeBase = 10000.0;
  bool tied = true;
  auto readAll = [&]() -> Error {
    Error result = Error::success();
    auto step = [&](Error error) {
      if (result) {
        consumeError(std::move(error));
      } else {
        result = std::move(error);
      }
    };
    step(reader.rejectUnknown());
    step(reader.string(config.name, "name"));
    step(reader.string(config.arch, "architecture"));
    step(reader.integer(config.layers, "layers"));
    step(reader.integer(config.hidden, "hidden"));
    step(reader.integer(config.heads, "heads"));
    step(reader.integer(config.feedForward, "feed_forward"));
    step(reader.integer(config.vocab, "vocab"));
    step(reader.integer(config.contextLength, "context_length"));
    config.kvHeads = config.heads;
    step(reader.integer(config.kvHeads, "kv_heads", /*required=*/false));
    config.headDim = config.heads > 0 ? config.hidden / config.heads : 0;
    step(reader.integer(config.headDim, "head_dim", /*required=*/false));
    step(reader.number(config.normEps, "norm_eps"));
    step(reader.number(config.ropeBase, "rope_base"));
    step(reader.boolean(tied, "tied_embeddings"));
    return result;
  };
  if (Error error = readAll()) {
    return error;
  }
  config.ropeDims = config.headDim;
  auto architecture = findArchitecture(config.arch);
  if (!architecture) {
    return fail(toString(architecture.takeError()));
  }
  if (Error error = verifyConfig(config)) {
    return fail(toString(std::move(error)));
  }
  return buildModel(
      context, **architecture, config, /*hasWeights=*/false,
      [&](StringRef name) { return !tied && name == "output.weight"; });
}

} // namespace umber
