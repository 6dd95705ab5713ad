// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Addresses that a warp's lanes access, checked.

#ifndef UMBER_TEST_SOFTCUDA_ACCESS_H
#define UMBER_TEST_SOFTCUDA_ACCESS_H

#include "test/SoftCuda/Warp.h"

namespace umber::softcuda {

/// The addresses that `in` has for all lanes; lanes that are not active have
/// that of one that is.
inline Lanes<int64_t> addressesOf(const Warp &warp, const Instruction &in) {
  Lanes<int64_t> addresses = in.isAddressNarrow
                                 ? convert<int64_t>(warp.get<uint32_t>(in.a))
                                 : warp.get<int64_t>(in.a);
  addresses += in.offset;
  if (warp.active != kAllLanes) {
    auto mask = __builtin_convertvector(warp.activeMask, Lanes<int64_t>);
    int64_t one = addresses[unsigned(__builtin_ctz(warp.active))];
    addresses = select<int64_t>(mask, addresses, splat(one));
  }
  return addresses;
}

/// Throws a Fault unless each of these accesses of `bytes` is aligned and in an
/// allocation. True if all are of the same address.
bool checkGlobal(const Warp &warp, const Instruction &in,
                 const Lanes<int64_t> &addresses, unsigned bytes);
/// The same of a block's shared memory, whose addresses begin at 0; also that
/// no other warp has touched it since the last barrier.
bool checkShared(const Warp &warp, const Lanes<int64_t> &addresses,
                 unsigned bytes, bool isStore);

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_ACCESS_H
