// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What compression makes of parameters: a folder with a file for each, written
// whole and named by what it was made from, so that a compilation that is cut
// short goes on with what it has finished.

#ifndef UMBER_DIALECTS_UMBER_PARAMETERS_DERIVEDSTORE_H
#define UMBER_DIALECTS_UMBER_PARAMETERS_DERIVEDSTORE_H

#include "dialects/Umber/Parameters/ParameterStore.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include <mutex>

namespace umber {

/// Parameters in a folder. Files are checked when they are first read: sizes,
/// the hash of their bytes, and that codes are within their tables. Safe to use
/// from many threads, for different keys also to write.
class DerivedStore : public ParameterStore {
public:
  /// `folder` is made when something is first written.
  explicit DerivedStore(llvm::StringRef folder) : folder(folder) {}

  /// Whether there is a file for `key`.
  bool has(llvm::StringRef key) const;
  /// Whether `key` is here, whole.
  bool contains(llvm::StringRef key) const;

  /// Keeps plain f32 elements, of rank 1 or 2.
  llvm::Error write(llvm::StringRef key, llvm::ArrayRef<int64_t> shape,
                    llvm::ArrayRef<float> elements);
  /// Keeps a matrix under `type`'s encoding. `note` is any text of the
  /// writer's about it, which getNote() gives back.
  llvm::Error write(llvm::StringRef key, mlir::RankedTensorType type,
                    const EncodedMatrixRef &matrix, llvm::StringRef note);

  /// Removes what stores have written to the folder, also what they had not
  /// finished, except for the keys that `kept` names. Any other file stays.
  llvm::Error removeAllBut(const llvm::StringSet<> &kept);

  llvm::Expected<llvm::StringRef> getNote(llvm::StringRef key) const;

  llvm::Expected<llvm::ArrayRef<int64_t>>
  getShape(llvm::StringRef key) const override;
  llvm::Error readRows(llvm::StringRef key, int64_t first,
                       llvm::MutableArrayRef<float> out) const override;
  llvm::Expected<EncodedMatrixRef>
  getEncoded(llvm::StringRef key, mlir::RankedTensorType type) const override;
  /// A key says what its bytes were made from.
  llvm::Expected<uint64_t> getIdentity(llvm::StringRef key) const override;

private:
  /// A file's parts, in its memory.
  struct Entry {
    std::unique_ptr<llvm::MemoryBuffer> file;
    std::vector<int64_t> shape;
    llvm::StringRef encoding, note;
    llvm::ArrayRef<float> elements;
    EncodedLayout layout;
    EncodedMatrixRef matrix;
  };

  std::string getPath(llvm::StringRef key) const;
  llvm::Error makeError(llvm::StringRef key, const llvm::Twine &message) const;
  llvm::Expected<const Entry *> find(llvm::StringRef key) const;
  llvm::Expected<Entry> open(llvm::StringRef key) const;
  llvm::Error parse(llvm::StringRef key, Entry &entry) const;
  llvm::Error writeParts(llvm::StringRef key, llvm::ArrayRef<int64_t> shape,
                         const EncodedLayout &layout, llvm::StringRef encoding,
                         llvm::StringRef note,
                         llvm::ArrayRef<llvm::ArrayRef<uint8_t>> parts);

  std::string folder;
  mutable std::mutex mutex;
  mutable llvm::StringMap<std::unique_ptr<Entry>> entries;
};

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_PARAMETERS_DERIVEDSTORE_H
