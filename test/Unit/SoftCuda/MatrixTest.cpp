// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fragments of matrices, as the PTX ISA places their elements in lanes.

#include "test/Unit/SoftCuda/Fixture.h"

#include <cstring>

using namespace umber::test;

namespace {

constexpr unsigned kRows = 16, kColumns = 8, kLanes = 32;

/// Small numbers of both signs, other in each place.
int element(unsigned row, unsigned column, unsigned seed) {
  return int((row * 37 + column * 11 + seed) % 17) - 8;
}

class MatrixTest : public SoftCudaTest {
protected:
  /// Words for registers r of lanes, in[r * 32 + lane], from a function that
  /// gives the word.
  template <class F>
  static void append(std::vector<uint32_t> &in, unsigned registers, F word) {
    for (unsigned r = 0; r < registers; ++r) {
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        in.push_back(word(r, lane / 4, lane % 4));
      }
    }
  }

  /// Loads ten registers from %r10 on, does the product into %r20 to %r23 and
  /// stores it.
  std::vector<uint32_t> product(const std::string &text,
                                const std::vector<uint32_t> &in) {
    std::string body = "mul.wide.u32 %rd3, %r0, 4;\n"
                       "add.s64 %rd4, %rd1, %rd3;\n"
                       "add.s64 %rd5, %rd2, %rd3;\n";
    for (size_t r = 0; r < in.size() / kLanes; ++r) {
      body += "ld.global.b32 %r" + std::to_string(10 + r) + ", [%rd4+" +
              std::to_string(4 * kLanes * r) + "];\n";
    }
    body += text;
    for (unsigned r = 0; r < 4; ++r) {
      body += "st.global.b32 [%rd5+" + std::to_string(4 * kLanes * r) +
              "], %r" + std::to_string(20 + r) + ";\n";
    }
    std::vector<uint32_t> out(4 * kLanes);
    EXPECT_EQ(run(body + "ret;", in, out), 0);
    return out;
  }
};

TEST_F(MatrixTest, ProductsOfBytes) {
  constexpr unsigned kDepth = 32;
  std::vector<uint32_t> in;
  append(in, 4, [](unsigned r, unsigned group, unsigned in) {
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; ++i) {
      int value = element(group + r % 2 * 8, in * 4 + i + r / 2 * 16, 1);
      word |= uint32_t(uint8_t(value)) << 8 * i;
    }
    return word;
  });
  append(in, 2, [](unsigned r, unsigned group, unsigned in) {
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; ++i) {
      word |= uint32_t(uint8_t(element(in * 4 + i + r * 16, group, 2)))
              << 8 * i;
    }
    return word;
  });
  append(in, 4, [](unsigned r, unsigned group, unsigned in) {
    return uint32_t(element(group + r / 2 * 8, in * 2 + r % 2, 3));
  });
  std::vector<uint32_t> out =
      product("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
              "{%r20, %r21, %r22, %r23}, {%r10, %r11, %r12, %r13}, "
              "{%r14, %r15}, {%r16, %r17, %r18, %r19};\n",
              in);
  for (unsigned row = 0; row < kRows; ++row) {
    for (unsigned column = 0; column < kColumns; ++column) {
      int expected = element(row, column, 3);
      for (unsigned k = 0; k < kDepth; ++k) {
        expected += element(row, k, 1) * element(k, column, 2);
      }
      unsigned lane = row % 8 * 4 + column / 2;
      EXPECT_EQ(int(out[(row / 8 * 2 + column % 2) * kLanes + lane]), expected);
    }
  }
}

TEST_F(MatrixTest, ProductsOfHalves) {
  constexpr unsigned kDepth = 16;
  auto halves = [](int lower, int upper) {
    _Float16 pair[2] = {_Float16(lower), _Float16(upper)};
    uint32_t word;
    std::memcpy(&word, pair, sizeof word);
    return word;
  };
  std::vector<uint32_t> in;
  append(in, 4, [&](unsigned r, unsigned group, unsigned in) {
    unsigned row = group + r % 2 * 8, k = in * 2 + r / 2 * 8;
    return halves(element(row, k, 1), element(row, k + 1, 1));
  });
  append(in, 2, [&](unsigned r, unsigned group, unsigned in) {
    unsigned k = in * 2 + r * 8;
    return halves(element(k, group, 2), element(k + 1, group, 2));
  });
  append(in, 4, [](unsigned, unsigned, unsigned) { return 0u; });
  std::vector<uint32_t> out =
      product("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
              "{%r20, %r21, %r22, %r23}, {%r10, %r11, %r12, %r13}, "
              "{%r14, %r15}, {%r16, %r17, %r18, %r19};\n",
              in);
  for (unsigned row = 0; row < kRows; ++row) {
    for (unsigned column = 0; column < kColumns; ++column) {
      int expected = 0;
      for (unsigned k = 0; k < kDepth; ++k) {
        expected += element(row, k, 1) * element(k, column, 2);
      }
      unsigned lane = row % 8 * 4 + column / 2;
      float found;
      std::memcpy(&found, &out[(row / 8 * 2 + column % 2) * kLanes + lane],
                  sizeof found);
      EXPECT_EQ(found, float(expected));
    }
  }
}

/// Four matrices of words' halves 0, 1, 2 ..., as they are and turned round.
TEST_F(MatrixTest, Loads) {
  std::vector<uint32_t> in;
  for (uint32_t i = 0; i < 4 * kLanes; ++i) {
    in.push_back(2 * i | (2 * i + 1) << 16);
  }
  for (bool isTransposed : {false, true}) {
    std::string text = R"(
      .shared .align 16 .b8 tile[512];
      mov.u32 %r1, tile;
      mad.lo.u32 %r2, %r0, 4, %r1;
      st.shared.b32 [%r2], %r10;
      st.shared.b32 [%r2+128], %r11;
      st.shared.b32 [%r2+256], %r12;
      st.shared.b32 [%r2+384], %r13;
      bar.warp.sync -1;
      mad.lo.u32 %r3, %r0, 16, %r1;
      ldmatrix.sync.aligned.m8n8.x4)" +
                       std::string(isTransposed ? ".trans" : "") +
                       ".shared.b16 {%r20, %r21, %r22, %r23}, [%r3];\n";
    std::vector<uint32_t> out = product(text, in);
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        for (unsigned half = 0; half < 2; ++half) {
          unsigned row = lane / 4, column = lane % 4 * 2 + half;
          unsigned expected = 64 * matrix + (isTransposed ? 8 * column + row
                                                          : 8 * row + column);
          EXPECT_EQ(out[matrix * kLanes + lane] >> 16 * half & 0xffff,
                    expected);
        }
      }
    }
  }
}

} // namespace
