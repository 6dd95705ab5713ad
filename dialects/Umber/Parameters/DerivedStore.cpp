// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/DerivedStore.h"
#include "dialects/Umber/Parameters/DerivedFile.h"
#include "runtime/package/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace umber {

template <typename T>
static ArrayRef<uint8_t> asBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const uint8_t *>(values.data()),
          values.size() * sizeof(T)};
}

static std::string printEncoding(mlir::RankedTensorType type) {
  std::string text;
  raw_string_ostream(text) << type.getEncoding();
  return text;
}

std::string DerivedStore::getPath(StringRef key) const {
  SmallString<256> path(folder);
  sys::path::append(path, key);
  return path.str().str();
}

Error DerivedStore::makeError(StringRef key, const Twine &message) const {
  return createStringError(inconvertibleErrorCode(),
                           getPath(key) + ": " + message);
}

bool DerivedStore::has(StringRef key) const {
  return sys::fs::exists(getPath(key));
}

bool DerivedStore::contains(StringRef key) const {
  auto entry = find(key);
  if (!entry) {
    // Missing, or not whole: it is to be made again.
    consumeError(entry.takeError());
    return false;
  }
  return true;
}

Error DerivedStore::write(StringRef key, ArrayRef<int64_t> shape,
                          ArrayRef<float> elements) {
  return writeParts(key, shape, {}, "", "", {asBytes(elements)});
}

Error DerivedStore::write(StringRef key, mlir::RankedTensorType type,
                          const EncodedMatrixRef &matrix, StringRef note) {
  return writeParts(
      key, type.getShape(), EncodedLayout::get(type), printEncoding(type), note,
      {asBytes(matrix.scales), asBytes(matrix.tables), matrix.codes});
}

Error DerivedStore::writeParts(StringRef key, ArrayRef<int64_t> shape,
                               const EncodedLayout &layout, StringRef encoding,
                               StringRef note,
                               ArrayRef<ArrayRef<uint8_t>> parts) {
  if (std::error_code code = sys::fs::create_directories(folder)) {
    return createStringError(code, folder + ": " + code.message());
  }
  DerivedFileHeader header(shape, layout, encoding, note);
  for (ArrayRef<uint8_t> part : parts) {
    header.addPart(part);
  }
  auto toError = [](const Status &status) {
    return createStringError(inconvertibleErrorCode(), status.message());
  };
  auto file = OutputFile::create(getPath(key));
  if (!file.ok()) {
    return toError(file.status());
  }
  Status status = (*file)->append(&header, sizeof header);
  SmallVector<ArrayRef<uint8_t>> all(parts);
  all.push_back(arrayRefFromStringRef(encoding));
  all.push_back(arrayRefFromStringRef(note));
  for (ArrayRef<uint8_t> part : all) {
    if (status.ok()) {
      status = (*file)->append(part.data(), part.size());
    }
  }
  if (status.ok()) {
    status = (*file)->commit();
  }
  if (!status.ok()) {
    return toError(status);
  }
  std::lock_guard<std::mutex> lock(mutex);
  entries.erase(key);
  return Error::success();
}

/// Keys end in a number in hexadecimal, after a dot.
static bool isKey(StringRef name) {
  auto [stem, number] = name.rsplit('.');
  return !stem.empty() && !number.empty() && llvm::all_of(number, isHexDigit);
}

Error DerivedStore::removeAllBut(const StringSet<> &kept) {
  std::error_code code;
  for (sys::fs::directory_iterator it(folder, code), end; it != end && !code;
       it.increment(code)) {
    StringRef name = sys::path::filename(it->path());
    bool isUnfinished = isKey(OutputFile::getFinalName(name.str()));
    if (!isUnfinished && (kept.contains(name) || !isKey(name))) {
      continue;
    }
    auto file = MemoryBuffer::getFileSlice(it->path(), /*MapSize=*/8, 0);
    bool isOwn = file && DerivedFileHeader::hasMagic((*file)->getBuffer());
    if (isUnfinished || isOwn) {
      if (std::error_code failed = sys::fs::remove(it->path())) {
        return createStringError(failed, it->path() + ": " + failed.message());
      }
      std::lock_guard<std::mutex> lock(mutex);
      entries.erase(name);
    }
  }
  return code ? createStringError(code, folder + ": " + code.message())
              : Error::success();
}

Expected<DerivedStore::Entry> DerivedStore::open(StringRef key) const {
  auto file = MemoryBuffer::getFile(getPath(key), /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file) {
    return makeError(key, file.getError().message());
  }
  Entry entry;
  entry.file = std::move(*file);
  if (Error error = parse(key, entry)) {
    return error;
  }
  return entry;
}

/// The next `count` elements of a file, whose size has been checked.
template <typename T>
static ArrayRef<T> take(const char *&at, uint64_t count) {
  ArrayRef<T> part(reinterpret_cast<const T *>(at), count);
  at += count * sizeof(T);
  return part;
}

Error DerivedStore::parse(StringRef key, Entry &entry) const {
  StringRef bytes = entry.file->getBuffer();
  auto header = DerivedFileHeader::check(bytes);
  if (!header) {
    return makeError(key, toString(header.takeError()));
  }
  const DerivedFileHeader &found = **header;
  entry.shape.assign(found.shape, found.shape + found.rank);
  entry.layout = found.layout;
  const char *at = bytes.data() + sizeof found;
  if (found.encodingBytes == 0) {
    entry.elements = take<float>(at, found.getElements());
  } else {
    entry.matrix.scales = take<uint16_t>(at, entry.layout.scales);
    entry.matrix.tables =
        take<int8_t>(at, entry.layout.tables * entry.layout.entries);
    entry.matrix.codes = take<uint8_t>(at, found.getElements());
  }
  entry.encoding = StringRef(at, found.encodingBytes);
  entry.note = StringRef(at + found.encodingBytes, found.noteBytes);
  return Error::success();
}

Expected<const DerivedStore::Entry *> DerivedStore::find(StringRef key) const {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (auto it = entries.find(key); it != entries.end()) {
      return it->second.get();
    }
  }
  auto entry = open(key);
  if (!entry) {
    return entry.takeError();
  }
  std::lock_guard<std::mutex> lock(mutex);
  auto [it, isNew] = entries.try_emplace(key);
  if (isNew) {
    it->second = std::make_unique<Entry>(std::move(*entry));
  }
  return it->second.get();
}

Expected<StringRef> DerivedStore::getNote(StringRef key) const {
  auto entry = find(key);
  if (!entry) {
    return entry.takeError();
  }
  return (*entry)->note;
}

Expected<ArrayRef<int64_t>> DerivedStore::getShape(StringRef key) const {
  auto entry = find(key);
  if (!entry) {
    return entry.takeError();
  }
  return ArrayRef<int64_t>((*entry)->shape);
}

Error DerivedStore::readRows(StringRef key, int64_t first,
                             MutableArrayRef<float> out) const {
  auto found = find(key);
  if (!found) {
    return found.takeError();
  }
  const Entry &entry = **found;
  int64_t columns = entry.shape.back();
  int64_t rows = entry.shape.size() == 2 ? entry.shape[0] : 1;
  int64_t count = columns ? int64_t(out.size()) / columns : 0;
  if (count * columns != int64_t(out.size()) || first < 0 || first > rows ||
      count > rows - first) {
    return makeError(
        key, "expected rows within its " + Twine(rows) + " of " +
                 Twine(columns) + " elements, found a request for " +
                 Twine(out.size()) + " elements from row " + Twine(first));
  }
  if (entry.encoding.empty()) {
    std::copy_n(entry.elements.begin() + first * columns, out.size(),
                out.begin());
  } else {
    decodeRows(entry.layout, entry.matrix, first, out);
  }
  return Error::success();
}

Expected<EncodedMatrixRef>
DerivedStore::getEncoded(StringRef key, mlir::RankedTensorType type) const {
  auto entry = find(key);
  if (!entry) {
    return entry.takeError();
  }
  std::string expected = printEncoding(type);
  if ((*entry)->encoding != expected ||
      type.getShape() != ArrayRef((*entry)->shape)) {
    return makeError(key, "expected a matrix stored as " + expected +
                              ", found '" + (*entry)->encoding + "'");
  }
  return (*entry)->matrix;
}

Expected<uint64_t> DerivedStore::getIdentity(StringRef key) const {
  return xxh3_64bits(key);
}

} // namespace umber
