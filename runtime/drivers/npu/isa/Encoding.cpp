// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Encoding.h"

#include "runtime/drivers/npu/isa/FieldRange.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"

#include <array>
#include <cstring>
#include <utility>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr size_t kMagicBytes = sizeof kProgramMagic - 1;
constexpr unsigned kOperations = std::variant_size_v<Operation>;
constexpr unsigned kOpcodeBits = 6;
constexpr unsigned kExtensionBits = 3;
static_assert(kOperations <= 1 << kOpcodeBits);

/// The 64-bit halves of a command's words.
using Halves = std::array<uint64_t, 2 * (1 + kMostExtensions)>;

/// A string of bits in an instruction's halves, which is written or read from
/// the first on.
class BitWriter {
public:
  explicit BitWriter(Halves &halves) : halves(halves) {}

  void transfer(uint64_t &value, unsigned bits) {
    unsigned half = position / 64, shift = position % 64;
    halves[half] |= value << shift;
    if (shift + bits > 64) {
      halves[half + 1] |= value >> (64 - shift);
    }
    position += bits;
  }

private:
  Halves &halves;
  unsigned position = 0;
};

class BitReader {
public:
  explicit BitReader(const Halves &halves) : halves(halves) {}

  void transfer(uint64_t &value, unsigned bits) {
    unsigned half = position / 64, shift = position % 64;
    value = halves[half] >> shift;
    if (shift + bits > 64) {
      value |= halves[half + 1] << (64 - shift);
    }
    if (bits < 64) {
      value &= (uint64_t(1) << bits) - 1;
    }
    position += bits;
  }

  /// Whether all bits behind those that were read are 0.
  bool isRestZero() const {
    for (unsigned half = position / 64; half < halves.size(); ++half) {
      uint64_t rest = halves[half];
      if (half == position / 64) {
        rest >>= position % 64;
      }
      if (rest != 0) {
        return false;
      }
    }
    return true;
  }

private:
  const Halves &halves;
  unsigned position = 0;
};

/// Writes or reads an instruction, as `Bits` does. What is written must be in
/// its range, what was read is to be checked.
template <class Bits>
class FieldCoder {
public:
  explicit FieldCoder(Bits &bits) : bits(bits) {}

  template <typename T>
  void number(const char *, T &field, const Width &width) {
    transfer(field, width.bits);
  }
  void integer(const char *, int64_t &field, unsigned count) {
    uint64_t value =
        static_cast<uint64_t>(field) & ((uint64_t(1) << count) - 1);
    bits.transfer(value, count);
    uint64_t sign = uint64_t(1) << (count - 1);
    field = static_cast<int64_t>((value ^ sign) - sign);
  }
  void flag(const char *, bool &field) { transfer(field, 1); }
  template <typename E>
  void choice(const char *, E &field, const char *const *, unsigned) {
    transfer(field, kChoiceBits);
  }
  void real(const char *, float &field) {
    uint32_t value;
    std::memcpy(&value, &field, sizeof value);
    transfer(value, 32);
    std::memcpy(&field, &value, sizeof value);
  }
  void registerNumber(const char *, Register &field) {
    transfer(field, kRegisterBits);
  }
  void queues(const char *, uint8_t &field) { transfer(field, kQueues); }
  void stride(const char *, uint32_t &field) {
    uint32_t granules = field / kGranule;
    transfer(granules, kScratchpadBits);
    field = granules * kGranule;
  }
  void address(const char *name, ScratchpadAddress &field) {
    stride(name, field.offset);
    transfer(field.base, kRegisterBits);
  }
  void address(const char *, DramAddress &field) {
    transfer(field.offset, kDramBits);
    transfer(field.region, kRegionBits);
    transfer(field.base, kRegisterBits);
  }
  void tile(const char *name, Tile &field) {
    address(name, field.at);
    stride(name, field.stride);
    transfer(field.type, kTypeBits);
  }
  void replaced(const char *, uint32_t &field, unsigned count, Register &from) {
    transfer(field, count);
    transfer(from, kRegisterBits);
  }
  void shifted(const char *name, int64_t &field, unsigned count,
               Register &from) {
    integer(name, field, count);
    transfer(from, kRegisterBits);
  }
  void increments(Loop::Increment (&field)[4]) {
    for (Loop::Increment &increment : field) {
      transfer(increment.to, kRegisterBits);
      integer("", increment.by, kIncrementBits);
    }
  }

  template <typename T>
  void transfer(T &field, unsigned count) {
    uint64_t value = static_cast<uint64_t>(field);
    bits.transfer(value, count);
    field = static_cast<T>(value);
  }

private:
  Bits &bits;
};

/// The header behind the opcode and the number of extension words.
template <class Bits>
void visitHeader(FieldCoder<Bits> &coder, Instruction &instruction) {
  coder.transfer(instruction.queue, 3);
  for (SemaphoreUse *use :
       {&instruction.wait[0], &instruction.wait[1], &instruction.signal}) {
    coder.transfer(use->semaphore, 5);
    coder.transfer(use->count, 6);
  }
  coder.transfer(instruction.operationId, kOperationIdBits);
}

template <size_t... I>
Operation makeOperation(size_t opcode, std::index_sequence<I...>) {
  Operation operation;
  ((I == opcode ? void(operation.emplace<I>()) : void()), ...);
  return operation;
}

/// Extension words are counted; only the instruction's range must be right.
unsigned encode(Instruction instruction, Halves &halves) {
  halves = {};
  // The fields come first, as the header says how many words they take.
  Halves fields = {};
  BitWriter bits(fields);
  FieldCoder<BitWriter> coder(bits);
  std::visit([&](auto &o) { visitFields(coder, o); }, instruction.operation);
  unsigned last = unsigned(fields.size()) - 1;
  while (last > 0 && fields[last] == 0) {
    --last;
  }
  uint64_t extensions = (last + 1) / 2;
  std::copy(fields.begin(), fields.end() - 1, halves.begin() + 1);

  BitWriter headerBits(halves);
  FieldCoder<BitWriter> header(headerBits);
  uint64_t opcode = instruction.operation.index();
  headerBits.transfer(opcode, kOpcodeBits);
  headerBits.transfer(extensions, kExtensionBits);
  visitHeader(header, instruction);
  return 1 + unsigned(extensions);
}

void append(std::vector<uint8_t> &bytes, uint64_t value, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
}

uint64_t readNumber(const uint8_t *data, unsigned count) {
  uint64_t value = 0;
  for (unsigned i = 0; i < count; ++i) {
    value |= uint64_t(data[i]) << (8 * i);
  }
  return value;
}

Status corrupt(size_t offset, const std::string &message) {
  return Status(StatusCode::CorruptFile,
                "byte " + std::to_string(offset) + ": " + message);
}

class Decoder {
public:
  explicit Decoder(Bytes bytes) : bytes(bytes) {}

  Result<Program> run();

private:
  Result<uint32_t> readStart();
  /// Empty, or what is wrong.
  std::string readInstruction(Instruction &instruction);

  Bytes bytes;
  size_t offset = 0;
};

Result<uint32_t> Decoder::readStart() {
  if (bytes.size % kWordBytes != 0 || bytes.size == 0) {
    return corrupt(bytes.size, "expected a whole number of words of 16 bytes, "
                               "found " +
                                   std::to_string(bytes.size) + " bytes");
  }
  if (std::memcmp(bytes.data, kProgramMagic, kMagicBytes) != 0) {
    return corrupt(0, std::string("expected a program, which begins with ") +
                          kProgramMagic + ", found other bytes");
  }
  uint64_t version = readNumber(bytes.data + kMagicBytes, 2);
  if (version != kEncodingVersion) {
    return corrupt(kMagicBytes, "version: expected " +
                                    std::to_string(kEncodingVersion) +
                                    ", found " + std::to_string(version));
  }
  uint64_t reserved = readNumber(bytes.data + kMagicBytes + 2, 2);
  if (reserved != 0) {
    return corrupt(kMagicBytes + 2,
                   "expected 0, found " + std::to_string(reserved));
  }
  uint64_t count = readNumber(bytes.data + kMagicBytes + 4, 4);
  uint64_t most = bytes.size / kWordBytes - 1;
  if (count > most) {
    return corrupt(kMagicBytes + 4,
                   "instructions: expected at most " + std::to_string(most) +
                       " in so many words, found " + std::to_string(count));
  }
  offset = kWordBytes;
  return static_cast<uint32_t>(count);
}

std::string Decoder::readInstruction(Instruction &instruction) {
  if (offset == bytes.size) {
    return "expected another instruction, found the end";
  }
  Halves halves = {};
  halves[0] = readNumber(bytes.data + offset, 8);
  BitReader headerBits(halves);
  FieldCoder<BitReader> header(headerBits);
  uint64_t opcode = 0, extensions = 0;
  headerBits.transfer(opcode, kOpcodeBits);
  headerBits.transfer(extensions, kExtensionBits);
  if (opcode >= kOperations) {
    return "opcode: expected 0 to " + std::to_string(kOperations - 1) +
           ", found " + std::to_string(opcode);
  }
  visitHeader(header, instruction);
  instruction.operation =
      makeOperation(opcode, std::make_index_sequence<kOperations>());
  std::string name = std::string("(") + getName(instruction.operation) + "): ";
  size_t words = (bytes.size - offset) / kWordBytes - 1;
  if (extensions > words) {
    return name + "expected " + std::to_string(extensions) +
           " extension words, found the end after " + std::to_string(words);
  }
  Halves fields = {};
  for (unsigned i = 0; i <= 2 * extensions; ++i) {
    fields[i] = readNumber(bytes.data + offset + 8 + 8 * i, 8);
  }
  if (extensions > 0 && fields[2 * extensions - 1] == 0 &&
      fields[2 * extensions] == 0) {
    return name + "expected no extension word of 0 at the end, found " +
           std::to_string(extensions) + " words with such a one";
  }
  BitReader bits(fields);
  FieldCoder<BitReader> coder(bits);
  std::visit([&](auto &o) { visitFields(coder, o); }, instruction.operation);
  if (!bits.isRestZero()) {
    return name + "expected bits of 0 behind the last field, found others";
  }
  std::string error = findRangeError(instruction);
  if (!error.empty()) {
    return name + error;
  }
  offset += (1 + extensions) * kWordBytes;
  return "";
}

Result<Program> Decoder::run() {
  Result<uint32_t> count = readStart();
  if (!count.ok()) {
    return count.status();
  }
  Program program(*count);
  for (size_t i = 0; i < program.size(); ++i) {
    std::string error = readInstruction(program[i]);
    if (!error.empty()) {
      return corrupt(offset, "instruction " + std::to_string(i) +
                                 (error[0] == '(' ? " " : ": ") + error);
    }
  }
  if (offset != bytes.size) {
    return corrupt(offset, "expected the end after " +
                               std::to_string(program.size()) +
                               " instructions, found " +
                               std::to_string(bytes.size - offset) + " bytes");
  }
  return program;
}

} // namespace

Result<std::vector<uint8_t>> npu::encode(const Program &program) {
  if (program.size() > UINT32_MAX) {
    return Status(StatusCode::InvalidArgument,
                  "expected less than 2^32 instructions, found " +
                      std::to_string(program.size()));
  }
  std::vector<uint8_t> bytes(kProgramMagic, kProgramMagic + kMagicBytes);
  append(bytes, kEncodingVersion, 2);
  append(bytes, 0, 2);
  append(bytes, program.size(), 4);
  for (size_t i = 0; i < program.size(); ++i) {
    std::string error = findRangeError(program[i]);
    if (!error.empty()) {
      return Status(StatusCode::InvalidArgument, describe(program, i, error));
    }
    Halves halves;
    unsigned words = ::encode(program[i], halves);
    for (unsigned half = 0; half < 2 * words; ++half) {
      append(bytes, halves[half], 8);
    }
  }
  return bytes;
}

Result<Program> npu::decode(Bytes bytes) { return Decoder(bytes).run(); }

unsigned npu::getWords(const Instruction &instruction) {
  Halves halves;
  return ::encode(instruction, halves);
}
