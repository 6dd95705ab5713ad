// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/SpirvModule.h"

#include <algorithm>
#include <cstring>
#include <set>

using namespace umber;
using namespace umber::vulkan;

namespace {

constexpr uint32_t kMagic = 0x07230203;
constexpr uint32_t kLatestVersion = 0x00010300;
constexpr uint32_t kHeaderWords = 5;

// Of the specification's tables.
enum Opcode : uint32_t {
  OpEntryPoint = 15,
  OpExecutionMode = 16,
  OpCapability = 17,
  OpFunction = 54,
  OpFunctionEnd = 56,
  OpFunctionCall = 57,
  OpVariable = 59,
  OpLoad = 61,
  OpStore = 62,
  OpCopyMemory = 63,
  OpAccessChain = 65,
  OpInBoundsAccessChain = 66,
  OpArrayLength = 68,
  OpDecorate = 71,
  OpCopyObject = 83,
};
enum StorageClass : uint32_t {
  Input = 1,
  Workgroup = 4,
  Private = 6,
  Function = 7,
  StorageBuffer = 12,
};
constexpr uint32_t kGLCompute = 5;
constexpr uint32_t kLocalSize = 17;
constexpr uint32_t kBinding = 33, kDescriptorSet = 34;

Status corrupt(const std::string &what) {
  return Status(StatusCode::CorruptFile, "the SPIR-V module " + what);
}

class Parser {
public:
  Result<SpirvModule> run(Bytes bytes);

private:
  /// Of `count` words, the first of which is the opcode's.
  Status parseInstruction(const uint32_t *word, uint32_t count);
  Status parseEntryPoint(const uint32_t *word, uint32_t count);
  Status parseVariable(const uint32_t *word);
  Status resolveEntries();
  Status findBindings(uint32_t function, std::set<uint32_t> &seen,
                      SpirvEntry &entry) const;

  struct EntryPoint {
    std::string name;
    uint32_t function;
  };
  struct Body {
    std::set<uint32_t> operands; // ids that may be variables
    std::set<uint32_t> callees;
  };

  SpirvModule module;
  std::vector<EntryPoint> entryPoints;
  std::map<uint32_t, std::vector<uint32_t>> localSizes; // by function
  std::map<uint32_t, uint32_t> bindings, sets;          // by variable
  std::set<uint32_t> buffers;                           // variables
  std::map<uint32_t, Body> bodies;                      // by function
  uint32_t currentFunction = 0;
};

/// The fewest words that an instruction has whose operands are read.
uint32_t fewestWords(uint32_t opcode) {
  switch (opcode) {
  case OpCapability:
    return 2;
  case OpEntryPoint:
  case OpVariable:
  case OpLoad:
  case OpCopyObject:
  case OpAccessChain:
  case OpInBoundsAccessChain:
  case OpFunctionCall:
    return 4;
  case OpExecutionMode:
  case OpStore:
  case OpCopyMemory:
  case OpDecorate:
    return 3;
  case OpFunction:
  case OpArrayLength:
    return 5;
  default:
    return 1;
  }
}

Status Parser::parseEntryPoint(const uint32_t *word, uint32_t count) {
  if (word[1] != kGLCompute) {
    return corrupt("has an entry point that is no compute shader");
  }
  const char *text = reinterpret_cast<const char *>(word + 3);
  size_t length = strnlen(text, (count - 3) * sizeof(uint32_t));
  if (length == (count - 3) * sizeof(uint32_t) || length == 0) {
    return corrupt("has an entry point without a name");
  }
  entryPoints.push_back({std::string(text, length), word[2]});
  return {};
}

Status Parser::parseVariable(const uint32_t *word) {
  switch (word[3]) {
  case Input:
  case Workgroup:
  case Private:
  case Function:
    return {};
  case StorageBuffer:
    buffers.insert(word[2]);
    return {};
  default:
    return corrupt("has a variable of storage class " +
                   std::to_string(word[3]) +
                   ", expected storage buffers and a shader's own memory");
  }
}

Status Parser::parseInstruction(const uint32_t *word, uint32_t count) {
  uint32_t opcode = word[0] & 0xffff;
  if (count < fewestWords(opcode)) {
    return corrupt("has an instruction " + std::to_string(opcode) + " of " +
                   std::to_string(count) + " words, expected at least " +
                   std::to_string(fewestWords(opcode)));
  }
  switch (opcode) {
  case OpCapability:
    module.capabilities.push_back(word[1]);
    break;
  case OpEntryPoint:
    return parseEntryPoint(word, count);
  case OpExecutionMode:
    if (word[2] == kLocalSize && count >= 6) {
      localSizes[word[1]] = {word[3], word[4], word[5]};
    }
    break;
  case OpDecorate:
    if (word[2] == kBinding && count >= 4) {
      bindings[word[1]] = word[3];
    } else if (word[2] == kDescriptorSet && count >= 4) {
      sets[word[1]] = word[3];
    }
    break;
  case OpVariable:
    return parseVariable(word);
  case OpFunction:
    currentFunction = word[2];
    bodies[currentFunction];
    break;
  case OpFunctionEnd:
    currentFunction = 0;
    break;
  // Without variable pointers, which are refused, these alone have a buffer's
  // variable among their operands.
  case OpFunctionCall:
    bodies[currentFunction].callees.insert(word[3]);
    bodies[currentFunction].operands.insert(word + 4, word + count);
    break;
  case OpLoad:
  case OpCopyObject:
  case OpAccessChain:
  case OpInBoundsAccessChain:
  case OpArrayLength:
    bodies[currentFunction].operands.insert(word[3]);
    break;
  case OpStore:
  case OpCopyMemory:
    bodies[currentFunction].operands.insert(word + 1, word + 3);
    break;
  default:
    break;
  }
  return {};
}

Status Parser::findBindings(uint32_t function, std::set<uint32_t> &seen,
                            SpirvEntry &entry) const {
  std::vector<uint32_t> todo = {function};
  while (!todo.empty()) {
    uint32_t next = todo.back();
    todo.pop_back();
    auto body = bodies.find(next);
    if (body == bodies.end() || !seen.insert(next).second) {
      continue;
    }
    for (uint32_t id : body->second.operands) {
      if (buffers.count(id) == 0) {
        continue;
      }
      auto binding = bindings.find(id), set = sets.find(id);
      if (binding == bindings.end() || set == sets.end() || set->second != 0 ||
          binding->second == UINT32_MAX) {
        return corrupt("has a buffer without a binding in descriptor set 0");
      }
      entry.bindings = std::max(entry.bindings, binding->second + 1);
    }
    todo.insert(todo.end(), body->second.callees.begin(),
                body->second.callees.end());
  }
  return {};
}

Status Parser::resolveEntries() {
  for (const EntryPoint &point : entryPoints) {
    auto [place, isNew] = module.entries.insert({point.name, {}});
    if (!isNew) {
      return corrupt("has two entry points " + point.name);
    }
    if (bodies.count(point.function) == 0) {
      return corrupt("has an entry point " + point.name + " without a body");
    }
    SpirvEntry &entry = place->second;
    if (auto size = localSizes.find(point.function); size != localSizes.end()) {
      std::copy(size->second.begin(), size->second.end(), entry.threads);
    }
    std::set<uint32_t> seen;
    if (Status status = findBindings(point.function, seen, entry);
        !status.ok()) {
      return status;
    }
  }
  return {};
}

Result<SpirvModule> Parser::run(Bytes bytes) {
  if (bytes.size % sizeof(uint32_t) != 0 ||
      bytes.size < kHeaderWords * sizeof(uint32_t)) {
    return corrupt("has " + std::to_string(bytes.size) +
                   " bytes, expected whole words and a header");
  }
  std::vector<uint32_t> &words = module.words;
  words.resize(bytes.size / sizeof(uint32_t));
  std::memcpy(words.data(), bytes.data, bytes.size);
  if (words[0] != kMagic) {
    return corrupt("does not begin with the magic number");
  }
  if (words[1] > kLatestVersion) {
    return Status(StatusCode::Unsupported,
                  "the SPIR-V module is of version " +
                      std::to_string(words[1] >> 16) + "." +
                      std::to_string(words[1] >> 8 & 0xff) +
                      ", expected at most 1.3");
  }
  for (size_t at = kHeaderWords; at < words.size();) {
    uint32_t count = words[at] >> 16;
    if (count == 0 || count > words.size() - at) {
      return corrupt("has an instruction of " + std::to_string(count) +
                     " words at word " + std::to_string(at) + ", of " +
                     std::to_string(words.size()));
    }
    if (Status status = parseInstruction(&words[at], count); !status.ok()) {
      return status;
    }
    at += count;
  }
  if (currentFunction != 0) {
    return corrupt("ends within a function");
  }
  if (Status status = resolveEntries(); !status.ok()) {
    return status;
  }
  return std::move(module);
}

} // namespace

Result<SpirvModule> umber::vulkan::parseSpirv(Bytes bytes) {
  return Parser().run(bytes);
}
