// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/SiteBases.h"

#include <cmath>
#include <cstring>
#include <string>

namespace umber {

namespace {

/// Sorts each head's rows of b from Hugging Face's order to the interleaved
/// one, or back.
void sortHeads(float *b, int64_t outputs, int64_t rank, int64_t head,
               bool toInterleaved) {
  std::vector<float> sorted(head * rank);
  for (int64_t first = 0; first < outputs; first += head) {
    float *rows = b + first * rank;
    for (int64_t i = 0; i < head; ++i) {
      int64_t other = i / 2 + i % 2 * (head / 2);
      int64_t from = toInterleaved ? other : i, to = toInterleaved ? i : other;
      std::memcpy(&sorted[to * rank], rows + from * rank, rank * sizeof(float));
    }
    std::memcpy(rows, sorted.data(), sorted.size() * sizeof(float));
  }
}

} // namespace

Status SiteBases::add(const fbs::AdapterSite &site) {
  for (uint32_t size : {site.input_rotation(), site.output_rotation()}) {
    if (size == 0 || rotations.count(size)) {
      continue;
    }
    auto rotation = Orthogonal::get(size);
    if (!rotation) {
      return Status(StatusCode::Unsupported,
                    "expected a rotation that this version knows, found one of "
                    "size " +
                        std::to_string(size));
    }
    rotations.emplace(size, std::move(*rotation));
  }
  return {};
}

void SiteBases::rotateInputs(const fbs::AdapterSite &site, int64_t rank,
                             float *a) const {
  if (uint32_t size = site.input_rotation()) {
    const Orthogonal &rotation = rotations.at(size);
    for (int64_t at = 0; at < rank * site.inputs(); at += size) {
      rotation.apply(a + at);
    }
  }
}

void SiteBases::rotateOutputs(const fbs::AdapterSite &site, int64_t rank,
                              float *b) const {
  if (uint32_t size = site.output_rotation()) {
    const Orthogonal &rotation = rotations.at(size);
    for (int64_t first = 0; first < site.outputs(); first += size) {
      rotation.apply(b + first * rank, rank);
    }
  }
}

void SiteBases::enter(const fbs::AdapterSite &site, RowOrder order,
                      int64_t rank, float *a, float *b) const {
  if (site.interleaved_head() != 0 && order == RowOrder::HuggingFace) {
    sortHeads(b, site.outputs(), rank, site.interleaved_head(), true);
  }
  // As umber-absorb-norms and umber-rotate do with W.
  if (site.gain() >= 0) {
    const flatbuffers::Vector<float> &gain = this->gain(site);
    for (int64_t r = 0; r < rank; ++r) {
      for (uint32_t c = 0; c < site.inputs(); ++c) {
        a[r * site.inputs() + c] *= gain.Get(c);
      }
    }
  }
  rotateInputs(site, rank, a);
  rotateOutputs(site, rank, b);
}

Status SiteBases::leave(const fbs::AdapterSite &site, int64_t rank, float *a,
                        float *b) const {
  rotateInputs(site, rank, a);
  rotateOutputs(site, rank, b);
  for (uint32_t c = 0; site.gain() >= 0 && c < site.inputs(); ++c) {
    float gain = this->gain(site).Get(c);
    for (int64_t r = 0; r < rank; ++r) {
      float &element = a[r * site.inputs() + c];
      element /= gain;
      if (!std::isfinite(element)) {
        return Status(StatusCode::Unsupported,
                      "expected absorbed gains that can be divided by, found " +
                          std::to_string(gain) + " for input " +
                          std::to_string(c));
      }
    }
  }
  if (site.interleaved_head() != 0) {
    sortHeads(b, site.outputs(), rank, site.interleaved_head(), false);
  }
  return {};
}

} // namespace umber
