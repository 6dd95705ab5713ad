// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/Npy.h"
#include "tools/common/WriteFile.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/MathExtras.h"

using llvm::raw_ostream;

namespace umber::interp {

/// The part of the file before the elements: magic, version, and a Python
/// dictionary padded with spaces so that the elements are aligned to 64 bytes.
static std::string npyHeader(const Tensor &tensor) {
  std::string dictionary;
  llvm::raw_string_ostream os(dictionary);
  os << "{'descr': '" << (tensor.isFloat() ? "<f4" : "<i8")
     << "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.getShape()) {
    os << size << ',';
  }
  os << "), }";
  constexpr size_t kFixedBytes = 10, kAlignment = 64;
  size_t length =
      llvm::alignTo(kFixedBytes + dictionary.size() + 1, kAlignment);
  dictionary.append(length - kFixedBytes - dictionary.size() - 1, ' ');
  dictionary += '\n';
  uint16_t count = dictionary.size();
  std::string header("\x93NUMPY\x01\x00", 8);
  header += char(count & 0xff);
  header += char(count >> 8);
  return header + dictionary;
}

llvm::Error writeNpy(llvm::StringRef path, const Tensor &tensor) {
  return writeFile(path, [&](raw_ostream &os) {
    os << npyHeader(tensor);
    llvm::support::endian::Writer writer(os, llvm::endianness::little);
    if (tensor.isFloat()) {
      writer.write(tensor.getFloats());
    } else {
      writer.write(tensor.getIntegers());
    }
  });
}

llvm::Error writeRawFloats(llvm::StringRef path,
                           llvm::ArrayRef<float> elements) {
  return writeFile(path, [&](raw_ostream &os) {
    llvm::support::endian::Writer(os, llvm::endianness::little).write(elements);
  });
}

} // namespace umber::interp
