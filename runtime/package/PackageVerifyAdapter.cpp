// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/ElementType.h"
#include "runtime/package/Format.h"
#include "runtime/package/PackageVerify.h"

#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace umber::verify {

namespace {

/// Verifies the pairs of one adapter, one by one.
class PairVerifier {
public:
  explicit PairVerifier(const fbs::Package &package) : package(package) {}

  Status verify(const fbs::AdapterPair &pair, const std::string &where);

private:
  /// `rows` and `columns` have been checked, and so has the segment.
  Status verifyMatrix(uint64_t offset, uint64_t rows, uint64_t columns,
                      fbs::DType dtype, uint32_t segment,
                      const std::string &where);

  const fbs::Package &package;
  std::set<std::string_view> sites;
  // The ends of what the matrices so far take, by segment and beginning.
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> taken;
};

Status PairVerifier::verifyMatrix(uint64_t offset, uint64_t rows,
                                  uint64_t columns, fbs::DType dtype,
                                  uint32_t segment, const std::string &where) {
  uint64_t size = rows * columns * elementBits(dtype) / 8;
  uint64_t segmentSize = package.segments()->Get(segment)->size();
  if (offset % kDataAlignment != 0 || offset > segmentSize ||
      size > segmentSize - offset) {
    return bad(where, std::to_string(size) + " bytes within its segment's " +
                          std::to_string(segmentSize) +
                          ", from a multiple of " +
                          std::to_string(kDataAlignment) +
                          ", found them at offset " + std::to_string(offset));
  }
  auto after = taken.lower_bound({segment, offset});
  bool isFree = after == taken.end() || after->first.first != segment ||
                after->first.second >= offset + size;
  if (isFree && after != taken.begin()) {
    auto before = std::prev(after);
    isFree = before->first.first != segment || before->second <= offset;
  }
  if (!isFree) {
    return bad(where, "bytes of its own, found another's at offset " +
                          std::to_string(offset));
  }
  taken[{segment, offset}] = offset + size;
  return Status();
}

Status PairVerifier::verify(const fbs::AdapterPair &pair,
                            const std::string &where) {
  if (sizeOf(pair.site()) == 0) {
    return bad(where, "a site, found none");
  }
  if (!sites.insert(pair.site()->string_view()).second) {
    return bad(where, "one pair for a site, found another for the same");
  }
  bool isQuantized = pair.dtype() == fbs::DType_I8;
  if (!isQuantized && pair.dtype() != fbs::DType_F16 &&
      pair.dtype() != fbs::DType_BF16) {
    return bad(where,
               "elements of type F16, BF16 or I8" + found(int(pair.dtype())));
  }
  for (uint64_t extent : {pair.inputs(), pair.outputs()}) {
    if (pair.rank() < 1 || extent < 1 || extent > kMaxBytes / pair.rank()) {
      return bad(where, "matrices of 1 to 2^46 elements, found rank " +
                            std::to_string(pair.rank()) + ", " +
                            std::to_string(pair.inputs()) + " inputs and " +
                            std::to_string(pair.outputs()) + " outputs");
    }
  }
  if (!std::isfinite(pair.scale())) {
    return bad(where, "a finite scale, found an infinity or NaN");
  }
  if (pair.segment() >= package.segments()->size()) {
    return bad(where, "a segment below " +
                          std::to_string(package.segments()->size()) +
                          found(pair.segment()));
  }
  const fbs::Segment *segment = package.segments()->Get(pair.segment());
  if (segment->kind() != fbs::SegmentKind_Weights) {
    return bad(where, std::string("a segment of weights, found one of kind ") +
                          fbs::EnumNameSegmentKind(segment->kind()));
  }
  struct Matrix {
    const char *name;
    uint64_t offset, rows, columns;
    fbs::DType dtype;
  };
  const Matrix matrices[] = {
      {"A", pair.a_offset(), pair.rank(), pair.inputs(), pair.dtype()},
      {"B", pair.b_offset(), pair.outputs(), pair.rank(), pair.dtype()},
      {"A's scales", pair.a_scales(), 1, pair.rank(), fbs::DType_F16},
      {"B's scales", pair.b_scales(), 1, pair.rank(), fbs::DType_F16}};
  for (int i = 0; i < (isQuantized ? 4 : 2); ++i) {
    const Matrix &matrix = matrices[i];
    Status status =
        verifyMatrix(matrix.offset, matrix.rows, matrix.columns, matrix.dtype,
                     pair.segment(), where + ", " + matrix.name);
    if (!status.ok()) {
      return status;
    }
  }
  return Status();
}

} // namespace

Status verifyAdapter(const fbs::AdapterInfo &adapter,
                     const fbs::Package &package) {
  const char *where = "adapter";
  if (!adapter.name()) {
    return bad(where, "a name, found none");
  }
  if (adapter.row_order() > fbs::RowOrder_MAX) {
    return bad(where,
               "a known order of rows" + found(int(adapter.row_order())));
  }
  if (sizeOf(adapter.pairs()) == 0) {
    return bad(where, "pairs of matrices, found none");
  }
  PairVerifier verifier(package);
  for (uint32_t i = 0; i < adapter.pairs()->size(); ++i) {
    Status status = verifier.verify(*adapter.pairs()->Get(i),
                                    std::string(where) + ", " + at("pair", i));
    if (!status.ok()) {
      return status;
    }
  }
  return Status();
}

Status verifyRecovery(const fbs::Target &target, const fbs::Package &package,
                      const std::string &where) {
  std::map<std::string_view, const fbs::AdapterSite *> sites;
  for (uint32_t i = 0; i < sizeOf(target.sites()); ++i) {
    const fbs::AdapterSite *site = target.sites()->Get(i);
    sites.emplace(site->name()->string_view(), site);
  }
  PairVerifier verifier(package);
  for (uint32_t i = 0; i < sizeOf(target.recovery()); ++i) {
    const fbs::AdapterPair &pair = *target.recovery()->Get(i);
    std::string part = where + ", " + at("correction", i);
    if (Status status = verifier.verify(pair, part); !status.ok()) {
      return status;
    }
    auto found = sites.find(pair.site()->string_view());
    if (found == sites.end()) {
      return bad(part, "a site of the target, found another");
    }
    const fbs::AdapterSite &site = *found->second;
    if (pair.inputs() != site.inputs() || pair.outputs() != site.outputs()) {
      return bad(part, "its site's " + std::to_string(site.inputs()) +
                           " inputs and " + std::to_string(site.outputs()) +
                           " outputs, found " + std::to_string(pair.inputs()) +
                           " and " + std::to_string(pair.outputs()));
    }
  }
  return Status();
}

} // namespace umber::verify
