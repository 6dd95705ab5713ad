// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The head of a file with a derived parameter. The parts follow it: f32
// elements, or scales, tables and codes; then the encoding's and the note's
// text. Files of this kind live beside a compilation and are in the machine's
// own byte order.

#ifndef UMBER_DIALECTS_UMBER_PARAMETERS_DERIVEDFILE_H
#define UMBER_DIALECTS_UMBER_PARAMETERS_DERIVEDFILE_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace umber {

struct DerivedFileHeader {
  DerivedFileHeader(llvm::ArrayRef<int64_t> shape, const EncodedLayout &layout,
                    llvm::StringRef encoding, llvm::StringRef note);

  /// Adds the next part's hash.
  void addPart(llvm::ArrayRef<uint8_t> part);

  /// The header that `file` begins with, if all that it says is so: sizes are
  /// the file's, bytes have the hash, codes are within their tables.
  static llvm::Expected<const DerivedFileHeader *> check(llvm::StringRef file);

  /// Whether `file`, its first 8 bytes or more, is of this kind, whole or not.
  static bool hasMagic(llvm::StringRef file);

  uint64_t getElements() const;

  char magic[8];
  uint64_t rank;
  int64_t shape[2];
  EncodedLayout layout;
  uint64_t encodingBytes, noteBytes;
  uint64_t hash;
};

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_PARAMETERS_DERIVEDFILE_H
