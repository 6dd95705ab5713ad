// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/DerivedFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include <cstring>

using namespace llvm;

namespace umber {

static constexpr char kMagic[8] = {'U', 'M', 'B', 'D', 'E', 'R', 'V', '1'};
/// More elements than this are refused, so that no product of sizes overflows.
static constexpr uint64_t kMaxElements = uint64_t(1) << 40;

static uint64_t combine(uint64_t hash, uint64_t part) {
  uint64_t both[] = {hash, part};
  return xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(both), 16));
}

DerivedFileHeader::DerivedFileHeader(ArrayRef<int64_t> shape,
                                     const EncodedLayout &layout,
                                     StringRef encoding, StringRef note)
    : rank(shape.size()), shape{}, layout(layout),
      encodingBytes(encoding.size()), noteBytes(note.size()) {
  std::memcpy(magic, kMagic, sizeof magic);
  llvm::copy(shape, this->shape);
  hash = combine(xxh3_64bits(encoding), xxh3_64bits(note));
}

void DerivedFileHeader::addPart(ArrayRef<uint8_t> part) {
  hash = combine(hash, xxh3_64bits(part));
}

bool DerivedFileHeader::hasMagic(StringRef file) {
  return file.starts_with(StringRef(kMagic, sizeof kMagic));
}

uint64_t DerivedFileHeader::getElements() const {
  return uint64_t(shape[0]) * (rank == 2 ? uint64_t(shape[1]) : 1);
}

static Error expected(const Twine &what) {
  return createStringError(inconvertibleErrorCode(), "expected " + what);
}

/// Whether blocks of `height` x `width` make `count` over the matrix.
static bool tiles(const EncodedLayout &layout, int64_t height, int64_t width,
                  int64_t count) {
  return height > 0 && width > 0 && width <= layout.columns &&
         layout.columns % width == 0 &&
         count == int64_t(divideCeil(uint64_t(layout.rows), uint64_t(height))) *
                      (layout.columns / width);
}

static bool isConsistent(const DerivedFileHeader &header) {
  const EncodedLayout &layout = header.layout;
  return header.rank == 2 && layout.rows == header.shape[0] &&
         layout.columns == header.shape[1] && layout.rows > 0 &&
         layout.columns > 0 && layout.entries >= 0 && layout.entries <= 256 &&
         tiles(layout, layout.scaleRows, layout.scaleColumns, layout.scales) &&
         (layout.entries == 0 ? layout.tables == 0
                              : tiles(layout, layout.tableRows,
                                      layout.tableColumns, layout.tables));
}

Expected<const DerivedFileHeader *> DerivedFileHeader::check(StringRef file) {
  auto *header = reinterpret_cast<const DerivedFileHeader *>(file.data());
  if (file.size() < sizeof(DerivedFileHeader) || !hasMagic(file)) {
    return expected("a derived parameter, found another kind of file");
  }
  uint64_t limit = file.size();
  if ((header->rank != 1 && header->rank != 2) || header->shape[0] < 0 ||
      header->shape[1] < 0 || uint64_t(header->shape[0]) > kMaxElements ||
      uint64_t(header->shape[1]) > kMaxElements / (header->shape[0] + 1) ||
      header->encodingBytes > limit || header->noteBytes > limit) {
    return expected("sizes of a parameter, found others");
  }
  const EncodedLayout &layout = header->layout;
  SmallVector<uint64_t> sizes;
  if (header->encodingBytes == 0) {
    sizes = {header->getElements() * sizeof(float)};
  } else if (isConsistent(*header)) {
    sizes = {uint64_t(layout.scales) * 2,
             uint64_t(layout.tables) * uint64_t(layout.entries),
             header->getElements()};
  } else {
    return expected("sizes of an encoded matrix, found others");
  }
  uint64_t total =
      sizeof(DerivedFileHeader) + header->encodingBytes + header->noteBytes;
  for (uint64_t size : sizes) {
    total += size;
  }
  if (total != file.size()) {
    return expected(Twine(total) + " bytes, found " + Twine(file.size()));
  }
  StringRef rest = file.drop_front(sizeof(DerivedFileHeader));
  StringRef texts = rest.take_back(header->encodingBytes + header->noteBytes);
  uint64_t hash = combine(xxh3_64bits(texts.take_front(header->encodingBytes)),
                          xxh3_64bits(texts.drop_front(header->encodingBytes)));
  StringRef part;
  for (uint64_t size : sizes) {
    part = rest.take_front(size);
    hash = combine(hash, xxh3_64bits(part));
    rest = rest.drop_front(size);
  }
  if (hash != header->hash) {
    return expected("bytes with the hash of its head, found others");
  }
  // What is left in `part` are the codes.
  bool isIndexed = header->encodingBytes != 0 && layout.entries != 0;
  if (isIndexed && any_of(part, [&](char code) {
        return uint8_t(code) >= layout.entries;
      })) {
    return expected("codes below " + Twine(layout.entries) +
                    ", found a larger one");
  }
  return header;
}

} // namespace umber
