// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/ElementType.h"
#include "runtime/package/Format.h"
#include "runtime/package/PackageVerify.h"

#include <cmath>
#include <set>
#include <string_view>

namespace umber::verify {

/// `rows` and `columns` have been checked.
static Status verifyMatrix(uint64_t offset, uint64_t rows, uint64_t columns,
                           fbs::DType dtype, uint64_t segmentSize,
                           const std::string &where) {
  uint64_t size = rows * columns * elementBits(dtype) / 8;
  if (offset % kDataAlignment != 0 || offset > segmentSize ||
      size > segmentSize - offset) {
    return bad(where, std::to_string(size) + " bytes within its segment's " +
                          std::to_string(segmentSize) +
                          ", from a multiple of " +
                          std::to_string(kDataAlignment) +
                          ", found them at offset " + std::to_string(offset));
  }
  return Status();
}

static Status verifyPair(const fbs::AdapterPair &pair,
                         const fbs::Package &package,
                         const std::string &where) {
  // Quantized matrices would need a field for their scales too.
  if (pair.dtype() != fbs::DType_F16 && pair.dtype() != fbs::DType_BF16) {
    return bad(where,
               "elements of type F16 or BF16" + found(int(pair.dtype())));
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
  if (Status status =
          verifyMatrix(pair.a_offset(), pair.rank(), pair.inputs(),
                       pair.dtype(), segment->size(), where + ", A");
      !status.ok()) {
    return status;
  }
  return verifyMatrix(pair.b_offset(), pair.outputs(), pair.rank(),
                      pair.dtype(), segment->size(), where + ", B");
}

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
  std::set<std::string_view> sites;
  for (uint32_t i = 0; i < adapter.pairs()->size(); ++i) {
    const fbs::AdapterPair *pair = adapter.pairs()->Get(i);
    std::string part = std::string(where) + ", " + at("pair", i);
    if (sizeOf(pair->site()) == 0) {
      return bad(part, "a site, found none");
    }
    if (!sites.insert(pair->site()->string_view()).second) {
      return bad(part, "one pair for a site, found another for the same");
    }
    if (Status status = verifyPair(*pair, package, part); !status.ok()) {
      return status;
    }
  }
  return Status();
}

} // namespace umber::verify
