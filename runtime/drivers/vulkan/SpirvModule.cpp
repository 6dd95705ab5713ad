// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/SpirvModule.h"

#include "runtime/drivers/vulkan/SpirvSizes.h"

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
  OpName = 5,
  OpMemberName = 6,
  OpLine = 8,
  OpEntryPoint = 15,
  OpExecutionMode = 16,
  OpCapability = 17,
  OpTypeImage = 25,
  OpTypePointer = 32,
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
  OpMemberDecorate = 72,
  OpCopyObject = 83,
  OpControlBarrier = 224,
  OpMemoryBarrier = 225,
  OpAtomicStore = 228,
  OpLoopMerge = 246,
  OpSelectionMerge = 247,
  OpLabel = 248,
  OpBranch = 249,
  OpBranchConditional = 250,
  OpSwitch = 251,
  OpUnreachable = 255,
  OpNoLine = 317,
};
enum StorageClass : uint32_t {
  UniformConstant = 0,
  Input = 1,
  Workgroup = 4,
  Private = 6,
  Function = 7,
  StorageBuffer = 12,
};
constexpr uint32_t kGLCompute = 5;
constexpr uint32_t kLocalSize = 17;
constexpr uint32_t kBinding = 33, kDescriptorSet = 34;
constexpr uint32_t kDimBuffer = 5, kIsSampled = 1; // of an image's type

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
  void parseInFunction(const uint32_t *word, uint32_t count);
  Status resolveEntries();
  Status findBindings(SpirvEntry &entry) const;
  /// Of all variables that a module with this entry alone has.
  uint64_t addUpWorkgroup(const SpirvEntry &entry) const;
  Status addBinding(uint32_t variable, SpirvEntry &entry) const;

  SpirvModule module;
  std::map<uint32_t, std::vector<uint32_t>> localSizes; // by function
  std::map<uint32_t, uint32_t> bindings, sets;          // by variable
  std::set<uint32_t> buffers;                           // variables
  std::map<uint32_t, uint64_t> workgroupBytes;          // by variable
  SpirvSizes sizes;
  std::set<uint32_t> texelBuffers;              // variables
  std::set<uint32_t> texelTypes, texelPointers; // types
  // By function: ids that an instruction reads or writes through.
  std::map<uint32_t, std::set<uint32_t>> pointers;
  uint32_t currentFunction = 0;
};

/// Where an instruction in a function has its result's id; 0: it has none.
uint32_t resultPlace(uint32_t opcode, uint32_t count) {
  switch (opcode) {
  case OpLabel:
    return 1;
  case OpLine:
  case OpNoLine:
  case OpFunctionEnd:
  case OpStore:
  case OpCopyMemory:
  case OpControlBarrier:
  case OpMemoryBarrier:
  case OpAtomicStore:
  case OpLoopMerge:
  case OpSelectionMerge:
    return 0;
  default:
    if (opcode >= OpBranch && opcode <= OpUnreachable) {
      return 0;
    }
    return count > 2 ? 2 : 0;
  }
}

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
  case OpTypePointer:
    return 4;
  case OpTypeImage:
    return 9;
  case OpFunction:
  case OpArrayLength:
    return 5;
  default:
    return std::max(SpirvSizes::fewestWords(opcode), 1u);
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
  SpirvEntry entry;
  entry.function = word[2];
  std::string name(text, length);
  if (!module.entries.insert({name, entry}).second) {
    return corrupt("has two entry points " + name);
  }
  return {};
}

Status Parser::parseVariable(const uint32_t *word) {
  if (currentFunction == 0) {
    module.variables.insert(word[2]);
  }
  switch (word[3]) {
  case Input:
  case Private:
  case Function:
    return {};
  case Workgroup:
    workgroupBytes[word[2]] = sizes.pointeeBytes(word[1]);
    return {};
  case StorageBuffer:
    buffers.insert(word[2]);
    return {};
  case UniformConstant:
    if (texelPointers.count(word[1]) != 0) {
      texelBuffers.insert(word[2]);
      return {};
    }
    [[fallthrough]];
  default:
    return corrupt("has a variable of storage class " +
                   std::to_string(word[3]) +
                   ", expected storage buffers, texel buffers and a shader's "
                   "own memory");
  }
}

Status Parser::parseInstruction(const uint32_t *word, uint32_t count) {
  uint32_t opcode = word[0] & 0xffff;
  if (count < fewestWords(opcode)) {
    return corrupt("has an instruction " + std::to_string(opcode) + " of " +
                   std::to_string(count) + " words, expected at least " +
                   std::to_string(fewestWords(opcode)));
  }
  if (SpirvSizes::fewestWords(opcode) > 0) {
    sizes.declare(word, count);
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
  case OpTypeImage:
    if (word[3] == kDimBuffer && word[7] == kIsSampled) {
      texelTypes.insert(word[1]);
    }
    break;
  case OpTypePointer:
    if (word[2] == UniformConstant && texelTypes.count(word[3]) != 0) {
      texelPointers.insert(word[1]);
    }
    break;
  case OpVariable:
    return parseVariable(word);
  default:
    break;
  }
  return {};
}

void Parser::parseInFunction(const uint32_t *word, uint32_t count) {
  uint32_t opcode = word[0] & 0xffff;
  SpirvFunction &function = module.functions[currentFunction];
  for (uint32_t i = 1; i < count; ++i) {
    // A number may look like one: then a variable is kept that nobody needs.
    if (module.variables.count(word[i]) != 0) {
      function.variables.insert(word[i]);
    }
  }
  if (uint32_t place = resultPlace(opcode, count)) {
    module.owners[word[place]] = currentFunction;
  }
  std::set<uint32_t> &through = pointers[currentFunction];
  switch (opcode) {
  // Without variable pointers, which are refused, these alone have a buffer's
  // variable among their operands.
  case OpFunctionCall:
    function.callees.insert(word[3]);
    through.insert(word + 4, word + count);
    break;
  case OpLoad:
  case OpCopyObject:
  case OpAccessChain:
  case OpInBoundsAccessChain:
  case OpArrayLength:
    through.insert(word[3]);
    break;
  case OpStore:
  case OpCopyMemory:
    through.insert(word + 1, word + 3);
    break;
  default:
    break;
  }
}

Status Parser::addBinding(uint32_t variable, SpirvEntry &entry) const {
  auto binding = bindings.find(variable), set = sets.find(variable);
  bool isBound = binding != bindings.end() && set != sets.end() &&
                 binding->second != UINT32_MAX;
  if (buffers.count(variable) != 0) {
    if (!isBound || set->second != 0) {
      return corrupt("has a buffer without a binding in descriptor set 0");
    }
  } else {
    static_assert(kWordTexels == 1 && kVectorTexels == 2, "behind set 0");
    if (!isBound || set->second < 1 || set->second > kTexelSets) {
      return corrupt("has a texel buffer without a binding in descriptor sets "
                     "1 and 2");
    }
    entry.texels[set->second - 1].insert(binding->second);
  }
  entry.bindings = std::max(entry.bindings, binding->second + 1);
  return {};
}

Status Parser::findBindings(SpirvEntry &entry) const {
  for (uint32_t function : module.reachableFrom(entry.function)) {
    auto through = pointers.find(function);
    if (through == pointers.end()) {
      continue;
    }
    for (uint32_t id : through->second) {
      if (buffers.count(id) == 0 && texelBuffers.count(id) == 0) {
        continue;
      }
      if (Status status = addBinding(id, entry); !status.ok()) {
        return status;
      }
    }
  }
  return {};
}

uint64_t Parser::addUpWorkgroup(const SpirvEntry &entry) const {
  std::set<uint32_t> used;
  for (uint32_t function : module.reachableFrom(entry.function)) {
    const std::set<uint32_t> &some = module.functions.at(function).variables;
    used.insert(some.begin(), some.end());
  }
  uint64_t sum = 0;
  for (const auto &[variable, bytes] : workgroupBytes) {
    if (used.count(variable) != 0 && __builtin_add_overflow(sum, bytes, &sum)) {
      return UINT64_MAX;
    }
  }
  return sum;
}

Status Parser::resolveEntries() {
  for (auto &[name, entry] : module.entries) {
    if (module.functions.count(entry.function) == 0) {
      return corrupt("has an entry point " + name + " without a body");
    }
    if (auto size = localSizes.find(entry.function); size != localSizes.end()) {
      std::copy(size->second.begin(), size->second.end(), entry.threads);
    }
    if (Status status = findBindings(entry); !status.ok()) {
      return status;
    }
    entry.workgroupBytes = addUpWorkgroup(entry);
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
    uint32_t opcode = words[at] & 0xffff;
    if (opcode == OpFunction && count > 2) {
      if (currentFunction != 0 || words[at + 2] == 0) {
        return corrupt("has a function within another, or one without an id");
      }
      currentFunction = words[at + 2];
      module.functions[currentFunction].begin = at;
    }
    if (Status status = parseInstruction(&words[at], count); !status.ok()) {
      return status;
    }
    if (currentFunction != 0) {
      parseInFunction(&words[at], count);
    }
    at += count;
    if (opcode == OpFunctionEnd && currentFunction != 0) {
      module.functions[currentFunction].end = at;
      currentFunction = 0;
    }
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

bool SpirvEntry::readsTexels() const {
  return std::any_of(
      std::begin(texels), std::end(texels),
      [](const std::set<uint32_t> &set) { return !set.empty(); });
}

bool SpirvModule::readsTexels() const {
  return std::any_of(entries.begin(), entries.end(), [](const auto &entry) {
    return entry.second.readsTexels();
  });
}

std::set<uint32_t> SpirvModule::reachableFrom(uint32_t function) const {
  std::set<uint32_t> reached;
  std::vector<uint32_t> todo = {function};
  while (!todo.empty()) {
    auto next = functions.find(todo.back());
    todo.pop_back();
    if (next != functions.end() && reached.insert(next->first).second) {
      todo.insert(todo.end(), next->second.callees.begin(),
                  next->second.callees.end());
    }
  }
  return reached;
}

std::vector<uint32_t> SpirvModule::extract(const std::string &name) const {
  const SpirvEntry &entry = entries.at(name);
  std::set<uint32_t> kept = reachableFrom(entry.function), used;
  for (uint32_t function : kept) {
    const std::set<uint32_t> &some = functions.at(function).variables;
    used.insert(some.begin(), some.end());
  }
  auto isKept = [&](uint32_t id) {
    auto owner = owners.find(id);
    return owner == owners.end() ? variables.count(id) == 0 || used.count(id)
                                 : kept.count(owner->second) != 0;
  };
  std::vector<uint32_t> out(words.begin(), words.begin() + kHeaderWords);
  size_t at = kHeaderWords;
  while (at < words.size() && (words[at] & 0xffff) != OpFunction) {
    const uint32_t *word = &words[at];
    uint32_t count = word[0] >> 16;
    bool isWanted = true;
    switch (word[0] & 0xffff) {
    case OpName:
    case OpMemberName:
      isWanted = false; // Nobody reads them.
      break;
    case OpEntryPoint: {
      // Its interface, behind its name, is what it uses of inputs.
      isWanted = word[2] == entry.function;
      size_t nameWords = name.size() / sizeof(uint32_t) + 1;
      if (isWanted) {
        used.insert(word + 3 + nameWords, word + count);
      }
      break;
    }
    case OpExecutionMode:
      isWanted = word[1] == entry.function;
      break;
    case OpDecorate:
    case OpMemberDecorate:
      isWanted = isKept(word[1]);
      break;
    case OpVariable:
      isWanted = isKept(word[2]);
      break;
    default:
      break;
    }
    if (isWanted) {
      out.insert(out.end(), word, word + count);
    }
    at += count;
  }
  for (const auto &[id, function] : functions) {
    if (kept.count(id) != 0) {
      out.insert(out.end(), words.begin() + function.begin,
                 words.begin() + function.end);
    }
  }
  return out;
}

Result<SpirvModule> umber::vulkan::parseSpirv(Bytes bytes) {
  return Parser().run(bytes);
}
