// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs as bytes.

#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/isa/Assembly.h"
#include "test/Unit/NPU/RandomInstruction.h"

#include <gtest/gtest.h>

using namespace umber;
using namespace umber::npu;

namespace {

using Encoded = std::vector<uint8_t>;

Encoded encodeAll(const Program &program) {
  Result<Encoded> bytes = encode(program);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? *bytes : Encoded();
}

Result<Program> decodeAll(const Encoded &bytes) {
  return decode({bytes.data(), bytes.size()});
}

std::string getFailure(const Encoded &bytes) {
  Result<Program> program = decodeAll(bytes);
  EXPECT_TRUE(program.ok() ||
              program.status().code() == StatusCode::CorruptFile);
  return program.status().message();
}

template <typename T>
std::string getFailure(T operation) {
  Result<Encoded> bytes =
      encode({Instruction{Queue::System, {}, {}, operation}});
  EXPECT_TRUE(bytes.ok() ||
              bytes.status().code() == StatusCode::InvalidArgument);
  return bytes.status().message();
}

/// One multiplication whose fields are all different, and a stop.
Program getProgram() {
  Multiply mm;
  mm.a = {{0x400, 3}, 1536, DataType::I8};
  mm.c = {{0x8000, 0}, 64, DataType::F16};
  mm.slot = 1;
  mm.rows = 16;
  mm.columns = 32;
  mm.inner = 1500;
  mm.group = 128;
  mm.scales = {{0x100, 4}, 48, DataType::F32};
  return {{Queue::Matrix, {{3, 1}, {4, 63}}, {5, 2}, mm, 77},
          {Queue::System, {}, {}, Stop{}}};
}

TEST(Encoding, IsWhatItsDescriptionSays) {
  Encoded bytes = encodeAll(getProgram());
  // The program's word, mm's and two more, stop's.
  ASSERT_EQ(bytes.size(), 5 * kWordBytes);
  EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 8), "UMBERNPU");
  EXPECT_EQ(Encoded(bytes.begin() + 8, bytes.begin() + 16),
            (Encoded{1, 0, 0, 0, 2, 0, 0, 0}));
  uint64_t header = 0, fields = 0;
  std::memcpy(&header, &bytes[16], 8);
  std::memcpy(&fields, &bytes[24], 8);
  EXPECT_EQ(header & 63, 12u);      // opcode
  EXPECT_EQ(header >> 6 & 7, 2u);   // extension words
  EXPECT_EQ(header >> 9 & 7, 5u);   // queue
  EXPECT_EQ(header >> 12 & 31, 3u); // wait 0
  EXPECT_EQ(header >> 17 & 63, 1u);
  EXPECT_EQ(header >> 23 & 31, 4u); // wait 1
  EXPECT_EQ(header >> 28 & 63, 63u);
  EXPECT_EQ(header >> 34 & 31, 5u); // signal
  EXPECT_EQ(header >> 39 & 63, 2u);
  EXPECT_EQ(header >> 45, 77u);         // operation
  EXPECT_EQ(fields & 0xfffffff, 0x40u); // a: granules, register
  EXPECT_EQ(fields >> 28 & 63, 3u);
  EXPECT_EQ(fields >> 34 & 0xfffffff, 96u); // stride, type
  EXPECT_EQ(fields >> 62, 0u);
  EXPECT_EQ(bytes[32] & 15, 1); // slot
  EXPECT_EQ(getWords(getProgram()[0]), 3u);
  EXPECT_EQ(getWords(getProgram()[1]), 1u);
}

TEST(Encoding, RoundTripsEveryField) {
  std::mt19937_64 random(1);
  for (size_t operation = 0; operation < kOperations; ++operation) {
    Program program;
    for (int i = 0; i < 500; ++i) {
      program.push_back(makeRandomInstruction(operation, random));
    }
    Encoded bytes = encodeAll(program);
    Result<Program> decoded = decodeAll(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status().message();
    EXPECT_EQ(disassemble(*decoded), disassemble(program));
    EXPECT_EQ(encodeAll(*decoded), bytes);
  }
}

TEST(Encoding, LeavesOutWordsOfZero) {
  Loop loop;
  loop.count = 3;
  EXPECT_EQ(getWords({Queue::System, {}, {}, loop}), 1u);
  loop.increments[3] = {5, -1};
  EXPECT_EQ(getWords({Queue::System, {}, {}, loop}), 3u);
}

TEST(Encoding, RefusesWhatDoesNotFit) {
  Load load;
  load.bytes = 1 << 20;
  EXPECT_EQ(getFailure(load), "instruction 0 (load): bytes: expected 0 to "
                              "1048575, found 1048576");
  load.bytes = 1;
  load.rows = 1 << 16;
  EXPECT_EQ(getFailure(load),
            "instruction 0 (load): rows: expected 0 to 65535, found 65536");
  load.rows = 1;
  load.rowStride = -(int64_t(1) << 31);
  EXPECT_EQ(getFailure(load),
            "instruction 0 (load): row_stride: expected -2147483647 to "
            "2147483647, found -2147483648");
  load.rowStride = 0;
  load.scratchpad.offset = 8;
  EXPECT_EQ(getFailure(load), "instruction 0 (load): at: expected a multiple "
                              "of 16, found 8");
  load.scratchpad = {0, 64};
  EXPECT_EQ(getFailure(load),
            "instruction 0 (load): at: expected 0 to 63, found 64");
  load.scratchpad = {};
  load.dram.offset = uint64_t(1) << 40;
  EXPECT_EQ(getFailure(load), "instruction 0 (load): dram: expected 0 to "
                              "1099511627775, found 1099511627776");
  load.dram.offset = 0;
  load.dram.region = static_cast<Region>(7);
  EXPECT_EQ(getFailure(load),
            "instruction 0 (load): dram: expected 0 to 6, found 7");
  SetRegister set;
  set.divisor = 0;
  EXPECT_EQ(getFailure(set),
            "instruction 0 (set): divisor: expected 1 to 65535, found 0");
  LoadTable table;
  table.entries = 257;
  EXPECT_EQ(getFailure(table),
            "instruction 0 (table): entries: expected 1 to 256, found 257");
  Elementwise ew;
  ew.immediate = NAN;
  EXPECT_EQ(getFailure(ew), "instruction 0 (ew): immediate: expected a finite "
                            "number, found nan");
  ew.immediate = 0;
  ew.op = static_cast<ElementwiseOp>(8);
  EXPECT_EQ(getFailure(ew), "instruction 0 (ew): op: expected 0 to 7, found 8");
  Loop loop;
  loop.increments[1].by = int64_t(1) << 39;
  EXPECT_EQ(getFailure(loop),
            "instruction 0 (loop): increment: expected -549755813887 to "
            "549755813887, found 549755813888");
  Instruction instruction{Queue::System, {{32, 1}, {}}, {}, Stop{}};
  EXPECT_EQ(encode({instruction}).status().message(),
            "instruction 0 (stop): wait: expected 0 to 31, found 32");
  instruction = {Queue::System, {}, {0, 64}, Stop{}};
  EXPECT_EQ(encode({instruction}).status().message(),
            "instruction 0 (stop): signal: expected 0 to 63, found 64");
  instruction = {Queue::System, {}, {}, Stop{}, 1 << 19};
  EXPECT_EQ(encode({instruction}).status().message(),
            "instruction 0 (stop): id: expected 0 to 524287, found 524288");
}

TEST(Encoding, RejectsOtherBytes) {
  Encoded good = encodeAll(getProgram());
  auto with = [&](size_t byte, uint8_t value) {
    Encoded bytes = good;
    bytes[byte] = value;
    return getFailure(bytes);
  };
  EXPECT_EQ(with(0, 'u'), "byte 0: expected a program, which begins with "
                          "UMBERNPU, found other bytes");
  EXPECT_EQ(with(8, 2), "byte 8: version: expected 1, found 2");
  EXPECT_EQ(with(11, 1), "byte 10: expected 0, found 256");
  EXPECT_EQ(with(12, 5), "byte 12: instructions: expected at most 4 in so many "
                         "words, found 5");
  EXPECT_EQ(with(12, 3), "byte 80: instruction 2: expected another "
                         "instruction, found the end");
  EXPECT_EQ(with(12, 1), "byte 64: expected the end after 1 instructions, "
                         "found 16 bytes");
  EXPECT_EQ(with(16, 63 | 2 << 6),
            "byte 16: instruction 0: opcode: expected 0 to 21, found 63");
  EXPECT_EQ(with(64, 1 << 6), "byte 64: instruction 1 (stop): expected 1 "
                              "extension words, found the end after 0");
  EXPECT_EQ(with(63, 1), "byte 16: instruction 0 (mm): expected bits of 0 "
                         "behind the last field, found others");
  EXPECT_EQ(with(79, 1), "byte 64: instruction 1 (stop): expected bits of 0 "
                         "behind the last field, found others");
  // A stop with a word of zeros.
  Encoded bytes(good.begin(), good.begin() + 16);
  bytes[12] = 1;
  bytes.resize(48);
  bytes[16] = 1 << 6;
  EXPECT_EQ(getFailure(bytes),
            "byte 16: instruction 0 (stop): expected no extension word of 0 at "
            "the end, found 1 words with such a one");
  EXPECT_EQ(getFailure(Encoded()), "byte 0: expected a whole number of words "
                                   "of 16 bytes, found 0 bytes");
  good.pop_back();
  EXPECT_EQ(getFailure(good), "byte 79: expected a whole number of words of 16 "
                              "bytes, found 79 bytes");
}

TEST(Encoding, ChecksFieldsThatWereRead) {
  // A table's entries, which 9 bits could say more of.
  LoadTable table;
  table.entries = 256;
  Encoded bytes = encodeAll({{Queue::Weights, {}, {}, table}});
  // From bit 49 + 6 + 7 of the fields on.
  bytes[32] |= 1;
  EXPECT_EQ(getFailure(bytes), "byte 16: instruction 0 (table): entries: "
                               "expected 1 to 256, found 260");
}

} // namespace
