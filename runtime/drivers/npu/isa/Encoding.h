// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a program is written in bytes, as a segment of a package (CommandStream)
// holds it. All numbers are little-endian; a word is 128 bits.
//
//   word 0   "UMBERNPU"; the encoding's version, u16; 0, u16; the number of
//            instructions, u32
//   then     each instruction: a command word and `extensions` more words
//
// The low 64 bits of a command word, from the lowest on:
//   opcode:6 (the operation's place in Operation) extensions:3 queue:3
//   wait 0: semaphore:5 count:6, wait 1: the same, signal: the same
//   operation id:19
//
// The operation's fields (Fields.h) follow one behind the other in the high 64
// bits and the extension words, from the lowest bit on. Signed numbers are in
// two's complement, addresses of the scratchpad and its strides in granules,
// F32 as its bits. Bits behind the last field are 0. Extension words at the end
// that are 0 are left out: a program has one encoding only.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_ENCODING_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_ENCODING_H

#include "runtime/drivers/npu/isa/Instruction.h"
#include "runtime/package/MappedFile.h"

#include <vector>

namespace umber::npu {

constexpr char kProgramMagic[] = "UMBERNPU"; ///< without its end
constexpr uint16_t kEncodingVersion = 1;
constexpr size_t kWordBytes = 16;
constexpr unsigned kMostExtensions = 7;

/// InvalidArgument, `instruction N (NAME): FIELD: expected …, found …`, where
/// something does not fit into its field.
Result<std::vector<uint8_t>> encode(const Program &program);

/// What encode() gave, of any bytes. CorruptFile, `byte N: instruction M
/// (NAME): FIELD: expected …, found …`, if it did not. A program that decodes
/// need not be legal: Verifier.h.
Result<Program> decode(Bytes bytes);

/// How many words are fetched for an instruction that can be encoded.
unsigned getWords(const Instruction &instruction);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_ENCODING_H
