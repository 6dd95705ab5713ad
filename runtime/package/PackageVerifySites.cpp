// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/PackageVerify.h"

namespace umber::verify {

static constexpr uint32_t kMaxSide = 1 << 24;

Status verifySites(const fbs::Target &target, const std::string &where) {
  for (uint32_t i = 0; i < sizeOf(target.gains()); ++i) {
    if (!target.gains()->Get(i)->values()) {
      return bad(where + ", " + at("gain", i), "values, found none");
    }
  }
  for (uint32_t i = 0; i < sizeOf(target.sites()); ++i) {
    const fbs::AdapterSite &site = *target.sites()->Get(i);
    std::string part = where + ", " + at("site", i);
    if (!site.name()) {
      return bad(part, "a name, found none");
    }
    if (site.inputs() < 1 || site.inputs() > kMaxSide || site.outputs() < 1 ||
        site.outputs() > kMaxSide) {
      return bad(part, "a matrix of 1 to " + std::to_string(kMaxSide) +
                           " inputs and outputs" + found(site.inputs()) +
                           " and " + std::to_string(site.outputs()));
    }
    if (site.gain() < -1 || site.gain() >= int64_t(sizeOf(target.gains()))) {
      return bad(part, "a gain from -1 to below " +
                           std::to_string(sizeOf(target.gains())) +
                           found(site.gain()));
    }
    if (site.gain() >= 0 &&
        target.gains()->Get(site.gain())->values()->size() != site.inputs()) {
      return bad(part,
                 "a gain of " + std::to_string(site.inputs()) + " elements" +
                     found(target.gains()->Get(site.gain())->values()->size()));
    }
    auto divides = [](uint32_t size, uint32_t all) {
      return size == 0 || all % size == 0;
    };
    if (!divides(site.input_rotation(), site.inputs()) ||
        !divides(site.output_rotation(), site.outputs()) ||
        !divides(site.interleaved_head(), site.outputs()) ||
        site.interleaved_head() % 2 != 0) {
      return bad(part, "rotations and heads that divide its sides" +
                           found(site.input_rotation()) + ", " +
                           std::to_string(site.output_rotation()) + " and " +
                           std::to_string(site.interleaved_head()));
    }
  }
  return Status();
}

} // namespace umber::verify
